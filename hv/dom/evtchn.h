/* SPDX-License-Identifier: MIT */
/*
 * Event channels: ports of a domain, their state and their delivery by the 2-level and the FIFO ABI
 * (<xen/event_channel.h>). Fields here belong to dom/evtchn*.c.
 */
#ifndef DOM_EVTCHN_H
#define DOM_EVTCHN_H

#include <xen/xen.h>
#include <xen/event_channel.h>
#include "lib/types.h"
#include "lib/spinlock.h"

struct domain;
struct vcpu;
struct evtchn; /* dom/evtchn_priv.h */
struct evtchn_fifo_domain;
struct evtchn_fifo_vcpu;

#define EVTCHN_BUCKET	128
#define EVTCHN_MAX	131072 /* FIFO limit; 2-level 4096 */

struct evtchn_domain {
	spinlock_t lock;
	struct evtchn **bucket;	   /* grown on demand */
	unsigned int nr_buckets;   /* allocated */
	unsigned int max_port;	   /* limit set at creation */
	unsigned int nr_active;
	struct evtchn_fifo_domain *fifo; /* NULL: 2-level */
	u32 virq_global[NR_VIRQS]; /* port of global virqs */
};

struct evtchn_vcpu {
	u32 virq_port[NR_VIRQS];
	struct evtchn_fifo_vcpu *fifo;
};

int evtchn_init_domain(struct domain *d, unsigned int max_port);
void evtchn_destroy_domain(struct domain *d);

/* Raises a virq at a vcpu (per-vcpu kinds) or at dom0 (global kinds). Any context, any lock below ev.lock. */
void send_vcpu_virq(struct vcpu *v, u32 virq);
void send_global_virq(u32 virq);
/* Marks the port that is bound to a pirq pending (from the interrupt handler). */
void evtchn_pirq_pending(struct domain *d, u32 port);
bool evtchn_port_masked(struct domain *d, u32 port);
/* A port of the hypervisor's own use is not offered: everything is between domains, virqs, ipis, pirqs. */

/* For SCHEDOP_poll: is any of the ports pending, or invalid (-XEN_EINVAL)? */
int evtchn_port_poll(struct domain *d, u32 port);
/* 2-level and FIFO both: sets vcpu_info pending and wakes the vcpu (event-channel code only). */
void vcpu_mark_events_pending(struct vcpu *v);
/* Is there an event to deliver and does the mask allow it? */
bool vcpu_event_deliverable(const struct vcpu *v);
/* After vcpu_info moved: fold in events that came meanwhile. */
void evtchn_vcpu_info_moved(struct vcpu *v);
void evtchn_dump(struct domain *d); /* debug key 'e' */

#endif
