/* SPDX-License-Identifier: MIT */
/* A domain's physical interrupts: number -> irq/ line and event channel. Fields belong to irq/ and call/physdev. */
#ifndef DOM_PIRQ_H
#define DOM_PIRQ_H

#include "lib/types.h"
#include "lib/spinlock.h"

struct irq_line; /* irq/irq.h */

#define MAX_PIRQS 1024

struct pirq {
	struct irq_line *line; /* NULL: not mapped */
	u32 port;	       /* bound event channel, 0 = none */
	bool level, msi, needs_eoi, masked_by_us;
};

struct pirq_domain {
	spinlock_t lock;
	struct pirq *tbl; /* [nr] */
	unsigned int nr;
	unsigned long *eoi_map; /* PHYSDEVOP_pirq_eoi_gmfn: direct-map pointer or NULL */
	void *eoi_frame;
	bool auto_unmask;
};

/*
 * Event channels bind a pirq: returns 0 and enables the line towards vcpu 0 of d, or -XEN_E*.
 * Implemented in irq/pirq.c and registered here, because floor 3 does not know domains; see
 * irq/irq.h for the line side.
 */
struct domain;
int pirq_bind(struct domain *d, u32 pirq, u32 port, bool share);
void pirq_unbind(struct domain *d, u32 pirq);
/* The port of the pirq moved to another vcpu: steer the line to that vcpu's CPU. */
void pirq_set_affinity(struct domain *d, u32 pirq, unsigned int cpu);
/* The guest has handled the interrupt. */
int pirq_eoi(struct domain *d, u32 pirq);
/* Event channel was unmasked (EVTCHNOP_unmask): if auto_unmask, also eoi. */
int pirq_init_domain(struct domain *d);
void pirq_destroy_domain(struct domain *d);

#endif
