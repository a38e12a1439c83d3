/* SPDX-License-Identifier: MIT */
/*
 * The end of the hypervisor: one CPU reports, the others stand still, then reboot or halt. Other ways in
 * than panic() of lib/log.h are here. A panic inside of the report ends too: it says so in one line, a
 * third one says nothing more. Locks are ignored from the moment on when the others stand still.
 */
#ifndef CPU_PANIC_H
#define CPU_PANIC_H

#include "lib/types.h"
#include <xen/xen.h>

extern bool opt_noreboot;
/* r: the frame of an exception in the hypervisor. */
void __noreturn panic_regs(const struct cpu_user_regs *r, const char *what);
/* The same for #DF and #MC, whose stacks are too small for a report. */
void __noreturn panic_small_stack(const struct cpu_user_regs *r, const char *what);
/* Another CPU, which does not move, shall panic, by NMI; when that does not help this one does. */
void __noreturn panic_other(unsigned int cpu, const char *what);
/* At each NMI: does not return when another CPU panics, which then finds r, nor after panic_other(). */
void panic_nmi(const struct cpu_user_regs *r);

/* Set by the floors above. First and last thing that a panic does: */
extern void (*panic_console_hook)(void);
extern void (*panic_end_hook)(bool halt);
/*
 * Prints the last lines of the log; prints who ran on a CPU. r: where the CPU was stopped, perhaps in the
 * guest; NULL: not known. detailed: with the guest's registers.
 */
extern void (*panic_log_hook)(void);
extern void (*panic_guest_hook)(unsigned int cpu, const struct cpu_user_regs *r, bool detailed);

#endif
