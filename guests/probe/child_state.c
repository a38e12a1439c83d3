/* SPDX-License-Identifier: MIT */
/* Two domains take turns on one CPU: neither sees the other's registers. */
#include "hypercall.h"
#include "topics.h"
#include "child.h"
#include "msr.h"

#define TURNS	 300
#define AUX	 0xc0000103
#define USER_GS	 0xc0000102
#define MINE	 0x1111UL
#define OTHERS	 0x2222UL
#define LDT_DATA 0x00cff3000000ffffUL

static volatile u64 watched;
static bool has_aux, has_xsave;

static void read_msr(void *arg)
{
	struct msr *m = arg;
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(m->nr));
	m->val = (u64)hi << 32 | lo;
}

static bool set_msr(u32 nr, u64 val)
{
	struct msr m = {nr, val};

	return catch_trap(do_wrmsr, &m) < 0;
}

static u64 get_msr(u32 nr)
{
	struct msr m = {nr, 0};

	return catch_trap(read_msr, &m) < 0 ? m.val : ~0UL;
}

static u32 aux_in_processor(void)
{
	u32 aux;

	asm volatile("rdtscp" : "=c"(aux) : : "eax", "edx");
	return aux;
}

static u32 xcr0(void)
{
	u32 lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo;
}

static void set_xcr0(void *val)
{
	asm volatile("xsetbv" : : "a"((u32)(u64)val), "d"(0), "c"(0));
}

static void load_ds(void *sel)
{
	asm volatile("mov %0, %%ds" : : "r"((u32)(u64)sel));
}

static void set_xmm(u64 val)
{
	asm volatile("movq %0, %%xmm7" : : "r"(val));
}

static u64 get_xmm(void)
{
	u64 val;

	asm volatile("movq %%xmm7, %0" : "=r"(val));
	return val;
}

static void store(void *arg)
{
	watched = 1;
}

static void state_in_child(void)
{
	u64 *ldt = page_alloc();

	CHECK_OK(set_debugreg(0, (u64)&watched));
	CHECK_OK(set_debugreg(7, 0xd0002));
	if (has_aux)
		CHECK(set_msr(AUX, OTHERS));
	CHECK(set_msr(USER_GS, OTHERS));
	if (has_xsave)
		CHECK_EQ(catch_trap(set_xcr0, (void *)3), -1);
	ldt[0] = LDT_DATA;
	CHECK_OK(page_ro(ldt));
	CHECK_OK(mmuext(MMUEXT_SET_LDT, (u64)ldt, 1));
	set_xmm(OTHERS);
	while (!me->order) {
		me->arg[0]++;
		sched_op(SCHEDOP_yield, NULL);
		if (get_xmm() != OTHERS || (has_aux && aux_in_processor() != OTHERS) ||
		    get_msr(USER_GS) != OTHERS || (has_xsave && xcr0() != 3))
			me->arg[1]++;
	}
	CHECK_EQ(catch_trap(load_ds, (void *)7), -1);
	CHECK_EQ(catch_trap(store, NULL), 1);
	load_ds(NULL);
	CHECK_OK(set_debugreg(7, 0));
}

void child_state(void)
{
	u32 a = 0x80000001, b, cx = 0, d;
	u64 cr4, seen = 0;
	struct child c;

	NEEDS_DOM0();
	asm volatile(XEN_EMULATE_PREFIX "cpuid" : "+a"(a), "=b"(b), "+c"(cx), "=d"(d));
	has_aux = d >> 27 & 1;
	a = 1, cx = 0;
	asm volatile(XEN_EMULATE_PREFIX "cpuid" : "+a"(a), "=b"(b), "+c"(cx), "=d"(d));
	has_xsave = cx >> 26 & 1;
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	if (has_xsave)
		asm volatile("mov %0, %%cr4" : : "r"(cr4 | 1UL << 18));
	if (!child_make(&c, state_in_child))
		return;
	child_together(&c, true);
	if (has_aux)
		CHECK(set_msr(AUX, MINE));
	CHECK(set_msr(USER_GS, MINE));
	if (has_xsave)
		CHECK_EQ(catch_trap(set_xcr0, (void *)1), -1);
	set_xmm(MINE);
	CHECK_OK(child_unpause(&c));
	for (unsigned int i = 0; i < 100000 && seen < TURNS; i++) {
		sched_op(SCHEDOP_yield, NULL);
		seen = ACCESS_ONCE(c.page->arg[0]);
		if (!CHECK_EQ(catch_trap(store, NULL), -1) || !CHECK_EQ(get_xmm(), MINE) ||
		    !CHECK_EQ(get_msr(USER_GS), MINE) ||
		    !CHECK_EQ(catch_trap(load_ds, (void *)7), 13))
			break;
		if ((has_aux && !CHECK_EQ(aux_in_processor(), MINE)) ||
		    (has_xsave && !CHECK_EQ(xcr0(), 1)))
			break;
	}
	load_ds(NULL);
	CHECK(seen >= TURNS);
	c.page->order = 1;
	child_wait(&c);
	CHECK_EQ(c.page->arg[1], 0);
	child_together(&c, false);
	if (has_xsave)
		catch_trap(set_xcr0, (void *)3);
	set_msr(USER_GS, 0);
	child_end(&c);
}
