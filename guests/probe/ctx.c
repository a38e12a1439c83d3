/* SPDX-License-Identifier: MIT */
/* What belongs to a vcpu and must survive a switch to another one on the same CPU. */
#include "hypercall.h"
#include "topics.h"

#define SWITCHES 2000

struct fx {
	u8 area[512];
} __attribute__((aligned(64)));

struct ymm {
	u64 q[16][4];
} __attribute__((aligned(64)));

static volatile unsigned int wrong[MAX_CPUS];
static volatile bool stop;

static void fx_save(struct fx *f)
{
	asm volatile("fxsaveq %0" : "=m"(*f));
}

static void fx_load(const struct fx *f)
{
	asm volatile("fxrstorq %0" : : "m"(*f));
}

/* Valid contents that differ from vcpu to vcpu: x87 values, MXCSR, all XMM. */
static void fx_pattern(struct fx *f, unsigned int id)
{
	memset(f, 0, sizeof(*f));
	fx_save(f);
	f->area[0] = 0x7f;
	f->area[1] = id & 1 ? 0x0f : 0x03;
	f->area[24] = 0x80;
	f->area[25] = id & 1 ? 0x7f : 0x1f;
	for (unsigned int i = 160; i < 416; i++)
		f->area[i] = (u8)(i * 13 + id * 77);
}

static void fpu_loop(void *arg)
{
	unsigned int id = this_cpu()->id;
	static struct fx want[MAX_CPUS], got[MAX_CPUS];

	fx_pattern(&want[id], id);
	for (unsigned int i = 0; i < SWITCHES && !stop; i++) {
		fx_load(&want[id]);
		sched_op(SCHEDOP_yield, NULL);
		fx_save(&got[id]);
		if (memcmp(&want[id].area[160], &got[id].area[160], 256) ||
		    memcmp(&want[id].area[24], &got[id].area[24], 2) ||
		    memcmp(&want[id].area[0], &got[id].area[0], 2))
			wrong[id]++;
	}
}

static void avx_load(const struct ymm *y)
{
	asm volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		     "vmovups \\n*32(%0), %%ymm\\n\n.endr"
		     :
		     : "r"(y)
		     : "memory");
}

static void avx_save(struct ymm *y)
{
	asm volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
		     "vmovups %%ymm\\n, \\n*32(%0)\n.endr"
		     :
		     : "r"(y)
		     : "memory");
}

static void avx_loop(void *arg)
{
	static struct ymm want[MAX_CPUS], got[MAX_CPUS];
	unsigned int id = this_cpu()->id;

	for (unsigned int i = 0; i < 64; i++)
		((u64 *)&want[id])[i] = (i + 1) * 0x0101010101010101UL * (id + 1);
	for (unsigned int i = 0; i < SWITCHES && !stop; i++) {
		avx_load(&want[id]);
		sched_op(SCHEDOP_yield, NULL);
		avx_save(&got[id]);
		if (memcmp(&want[id], &got[id], sizeof(want[id])))
			wrong[id]++;
	}
}

static void use_fpu(void *arg)
{
	asm volatile("fninit");
}

static void ts_loop(void *arg)
{
	unsigned int id = this_cpu()->id;

	for (unsigned int i = 0; i < SWITCHES && !stop; i++) {
		bool on = (i ^ id) & 1;

		fpu_taskswitch(on);
		sched_op(SCHEDOP_yield, NULL);
		/* The processor tells; a read of CR0 would only tell what the hypervisor has noted. */
		if ((catch_trap(use_fpu, NULL) == 7) != on)
			wrong[id]++;
	}
	fpu_taskswitch(0);
}

static void base_loop(void *arg)
{
	static u64 word[MAX_CPUS][2];
	unsigned int id = this_cpu()->id;
	u64 fs, gs;

	word[id][0] = 0x1000 + id;
	word[id][1] = 0x2000 + id;
	set_segment_base(SEGBASE_FS, (u64)&word[id][0]);
	set_segment_base(SEGBASE_GS_KERNEL, (u64)&word[id][1]);
	for (unsigned int i = 0; i < SWITCHES && !stop; i++) {
		sched_op(SCHEDOP_yield, NULL);
		asm volatile("mov %%fs:0, %0; mov %%gs:0, %1" : "=r"(fs), "=r"(gs));
		if (fs != 0x1000 + id || gs != 0x2000 + id)
			wrong[id]++;
	}
	set_segment_base(SEGBASE_FS, 0);
	set_segment_base(SEGBASE_GS_KERNEL, 0);
}

