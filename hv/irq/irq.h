/* SPDX-License-Identifier: MIT */
/*
 * Interrupt lines: IO-APIC pins and MSIs, each with a vector of ours on one CPU. A line has a
 * handler; the handler for guests (pirqs) is registered by a higher floor.
 * Vectors: 0x20..0xdf devices, allocated globally (one vector number = one line, any CPU);
 * 0xf0.. IPIs, timer, spurious (cpu/apic.h).
 */
#ifndef IRQ_IRQ_H
#define IRQ_IRQ_H

#include "lib/types.h"
#include "lib/spinlock.h"

struct irq_line {
	u8 vector;	   /* 0 = none */
	bool level, low;   /* IO-APIC trigger and polarity */
	bool masked;
	u8 kind;	   /* IRQ_IOAPIC, IRQ_MSI, IRQ_MSIX */
	u32 gsi;
	unsigned int cpu;  /* destination */
	void (*handler)(struct irq_line *l); /* from do_irq, interrupts off */
	void *owner;
	u32 owner_irq;
	struct msi_dev *msi;
	unsigned int msi_entry;
};

/* Dispatches a device vector: called from the entry code with the vector number. Acknowledges the LAPIC. */
void do_irq(unsigned int vector);

#endif
