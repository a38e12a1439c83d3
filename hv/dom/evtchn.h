/* SPDX-License-Identifier: MIT */
/*
 * Event channels: ports of a domain, their state and their delivery by the 2-level and the FIFO ABI
 * (<xen/event_channel.h>). Fields here belong to dom/evtchn*.c.
 *
 * Locks. A domain's ev.lock covers its table of ports and their binding. The two ends of an
 * interdomain channel are connected and cut only with both domains' ev.lock held (the lower address
 * first), so that either lock alone keeps a connection as it is: a sender takes its own domain's
 * lock, finds the peer by pointer, and delivers without the remote ev.lock. Delivery itself is
 * atomic bit operations (2-level), or takes the receiver's FIFO lock, which is inside every ev.lock.
 * Order: domain.lock, ev.lock, FIFO lock, poll_lock, run queues. Nothing prints with one of them
 * held: the console sends a virq. ev.lock is never held while pirqs.lock is taken.
 */
#ifndef DOM_EVTCHN_H
#define DOM_EVTCHN_H

#include "lib/types.h"
#include "lib/bits.h"
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/sched.h>
#include "lib/spinlock.h"

struct domain;
struct vcpu;
struct evtchn; /* dom/evtchn_priv.h */
struct evtchn_fifo_domain;
struct evtchn_fifo_vcpu;

#define EVTCHN_BUCKET	 128
#define EVTCHN_MAX	 131072 /* FIFO limit; 2-level 4096 */
#define EVTCHN_VCPUS	 256	/* >= MAX_VCPUS */
#define EVTCHN_MAX_POLLS 128	/* ports in one SCHEDOP_poll */

struct evtchn_domain {
	spinlock_t lock;
	bool closed;		 /* dying: no new ports */
	struct evtchn **bucket;	 /* [nr_slots], grown on demand, in order */
	u8 *used;		 /* [nr_slots] ports in use in a bucket */
	unsigned int nr_buckets; /* allocated */
	unsigned int nr_slots;
	unsigned int max_port; /* limit set at creation */
	unsigned int nr_active;
	unsigned int first_free;	 /* no bucket below has a free port */
	unsigned int close_next;	 /* where a restarted reset goes on */
	struct evtchn_fifo_domain *fifo; /* NULL: 2-level */
	u32 virq_global[NR_VIRQS];	 /* port of global virqs */
	spinlock_t poll_lock;
	u32 nr_polling; /* bits set below; stale ones go with the next event */
	DECLARE_BITMAP(polling, EVTCHN_VCPUS);
};

struct evtchn_vcpu {
	u32 virq_port[NR_VIRQS];
	struct evtchn_fifo_vcpu *fifo;
};

/* max_port: the highest port number. 0 or -XEN_ENOMEM. */
int evtchn_init_domain(struct domain *d, unsigned int max_port);
/*
 * Closes the ports of a dying domain, in portions: -XEN_ERESTART asks for another call. Remote ends
 * become unbound. No vcpu of d runs any more. Optional before evtchn_destroy_domain().
 */
int evtchn_relinquish(struct domain *d);
/* The rest at once, and the memory. Nothing is delivered to d afterwards; ports look up as closed. */
void evtchn_destroy_domain(struct domain *d);

/* Raises a virq at a vcpu (per-vcpu kinds) or at dom0 (global kinds). Any context, any lock below ev.lock. */
void send_vcpu_virq(struct vcpu *v, u32 virq);
void send_global_virq(u32 virq);
/* Marks the port that is bound to a pirq pending (from the interrupt handler). */
void evtchn_pirq_pending(struct domain *d, u32 port);
/* A port that does not exist counts as masked. */
bool evtchn_port_masked(struct domain *d, u32 port);
/* A port of the hypervisor's own use is not offered: everything is between domains, virqs, ipis, pirqs. */

/* For SCHEDOP_poll: is any of the ports pending, or invalid (-XEN_EINVAL)? */
int evtchn_port_poll(struct domain *d, u32 port);
/*
 * SCHEDOP_poll of the current vcpu: reads the ports from the guest; leaves the vcpu blocked unless
 * one of them is pending already. 0, -XEN_EINVAL, -XEN_EFAULT.
 */
long evtchn_poll(const struct sched_poll *arg);
/* 2-level and FIFO both: sets vcpu_info pending and wakes the vcpu (event-channel code only). */
void vcpu_mark_events_pending(struct vcpu *v);
/* Is there an event to deliver and does the mask allow it? */
bool vcpu_event_deliverable(const struct vcpu *v);
/* After vcpu_info moved: fold in events that came meanwhile. */
void evtchn_vcpu_info_moved(struct vcpu *v);
void evtchn_dump(struct domain *d); /* debug key 'e' */

/*
 * The operations, for call/: d is the calling domain. Each checks everything, then changes. OUT
 * members are written on success only. 0 or -XEN_E*; evtchn_op_reset also -XEN_ERESTART.
 */
long evtchn_op_send(struct domain *d, u32 port);
int evtchn_op_alloc_unbound(struct domain *d, struct evtchn_alloc_unbound *a);
int evtchn_op_bind_interdomain(struct domain *d, struct evtchn_bind_interdomain *a);
int evtchn_op_bind_virq(struct domain *d, struct evtchn_bind_virq *a);
int evtchn_op_bind_ipi(struct domain *d, struct evtchn_bind_ipi *a);
int evtchn_op_bind_pirq(struct domain *d, struct evtchn_bind_pirq *a);
int evtchn_op_close(struct domain *d, u32 port);
int evtchn_op_status(struct domain *d, struct evtchn_status *a);
int evtchn_op_bind_vcpu(struct domain *d, const struct evtchn_bind_vcpu *a);
int evtchn_op_unmask(struct domain *d, u32 port);
int evtchn_op_reset(struct domain *d, domid_t dom);
int evtchn_op_init_control(struct domain *d, struct evtchn_init_control *a);
int evtchn_op_expand_array(struct domain *d, const struct evtchn_expand_array *a);
int evtchn_op_set_priority(struct domain *d, const struct evtchn_set_priority *a);

#endif
