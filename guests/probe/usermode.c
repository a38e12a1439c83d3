/* SPDX-License-Identifier: MIT */
/* User mode: what it may do, what it may not, and how it gets back into the kernel. */
#include "hypercall.h"
#include "snippets.h"
#include "topics.h"

#define S(n) #n, n, n##_end

static const struct {
	const char *name, *code, *end;
	int vector;
	u64 error, rip;
} traps[] = {
	{S(u_syscall), VEC_SYSCALL, 0, 2},
	{S(u_ud), 6, 0, 0},
	{S(u_bp), 3, 0, 1},
	{S(u_div), 0, 0, 2},
	{S(u_int80), 0x80, 0, 2},
	{S(u_int30), 13, 0x30 * 8 + 2, 0},
	{S(u_int0), 13, 2, 0},
	{S(u_int14), 13, 14 * 8 + 2, 0},
	{S(u_int82), 13, 0x82 * 8 + 2, 0},
	{S(u_cli), 13, 0, 0},
	{S(u_sti), 13, 0, 0},
	{S(u_hlt), 13, 0, 0},
	{S(u_in), 13, 0, 0},
	{S(u_out), 13, 0, 0},
	{S(u_rdmsr), 13, 0, 5},
	{S(u_wrmsr), 13, 0, 5},
	{S(u_cr0), 13, 0, 0},
	{S(u_cr3), 13, 0, 0},
	{S(u_clts), 13, 0, 0},
	{S(u_lgdt), 13, 0, 0},
	{S(u_invd), 13, 0, 0},
	{S(u_invlpg), 13, 0, 0},
	{S(u_swapgs), 13, 0, 0},
	{S(u_dr), 13, 0, 0},
	{S(u_vmcall), 6, 0, 0},
	{S(u_vmmcall), 6, 0, 0},
	{S(u_nonlinear), 6, 0, 0},
};

/* QEMU's TCG doubles the vector in the error code of a forbidden `int n`. */
static bool same_error(u64 got, u64 want)
{
	return got == want || ((want & 2) && got == (want & ~7UL) * 2 + (want & 7));
}

static void user_traps(void)
{
	const struct regs *t = &this_cpu()->trap;
	struct regs r;

	REQUIRE(user_init());
	for (unsigned int i = 0; i < ARRAY_SIZE(traps); i++) {
		int v;

		user_regs(&r);
		v = user_run(traps[i].code, traps[i].end, &r);
		if (v != traps[i].vector || !same_error(t->error, traps[i].error) ||
		    t->rip != USER_CODE + traps[i].rip || (t->cs & 0xffff) != FLAT_USER_CS ||
		    t->ss != FLAT_USER_SS || t->rsp != USER_STACK || !(t->rflags & RFLAGS_IF))
			outcome_set(
				FAILURE, __FILE__, __LINE__,
				"%s: vector 0x%x (want 0x%x) error 0x%lx (want 0x%lx) rip 0x%lx "
				"cs 0x%lx ss 0x%lx rsp 0x%lx rflags 0x%lx",
				traps[i].name, v, traps[i].vector, t->error, traps[i].error, t->rip,
				t->cs, t->ss, t->rsp, t->rflags);
	}
}

static void syscall_frame(void)
{
	const struct regs *t = &this_cpu()->trap;
	struct regs r;

	REQUIRE(user_init());
	user_regs(&r);
	r.rax = 0x1234;
	r.r11 = 0x55;
	r.rdi = 0x99;
	CHECK_EQ(RUN_USER(u_syscall, &r), VEC_SYSCALL);
	CHECK_EQ(t->rax, 0x1234);
	CHECK_EQ(t->rdi, 0x99);
	CHECK_EQ(t->rip, USER_CODE + 2);
	CHECK_EQ(t->rcx, USER_CODE + 2);
	CHECK_EQ(t->r11, t->rflags);
}

static void all_registers(void)
{
	const struct regs *t = &this_cpu()->trap;
	struct regs r;

	REQUIRE(user_init());
	user_regs(&r);
	r.r15 = 15;
	r.r14 = 14;
	r.r13 = 13;
	r.r12 = 12;
	r.r11 = 11;
	r.r10 = 10;
	r.r9 = 9;
	r.r8 = 8;
	r.rbp = 7;
	r.rbx = 6;
	r.rdx = 5;
	r.rsi = 4;
	r.rdi = 3;
	r.rax = 2;
	r.rcx = 1;
	CHECK_EQ(RUN_USER(u_regs, &r), 6);
	CHECK(!memcmp(t, &r, offsetof(struct regs, vector)));
	CHECK_EQ(t->rax, 2);
	CHECK_EQ(t->rcx, 1);
	CHECK_EQ(t->r11, 11);
}

static const struct {
	const char *name, *code, *end;
	u64 va, error;
} accesses[] = {
	{S(u_read), 0x500000, 4},
	{S(u_write), 0x500000, 6},
	{S(u_write), USER_CODE, 7},
	{S(u_jump), 0x500000, 0x14},
	{S(u_jump), USER_DATA, 0x15},
	{S(u_read), VIRT_BASE + LOAD_PADDR, 4},
	{S(u_read), DM_BASE, 4},
	{S(u_read), 0xffff800000000000, 4},
	{S(u_write), 0xffff800000000000, 6},
};

