/* SPDX-License-Identifier: MIT */
/*
 * What is printed of a processor that stopped: registers, stack, call trace. All of it is bounded and
 * reads only addresses inside the CPU's own stack area, so that it works on one that is damaged.
 */
#ifndef CPU_TRACE_H
#define CPU_TRACE_H

#include "lib/types.h"
#include <xen/xen.h>

/* The registers of a frame; show_regs adds the control registers of the CPU that runs this. */
void show_general_regs(const struct cpu_user_regs *r);
void show_regs(const struct cpu_user_regs *r);
/*
 * The return addresses from rip on, at most max, following frame pointers from rbp while they stay in
 * the stack area that holds the address stack.
 */
void show_trace(unsigned long rip, unsigned long rbp, unsigned long stack, unsigned int max);
/* The words from rsp on, at most max, inside the stack area that holds rsp's own. */
void show_words(unsigned long rsp, unsigned long stack, unsigned int max);

#endif
