/* SPDX-License-Identifier: MIT */
/* The local APIC, xAPIC or x2APIC: one operations set chosen at start. Vectors of our own use. */
#ifndef CPU_APIC_H
#define CPU_APIC_H

#include "lib/types.h"

#define VEC_DEV_FIRST  0x20
#define VEC_DEV_LAST   0xdf
#define VEC_TIMER      0xf0
#define VEC_RESCHED    0xf1 /* do hazards */
#define VEC_FLUSH      0xf2 /* TLB shootdown mailbox */
#define VEC_CALL       0xf3
#define VEC_APIC_ERROR 0xfe
#define VEC_SPURIOUS   0xff

/* Boot CPU: chooses x2APIC when the CPU has it, maps the registers (plat_map_mmio) else. Panics without one. */
void apic_init(void);
void apic_init_cpu(void); /* every CPU: enables, masks LVTs, spurious vector, TPR 0 */
u32 apic_id(void);
u32 apic_version(void);
bool apic_is_x2apic(void);
void apic_eoi(void);
void apic_ipi(u32 apic_id, u8 vector);
void apic_send_nmi(u32 apic_id);
/* The vector VEC_APIC_ERROR, after apic_eoi: clears the error and says what went wrong. */
void apic_error_interrupt(void);
void apic_send_init(u32 apic_id);	      /* assert + wait 10 ms as the SDM asks (10.4.4) */
void apic_send_startup(u32 apic_id, u8 page); /* SIPI, vector = page of the trampoline */
void apic_timer_init_cpu(void);		      /* one-shot on VEC_TIMER, TSC-deadline when present */
/*
 * One-shot: fires at or shortly after the TSC reaches tsc; at once when that is past; 0 stops it.
 * Without TSC-deadline it fires early when tsc is farther away than the counter reaches (seconds).
 */
void apic_timer_arm(u64 tsc);
/* Measures the timer against the TSC; called by clock_init on the boot CPU. */
void apic_timer_calibrate(u64 tsc_hz);

#endif