static void user_faults(void)
{
	struct cpu *c = this_cpu();
	struct regs r;

	REQUIRE(user_init());
	for (unsigned int i = 0; i < ARRAY_SIZE(accesses); i++) {
		int v;

		user_regs(&r);
		r.rdi = accesses[i].va;
		v = user_run(accesses[i].code, accesses[i].end, &r);
		if (v != 14 || c->trap.error != accesses[i].error || c->cr2 != accesses[i].va)
			outcome_set(FAILURE, __FILE__, __LINE__,
				    "%s %lx: vector 0x%x error 0x%lx (want 0x%lx) cr2 0x%lx",
				    accesses[i].name, accesses[i].va, v, c->trap.error,
				    accesses[i].error, c->cr2);
	}
}

/* The hypervisor's own half: always a fault, never data. */
/* Of 32-bit code; where processors do not have it, it is an invalid instruction. */
static void user_syscall32(void)
{
	struct callback_register none = {.type = CALLBACKTYPE_syscall32};
	struct regs r;
	int v;

	REQUIRE(user_init());
	user_regs(&r);
	r.cs = FLAT_RING3_CS32;
	v = RUN_USER(u_syscall, &r);
	if (v == 6)
		SKIP_TEST("no SYSCALL in 32-bit code");
	CHECK_EQ(v, VEC_SYSCALL32);
	CHECK_OK(callback_op(CALLBACKOP_register, &none));
	CHECK_EQ(RUN_USER(u_syscall, &r), 6);
	CHECK_EQ(this_cpu()->trap.rip, r.rip);
	trap_init();
}

/* What of it is mapped is nobody's business either: the page faults do not tell. */
static void hypervisor_closed(void)
{
	struct cpu *c = this_cpu();
	char version[16];
	struct regs r;
	u64 told;

	REQUIRE_OK(xen_version(XENVER_extraversion, version));
	told = memcmp(version + strlen(version) - 5, "domus", 5) ? 1 : 0;
	REQUIRE(user_init());
	for (u64 slot = 257; slot < 272; slot++) {
		user_regs(&r);
		r.rdi = 0xffff000000000000 | slot << 39;
		CHECK_EQ(RUN_USER(u_read, &r), 14);
		CHECK_EQ(c->cr2, r.rdi);
		CHECK_EQ(c->trap.error & ~told, 4);
		CHECK_EQ(RUN_USER(u_jump, &r), 14);
	}
}

static void user_flags(void)
{
	struct regs r;

	REQUIRE(user_init());
	user_regs(&r);
	r.rflags = 0x3f7ed7 & ~(RFLAGS_TF | RFLAGS_DF);
	CHECK_EQ(RUN_USER(u_flags, &r), 6);
	CHECK_EQ(this_cpu()->trap.rax & 0x1a3000, 0);
	CHECK(this_cpu()->trap.rax & RFLAGS_IF);
	/* The guest's own flag masks its events; the processor's stays on. */
	r.rflags = 2;
	CHECK_EQ(RUN_USER(u_flags, &r), 6);
	CHECK(this_cpu()->trap.rax & RFLAGS_IF);
}

static bool unstep(struct regs *r)
{
	return false;
}

static void user_step(void)
{
	struct regs r;

	REQUIRE(user_init());
	user_regs(&r);
	r.rflags |= RFLAGS_TF;
	this_cpu()->hook = unstep;
	CHECK_EQ(RUN_USER(u_nops, &r), 1);
	CHECK_EQ(this_cpu()->trap.rip, USER_CODE + 1);
	CHECK(this_cpu()->trap.rflags & RFLAGS_TF);
}

static void user_fpu(void)
{
	struct regs r;

	REQUIRE(user_init());
	user_regs(&r);
	REQUIRE_OK(fpu_taskswitch(1));
	CHECK_EQ(RUN_USER(u_fpu, &r), 7);
	CHECK_EQ(RUN_USER(u_fpu, &r), 6);
}

