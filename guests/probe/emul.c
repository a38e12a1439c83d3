/* SPDX-License-Identifier: MIT */
/* Privileged instructions of the kernel: CPUID, MSRs, control registers, ports, the interrupt flag. */
#include "hypercall.h"
#include "snippets.h"
#include "topics.h"
#include "msr.h"

static void cpuid(void)
{
	u32 r[4], max;

	xen_cpuid(0x40000000, 0, r);
	CHECK(!memcmp(&r[1], "XenVMMXenVMM", 12));
	CHECK(r[0] >= 0x40000002);
	xen_cpuid(0x40000001, 0, r);
	CHECK_EQ(r[0], 0x40011);
	xen_cpuid(0, 0, r);
	max = r[0];
	CHECK(max >= 7);
	xen_cpuid(1, 0, r);
	CHECK_EQ(r[2] >> 5 & 1, 0);  /* VMX */
	CHECK_EQ(r[2] >> 31 & 1, 1); /* hypervisor */
	CHECK_EQ(r[3] >> 3 & 1, 0);  /* PSE */
	CHECK_EQ(r[3] >> 13 & 1, 0); /* PGE */
	CHECK_EQ(r[3] >> 9 & 1, 1);  /* APIC */
	CHECK_EQ(r[3] >> 25 & 3, 3); /* SSE, SSE2 */
	xen_cpuid(0x80000001, 0, r);
	CHECK_EQ(r[2] >> 2 & 1, 0);  /* SVM */
	CHECK_EQ(r[3] >> 29 & 1, 1); /* long mode */
	CHECK_EQ(r[3] >> 20 & 1, 1); /* NX */
	CHECK_EQ(r[3] >> 26 & 1, 0); /* 1 GiB pages */
	xen_cpuid(7, 0, r);
	CHECK_EQ(r[1] >> 7 & 1, 0);  /* SMEP */
	CHECK_EQ(r[1] >> 20 & 1, 0); /* SMAP */
	xen_cpuid(0x7fffffff, 0, r);
	xen_cpuid(0xffffffff, 0xffffffff, r);
}

static int rd(u32 nr, u64 *val)
{
	struct msr m = {nr, 0};
	int v = catch_trap(do_rdmsr, &m);

	*val = m.val;
	return v;
}

static int wr(u32 nr, u64 val)
{
	struct msr m = {nr, val};

	return catch_trap(do_wrmsr, &m);
}

static void msr_read(void)
{
	static const u32 known[] = {0x10,	0x1b,	    0x277,     0xc0000080,
				    0xc0000100, 0xc0000101, 0xc0000102};
	static const u32 unknown[] = {0xdeadbeef, 0x12345678, 0x40000001, 0xc0ffffff, 0xffffffff};
	u64 v;

	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++) {
		int trap = rd(known[i], &v);

		if (trap >= 0)
			outcome_set(FAILURE, __FILE__, __LINE__, "MSR 0x%x: trap %d", known[i],
				    trap);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++) {
		int trap = rd(unknown[i], &v);

		if (trap != 13)
			outcome_set(FAILURE, __FILE__, __LINE__, "MSR 0x%x: trap %d value 0x%lx",
				    unknown[i], trap, v);
		CHECK_EQ(this_cpu()->trap.error, 0);
	}
	CHECK_EQ(rd(0xc0000080, &v), -1);
	CHECK_EQ(v & 0x500, 0x500);
	CHECK_EQ(v & 0x1000, 0); /* EFER.SVME */
}

/* Nothing that the hypervisor lives on changes; a trap or silence are both answers. */
static void msr_write_harmless(void)
{
	static const u32 nrs[] = {0x1b,	      0x174,	  0x175,      0x176,	  0x200,
				  0x277,      0x2ff,	  0x1d9,      0x6e0,	  0x80b,
				  0x830,      0x38f,	  0xc0000080, 0xc0000081, 0xc0000082,
				  0xc0000083, 0xc0000084, 0xc0010015, 0xc0010010, 0xc0010114,
				  0xc0010117, 0x48,	  0x49,	      0x79};

	for (unsigned int i = 0; i < ARRAY_SIZE(nrs); i++) {
		int v = wr(nrs[i], 0xdeadbeef12345678);

		CHECK(v == -1 || v == 13);
		CHECK_EQ(xen_version(XENVER_version, NULL), 0x40011);
		v = wr(nrs[i], 0);
		CHECK(v == -1 || v == 13);
		CHECK_EQ(xen_version(XENVER_version, NULL), 0x40011);
	}
}

