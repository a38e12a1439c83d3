/* SPDX-License-Identifier: MIT */
/*
 * Interrupts. The hypervisor runs with IF clear from entry to exit. Interrupts are taken only in
 * guest context and in the idle loop (sti; hlt), so handlers never interrupt hypervisor code and no
 * lock needs to disable them. Long operations are cut into pieces by a work budget
 * (call/call.h) and re-enter through the guest, which is where pending interrupts are taken.
 */
#ifndef CPU_IRQFLAGS_H
#define CPU_IRQFLAGS_H

#define cpu_relax() __asm__ __volatile__("pause" ::: "memory")

#endif