/* GS: user and kernel bases change places with the mode, FS stays. */
static void segment_bases(void)
{
	struct regs r;

	REQUIRE(user_init());
	user_regs(&r);
	*(u64 *)user_data = 0x1122334455667788;
	*(u64 *)(user_data + 64) = 0xfeed;
	REQUIRE_OK(set_segment_base(SEGBASE_GS_USER, USER_DATA));
	REQUIRE_OK(set_segment_base(SEGBASE_GS_KERNEL, (u64)&start_copy));
	REQUIRE_OK(set_segment_base(SEGBASE_FS, USER_DATA + 64));
	CHECK_EQ(RUN_USER(u_gs, &r), 6);
	CHECK_EQ(this_cpu()->trap.rax, 0x1122334455667788);
	CHECK_EQ(RUN_USER(u_fs, &r), 6);
	CHECK_EQ(this_cpu()->trap.rax, 0xfeed);
	asm volatile("mov %%gs:0, %0" : "=r"(r.rax));
	CHECK_EQ(r.rax, *(u64 *)&start_copy);
	CHECK_REFUSED(set_segment_base(SEGBASE_FS, 0x800000000000));
	CHECK_REFUSED(set_segment_base(SEGBASE_GS_USER, 0x800000000000));
	CHECK_REFUSED(set_segment_base(SEGBASE_GS_KERNEL, 0x800000000000));
	CHECK_REFUSED(set_segment_base(4, 0));
	/* A selector that cannot be loaded becomes null, without an error. */
	CHECK_OK(set_segment_base(SEGBASE_GS_USER_SEL, 0x8));
	CHECK_OK(set_segment_base(SEGBASE_GS_USER_SEL, 0));
	set_segment_base(SEGBASE_FS, 0);
	set_segment_base(SEGBASE_GS_USER, 0);
	set_segment_base(SEGBASE_GS_KERNEL, 0);
}

/* Strange return addresses from the kernel. */
static void strange_targets(void)
{
	struct regs r;
	int v;

	REQUIRE(user_init());
	user_regs(&r);
	r.rip = 0x800000000000;
	v = RUN_USER(u_nops, &r);
	CHECK(v == VEC_FAILSAFE || v == 13);
	user_regs(&r);
	r.rsp = 0x800000000000;
	CHECK_EQ(RUN_USER(u_ud, &r), 6);
	CHECK_EQ(this_cpu()->trap.rsp, 0x800000000000);
	user_regs(&r);
	r.error = VGCF_in_syscall;
	r.rax = 0x77;
	CHECK_EQ(RUN_USER(u_ud, &r), 6);
	CHECK_EQ(this_cpu()->trap.rax, 0x77);
	CHECK_EQ(this_cpu()->trap.rip, USER_CODE);
	/* SYSRET to a non-canonical address would fault in ring 0. */
	user_regs(&r);
	r.error = VGCF_in_syscall;
	r.rip = 0x800000000000;
	v = RUN_USER(u_nops, &r);
	CHECK(v == VEC_FAILSAFE || v == 13);
	user_regs(&r);
	r.cs = 0xb;
	v = RUN_USER(u_nops, &r);
	CHECK(v == VEC_FAILSAFE || v == 13);
	user_regs(&r);
	r.ss = 0xb;
	v = RUN_USER(u_nops, &r);
	CHECK(v == VEC_FAILSAFE || v == 13);
}

/* Far returns of user code to selectors of the hypervisor. */
static void far_returns(void)
{
	static const u64 cs[] = {0x8, 0xe008, 0xe019, 0xe030, 0x10};
	struct regs r;
	int v;

	REQUIRE(user_init());
	for (unsigned int i = 0; i < ARRAY_SIZE(cs); i++) {
		u64 *frame = (u64 *)(user_data + 256);

		frame[0] = USER_CODE;
		frame[1] = cs[i];
		frame[2] = 2;
		frame[3] = USER_STACK;
		frame[4] = FLAT_USER_SS;
		user_regs(&r);
		r.rsp = USER_DATA + 256;
		v = RUN_USER(u_iretq, &r);
		CHECK(v == 13 || v == 14); /* 14: QEMU's TCG with SMAP */
		v = RUN_USER(u_lret, &r);
		CHECK(v == 13 || v == 14);
	}
}

/* Without a user root there is no way to user mode; the domain must not get there on kernel tables. */
static void base_pointers(void)
{
	REQUIRE(user_init());
	CHECK_REFUSED(mmuext(MMUEXT_NEW_USER_BASEPTR, va_mfn(user_data), 0));
	CHECK_REFUSED(mmuext(MMUEXT_NEW_USER_BASEPTR, ~0UL >> 12, 0));
	CHECK_REFUSED(mmuext(MMUEXT_NEW_BASEPTR, va_mfn(user_data), 0));
	CHECK_REFUSED(mmuext(MMUEXT_NEW_BASEPTR, 0, 0));
	CHECK_OK(mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0));
	CHECK_OK(mmuext(MMUEXT_NEW_USER_BASEPTR, user_root_mfn, 0));
	CHECK_OK(mmuext(MMUEXT_NEW_USER_BASEPTR, user_root_mfn, 0));
	CHECK_OK(mmuext(MMUEXT_NEW_BASEPTR, root_mfn(), 0));
}

const struct test user_mode_tests[] = {
	{"traps", user_traps},
	{"syscall", syscall_frame},
	{"registers", all_registers},
	{"faults", user_faults},
	{"syscall32", user_syscall32},
	{"hypervisor-closed", hypervisor_closed},
	{"flags", user_flags},
	{"single-step", user_step},
	{"fpu", user_fpu},
	{"segment-bases", segment_bases},
	{"strange-targets", strange_targets},
	{"far-returns", far_returns},
	{"base-pointers", base_pointers},
	{NULL, NULL},
};