static void msr_bases(void)
{
	u64 v;

	CHECK_EQ(wr(0xc0000100, (u64)&start_copy), -1);
	asm volatile("mov %%fs:0, %0" : "=r"(v));
	CHECK_EQ(v, *(u64 *)&start_copy);
	CHECK_EQ(rd(0xc0000100, &v), -1);
	CHECK_EQ(v, &start_copy);
	CHECK_EQ(wr(0xc0000101, (u64)&start_copy), -1);
	asm volatile("mov %%gs:0, %0" : "=r"(v));
	CHECK_EQ(v, *(u64 *)&start_copy);
	CHECK_EQ(rd(0xc0000101, &v), -1);
	CHECK_EQ(v, &start_copy);
	CHECK_EQ(wr(0xc0000102, 0x1234), -1);
	CHECK_EQ(rd(0xc0000102, &v), -1);
	CHECK_EQ(v, 0x1234);
	for (u32 nr = 0xc0000100; nr <= 0xc0000102; nr++) {
		CHECK_EQ(wr(nr, 0x800000000000), 13);
		CHECK_EQ(wr(nr, 0), -1);
	}
}

/* Every MSR near the interesting ones may be read or not; none may do harm. */
static void msr_sweep(void)
{
	static const u32 base[] = {0,	       0x200,	   0x400,      0x600,	   0x800,     0xc00,
				   0x40000000, 0xc0000000, 0xc0000080, 0xc0010000, 0xc0011000};
	u64 v;

	for (unsigned int i = 0; i < ARRAY_SIZE(base); i++)
		for (u32 nr = base[i]; nr < base[i] + 0x130; nr++) {
			int trap = rd(nr, &v);

			if (trap != -1 && trap != 13)
				outcome_set(FAILURE, __FILE__, __LINE__, "MSR 0x%x: trap %d", nr,
					    trap);
		}
}

static void write_cr3(void *val)
{
	asm volatile("mov %0, %%cr3" : : "r"(val) : "memory");
}

static void write_cr0(void *val)
{
	asm volatile("mov %0, %%cr0" : : "r"(val));
}

static void write_cr4(void *val)
{
	asm volatile("mov %0, %%cr4" : : "r"(val));
}

static void write_cr8(void *val)
{
	asm volatile("mov %0, %%cr8" : : "r"(val));
}

static void use_fpu(void *arg)
{
	asm volatile("fninit");
}

static void control_registers(void)
{
	u64 cr0, cr3, cr4, v;

	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	CHECK_EQ(cr0 & 0x80000021, 0x80000021);
	CHECK_EQ(cr0 & 8, 0);
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	CHECK_EQ(cr3, root_mfn() << 12);
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	CHECK(cr4 & 0x20);
	CHECK_EQ(catch_trap(write_cr0, (void *)(cr0 | 8)), -1);
	asm volatile("mov %%cr0, %0" : "=r"(v));
	CHECK_EQ(v, cr0 | 8);
	CHECK_EQ(catch_trap(use_fpu, NULL), 7);
	fpu_taskswitch(1);
	asm volatile("clts");
	CHECK_EQ(catch_trap(use_fpu, NULL), -1);
	CHECK_EQ(catch_trap(write_cr0, (void *)(cr0 & ~0x80000000UL)), 13);
	CHECK_EQ(catch_trap(write_cr0, NULL), 13);
	CHECK_EQ(catch_trap(write_cr3, (void *)cr3), -1);
	CHECK(catch_trap(write_cr3, (void *)0xfffffffff000) >= 0);
	CHECK(catch_trap(write_cr3, (void *)(va_mfn(&start_copy) << 12)) >= 0);
	asm volatile("mov %%cr3, %0" : "=r"(v));
	CHECK_EQ(v, root_mfn() << 12);
	CHECK_EQ(catch_trap(write_cr4, (void *)cr4), -1);
	v = 0;
	catch_trap(write_cr4, (void *)(cr4 | 1UL << 13 | 1UL << 20 | 1UL << 21));
	catch_trap(write_cr4, (void *)0);
	catch_trap(write_cr4, (void *)~0UL);
	asm volatile("mov %%cr4, %0" : "=r"(v));
	CHECK_EQ(v & 1UL << 13, 0);
	CHECK(catch_trap(write_cr8, NULL) >= 0);
	asm volatile("mov %0, %%cr2" : : "r"(0x777UL));
	CHECK_EQ(this_info()->arch.cr2, 0x777);
	asm volatile("mov %%cr2, %0" : "=r"(v));
	CHECK_EQ(v, 0x777);
}

static void do_in(void *port)
{
	u8 v;

	asm volatile("inb %w1, %0" : "=a"(v) : "d"((u32)(u64)port));
}

static u8 in8(u16 port)
{
	u8 v;

	asm volatile("inb %1, %0" : "=a"(v) : "d"(port));
	return v;
}

static u32 in32(u16 port)
{
	u32 v;

	asm volatile("inl %1, %0" : "=a"(v) : "d"(port));
	return v;
}

