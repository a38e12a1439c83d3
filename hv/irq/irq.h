/* SPDX-License-Identifier: MIT */
/*
 * Interrupt lines: IO-APIC pins and MSIs, each with a vector of ours on one CPU. A line has a
 * handler; the handler for guests (pirqs) is registered by a higher floor.
 * Vectors: 0x20..0xdf devices, allocated globally (one vector number = one line, any CPU);
 * 0xf0.. IPIs, timer, spurious (cpu/apic.h). Lines are static, one a vector: a pointer to one
 * stays valid, only its use changes. Destinations are physical APIC ids.
 *
 * Locks: a line's own lock is innermost (it covers IO-APIC, table and configuration writes); a
 * handler runs without it, so it may take the locks of event channels.
 */
#ifndef IRQ_IRQ_H
#define IRQ_IRQ_H

#include "lib/types.h"
#include "lib/spinlock.h"
#include "lib/errno.h"

struct msi_dev; /* irq/msi.h */

enum irq_kind {
	IRQ_NONE,
	IRQ_IOAPIC,
	IRQ_MSI,
	IRQ_MSIX
};

struct irq_line {
	spinlock_t lock;
	u8 vector;	 /* fixed */
	u8 kind;	 /* IRQ_NONE: free */
	bool level, low; /* IO-APIC trigger and polarity */
	bool enabled;	 /* irq_start was called: interrupts go to the handler */
	bool masked;	 /* level: delivered, waits for irq_eoi */
	u32 gsi;
	unsigned int cpu; /* destination */
	/* From do_irq: interrupts off, line unlocked. Must not wait for other CPUs' handlers. */
	void (*handler)(struct irq_line *l);
	void *owner; /* the handler's own: domain and pirq */
	u32 owner_irq;
	u32 running; /* handlers in progress, atomically */
	struct msi_dev *msi;
	unsigned int msi_entry;
	u64 count;
};

/* What the user of a line wants to be called with. */
struct irq_user {
	void (*handler)(struct irq_line *l);
	void *owner;
	u32 owner_irq;
};

/* Boot CPU, once, after ioapic_init() and the heap; before the first domain. */
void irq_init(void);

/* Dispatches a device vector: called from the entry code with the vector number. Acknowledges the LAPIC. */
void do_irq(unsigned int vector);
/* Interrupts on vectors without an enabled line so far. */
u64 irq_spurious_count(void);
void irq_dump(void); /* debug key 'i' */

/*
 * Takes a free vector: its line, with kind and user set and disabled, on the boot CPU. NULL when
 * all are used. For the files of irq/ only; others use gsi_line_get and msi_line_get.
 */
struct irq_line *irq_line_alloc(enum irq_kind kind, const struct irq_user *u);
/* Disables the line, waits until no handler is running, frees the vector. Caller holds no lock that a handler takes. */
void irq_line_put(struct irq_line *l);

/* Enables the line towards a CPU: unmasks it at its source. */
void irq_start(struct irq_line *l, unsigned int cpu);
/* Disables it; an interrupt already under way is dropped. Does not wait for a running handler. */
void irq_stop(struct irq_line *l);
/* The interrupt was handled: a level line is unmasked. Harmless when nothing waits. */
void irq_eoi(struct irq_line *l);
/* Moves the line; one more interrupt may still come on the old CPU. */
void irq_set_cpu(struct irq_line *l, unsigned int cpu);
/* The APIC id to send to for a CPU: ids beyond 8 bits cannot be addressed and give the boot CPU's. */
u32 irq_dest(unsigned int cpu);

/* --- gsi.c: IO-APIC pins --- */
void gsi_init(void); /* irq_init does it */
/* Trigger and polarity as the firmware's interpreter found them. 0; -XEN_EEXIST when set before; -XEN_EINVAL. */
int gsi_setup(u32 gsi, bool level, bool low);
/* A line for the pin, disabled. NULL with *err: -XEN_EINVAL no such pin, -XEN_EBUSY taken, -XEN_ENOSPC. */
struct irq_line *gsi_line_get(u32 gsi, const struct irq_user *u, int *err);
/* The line of a pin or NULL; a hint unless the caller owns it. */
struct irq_line *gsi_line(u32 gsi);
/* Back ends of the functions above, line locked. */
void gsi_route(struct irq_line *l); /* all of the pin's entry */
void gsi_move(struct irq_line *l);  /* its destination */
void gsi_mask(struct irq_line *l, bool masked);

#endif
