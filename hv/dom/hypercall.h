/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls: what every handler shares, and how a long one is cut. A handler takes up to five register arguments
 * and returns the ABI's result. A handler whose length the guest chooses works off a budget of
 * CALL_BUDGET units, then returns call_restart(its arguments, advanced): the guest re-executes the
 * instruction, interrupts are taken in between.
 */
#ifndef DOM_HYPERCALL_H
#define DOM_HYPERCALL_H

#include "lib/types.h"
#include "lib/errno.h"
#include "cpu/percpu.h"
#include "dom/domain.h"
#include "mm/guest_copy.h"

#define CALL_BUDGET  256
#define CALL_RESTART (-0x7000L) /* internal, never reaches a guest */
#define CALL_DONE    (-0x7001L) /* internal: the handler has set the guest's registers itself */

typedef long call_fn(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		     unsigned long a5);

/* Notes the arguments for the next execution and returns CALL_RESTART. */
long call_restart(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		  unsigned long a5);
/* The five arguments of the latest call_restart() on this CPU. */
const unsigned long *call_next_args(void);
/* For a handler that has set the guest's registers itself: its return value. */
long call_done(void);
/* True when the result of a handler asks for a restart; once. */
bool call_is_restart(long result);
/* From the entry code, for a result that equals CALL_RESTART or CALL_DONE. */
void call_special(struct cpu_user_regs *regs, long result);
/* True on every CALL_BUDGET-th use within one execution of a hypercall; test builds may force it. */
bool call_preempt(unsigned int *done);

#define NR_CALLS 56

#endif