static void do_cli(void *arg)
{
	asm volatile("cli");
}

static void do_sti(void *arg)
{
	asm volatile("sti");
}

static void ports_without_iopl(void)
{
	struct physdev_set_iopl i = {.iopl = 0};

	REQUIRE_OK(physdev_op(PHYSDEVOP_set_iopl, &i));
	CHECK_EQ(catch_trap(do_in, (void *)0x70), 13);
	CHECK_EQ(catch_trap(do_cli, NULL), 13);
	CHECK_EQ(catch_trap(do_sti, NULL), 13);
}

static void ports(void)
{
	struct physdev_set_iopl i = {.iopl = 1};
	u8 buffer[8] = {0};
	u64 n = 4, di = (u64)buffer, mask;

	REQUIRE_OK(physdev_op(PHYSDEVOP_set_iopl, &i));
	/* Interrupt controllers are the hypervisor's: all ones. */
	CHECK_EQ(in8(0x21), 0xff);
	CHECK_EQ(in8(0xa1), 0xff);
	asm volatile("outb %%al, $0x80" : : "a"(0x55));
	asm volatile("outb %%al, %%dx" : : "a"(0xff), "d"(0x21));
	asm volatile("outl %%eax, %%dx" : : "a"(0), "d"(0xffff));
	CHECK_EQ(in32(0xffff), 0xffffffff);
	asm volatile("rep insb" : "+D"(di), "+c"(n) : "d"(0x21) : "memory");
	CHECK_EQ(n, 0);
	CHECK_EQ(di, buffer + 4);
	CHECK(buffer[0] == 0xff && buffer[3] == 0xff && !buffer[4]);
	n = 4;
	di = (u64)buffer;
	asm volatile("rep outsb" : "+S"(di), "+c"(n) : "d"(0x21) : "memory");
	CHECK_EQ(n, 0);
	CHECK_EQ(di, buffer + 4);
	/* String input into a page that is not there: the fault is the guest's. */
	mask = this_info()->evtchn_upcall_mask;
	asm volatile("cli; sti");
	CHECK_EQ(this_info()->evtchn_upcall_mask, mask);
	i.iopl = 4;
	CHECK_RC(physdev_op(PHYSDEVOP_set_iopl, &i), -XEN_EINVAL);
}

static void ins_fault(void *va)
{
	u64 n = 3;

	asm volatile("rep insb" : "+D"(va), "+c"(n) : "d"(0x21) : "memory");
}

static void outs_fault(void *va)
{
	u64 n = 3;

	asm volatile("rep outsb" : "+S"(va), "+c"(n) : "d"(0x21) : "memory");
}

static void string_faults(void)
{
	struct physdev_set_iopl i = {.iopl = 1};

	REQUIRE_OK(physdev_op(PHYSDEVOP_set_iopl, &i));
	CHECK_EQ(catch_trap(ins_fault, win(60)), 14);
	CHECK_EQ(this_cpu()->cr2, win(60));
	CHECK_EQ(catch_trap(outs_fault, win(60)), 14);
	CHECK(catch_trap(ins_fault, (void *)0xffff828000000000) >= 0);
	CHECK(catch_trap(outs_fault, (void *)0xffff828000000000) >= 0);
	CHECK(catch_trap(ins_fault, (void *)MACH2PHYS_VIRT_START) >= 0);
}

static void do_xsetbv(void *val)
{
	asm volatile("xsetbv" : : "a"((u32)(u64)val), "d"(0), "c"(0));
}

static void do_xsetbv1(void *val)
{
	asm volatile("xsetbv" : : "a"(1), "d"(0), "c"(1));
}

static void xsetbv(void)
{
	u32 r[4], max;

	xen_cpuid(1, 0, r);
	if (!(r[2] >> 26 & 1))
		SKIP_TEST("no XSAVE");
	write_cr4((void *)(0x660UL | 1UL << 18));
	xen_cpuid(0xd, 0, r);
	max = r[0];
	CHECK_EQ(catch_trap(do_xsetbv, (void *)3), -1);
	CHECK_EQ(catch_trap(do_xsetbv, (void *)(u64)max), -1);
	CHECK_EQ(catch_trap(do_xsetbv, (void *)0), 13);
	CHECK_EQ(catch_trap(do_xsetbv, (void *)2), 13);
	CHECK_EQ(catch_trap(do_xsetbv, (void *)5), 13);
	CHECK_EQ(catch_trap(do_xsetbv, (void *)(u64)(max | 1u << 30)), 13);
	CHECK_EQ(catch_trap(do_xsetbv1, NULL), 13);
}

static void do_wbinvd(void *arg)
{
	asm volatile("wbinvd");
}

