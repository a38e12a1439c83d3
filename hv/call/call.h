/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls: the table, and how a long one is cut. A handler takes up to five register arguments
 * and returns the ABI's result. A handler whose length the guest chooses works off a budget of
 * CALL_BUDGET units, then returns call_restart(its arguments, advanced): the guest re-executes the
 * instruction, interrupts are taken in between.
 */
#ifndef CALL_CALL_H
#define CALL_CALL_H

#include "lib/types.h"
#include "lib/errno.h"
#include "cpu/percpu.h"
#include "dom/domain.h"
#include "mm/guest_copy.h"

#define CALL_BUDGET  256
#define CALL_RESTART (-0x7000L) /* internal, never reaches a guest */

typedef long call_fn(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		     unsigned long a5);

/* Notes the arguments for the next execution and returns CALL_RESTART. */
long call_restart(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		  unsigned long a5);
/* True on every CALL_BUDGET-th use within one execution of a hypercall; test builds may force it. */
bool call_preempt(unsigned int *done);

#define NR_CALLS 56
extern call_fn *const call_table[NR_CALLS];

#define CALL_DECL(n) long n(unsigned long, unsigned long, unsigned long, unsigned long, unsigned long)
CALL_DECL(do_set_trap_table);
CALL_DECL(do_mmu_update);
CALL_DECL(do_set_gdt);
CALL_DECL(do_stack_switch);
CALL_DECL(do_fpu_taskswitch);
CALL_DECL(do_platform_op);
CALL_DECL(do_set_debugreg);
CALL_DECL(do_get_debugreg);
CALL_DECL(do_update_descriptor);
CALL_DECL(do_memory_op);
CALL_DECL(do_multicall);
CALL_DECL(do_update_va_mapping);
CALL_DECL(do_set_timer_op);
CALL_DECL(do_xen_version);
CALL_DECL(do_console_io);
CALL_DECL(do_grant_table_op);
CALL_DECL(do_vm_assist);
CALL_DECL(do_update_va_mapping_otherdomain);
CALL_DECL(do_iret);
CALL_DECL(do_vcpu_op);
CALL_DECL(do_set_segment_base);
CALL_DECL(do_mmuext_op);
CALL_DECL(do_nmi_op);
CALL_DECL(do_sched_op);
CALL_DECL(do_callback_op);
CALL_DECL(do_event_channel_op);
CALL_DECL(do_physdev_op);
CALL_DECL(do_sysctl);
CALL_DECL(do_domctl);

#endif
