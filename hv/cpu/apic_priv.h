/* SPDX-License-Identifier: MIT */
/*
 * Registers of the local APIC and the two ways to reach them, for apic*.c only. Offsets are those of
 * the memory page; as an MSR a register is at 0x800 + offset / 16 (Intel SDM 3A, 11.12.1.2).
 */
#ifndef CPU_APIC_PRIV_H
#define CPU_APIC_PRIV_H

#include "lib/types.h"

#define APIC_ID		0x20
#define APIC_VERSION	0x30
#define APIC_TPR	0x80
#define APIC_EOI	0xb0
#define APIC_SVR	0xf0
#define APIC_ISR	0x100
#define APIC_ESR	0x280
#define APIC_LVT_CMCI	0x2f0
#define APIC_ICR	0x300
#define APIC_ICR_HIGH	0x310
#define APIC_LVT_TIMER	0x320
#define APIC_LVT_THERM	0x330
#define APIC_LVT_PERF	0x340
#define APIC_LVT_LINT0	0x350
#define APIC_LVT_LINT1	0x360
#define APIC_LVT_ERROR	0x370
#define APIC_TMR_INIT	0x380
#define APIC_TMR_COUNT	0x390
#define APIC_TMR_DIVIDE 0x3e0

#define SVR_ENABLE	 (1u << 8)
#define LVT_NMI		 (4u << 8)
#define LVT_MASKED	 (1u << 16)
#define LVT_TSC_DEADLINE (2u << 17)
#define TMR_DIVIDE_1	 0xb

#define ICR_NMI	    (4u << 8)
#define ICR_INIT    (5u << 8)
#define ICR_STARTUP (6u << 8)
#define ICR_BUSY    (1u << 12)
#define ICR_ASSERT  (1u << 14)

#define MSR_APIC_BASE	 0x1b
#define APIC_BASE_BSP	 (1UL << 8)
#define APIC_BASE_X2	 (1UL << 10)
#define APIC_BASE_ENABLE (1UL << 11)
#define APIC_BASE_ADDR	 0x000ffffffffff000UL
#define MSR_X2APIC	 0x800
#define MSR_TSC_DEADLINE 0x6e0

struct apic_ops {
	u32 (*read)(u32 reg);
	void (*write)(u32 reg, u32 v);
	void (*icr)(u32 apic_id, u32 low);
};

extern const struct apic_ops *apic_ops;
extern const struct apic_ops xapic_ops, x2apic_ops;

/* Memory-mapped registers: 0 or -XEN_ENOMEM. */
int xapic_map(paddr_t pa);

#endif
