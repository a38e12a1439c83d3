/* SPDX-License-Identifier: MIT */
/* Exceptions of the guest's kernel: the frame, the error code, the masks, and the way back. */
#include "hypercall.h"
#include "snippets.h"
#include "topics.h"

#define UNMAPPED    (WIN_BASE + 100 * PAGE_SIZE)
#define NONCANON    0x8000000000001000UL
#define KERNEL_CS16 (FLAT_KERNEL_CS & ~3)

static u64 want_rip;

/* Runs one instruction and remembers its address; the operands are %0 and %1. */
#define AT(insn, ...)                                                                            \
	asm volatile("push %%rax; lea 1f(%%rip), %%rax; mov %%rax, want_rip(%%rip); pop %%rax\n" \
		     "1: " insn                                                                  \
		     :                                                                           \
		     : __VA_ARGS__                                                               \
		     : "rax", "rdx", "memory")

static void do_div(void *a)
{
	AT("divl %0", "r"(0));
}

static void do_ud(void *a)
{
	AT("ud2");
}

static void do_bp(void *a)
{
	AT("int3");
}

static void do_hlt(void *a)
{
	AT("hlt");
}

static void do_gp(void *a)
{
	AT("movq (%0), %%rax", "r"(NONCANON));
}

static void do_ss(void *a)
{
	AT("push %%rbp; mov %0, %%rbp; mov (%%rbp), %%rax; pop %%rbp", "r"(NONCANON));
}

static void do_int30(void *a)
{
	AT("int $0x30");
}

static void do_int80(void *a)
{
	AT("int $0x80");
}

static void do_int41(void *a)
{
	AT("int $0x41");
}

static void do_int3_2(void *a)
{
	AT(".byte 0xcd, 3");
}

static void do_int0(void *a)
{
	AT("int $0");
}

static void do_int14(void *a)
{
	AT("int $14");
}

static void do_lgdt(void *a)
{
	AT("lgdt (%0)", "r"(&want_rip));
}

static void do_sel(void *a)
{
	AT("mov %0, %%ds", "r"(0x8));
}

static void do_sel_ldt(void *a)
{
	AT("mov %0, %%es", "r"(0xc));
}

static void do_fpu(void *a)
{
	AT("fninit");
}

static const struct {
	const char *name;
	void (*fn)(void *);
	int vector;
	u64 error;
	int length; /* of the instruction, for traps that come after it */
} simple[] = {
	{"div", do_div, 0, 0, 0},
	{"ud2", do_ud, 6, 0, 0},
	{"int3", do_bp, 3, 0, 1},
	{"int $3", do_int3_2, 3, 0, 2},
	{"hlt", do_hlt, 13, 0, 0},
	{"non-canonical", do_gp, 13, 0, 0},
	{"int $0x30, DPL 0", do_int30, 13, 0x30 * 8 + 2, 0},
	{"int $0, DPL 0", do_int0, 13, 2, 0},
	{"int $14, DPL 0", do_int14, 13, 14 * 8 + 2, 0},
	{"int $0x80", do_int80, 0x80, 0, 2},
	{"lgdt", do_lgdt, 13, 0, 0},
	{"mov 8, ds", do_sel, 13, 8, 0},
	{"mov 0xc, es", do_sel_ldt, 13, 0xc, 0},
};

/* QEMU's TCG doubles the vector in the error code of a forbidden `int n`. */
static bool same_error(u64 got, u64 want)
{
	return got == want || ((want & 2) && got == (want & ~7UL) * 2 + (want & 7));
}

static void exceptions(void)
{
	struct cpu *c = this_cpu();

	for (unsigned int i = 0; i < ARRAY_SIZE(simple); i++) {
		int vector = catch_trap(simple[i].fn, NULL);
		const struct regs *r = &c->trap;

		if (vector != simple[i].vector || !same_error(r->error, simple[i].error) ||
		    r->rip != want_rip + (u64)simple[i].length)
			outcome_set(FAILURE, __FILE__, __LINE__,
				    "%s: vector %d (want %d) error 0x%lx (want 0x%lx) rip +%ld",
				    simple[i].name, vector, simple[i].vector, r->error,
				    simple[i].error, (long)(r->rip - want_rip));
	}
}

static void stack_fault(void)
{
	int v = catch_trap(do_ss, NULL);

	CHECK(v == 12 || v == 13); /* 13: QEMU's TCG */
	CHECK_EQ(this_cpu()->trap.error, 0);
}

