/* SPDX-License-Identifier: MIT */
/* How a long hypercall is cut and resumed. */
#include "dom/hypercall.h"

struct call_next {
	unsigned long a[5];
};

static DEFINE_PER_CPU(struct call_next, call_next);

long call_restart(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		  unsigned long a5)
{
	struct call_next *n = &this_cpu(call_next);

	n->a[0] = a1;
	n->a[1] = a2;
	n->a[2] = a3;
	n->a[3] = a4;
	n->a[4] = a5;
	return CALL_RESTART;
}

bool call_preempt(unsigned int *done)
{
	return ++*done % CALL_BUDGET == 0;
}

const unsigned long *call_next_args(void)
{
	return this_cpu(call_next).a;
}

/* The guest will execute its SYSCALL (two bytes) again, with the advanced arguments; rax is untouched. */
void call_rewind(struct cpu_user_regs *regs)
{
	const struct call_next *n = &this_cpu(call_next);

	regs->rip -= 2;
	regs->rdi = n->a[0];
	regs->rsi = n->a[1];
	regs->rdx = n->a[2];
	regs->r10 = n->a[3];
	regs->r8 = n->a[4];
}
