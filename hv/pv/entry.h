/* SPDX-License-Identifier: MIT */
/* What pv/entry.S offers and calls; constants shared by assembly and C. */
#ifndef PV_ENTRY_H
#define PV_ENTRY_H

#define ENTRY_SYSCALL	0x100 /* entry_vector: SYSCALL from 64-bit code */
#define ENTRY_SYSCALL32 0x101 /* SYSCALL from 32-bit code (AMD) */

#define GUEST_CS32 0xe023
#define GUEST_SS   0xe02b
#define GUEST_CS   0xe033

#define CALL_DONE_ (-0x7001) /* call/call.h: CALL_DONE; CALL_RESTART is one more */

#ifndef __ASSEMBLY__
#include "cpu/percpu.h"

extern const unsigned long entry_stubs[256];
extern const char stub_start[], stub_end[];
extern const char stub_syscall[], stub_syscall_jump[], stub_syscall32[], stub_syscall32_jump[];
void entry_syscall(void);
void entry_syscall32(void);
/* Leaves the current C context for the guest state in get_cpu_info()->guest_regs. */
void __noreturn resume_guest(void);
/* Calls fn on an empty stack of this CPU; fn does not return. */
void __noreturn stack_reset_call(void (*fn)(void));

/* Called from assembly. */
void pv_deliver_event(struct cpu_user_regs *regs);
void pv_iret_refused(struct cpu_user_regs *regs);
void pv_iret_fault(struct cpu_user_regs *regs);
void pv_guest_syscall(struct cpu_user_regs *regs);
void pv_exception(struct cpu_user_regs *regs, unsigned int vector);
void pv_interrupt(struct cpu_user_regs *regs, unsigned int vector);
void hv_exception(struct cpu_user_regs *regs);
void ist_exception(struct cpu_user_regs *regs);
void handle_hazards(void);
#endif
#endif
