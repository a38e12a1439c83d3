/* SPDX-License-Identifier: MIT */
/*
 * SCHEDOP_poll. A poller announces itself (poll_port, a bit in d->ev.polling), then looks at its
 * ports; a sender makes a port pending, then looks for pollers. Both steps are separated by full
 * barriers on either side, so at least one of the two sees the other.
 */
#include "dom/evtchn_priv.h"
#include "cpu/percpu.h"
#include "mm/guest_copy.h"

#define POLL_SEVERAL (~0u)
#define POLL_NOTHING (~0u - 1) /* no port has this number: only a timeout, or an upcall */
#define FAR_FUTURE   (1LL << 60)

/* Whoever ends a poll clears poll_port; its bit goes here, the next time somebody looks. */
void evtchn_wake_pollers(struct domain *d, u32 port)
{
	struct evtchn_domain *e = &d->ev;
	unsigned int id;

	spin_lock(&e->poll_lock);
	for_each_set_bit(id, e->polling, d->max_vcpus)
	{
		struct vcpu *v = d->vcpu[id];
		u32 on = READ_ONCE(v->poll_port);

		if (on && on != POLL_SEVERAL && on != port + 1)
			continue;
		clear_bit(id, e->polling);
		e->nr_polling--;
		if (!on)
			continue;
		(void)atomic_xchg(&v->poll_port, 0u);
		vcpu_wake(v);
	}
	spin_unlock(&e->poll_lock);
}

static void announce(struct vcpu *v, u32 on)
{
	struct evtchn_domain *e = &v->d->ev;

	spin_lock(&e->poll_lock);
	WRITE_ONCE(v->poll_port, on);
	if (!test_bit(v->id, e->polling)) {
		set_bit(v->id, e->polling);
		e->nr_polling++;
	}
	spin_unlock(&e->poll_lock);
	smp_mb();
}

/* 1 when one is pending, 0, or -XEN_EINVAL. */
static int look(struct domain *d, const u32 *ports, unsigned int nr)
{
	int rc = 0;

	for (unsigned int i = 0; i < nr && !rc; i++)
		rc = evtchn_port_poll(d, ports[i]);
	return rc;
}

static void set_timeout(struct vcpu *v, u64 timeout)
{
	if (timeout)
		timer_set(&v->poll_timer,
			  timeout < (u64)FAR_FUTURE ? (nsec_t)timeout : (nsec_t)FAR_FUTURE);
	else if (timer_pending(&v->poll_timer))
		timer_stop(&v->poll_timer);
}

static u32 what_on(const u32 *ports, unsigned int nr)
{
	if (!nr)
		return POLL_NOTHING;
	return nr == 1 && ports[0] < EVTCHN_MAX ? ports[0] + 1 : POLL_SEVERAL;
}

static long poll_on(struct vcpu *v, const u32 *ports, unsigned int nr, u64 timeout)
{
	int rc;

	announce(v, what_on(ports, nr));
	rc = look(v->d, ports, nr);
	if (!rc && timeout && (s64)timeout > 0 && (nsec_t)timeout <= clock_now())
		rc = 1;
	if (rc) {
		WRITE_ONCE(v->poll_port, 0);
		return rc < 0 ? rc : 0;
	}
	set_timeout(v, timeout);
	vcpu_block_current();
	/* An event that came before the block has cleared poll_port and found nobody to wake. */
	if (!READ_ONCE(v->poll_port))
		vcpu_wake(v);
	return 0;
}

long evtchn_poll(const struct sched_poll *arg)
{
	u32 ports[EVTCHN_MAX_POLLS];

	if (arg->nr_ports > EVTCHN_MAX_POLLS)
		return -XEN_EINVAL;
	if (arg->nr_ports && copy_from_guest(ports, arg->ports.p, arg->nr_ports * sizeof(*ports)))
		return -XEN_EFAULT;
	return poll_on(current, ports, arg->nr_ports, arg->timeout);
}
