/* SPDX-License-Identifier: MIT */
#include "dom/evtchn_priv.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/heap.h"

BUILD_BUG_ON(sizeof(struct evtchn) != 32);
BUILD_BUG_ON(EVTCHN_BUCKET * sizeof(struct evtchn) != PAGE_SIZE);
BUILD_BUG_ON(EVTCHN_VCPUS < MAX_VCPUS);

/* --- the table of ports --- */

int evtchn_init_domain(struct domain *d, unsigned int max_port)
{
	struct evtchn_domain *e = &d->ev;
	unsigned int slots;

	max_port = min(max_port, (unsigned int)EVTCHN_MAX - 1);
	slots = max_port / EVTCHN_BUCKET + 1;
	*e = (struct evtchn_domain){0};
	spin_lock_init(&e->lock);
	spin_lock_init(&e->poll_lock);
	e->max_port = max_port;
	e->bucket = hv_alloc(slots * sizeof(*e->bucket));
	e->used = hv_alloc(slots);
	if (!e->bucket || !e->used) {
		hv_free(e->bucket);
		hv_free(e->used);
		*e = (struct evtchn_domain){.closed = true};
		return -XEN_ENOMEM;
	}
	e->nr_slots = slots;
	return 0;
}

static bool grow(struct evtchn_domain *e)
{
	struct evtchn *b = hv_alloc(EVTCHN_BUCKET * sizeof(*b));

	if (!b)
		return false;
	e->bucket[e->nr_buckets] = b;
	/* Port 0 is never given out. */
	e->used[e->nr_buckets] = e->nr_buckets == 0;
	e->nr_buckets++;
	return true;
}

static unsigned int highest_port(const struct domain *d)
{
	if (d->ev.fifo)
		return d->ev.max_port;
	return min(d->ev.max_port, (unsigned int)EVTCHN_2L_NR_CHANNELS - 1);
}

/* A free port of bucket b, which has one. */
static u32 first_free_in(const struct evtchn_domain *e, unsigned int b)
{
	u32 i = b == 0;

	while (e->bucket[b][i].state != EC_FREE)
		i++;
	return b * EVTCHN_BUCKET + i;
}

struct evtchn *evtchn_alloc(struct domain *d, u32 *port, int *err)
{
	struct evtchn_domain *e = &d->ev;
	unsigned int b = e->first_free;
	struct evtchn *chn;

	*err = -XEN_ESRCH;
	if (e->closed)
		return NULL;
	while (b < e->nr_buckets && e->used[b] == EVTCHN_BUCKET)
		b++;
	e->first_free = b;
	*err = -XEN_ENOSPC;
	if (b * EVTCHN_BUCKET > highest_port(d))
		return NULL;
	*err = -XEN_ENOMEM;
	if (b == e->nr_buckets && !grow(e))
		return NULL;
	*port = first_free_in(e, b);
	*err = -XEN_ENOSPC;
	if (*port > highest_port(d))
		return NULL;
	*err = 0;
	chn = &e->bucket[b][*port % EVTCHN_BUCKET];
	chn->state = EC_BUSY;
	chn->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	chn->early = 0;
	chn->vcpu = 0;
	e->used[b]++;
	e->nr_active++;
	return chn;
}

void evtchn_free(struct domain *d, struct evtchn *chn, u32 port)
{
	struct evtchn_domain *e = &d->ev;
	unsigned int b = port / EVTCHN_BUCKET;

	chn->state = EC_FREE;
	chn->num = 0;
	chn->remote = NULL;
	chn->peer = NULL;
	if (e->fifo)
		fifo_clear_pending(d, chn, port);
	else
		(void)test_and_clear_bit_atomic(port, (unsigned long *)d->shared->evtchn_pending);
	e->used[b]--;
	e->nr_active--;
	e->first_free = min(e->first_free, b);
}

