/* SPDX-License-Identifier: MIT */
/*
 * Message-signalled interrupts: finds a PCI function's MSI and MSI-X capabilities, programs address,
 * data and masks, and says which configuration writes of dom0 would break them. dom0 owns the
 * enable bits; we only see to it that a started line is enabled at the end.
 * Registers: PCI Local Bus Specification 3.0, 6.8.
 */
#ifndef IRQ_MSI_H
#define IRQ_MSI_H

#include "irq/irq.h"

struct pci_addr {
	u16 seg;
	u8 bus, devfn;
};

/* Offsets are into configuration space; 0 = the function has no such capability. */
struct msi_caps {
	u16 msi, msix;
	bool msi_64, msi_maskable;
	u16 msix_entries;
	u8 msix_bir;
	u32 msix_offset; /* of the table in that BAR */
};

/* Reads the capability list. 0, or -XEN_ENODEV when there is no such function. */
int msi_read_caps(const struct pci_addr *a, struct msi_caps *c);
/* Machine address of a memory BAR; 0 when it is not one, or not assigned. */
paddr_t msi_bar_address(const struct pci_addr *a, unsigned int bir);

/*
 * A line for the function's MSI, or for entry `entry` of its MSI-X table, programmed and disabled.
 * bar: where the table's BAR is when the function's own BARs do not tell (virtual functions); else 0.
 * NULL with *err: -XEN_ENODEV no such function or capability, -XEN_EINVAL bad entry or table,
 * -XEN_EEXIST already in use, -XEN_ENXIO memory decoding is off, -XEN_ENOSPC, -XEN_ENOMEM.
 */
struct irq_line *msi_line_get(const struct pci_addr *a, const struct irq_user *u, int *err);
struct irq_line *msix_line_get(const struct pci_addr *a, unsigned int entry, paddr_t bar,
			       const struct irq_user *u, int *err);
/* Writes every message of the function again (after a reset). 0, or -XEN_ENODEV when none is in use. */
int msi_restore(const struct pci_addr *a);

/*
 * A guest that owns the function writes `size` bytes at `reg`. False: drop it. May change *val, so
 * that the number of messages stays one.
 */
bool msi_filter_write(const struct pci_addr *a, u16 reg, unsigned int size, u32 *val);

/* Back ends for irq/irq.c, line locked. */
void msi_route(struct irq_line *l);
void msi_mask(struct irq_line *l, bool masked);
void msi_enable(struct irq_line *l);
/* The line, stopped and unlocked, leaves its function. */
void msi_release(struct irq_line *l);

#endif
