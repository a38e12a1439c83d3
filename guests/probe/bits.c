/* SPDX-License-Identifier: MIT */
/* Every bit of every register that a guest may set, and every address that is not canonical. */
#include "hypercall.h"
#include "topics.h"
#include "msr.h"

#define TSC_AUX 0xc0000103

/* None of these is an address; the first differ from one in a single bit. */
static const u64 bad_va[] = {
	0x0000800000000000, 0xffff7fffffffffff, 0x0001000000000000, 0x8000000000000000,
	0x7fffffffffffffff, 0xfffe800000000000, 0x00ff888000000000,
};

static u64 dr7(void)
{
	return (u64)get_debugreg(7);
}

static void debug_control(void)
{
	REQUIRE_OK(set_debugreg(0, 0));
	for (unsigned int bit = 0; bit < 64; bit++) {
		long rc = set_debugreg(7, 1UL << bit);

		if (bit >= 32)
			CHECK_REFUSED(rc);
		/* General detect would trap the hypervisor's own accesses; 11, 12, 14, 15 are fixed. */
		CHECK_EQ(dr7() & 0xffffffff0000f800, 0);
		CHECK_EQ(dr7() & 0x400, 0x400);
		CHECK_OK(set_debugreg(7, 0));
	}
	/* Breakpoints on ports, in each register. */
	for (unsigned int i = 0; i < 4; i++)
		CHECK_REFUSED(set_debugreg(7, 2UL << (16 + i * 4) | 1UL << (i * 2)));
	for (unsigned int bit = 32; bit < 64; bit++)
		CHECK_REFUSED(set_debugreg(6, 1UL << bit));
	for (unsigned int reg = 8; reg < 70; reg++) {
		CHECK_RC(set_debugreg(reg, 0), -XEN_ENODEV);
		CHECK_RC(get_debugreg(reg), -XEN_ENODEV);
	}
	CHECK_OK(set_debugreg(7, 0));
}

static void write_cr0(void *val)
{
	asm volatile("mov %0, %%cr0" : : "r"(val));
}

static void write_cr3(void *val)
{
	asm volatile("mov %0, %%cr3" : : "r"(val) : "memory");
}

static void write_cr4(void *val)
{
	asm volatile("mov %0, %%cr4" : : "r"(val));
}

static void control(void)
{
	u64 cr0, cr4, v;

	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	for (unsigned int bit = 0; bit < 64; bit++) {
		int trap = catch_trap(write_cr0, (void *)(cr0 ^ 1UL << bit));

		CHECK_EQ(trap, bit == 3 ? -1 : 13);
		asm volatile("mov %%cr0, %0" : "=r"(v));
		CHECK_EQ((v ^ cr0) & ~8UL, 0);
		fpu_taskswitch(0);
		catch_trap(write_cr4, (void *)(cr4 ^ 1UL << bit));
		asm volatile("mov %%cr4, %0" : "=r"(v));
		/* TSD, DE, FSGSBASE, OSXSAVE. */
		CHECK_EQ((v ^ cr4) & ~(1UL << 2 | 1UL << 3 | 1UL << 16 | 1UL << 18), 0);
		CHECK_EQ(catch_trap(write_cr4, (void *)cr4), -1);
	}
	CHECK_EQ(catch_trap(write_cr3, (void *)(va_mfn(&start_copy) << 12)), 13);
	CHECK_EQ(catch_trap(write_cr3, (void *)~0UL), 13);
}

static void return_to(void *arg)
{
	struct regs r = *(struct regs *)arg;

	asm volatile("mov %%rsp, %0" : "=r"(r.rsp));
	r.rsp -= 1024;
	iret_regs(&r);
}

/* What the processor has, not what the hypervisor shows in a trap frame. */
static u64 flags_seen;

static void take_flags(void)
{
	asm volatile("pushfq; popq %0" : "=m"(flags_seen));
	asm volatile("ud2");
}

static void flags(void)
{
	struct regs r;

	for (unsigned int bit = 0; bit < 64; bit++) {
		memset(&r, 0, sizeof(r));
		r.rip = (u64)take_flags;
		r.cs = FLAT_KERNEL_CS & ~3;
		r.ss = FLAT_KERNEL_SS;
		r.rflags = 2 | (bit == 10 ? 0 : 1UL << bit);
		flags_seen = 0x202;
		/* The trap flag strikes before they are taken. */
		CHECK_EQ(catch_trap(return_to, &r), bit == 8 ? 1 : 6);
		/* NT, IOPL, VM and what does not exist; interrupts are always on. */
		CHECK_EQ(flags_seen & ~0x250fd5UL, 0x202 & ~0x250fd5UL);
		CHECK_EQ(flags_seen & 0x27000, 0);
		asm volatile("push $2; popfq");
		upcall_mask(true);
	}
}

