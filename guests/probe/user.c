/* SPDX-License-Identifier: MIT */
/* User mode: an address space of its own, entered by HYPERVISOR_iret, left by the first trap. */
#include "hypercall.h"

u64 user_root_mfn;
char *user_data;
static char *user_code;

static u64 user_entry(void *page, u64 flags)
{
	return mk_pte(va_mfn(page), flags | PTE_P | PTE_US | PTE_A | PTE_D);
}

bool user_init(void)
{
	u64 *t[5];
	char *stack;

	if (user_root_mfn)
		return true;
	for (int l = 1; l <= 4; l++)
		t[l] = page_alloc();
	user_code = page_alloc();
	user_data = page_alloc();
	stack = page_alloc();
	t[1][0] = user_entry(user_code, 0);
	t[1][1] = user_entry(user_data, PTE_RW | PTE_NX);
	t[1][2] = user_entry(stack, PTE_RW | PTE_NX);
	t[2][2] = user_entry(t[1], PTE_RW);
	t[3][0] = user_entry(t[2], PTE_RW);
	t[4][0] = user_entry(t[3], PTE_RW);
	for (int l = 1; l <= 4; l++)
		if (page_ro(t[l]))
			return false;
	if (pin(4, va_mfn(t[4])) || mmuext(MMUEXT_NEW_USER_BASEPTR, va_mfn(t[4]), 0))
		return false;
	user_root_mfn = va_mfn(t[4]);
	return true;
}

void user_regs(struct regs *r)
{
	memset(r, 0, sizeof(*r));
	r->rip = USER_CODE;
	r->cs = FLAT_USER_CS;
	r->rsp = USER_STACK;
	r->ss = FLAT_USER_SS;
	r->rflags = RFLAGS_IF | 2;
}

int user_run(const char *code, const char *end, struct regs *in)
{
	u64 sp;

	asm volatile("mov %%rsp, %0" : "=r"(sp));
	return user_enter(code, end, in, (sp - 4096) & ~15UL);
}

int user_enter(const char *code, const char *end, struct regs *in, u64 sp)
{
	struct regs r = *in;
	struct jump j;

	memcpy(user_code, code, (size_t)(end - code));
	if (!catch_set(&j)) {
		this_cpu()->user_exit = &j;
		stack_switch(FLAT_KERNEL_SS, sp);
		iret_regs(&r);
	}
	this_cpu()->user_exit = NULL;
	upcall_mask(true);
	return (int)this_cpu()->trap.vector;
}