#define INSN(name, text)                                                            \
	static void name(void *arg)                                                 \
	{                                                                           \
		asm volatile(text : : "a"(0), "c"(0), "d"(0), "D"(arg) : "memory"); \
	}

INSN(do_invd, "invd")
INSN(do_hlt, "hlt")
INSN(do_invlpg, "invlpg (%%rdi)")
INSN(do_lmsw, "lmsw %%ax")
INSN(do_lidt, "lidt (%%rdi)")
INSN(do_lldt, "lldt %%ax")
INSN(do_ltr, "ltr %%ax")
INSN(do_swapgs, "swapgs")
INSN(do_sysret, "sysretq")
INSN(do_monitor, "mov %%rdi, %%rax; .byte 0x0f, 0x01, 0xc8")
INSN(do_vmrun, ".byte 0x0f, 0x01, 0xd8")
INSN(do_stgi, ".byte 0x0f, 0x01, 0xdc")
INSN(do_vmxon, ".byte 0xf3, 0x0f, 0xc7, 0x37")
INSN(do_dr8, "mov %%rax, %%dr4")
INSN(do_prefix, ".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x90")
INSN(do_far_call, ".byte 0x48, 0xff, 0x1f")

static void others(void)
{
	static const struct {
		const char *name;
		void (*fn)(void *);
	} insns[] = {
		{"invd", do_invd},	 {"hlt", do_hlt},	{"invlpg", do_invlpg},
		{"lmsw", do_lmsw},	 {"lidt", do_lidt},	{"lldt", do_lldt},
		{"ltr", do_ltr},	 {"swapgs", do_swapgs}, {"sysret", do_sysret},
		{"monitor", do_monitor}, {"vmrun", do_vmrun},	{"stgi", do_stgi},
		{"vmxon", do_vmxon},	 {"prefix", do_prefix}, {"far call", do_far_call},
	};
	static u64 operand[4];

	for (unsigned int i = 0; i < ARRAY_SIZE(insns); i++) {
		int v = catch_trap(insns[i].fn, operand);

		if (v != 13 && v != 6)
			outcome_set(FAILURE, __FILE__, __LINE__, "%s: trap %d", insns[i].name, v);
	}
	catch_trap(do_wbinvd, NULL);
	catch_trap(do_dr8, NULL);
	CHECK_EQ(xen_version(XENVER_version, NULL), 0x40011);
}

static void debug_registers(void)
{
	u64 v;

	CHECK_OK(set_debugreg(0, (u64)&start_copy));
	CHECK_EQ(get_debugreg(0), &start_copy);
	asm volatile("mov %%dr0, %0" : "=r"(v));
	CHECK_EQ(v, &start_copy);
	asm volatile("mov %0, %%dr1" : : "r"(0x1000UL));
	CHECK_EQ(get_debugreg(1), 0x1000);
	CHECK_REFUSED(set_debugreg(0, 0x800000000000));
	CHECK_REFUSED(set_debugreg(0, 0xffff828000000000));
	CHECK_REFUSED(set_debugreg(4, 0x1000));
	CHECK_REFUSED(set_debugreg(7, 1UL << 32));
	CHECK_REFUSED(set_debugreg(6, 1UL << 32));
	/* I/O breakpoints need CR4.DE. */
	set_debugreg(7, 0x20402);
	CHECK_OK(set_debugreg(7, 0));
	CHECK_OK(set_debugreg(0, 0));
}

static bool hit(struct regs *r)
{
	if (r->vector != 1)
		return false;
	this_cpu()->trap = *r;
	return true;
}

static void breakpoints(void)
{
	static volatile u64 watched;

	this_cpu()->hook = hit;
	this_cpu()->trap.vector = 0;
	REQUIRE_OK(set_debugreg(0, (u64)&watched));
	REQUIRE_OK(set_debugreg(6, 0));
	REQUIRE_OK(set_debugreg(7, 0xd0002)); /* DR0, global, writes, 8... 4 bytes */
	watched = 5;
	CHECK_OK(set_debugreg(7, 0));
	CHECK_EQ(this_cpu()->trap.vector, 1);
	CHECK_EQ(get_debugreg(6) & 15, 1);
	set_debugreg(6, 0);
	set_debugreg(0, 0);
}

const struct test emul_tests[] = {
	{"cpuid", cpuid},
	{"msr-read", msr_read},
	{"msr-harmless", msr_write_harmless},
	{"msr-bases", msr_bases},
	{"msr-sweep", msr_sweep},
	{"control-registers", control_registers},
	{"no-iopl", ports_without_iopl},
	{"ports", ports},
	{"string-faults", string_faults},
	{"xsetbv", xsetbv},
	{"others", others},
	{"debug-registers", debug_registers},
	{"breakpoints", breakpoints},

	{NULL, NULL},
};
