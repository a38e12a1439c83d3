/* SPDX-License-Identifier: MIT */
/*
 * A domain's physical interrupts: number -> line of irq/ and event channel. Pirq n of dom0 is the
 * IO-APIC pin n as long as there is one; MSIs get numbers beyond. Only a privileged domain has any.
 * Edge interrupts and MSIs are acknowledged at once; a level pin stays masked from its delivery
 * until the guest's EOI.
 *
 * Locks: pirqs.lock, then irq/'s. It is never held together with an event-channel lock, because its
 * holder may wait for a running handler. A handler takes none of ours: it reads the port and hands
 * it to the event-channel code.
 */
#ifndef DOM_PIRQ_H
#define DOM_PIRQ_H

#include "lib/types.h"
#include "lib/spinlock.h"

struct domain;
struct frame;
struct irq_line; /* irq/irq.h */
struct pci_addr; /* irq/msi.h */

#define MAX_PIRQS 1024

struct pirq {
	struct irq_line *line; /* NULL: not mapped */
	u32 port;	       /* bound event channel, 0 = none */
	bool level;	       /* the guest must send EOIs */
	bool msi;
	bool reserved; /* PHYSDEVOP_get_free_pirq gave it out */
};

struct pirq_domain {
	spinlock_t lock;
	struct pirq *tbl; /* [nr] */
	unsigned int nr;
	unsigned long *eoi_map; /* PHYSDEVOP_pirq_eoi_gmfn: direct-map pointer or NULL */
	struct frame *eoi_frame;
	bool auto_unmask;
};

/* 0 or -XEN_ENOMEM. */
int pirq_init_domain(struct domain *d);
/* Gives back lines and the EOI page. No vcpu of d runs any more; ports may be closed before or after. */
void pirq_destroy_domain(struct domain *d);

/*
 * Event channels bind a pirq: 0, and the line is on, towards the CPU of vcpu 0 of d; -XEN_EINVAL not
 * mapped, -XEN_EEXIST bound already. share is a hint without meaning here.
 */
int pirq_bind(struct domain *d, u32 pirq, u32 port, bool share);
/* The port was closed: the line is off. Harmless when not bound. */
void pirq_unbind(struct domain *d, u32 pirq);
/* The port of the pirq moved to another vcpu: steer the line to that vcpu's CPU. */
void pirq_set_affinity(struct domain *d, u32 pirq, unsigned int cpu);
/*
 * The guest has handled the interrupt. 0 or -XEN_EINVAL. *port: when the guest asked for it
 * (pirq_eoi_gmfn_v1), the event channel that the caller shall unmask, else 0.
 */
int pirq_eoi_port(struct domain *d, u32 pirq, u32 *port);
int pirq_eoi(struct domain *d, u32 pirq);

/*
 * Mapping, for PHYSDEVOP_map_pirq. *pirq: the wanted number or -1 for any; the number on return.
 * 0; -XEN_EINVAL no such interrupt or number, -XEN_EEXIST one of them is taken, -XEN_ENOSPC; for
 * MSI also what irq/msi.h says. A pin that the hypervisor uses itself gives a number, but no line.
 */
int pirq_map_gsi(struct domain *d, u32 gsi, int *pirq);
int pirq_map_msi(struct domain *d, const struct pci_addr *a, int *pirq);
int pirq_map_msix(struct domain *d, const struct pci_addr *a, unsigned int entry, u64 bar,
		  int *pirq);
/* 0 or -XEN_EINVAL. A bound one loses its line; its port stays, and stays silent. */
int pirq_unmap(struct domain *d, int pirq);
/* Reserves a number for a later map. 0 or -XEN_ENOSPC. */
int pirq_get_free(struct domain *d, u32 *pirq);
/* 0 or -XEN_EINVAL. */
int pirq_needs_eoi(struct domain *d, u32 pirq, bool *needs_eoi);
/* The vector of the line that the number is mapped to; 0 when there is none. */
u8 pirq_vector(struct domain *d, u32 pirq);
/* The trigger of a pin has been set (gsi_setup): who has it mapped learns. */
void pirq_gsi_changed(struct domain *d, u32 gsi);
/* The page that shows which pirqs need an EOI. 0, -XEN_EINVAL bad frame, -XEN_EBUSY second time. */
int pirq_set_eoi_page(struct domain *d, u64 mfn, bool auto_unmask);

#endif
