/* SPDX-License-Identifier: MIT */
/* The end: registers, stack trace, message, then reboot or halt. Declared for lib/log.h's panic(). */
#ifndef CPU_PANIC_H
#define CPU_PANIC_H

#include "lib/types.h"
#include <xen/xen.h>

extern bool opt_noreboot;
/* Registers and a stack trace of a frame of ours or a guest's. */
void show_regs(const struct cpu_user_regs *r);
/* Follows frame pointers from rbp while they stay on this CPU's stack. */
void show_stack(unsigned long rip, unsigned long rbp);
void __noreturn panic_regs(const struct cpu_user_regs *r, const char *what);
/* Set by the board: what to do last. */
extern void (*panic_console_hook)(void);
extern void (*panic_end_hook)(bool halt);

#endif
