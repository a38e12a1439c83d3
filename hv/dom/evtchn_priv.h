/* SPDX-License-Identifier: MIT */
/*
 * Inside of the event channels: what a port is, and the steps that evtchn.c (table and delivery),
 * evtchn_bind.c (operations), evtchn_2l.c, evtchn_fifo.c (the two ABIs) and evtchn_poll.c share.
 */
#ifndef DOM_EVTCHN_PRIV_H
#define DOM_EVTCHN_PRIV_H

#include "dom/domain.h"
#include "lib/nospec.h"

/* A port whose pirq is being bound or unbound: no ev.lock is held then, and nobody may touch it. */
#define EC_BUSY 0x80u
#define EC_FREE EVTCHNSTAT_closed

/* 32 bytes, so that a bucket is one page. */
struct evtchn {
	u8 state;    /* EVTCHNSTAT_* or EC_BUSY */
	u8 priority; /* FIFO */
	u8 early;    /* an event came before its FIFO word or control block was there; unlocked */
	u8 q_prio;   /* the FIFO queue it was linked to last; these two under the FIFO lock, and */
	u16 q_vcpu;  /* they survive the port's being closed */
	u16 vcpu;    /* to be notified */
	u32 num;     /* unbound: the domain that may bind; interdomain: remote port; pirq; virq */
	struct domain *remote;
	struct evtchn *peer; /* in remote; never freed as long as it is connected */
};

/* With ev.lock. NULL for a port that is not in use. */
static inline struct evtchn *evtchn_lookup(const struct domain *d, u32 port)
{
	struct evtchn *chn;

	if (unlikely(port >= d->ev.nr_buckets * EVTCHN_BUCKET))
		return NULL;
	port = (u32)nospec_index(port, d->ev.nr_buckets * EVTCHN_BUCKET);
	chn = &d->ev.bucket[port / EVTCHN_BUCKET][port % EVTCHN_BUCKET];
	return likely(chn->state != EC_FREE) ? chn : NULL;
}

/* --- evtchn.c --- */
/* With ev.lock: a free port, bound to vcpu 0. NULL with *err -XEN_ENOSPC, -XEN_ENOMEM, -XEN_ESRCH. */
struct evtchn *evtchn_alloc(struct domain *d, u32 *port, int *err) __must_check;
/* With ev.lock: the port is unused again, nothing of it pending. */
void evtchn_free(struct domain *d, struct evtchn *chn, u32 port);
/*
 * Makes the port pending and tells its vcpu. The caller holds a lock that keeps the port as it is:
 * the ev.lock of d, or for an interdomain port the one of the other end.
 */
void evtchn_raise(struct domain *d, struct evtchn *chn, u32 port);

/* --- evtchn_2l.c --- */
void evtchn_2l_unmask(struct domain *d, struct evtchn *chn, u32 port);

/* --- evtchn_fifo.c --- */
void fifo_raise(struct domain *d, struct evtchn *chn, u32 port);
void fifo_unmask(struct domain *d, struct evtchn *chn, u32 port);
bool fifo_is_pending(struct domain *d, const struct evtchn *chn, u32 port);
bool fifo_is_masked(struct domain *d, u32 port);
void fifo_clear_pending(struct domain *d, struct evtchn *chn, u32 port);
/* Back to the 2-level ABI; -XEN_EAGAIN while a port is in use. No lock held. */
int fifo_destroy(struct domain *d);
/* With ev.lock: links given up on. */
u32 fifo_broken(const struct evtchn_fifo_domain *f);

/* Calls fn for each guest frame that the FIFO ABI of d holds (a reference and a writable count each). */
void evtchn_for_each_frame(struct domain *d, void (*fn)(struct frame *f, void *arg), void *arg);

/* --- evtchn_poll.c --- */
void evtchn_wake_pollers(struct domain *d, u32 port);

/* After an event was made pending by a locked instruction: does somebody sleep on it? */
static inline void evtchn_check_pollers(struct domain *d, u32 port)
{
	if (unlikely(READ_ONCE(d->ev.nr_polling)))
		evtchn_wake_pollers(d, port);
}

#endif
