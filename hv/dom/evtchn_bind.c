/* SPDX-License-Identifier: MIT */
#include "dom/evtchn_priv.h"
#include "lib/inject.h"
#include "lib/log.h"
#include "lib/nospec.h"

#define CLOSE_BUDGET 4096
#define CLOSE_COST   16
#define LOOK_COST    1

/* --- two domains at a time --- */

static void lock_two(struct domain *a, struct domain *b)
{
	if (a == b) {
		spin_lock(&a->ev.lock);
		return;
	}
	spin_lock(a < b ? &a->ev.lock : &b->ev.lock);
	spin_lock(a < b ? &b->ev.lock : &a->ev.lock);
}

static void unlock_two(struct domain *a, struct domain *b)
{
	if (a != b)
		spin_unlock(&b->ev.lock);
	spin_unlock(&a->ev.lock);
}

static struct vcpu *vcpu_of(const struct domain *d, u32 id)
{
	return id < d->max_vcpus ? d->vcpu[nospec_index(id, d->max_vcpus)] : NULL;
}

/* --- connecting --- */

int evtchn_op_alloc_unbound(struct domain *d, struct evtchn_alloc_unbound *a)
{
	struct domain *t;
	struct evtchn *chn;
	int rc;

	t = domain_get_target(d, a->dom, &rc);
	if (!t)
		return rc;
	spin_lock(&t->ev.lock);
	chn = evtchn_alloc(t, &a->port, &rc);
	if (chn) {
		chn->num = a->remote_dom == DOMID_SELF ? d->id : a->remote_dom;
		chn->state = EVTCHNSTAT_unbound;
	}
	spin_unlock(&t->ev.lock);
	domain_put(t);
	return rc;
}

static void connect(struct domain *a, struct evtchn *ac, u32 aport, struct domain *b,
		    struct evtchn *bc, u32 bport)
{
	ac->remote = b;
	ac->peer = bc;
	ac->num = bport;
	bc->remote = a;
	bc->peer = ac;
	bc->num = aport;
	ac->state = bc->state = EVTCHNSTAT_interdomain;
}

int evtchn_op_bind_interdomain(struct domain *d, struct evtchn_bind_interdomain *a)
{
	struct domain *r = domain_get(a->remote_dom == DOMID_SELF ? d->id : a->remote_dom);
	struct evtchn *chn, *rchn;
	int rc = -XEN_EINVAL;

	if (!r)
		return -XEN_ESRCH;
	lock_two(d, r);
	rchn = r->ev.closed ? NULL : evtchn_lookup(r, a->remote_port);
	if (rchn && rchn->state == EVTCHNSTAT_unbound && rchn->num == d->id) {
		chn = evtchn_alloc(d, &a->local_port, &rc);
		if (chn) {
			connect(d, chn, a->local_port, r, rchn, a->remote_port);
			/* What the peer sent before is not known any more: it may have been something. */
			evtchn_raise(d, chn, a->local_port);
		}
	}
	unlock_two(d, r);
	domain_put(r);
	return rc;
}

static bool virq_is_global(u32 virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF &&
	       virq != VIRQ_XENPMU;
}

static int check_virq(struct domain *d, const struct evtchn_bind_virq *a)
{
	if (a->virq >= NR_VIRQS)
		return -XEN_EINVAL;
	if (!vcpu_of(d, a->vcpu))
		return -XEN_ENOENT;
	if (virq_is_global(a->virq)) {
		if (a->vcpu)
			return -XEN_EINVAL;
		if (!d->privileged)
			return -XEN_EPERM;
	}
	return 0;
}

/* Where the port of a virq is kept. */
static u32 *virq_place(struct domain *d, u32 vcpu, u32 virq)
{
	virq = (u32)nospec_index(virq, NR_VIRQS);
	vcpu = (u32)nospec_index(vcpu, d->max_vcpus);
	return virq_is_global(virq) ? &d->ev.virq_global[virq] : &d->vcpu[vcpu]->ev.virq_port[virq];
}

int evtchn_op_bind_virq(struct domain *d, struct evtchn_bind_virq *a)
{
	int rc = check_virq(d, a);
	struct evtchn *chn;
	u32 *place;

	if (rc)
		return rc;
	place = virq_place(d, a->vcpu, a->virq);
	spin_lock(&d->ev.lock);
	if (*place) {
		rc = -XEN_EEXIST;
	} else {
		chn = evtchn_alloc(d, &a->port, &rc);
		if (chn) {
			chn->state = EVTCHNSTAT_virq;
			chn->num = a->virq;
			chn->vcpu = (u16)a->vcpu;
			*place = a->port;
		}
	}
	spin_unlock(&d->ev.lock);
	return rc;
}