/* int n works when the gate's DPL says so. */
static void gate_dpl(void)
{
	struct trap_info t[2] = {{.vector = 0x41,
				  .flags = 3,
				  .cs = FLAT_KERNEL_CS,
				  .address = (unsigned long)trap_stubs + 0x41 * 32}};

	CHECK_EQ(catch_trap(do_int41, NULL), 13);
	REQUIRE_OK(set_trap_table(t));
	CHECK_EQ(catch_trap(do_int41, NULL), 0x41);
	CHECK_EQ(this_cpu()->trap.rip, want_rip + 2);
	t[0].flags = 0;
	REQUIRE_OK(set_trap_table(t));
	CHECK_EQ(catch_trap(do_int41, NULL), 13);
	CHECK(same_error(this_cpu()->trap.error, 0x41 * 8 + 2));
	/* The hypervisor's own gate of this one lets everybody in. */
	CHECK_EQ(catch_trap(do_int80, NULL), 0x80);
	t[0].vector = 0x80;
	t[0].address = (unsigned long)trap_stubs + 0x80 * 32;
	REQUIRE_OK(set_trap_table(t));
	CHECK_EQ(catch_trap(do_int80, NULL), 13);
	t[0].flags = 3;
	REQUIRE_OK(set_trap_table(t));
}

static u64 seen_mask;

static bool see_mask(struct regs *r)
{
	this_cpu()->trap = *r;
	seen_mask = this_info()->evtchn_upcall_mask;
	return true;
}

/* IF in the frame and the byte above CS are the mask before; the gate's flag 4 sets it. */
static void masks(void)
{
	struct trap_info t[2] = {{.vector = 3,
				  .flags = 3 | 4,
				  .cs = FLAT_KERNEL_CS,
				  .address = (unsigned long)trap_stubs + 3 * 32}};
	struct cpu *c = this_cpu();

	c->hook = see_mask;
	for (unsigned int on = 0; on < 2; on++) {
		this_info()->evtchn_upcall_mask = (u8)on;
		asm volatile("int3");
		CHECK_EQ(seen_mask, on);
		CHECK_EQ(!(c->trap.rflags & RFLAGS_IF), on);
		CHECK_EQ(c->trap.cs, (u64)on << 32 | KERNEL_CS16);
		CHECK_EQ(c->trap.ss, FLAT_KERNEL_SS);
		CHECK_EQ(this_info()->evtchn_upcall_mask, on);
	}
	this_info()->evtchn_upcall_mask = 0;
	REQUIRE_OK(set_trap_table(t));
	asm volatile("int3");
	CHECK_EQ(seen_mask, 1);
	CHECK(c->trap.rflags & RFLAGS_IF);
	CHECK_EQ(c->trap.cs, KERNEL_CS16);
	CHECK_EQ(this_info()->evtchn_upcall_mask, 0);
	t[0].flags = 3;
	set_trap_table(t);
}

static bool set_if(struct regs *r)
{
	r->rflags ^= RFLAGS_IF;
	return true;
}

/* The mask after HYPERVISOR_iret is what IF in its frame says. */
static void iret_sets_mask(void)
{
	this_cpu()->hook = set_if;
	this_info()->evtchn_upcall_mask = 1;
	asm volatile("int3");
	CHECK_EQ(this_info()->evtchn_upcall_mask, 0);
	asm volatile("int3");
	CHECK_EQ(this_info()->evtchn_upcall_mask, 1);
}

static bool pass(struct regs *r)
{
	this_cpu()->trap = *r;
	return true;
}

static void registers_survive(void)
{
	this_cpu()->hook = pass;
	CHECK_EQ(regs_over_trap(), 0);
	CHECK_EQ(this_cpu()->trap.rip, regs_over_trap_rip);
	CHECK_EQ(this_cpu()->trap.rcx, 0x1111111122222222 + 2);
	CHECK_EQ(this_cpu()->trap.r11, 0x1111111122222222 + 11);
	CHECK_EQ(regs_over_call(), 0);
}

/* The frame is 16-byte aligned whatever the stack was. */
static void frame_alignment(void)
{
	u64 sp = 0;

	this_cpu()->hook = pass;
	for (int i = 0; i < 16; i++) {
		asm volatile(
			"mov %%rsp, %%rbx; sub %1, %%rsp; mov %%rsp, %0; int3; mov %%rbx, %%rsp"
			: "=&r"(sp)
			: "r"((u64)i)
			: "rbx", "memory");
		CHECK_EQ(this_cpu()->trap.rsp, sp);
	}
}