static void selector_loop(void *arg)
{
	unsigned int id = this_cpu()->id;
	u32 want = id & 1 ? FLAT_RING3_DS32 : 0, ds, es;

	asm volatile("mov %0, %%ds; mov %0, %%es" : : "r"(want));
	for (unsigned int i = 0; i < SWITCHES && !stop; i++) {
		sched_op(SCHEDOP_yield, NULL);
		asm volatile("mov %%ds, %0; mov %%es, %1" : "=r"(ds), "=r"(es));
		if (ds != want || es != want)
			wrong[id]++;
	}
	asm volatile("mov %0, %%ds; mov %0, %%es" : : "r"(0));
}

static void debug_loop(void *arg)
{
	unsigned int id = this_cpu()->id;

	for (unsigned int i = 0; i < SWITCHES && !stop; i++) {
		set_debugreg(0, 0x1000 * (id + 1));
		set_debugreg(3, 0x3000 * (id + 1));
		set_debugreg(7, id & 1 ? 0x2 : 0);
		sched_op(SCHEDOP_yield, NULL);
		if (get_debugreg(0) != 0x1000 * (id + 1) || get_debugreg(3) != 0x3000 * (id + 1) ||
		    (get_debugreg(7) & 3) != (id & 1 ? 2 : 0))
			wrong[id]++;
	}
	set_debugreg(7, 0);
}

static void both(void (*loop)(void *))
{
	bool alone;

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	REQUIRE_OK(cpu_up(1));
	/* On one CPU, when we may ask for it. */
	alone = cpu_pin(0, 0) || cpu_pin(1, 0);
	wrong[0] = 0;
	wrong[1] = 0;
	stop = false;
	cpu_run(1, loop, NULL);
	loop(NULL);
	REQUIRE(cpu_wait(1));
	cpu_pin(0, ~0UL);
	cpu_pin(1, ~0UL);
	if (alone && verbose)
		printf("\n  note: the vcpus could not be brought together");
	CHECK_EQ(wrong[0], 0);
	CHECK_EQ(wrong[1], 0);
}

static void fpu(void)
{
	both(fpu_loop);
}

static void enable_avx(void *arg)
{
	u64 cr4;

	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	asm volatile("mov %0, %%cr4" : : "r"(cr4 | 1UL << 18));
	asm volatile("xsetbv" : : "a"(7), "d"(0), "c"(0));
}

static void avx(void)
{
	u32 a = 1, b, c = 0, d;

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	asm volatile(XEN_EMULATE_PREFIX "cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (!(c >> 28 & 1))
		SKIP_TEST("no AVX");
	REQUIRE_OK(cpu_up(1));
	enable_avx(NULL);
	cpu_run(1, enable_avx, NULL);
	REQUIRE(cpu_wait(1));
	both(avx_loop);
}

static void task_switched(void)
{
	both(ts_loop);
}

static void bases(void)
{
	both(base_loop);
}

static void selectors(void)
{
	both(selector_loop);
}

static void debug_registers(void)
{
	both(debug_loop);
}

/* A fresh vcpu starts with a clean state, not with what the CPU had before. */
static struct fx seen;

static void look(void *arg)
{
	fx_save(&seen);
}

static void fresh(void)
{
	static struct fx mine;
	u8 sum = 0;

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	if (cpu_nr(1)->up)
		SKIP_TEST("run alone: vcpu 1 is not fresh");
	fx_pattern(&mine, 3);
	fx_load(&mine);
	REQUIRE_OK(cpu_up(1));
	cpu_run(1, look, NULL);
	REQUIRE(cpu_wait(1));
	for (unsigned int i = 160; i < 416; i++)
		sum |= seen.area[i];
	CHECK_EQ(sum, 0);
	CHECK_EQ(seen.area[24] | seen.area[25] << 8, 0x1f80);
}

const struct test ctx_tests[] = {
	{"fresh", fresh},
	{"fpu", fpu},
	{"avx", avx},
	{"task-switched", task_switched},
	{"bases", bases},
	{"selectors", selectors},
	{"debug-registers", debug_registers},

	{NULL, NULL},
};