static int set_msr(u32 nr, u64 val)
{
	struct msr m = {nr, val};

	return catch_trap(do_wrmsr, &m);
}

static void aux(void)
{
	for (unsigned int bit = 32; bit < 64; bit++)
		CHECK_EQ(set_msr(TSC_AUX, 1UL << bit), 13);
}

/* --- addresses --- */

static void canonical(void)
{
	static const u16 types[] = {CALLBACKTYPE_event, CALLBACKTYPE_failsafe, CALLBACKTYPE_syscall,
				    CALLBACKTYPE_syscall32, CALLBACKTYPE_nmi};
	struct mmuext_op op = {.cmd = MMUEXT_SET_LDT};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad_va); i++) {
		u64 va = bad_va[i];
		struct trap_info t[2] = {{.vector = 99, .cs = FLAT_KERNEL_CS, .address = va}};
		struct xennmi_callback nmi = {.handler_address = va};

		for (unsigned int k = 0; k < ARRAY_SIZE(types); k++) {
			struct callback_register r = {.type = types[k], .address = va};

			CHECK_REFUSED(callback_op(CALLBACKOP_register, &r));
		}
		CHECK_REFUSED(set_trap_table(t));
		CHECK_REFUSED(hcall(__HYPERVISOR_nmi_op, XENNMI_register_callback, &nmi));
		for (unsigned int which = 0; which < 3; which++)
			CHECK_REFUSED(set_segment_base(which, va));
		for (u32 nr = 0xc0000100; nr <= 0xc0000102; nr++)
			CHECK_EQ(set_msr(nr, va), 13);
		for (unsigned int reg = 0; reg < 4; reg++)
			CHECK_REFUSED(set_debugreg(reg, va));
		op.arg1.linear_addr = va & ~0xfffUL;
		op.arg2.nr_ents = 1;
		CHECK_REFUSED(mmuext_op(&op, 1, NULL, DOMID_SELF));
		CHECK_REFUSED(update_va_mapping(va, 0, UVMF_INVLPG));
		/* Nothing to refuse: there is no such translation. */
		mmuext(MMUEXT_INVLPG_LOCAL, va, 0);
		mmuext(MMUEXT_INVLPG_ALL, va, 0);
		stack_switch(FLAT_KERNEL_SS, va);
	}
	trap_init();
}

/* Areas that the hypervisor writes by itself, at each place around the end of a page. */
static void areas(void)
{
	struct vcpu_register_runstate_memory_area run;
	struct vcpu_register_time_memory_area time;
	u8 *page = page_alloc(), *next = page_alloc(), sum = 0;

	REQUIRE(page && next);
	for (unsigned int mapped = 0; mapped < 2; mapped++) {
		REQUIRE_OK(win_map(30, mk_pte(va_mfn(page), PTE_KERNEL)));
		REQUIRE_OK(win_map(31, mapped ? mk_pte(va_mfn(next), PTE_RO) : 0));
		for (unsigned int at = 4096 - 72; at < 4096; at++) {
			run.addr.p = (u64)win(30) + at;
			time.addr.p = (u64)win(30) + at;
			CHECK_OK(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &run));
			vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time);
			sched_op(SCHEDOP_yield, NULL);
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(bad_va); i++) {
		run.addr.p = time.addr.p = bad_va[i];
		vcpu_op(VCPUOP_register_runstate_memory_area, 0, &run);
		vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time);
		sched_op(SCHEDOP_yield, NULL);
	}
	run.addr.p = time.addr.p = 0xffff828000000000;
	vcpu_op(VCPUOP_register_runstate_memory_area, 0, &run);
	vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time);
	sched_op(SCHEDOP_yield, NULL);
	run.addr.p = time.addr.p = 0;
	vcpu_op(VCPUOP_register_runstate_memory_area, 0, &run);
	vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time);
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		sum |= next[i];
	CHECK_EQ(sum, 0);
	win_clear();
	page_free(page);
	page_free(next);
}

const struct test bits_tests[] = {
	{"debug", debug_control}, {"control", control}, {"flags", flags}, {"aux", aux},
	{"canonical", canonical}, {"areas", areas},	{NULL, NULL},
};