int evtchn_op_bind_ipi(struct domain *d, struct evtchn_bind_ipi *a)
{
	struct evtchn *chn;
	int rc;

	if (!vcpu_of(d, a->vcpu))
		return -XEN_ENOENT;
	spin_lock(&d->ev.lock);
	chn = evtchn_alloc(d, &a->port, &rc);
	if (chn) {
		chn->state = EVTCHNSTAT_ipi;
		chn->vcpu = (u16)a->vcpu;
	}
	spin_unlock(&d->ev.lock);
	return rc;
}

/*
 * pirqs.lock may be held by somebody who waits for an interrupt handler that waits for our lock, so
 * the port is reserved first and bound without the lock. What arrives meanwhile is delivered.
 */
int evtchn_op_bind_pirq(struct domain *d, struct evtchn_bind_pirq *a)
{
	struct evtchn *chn;
	int rc;

	if (a->flags & ~BIND_PIRQ__WILL_SHARE)
		return -XEN_EINVAL;
	spin_lock(&d->ev.lock);
	chn = evtchn_alloc(d, &a->port, &rc);
	if (chn)
		chn->num = a->pirq;
	spin_unlock(&d->ev.lock);
	if (!chn)
		return rc;
	rc = pirq_bind(d, a->pirq, a->port, a->flags & BIND_PIRQ__WILL_SHARE);
	spin_lock(&d->ev.lock);
	if (rc)
		evtchn_free(d, chn, a->port);
	else
		chn->state = EVTCHNSTAT_pirq;
	spin_unlock(&d->ev.lock);
	return rc;
}

/* --- closing --- */

/*
 * Takes the lock of d, and of the domain that port is connected to: that one is returned, with a
 * reference; NULL when there is no other domain.
 */
static struct domain *lock_with_remote(struct domain *d, u32 port)
{
	for (;;) {
		struct evtchn *chn;
		struct domain *r;
		domid_t id;

		spin_lock(&d->ev.lock);
		chn = evtchn_lookup(d, port);
		if (!chn || chn->state != EVTCHNSTAT_interdomain || chn->remote == d)
			return NULL;
		id = chn->remote->id;
		spin_unlock(&d->ev.lock);
		/* From the other end it may have been closed by now: then look again. */
		r = domain_get(id);
		if (!r)
			continue;
		lock_two(d, r);
		chn = evtchn_lookup(d, port);
		if (chn && chn->state == EVTCHNSTAT_interdomain && chn->remote == r)
			return r;
		unlock_two(d, r);
		domain_put(r);
	}
}

static void disconnect(struct domain *d, struct evtchn *chn)
{
	struct evtchn *peer = chn->peer;

	peer->state = EVTCHNSTAT_unbound;
	peer->num = d->id;
	peer->remote = NULL;
	peer->peer = NULL;
}

/* Like binding, and for the same reason, without the lock in the middle. */
static void close_pirq(struct domain *d, struct evtchn *chn, u32 port)
{
	u32 pirq = chn->num;

	chn->state = EC_BUSY;
	spin_unlock(&d->ev.lock);
	pirq_unbind(d, pirq);
	spin_lock(&d->ev.lock);
	evtchn_free(d, chn, port);
}

int evtchn_op_close(struct domain *d, u32 port)
{
	struct domain *r = lock_with_remote(d, port);
	struct evtchn *chn = evtchn_lookup(d, port);
	int rc = 0;

	if (!chn || chn->state == EC_BUSY) {
		rc = -XEN_EINVAL;
	} else if (chn->state == EVTCHNSTAT_pirq) {
		close_pirq(d, chn, port);
	} else {
		if (chn->state == EVTCHNSTAT_interdomain)
			disconnect(d, chn);
		else if (chn->state == EVTCHNSTAT_virq)
			*virq_place(d, chn->vcpu, chn->num) = 0;
		evtchn_free(d, chn, port);
	}
	if (r) {
		unlock_two(d, r);
		domain_put(r);
	} else {
		spin_unlock(&d->ev.lock);
	}
	return rc;
}

/* With the lock, because a dying domain's table goes away: the next bucket from b on that is in use. */
static unsigned int next_bucket(struct domain *d, unsigned int b)
{
	spin_lock(&d->ev.lock);
	while (b < d->ev.nr_buckets && !d->ev.used[b])
		b++;
	if (b >= d->ev.nr_buckets)
		b = EVTCHN_MAX / EVTCHN_BUCKET;
	spin_unlock(&d->ev.lock);
	return b;
}

