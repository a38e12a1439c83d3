/* SPDX-License-Identifier: MIT */
/* How a long hypercall is cut and resumed. */
#include "dom/hypercall.h"
#include "lib/inject.h"

struct call_next {
	unsigned long a[5];
	long noted; /* CALL_RESTART, CALL_DONE: what the handler meant; any value may be a guest's own */
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
	n->noted = CALL_RESTART;
	return CALL_RESTART;
}

long call_done(void)
{
	this_cpu(call_next).noted = CALL_DONE;
	return CALL_DONE;
}

bool call_is_restart(long result)
{
	struct call_next *n = &this_cpu(call_next);
	bool restart = result == CALL_RESTART && n->noted == CALL_RESTART;

	n->noted = 0;
	return restart;
}

bool call_preempt(unsigned int *done)
{
	return ++*done % CALL_BUDGET == 0 || inject_preempt();
}

const unsigned long *call_next_args(void)
{
	return this_cpu(call_next).a;
}

/*
 * A result that may be one of ours. Restart: the guest will execute its SYSCALL (two bytes) again, with
 * the advanced arguments; rax is untouched.
 */
void call_special(struct cpu_user_regs *regs, long result)
{
	struct call_next *n = &this_cpu(call_next);
	long noted = n->noted;

	n->noted = 0;
	if (result != noted) {
		regs->rax = (u64)result;
		return;
	}
	if (result == CALL_DONE)
		return;

	regs->rip -= 2;
	regs->rdi = n->a[0];
	regs->rsi = n->a[1];
	regs->rdx = n->a[2];
	regs->r10 = n->a[3];
	regs->r8 = n->a[4];
}