static const struct {
	u64 va;
	char access;
	u64 error;
} faults[] = {
	{UNMAPPED + 8, 'r', 0},	  {UNMAPPED + 16, 'w', 2},	  {UNMAPPED + 24, 'x', 0x10},
	{0x123456789000, 'r', 0}, {MACH2PHYS_VIRT_START, 'w', 3},
};

static void do_jump(void *va)
{
	((void (*)(void))va)();
}

static void page_faults(void)
{
	struct cpu *c = this_cpu();

	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		void *va = (void *)faults[i].va;
		int v = faults[i].access == 'r'	  ? try_read(va)
			: faults[i].access == 'w' ? try_write(va)
						  : catch_trap(do_jump, va);

		CHECK_EQ(v, 14);
		CHECK_EQ(c->cr2, faults[i].va);
		/* Whether something of the hypervisor's half is present need not be told. */
		if (faults[i].va == MACH2PHYS_VIRT_START)
			CHECK_EQ(c->trap.error | 1, faults[i].error);
		else
			CHECK_EQ(c->trap.error, faults[i].error);
	}
}

static void page_fault_bits(void)
{
	struct cpu *c = this_cpu();
	char *page = page_alloc();

	REQUIRE(page);
	REQUIRE_OK(win_map(0, mk_pte(va_mfn(page), PTE_RO | PTE_NX)));
	CHECK_EQ(try_write(win(0)), 14);
	CHECK_EQ(c->trap.error, 3);
	CHECK_EQ(catch_trap(do_jump, win(0)), 14);
	CHECK_EQ(c->trap.error, 0x11);
	CHECK_EQ(c->cr2, (u64)win(0));
	win_clear();
	page_free(page);
}

static unsigned int steps;
static u64 step_rip[16];

static bool step(struct regs *r)
{
	if (r->vector != 1)
		return false;
	if (steps < ARRAY_SIZE(step_rip))
		step_rip[steps] = r->rip;
	steps++;
	if (steps == 3)
		r->rflags &= ~RFLAGS_TF;
	return true;
}

static void single_step(void)
{
	u64 first;

	steps = 0;
	this_cpu()->hook = step;
	asm volatile("lea 1f(%%rip), %0; pushfq; orq $0x100, (%%rsp); popfq\n"
		     "1: nop\n nop\n nop\n nop\n nop"
		     : "=&r"(first)
		     :
		     : "memory", "cc");
	CHECK_EQ(steps, 3);
	for (unsigned int i = 0; i < 3; i++)
		CHECK_EQ(step_rip[i], first + 1 + i);
	CHECK_EQ(get_debugreg(6) & 0x4000, 0x4000);
}

static void device_not_available(void)
{
	CHECK_EQ(catch_trap(do_fpu, NULL), -1);
	CHECK_OK(fpu_taskswitch(1));
	CHECK_EQ(catch_trap(do_fpu, NULL), 7);
	CHECK_EQ(this_cpu()->trap.error, 0);
	/* Delivery has cleared the flag. */
	CHECK_EQ(catch_trap(do_fpu, NULL), -1);
	CHECK_OK(fpu_taskswitch(1));
	CHECK_OK(fpu_taskswitch(0));
	CHECK_EQ(catch_trap(do_fpu, NULL), -1);
}

static void bad_iret(void *arg)
{
	struct regs r = *(struct regs *)arg;

	asm volatile("mov %%rsp, %0" : "=r"(r.rsp));
	r.rsp -= 1024;
	iret_regs(&r);
}

static void good_target(void)
{
	asm volatile("ud2");
}

/* Selectors that cannot be loaded: the failsafe callback, or #GP (as Xen 4.17 does). */
static void iret_bad_selectors(void)
{
	static const struct {
		u16 cs, ss;
	} bad[] = {
		{0x8, FLAT_KERNEL_SS},	  {KERNEL_CS16, 0x8},	    {0xfff0, FLAT_KERNEL_SS},
		{0xc, FLAT_KERNEL_SS},	  {0xe008, FLAT_KERNEL_SS}, {KERNEL_CS16, 0xe008},
		{0xe028, FLAT_KERNEL_SS}, {KERNEL_CS16, 0xe033},    {0, FLAT_KERNEL_SS},
	};
	struct regs r;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		int v;

		memset(&r, 0, sizeof(r));
		r.rip = (u64)good_target;
		r.rflags = 2;
		r.cs = bad[i].cs;
		r.ss = bad[i].ss;
		v = catch_trap(bad_iret, &r);
		if (v != VEC_FAILSAFE && v != 13)
			outcome_set(FAILURE, __FILE__, __LINE__,
				    "iret to cs 0x%x ss 0x%x: vector 0x%x rip 0x%lx", bad[i].cs,
				    bad[i].ss, v, this_cpu()->trap.rip);
	}
}