void evtchn_destroy_domain(struct domain *d)
{
	struct evtchn_domain *e = &d->ev;
	unsigned int nr;

	while (evtchn_relinquish(d) == -XEN_ERESTART)
		continue;
	ASSERT(!e->nr_active);
	(void)fifo_destroy(d);
	/* No lookup gets beyond nr_buckets, and a lookup holds the lock until it is done. */
	spin_lock(&e->lock);
	nr = e->nr_buckets;
	e->nr_buckets = 0;
	spin_unlock(&e->lock);
	for (unsigned int b = 0; b < nr; b++)
		hv_free(e->bucket[b]);
	hv_free(e->bucket);
	hv_free(e->used);
	e->bucket = NULL;
	e->used = NULL;
}

/* --- delivery --- */

void vcpu_mark_events_pending(struct vcpu *v)
{
	struct vcpu_info *info = READ_ONCE(v->info);

	if (!atomic_xchg(&info->evtchn_upcall_pending, (u8)1))
		vcpu_kick(v);
}

bool vcpu_event_deliverable(const struct vcpu *v)
{
	const struct vcpu_info *info = READ_ONCE(v->info);

	return READ_ONCE(info->evtchn_upcall_pending) && !READ_ONCE(info->evtchn_upcall_mask);
}

void evtchn_vcpu_info_moved(struct vcpu *v)
{
	struct vcpu_info *info = v->info;

	(void)atomic_or(&info->evtchn_pending_sel, ~0UL);
	(void)atomic_xchg(&info->evtchn_upcall_pending, (u8)1);
	vcpu_kick(v);
}

/* 2-level, a port that was not pending before. */
static __attribute__((noinline)) void tell(struct domain *d, struct evtchn *chn, u32 port)
{
	struct vcpu *v;

	/* It may be switching to FIFO just now, and have read these bits before this one was set. */
	if (unlikely(READ_ONCE(d->ev.fifo))) {
		fifo_raise(d, chn, port);
		return;
	}
	evtchn_check_pollers(d, port);
	if (test_bit(port, (unsigned long *)d->shared->evtchn_mask))
		return;
	v = d->vcpu[READ_ONCE(chn->vcpu)];
	if (v && !test_and_set_bit_atomic(port / BITS_PER_LONG, &v->info->evtchn_pending_sel))
		vcpu_mark_events_pending(v);
}

static inline void raise(struct domain *d, struct evtchn *chn, u32 port)
{
	if (READ_ONCE(d->ev.fifo))
		fifo_raise(d, chn, port);
	else if (!test_and_set_bit_atomic(port, (unsigned long *)d->shared->evtchn_pending))
		tell(d, chn, port);
}

void evtchn_raise(struct domain *d, struct evtchn *chn, u32 port)
{
	raise(d, chn, port);
}

/* The most frequent operation: one lock, and only the lines that must be touched. */
long evtchn_op_send(struct domain *d, u32 port)
{
	struct evtchn *chn;
	long rc = 0;

	spin_lock(&d->ev.lock);
	chn = evtchn_lookup(d, port);
	if (unlikely(!chn)) {
		rc = -XEN_EINVAL;
	} else if (chn->state == EVTCHNSTAT_interdomain) {
		raise(chn->remote, chn->peer, chn->num);
	} else if (chn->state == EVTCHNSTAT_ipi) {
		raise(d, chn, port);
	} else if (chn->state != EVTCHNSTAT_unbound) {
		rc = -XEN_EINVAL;
	}
	spin_unlock(&d->ev.lock);
	return rc;
}

/* port: where its number is kept. Nothing is bound there most of the time. */
static void raise_port(struct domain *d, const u32 *port, u8 state)
{
	struct evtchn *chn;
	u32 p;

	if (!READ_ONCE(*port))
		return;
	spin_lock(&d->ev.lock);
	p = *port;
	chn = p ? evtchn_lookup(d, p) : NULL;
	if (chn && (chn->state == state || chn->state == EC_BUSY))
		raise(d, chn, p);
	spin_unlock(&d->ev.lock);
}