/* Closes from close_next on. 0: all seen, close_next is back at the beginning. */
static int close_some(struct domain *d)
{
	u32 port = READ_ONCE(d->ev.close_next);
	unsigned int work = 0;

	while (port < EVTCHN_MAX) {
		if (port % EVTCHN_BUCKET == 0)
			port = next_bucket(d, port / EVTCHN_BUCKET) * EVTCHN_BUCKET;
		if (port < EVTCHN_MAX)
			work += evtchn_op_close(d, port) ? LOOK_COST : CLOSE_COST;
		port++;
		if ((work >= CLOSE_BUDGET || inject_preempt()) && port < EVTCHN_MAX) {
			WRITE_ONCE(d->ev.close_next, port);
			return -XEN_ERESTART;
		}
	}
	WRITE_ONCE(d->ev.close_next, 0);
	return 0;
}

int evtchn_relinquish(struct domain *d)
{
	spin_lock(&d->ev.lock);
	d->ev.closed = true;
	spin_unlock(&d->ev.lock);
	return close_some(d);
}

/*
 * The domain itself also goes back to the 2-level ABI. A port that another vcpu binds meanwhile is
 * closed by the next round; a guest that goes on with it only keeps its own vcpu busy.
 */
int evtchn_op_reset(struct domain *d, domid_t dom)
{
	struct domain *t;
	int rc;

	t = domain_get_target(d, dom, &rc);
	if (!t)
		return rc;
	rc = close_some(t);
	if (!rc && t == d && fifo_destroy(d))
		rc = -XEN_ERESTART;
	domain_put(t);
	return rc;
}

/* --- the rest --- */

int evtchn_op_status(struct domain *d, struct evtchn_status *a)
{
	const struct evtchn *chn;
	struct domain *t;
	int rc;

	t = domain_get_target(d, a->dom, &rc);
	if (!t)
		return rc;
	a->status = EVTCHNSTAT_closed;
	a->vcpu = 0;
	spin_lock(&t->ev.lock);
	chn = evtchn_lookup(t, a->port);
	if (!a->port || a->port > t->ev.max_port) {
		rc = -XEN_EINVAL;
	} else if (chn && chn->state != EC_BUSY) {
		a->status = chn->state;
		a->vcpu = chn->vcpu;
		if (chn->state == EVTCHNSTAT_interdomain) {
			a->u.interdomain.dom = chn->remote->id;
			a->u.interdomain.port = chn->num;
		} else if (chn->state == EVTCHNSTAT_unbound) {
			a->u.unbound.dom = (domid_t)chn->num;
		} else if (chn->state != EVTCHNSTAT_ipi) {
			a->u.virq = chn->num; /* or pirq, in the same place */
		}
	}
	spin_unlock(&t->ev.lock);
	domain_put(t);
	return rc;
}

static bool may_move(const struct evtchn *chn)
{
	switch (chn->state) {
	case EVTCHNSTAT_unbound:
	case EVTCHNSTAT_interdomain:
	case EVTCHNSTAT_pirq:
		return true;
	case EVTCHNSTAT_virq:
		return virq_is_global(chn->num);
	default:
		return false;
	}
}

int evtchn_op_bind_vcpu(struct domain *d, const struct evtchn_bind_vcpu *a)
{
	struct vcpu *v = vcpu_of(d, a->vcpu);
	struct evtchn *chn;
	int rc = -XEN_EINVAL;
	bool pirq = false;
	u32 num = 0;

	if (!v)
		return -XEN_ENOENT;
	spin_lock(&d->ev.lock);
	chn = evtchn_lookup(d, a->port);
	if (chn && may_move(chn)) {
		WRITE_ONCE(chn->vcpu, (u16)a->vcpu);
		pirq = chn->state == EVTCHNSTAT_pirq;
		num = chn->num;
		rc = 0;
	}
	spin_unlock(&d->ev.lock);
	/* Steering is a hint: it does no harm when the port is closed meanwhile. */
	if (pirq)
		pirq_set_affinity(d, num, READ_ONCE(v->sched.cpu));
	return rc;
}

int evtchn_op_unmask(struct domain *d, u32 port)
{
	struct evtchn *chn;

	spin_lock(&d->ev.lock);
	chn = evtchn_lookup(d, port);
	if (chn && d->ev.fifo)
		fifo_unmask(d, chn, port);
	else if (chn)
		evtchn_2l_unmask(d, chn, port);
	spin_unlock(&d->ev.lock);
	return chn ? 0 : -XEN_EINVAL;
}

int evtchn_op_set_priority(struct domain *d, const struct evtchn_set_priority *a)
{
	struct evtchn *chn;
	int rc = -XEN_EINVAL;

	if (a->priority > EVTCHN_FIFO_PRIORITY_MIN)
		return -XEN_EINVAL;
	spin_lock(&d->ev.lock);
	chn = evtchn_lookup(d, a->port);
	if (!d->ev.fifo) {
		rc = -XEN_ENOSYS;
	} else if (chn) {
		WRITE_ONCE(chn->priority, (u8)a->priority);
		rc = 0;
	}
	spin_unlock(&d->ev.lock);
	return rc;
}