static void iret_ring1_is_kernel(void)
{
	struct regs r;

	for (u64 rpl = 0; rpl < 3; rpl++) {
		memset(&r, 0, sizeof(r));
		r.rip = (u64)good_target;
		r.rflags = 2;
		r.cs = KERNEL_CS16 | rpl;
		r.ss = (FLAT_KERNEL_SS & ~3UL) | rpl;
		CHECK_EQ(catch_trap(bad_iret, &r), 6);
		CHECK_EQ(this_cpu()->trap.cs & 0xffff, KERNEL_CS16);
	}
}

static void nops(void)
{
	asm volatile("nop; nop; ud2");
}

/* Flags that a guest must not get. */
static void iret_flags(void)
{
	struct regs r;

	memset(&r, 0, sizeof(r));
	r.rip = (u64)nops;
	r.cs = KERNEL_CS16;
	r.ss = FLAT_KERNEL_SS;
	r.rflags = 0x3f7ed7 & ~(RFLAGS_TF | RFLAGS_DF);
	CHECK_EQ(catch_trap(bad_iret, &r), 6);
	CHECK_EQ(this_cpu()->trap.rflags & 0x1a3000, 0);
	/* As from a system call, but SYSRET would trap ahead of the first instruction, not behind it. */
	r.rflags = 2 | RFLAGS_TF;
	r.error = VGCF_in_syscall;
	CHECK_EQ(catch_trap(bad_iret, &r), 1);
	CHECK(this_cpu()->trap.rip > (u64)nops);
}

static void iret_noncanonical(void)
{
	struct regs r;
	int v;

	memset(&r, 0, sizeof(r));
	r.rip = 0x800000000000;
	r.cs = KERNEL_CS16;
	r.ss = FLAT_KERNEL_SS;
	r.rflags = 2;
	v = catch_trap(bad_iret, &r);
	CHECK(v == VEC_FAILSAFE || v == 13);
}

/* The vector's entry is changed alone, the others stay; address 0 ends the list. */
static void trap_table_list(void)
{
	struct trap_info t[3] = {
		{.vector = 6,
		 .cs = FLAT_KERNEL_CS,
		 .address = (unsigned long)trap_stubs + 0x77 * 32},
		{.vector = 0, .cs = FLAT_KERNEL_CS, .address = 0},
		{.vector = 3,
		 .cs = FLAT_KERNEL_CS,
		 .address = (unsigned long)trap_stubs + 0x78 * 32},
	};

	REQUIRE_OK(set_trap_table(t));
	CHECK_EQ(catch_trap(do_ud, NULL), 0x77);
	CHECK_EQ(catch_trap(do_bp, NULL), 3);
	t[0].address = (unsigned long)trap_stubs + 6 * 32;
	REQUIRE_OK(set_trap_table(t));
	CHECK_EQ(catch_trap(do_ud, NULL), 6);
	t[0].address = NONCANON;
	CHECK_REFUSED(set_trap_table(t));
	CHECK_EQ(catch_trap(do_ud, NULL), 6);
	CHECK_RC(set_trap_table(UNMAPPED), -XEN_EFAULT);
}

const struct test trap_tests[] = {
	{"exceptions", exceptions},
	{"stack-fault", stack_fault},
	{"gate-dpl", gate_dpl},
	{"masks", masks},
	{"iret-mask", iret_sets_mask},
	{"registers", registers_survive},
	{"frame-alignment", frame_alignment},
	{"page-faults", page_faults},
	{"page-fault-bits", page_fault_bits},
	{"single-step", single_step},
	{"device-not-available", device_not_available},
	{"iret-bad-selectors", iret_bad_selectors},
	{"iret-ring1", iret_ring1_is_kernel},
	{"iret-flags", iret_flags},
	{"iret-noncanonical", iret_noncanonical},
	{"table-list", trap_table_list},
	{NULL, NULL},
};