void send_vcpu_virq(struct vcpu *v, u32 virq)
{
	ASSERT(virq < NR_VIRQS);
	raise_port(v->d, &v->ev.virq_port[virq], EVTCHNSTAT_virq);
}

void send_global_virq(u32 virq)
{
	ASSERT(virq < NR_VIRQS);
	if (dom0)
		raise_port(dom0, &dom0->ev.virq_global[virq], EVTCHNSTAT_virq);
}

void evtchn_pirq_pending(struct domain *d, u32 port)
{
	raise_port(d, &port, EVTCHNSTAT_pirq);
}

/* --- looking --- */

/* With ev.lock. */
static bool is_pending(struct domain *d, const struct evtchn *chn, u32 port)
{
	if (d->ev.fifo)
		return fifo_is_pending(d, chn, port);
	return test_bit(port, (unsigned long *)d->shared->evtchn_pending);
}

static bool is_masked(struct domain *d, u32 port)
{
	if (d->ev.fifo)
		return fifo_is_masked(d, port);
	return test_bit(port, (unsigned long *)d->shared->evtchn_mask);
}

bool evtchn_port_masked(struct domain *d, u32 port)
{
	bool masked;

	spin_lock(&d->ev.lock);
	masked = !evtchn_lookup(d, port) || is_masked(d, port);
	spin_unlock(&d->ev.lock);
	return masked;
}

int evtchn_port_poll(struct domain *d, u32 port)
{
	struct evtchn *chn;
	int rc = -XEN_EINVAL;

	spin_lock(&d->ev.lock);
	chn = evtchn_lookup(d, port);
	if (chn)
		rc = is_pending(d, chn, port);
	spin_unlock(&d->ev.lock);
	return rc;
}

static void dump_one(const struct evtchn *chn, u32 port, domid_t remote, bool pending, bool masked)
{
	static const char *const names[] = {"closed", "unbound", "interdomain",
					    "pirq",   "virq",	 "ipi"};
	const char *name = chn->state < ARRAY_SIZE(names) ? names[chn->state] : "busy";
	char p = pending ? 'P' : '-', m = masked ? 'M' : '-';

	if (chn->state == EVTCHNSTAT_interdomain)
		pr_info("  %5u %-11s v%u prio %u %c%c d%u port %u\n", port, name, chn->vcpu,
			chn->priority, p, m, remote, chn->num);
	else
		pr_info("  %5u %-11s v%u prio %u %c%c %u\n", port, name, chn->vcpu, chn->priority,
			p, m, chn->num);
}

/* Prints without the lock (see evtchn.h), so each line is a picture of its own moment. */
void evtchn_dump(struct domain *d)
{
	struct evtchn_domain *e = &d->ev;
	unsigned int nr, active;
	u32 broken = 0;
	bool fifo;

	spin_lock(&e->lock);
	nr = e->nr_buckets * EVTCHN_BUCKET;
	active = e->nr_active;
	fifo = e->fifo != NULL;
	if (fifo)
		broken = fifo_broken(e->fifo);
	spin_unlock(&e->lock);
	pr_info("d%u: %u ports in use, %s, %u vcpus poll, %u links lost\n", d->id, active,
		fifo ? "FIFO" : "2-level", READ_ONCE(e->nr_polling), broken);
	for (u32 port = 1; port < nr; port++) {
		bool pending = false, masked = false;
		struct evtchn *chn, copy;
		domid_t remote = 0;

		spin_lock(&e->lock);
		chn = evtchn_lookup(d, port);
		if (chn) {
			copy = *chn;
			remote = chn->remote ? chn->remote->id : 0;
			pending = is_pending(d, chn, port);
			masked = is_masked(d, port);
		}
		spin_unlock(&e->lock);
		if (chn)
			dump_one(&copy, port, remote, pending, masked);
	}
}
