/* SPDX-License-Identifier: MIT */
#include "sched/cap.h"
#include "sched/runq.h"
#include "cpu/percpu.h"

static s64 quota(const struct domain *d)
{
	return CAP_PERIOD / 100 * d->sched.cap;
}

static void recheck_all(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu (d, v)
		sched_recheck(v);
}

/* What they have run so far belongs to the period that ends. */
static void account_running(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu (d, v) {
		struct runq *rq;

		if (!READ_ONCE(v->sched.running))
			continue;
		rq = runq_lock_of(v);
		if (rq->curr == v)
			runq_account(rq, clock_now());
		spin_unlock(&rq->lock);
	}
}

/* What is left over is lost: it could not be used, or it was not wanted. */
static void refill(void *arg)
{
	struct domain *d = arg;
	s64 now;

	account_running(d);
	now = atomic_add(&d->sched.budget, quota(d));
	if (now > quota(d))
		atomic_sub(&d->sched.budget, now - quota(d));
	if (!d->sched.cap || d->dying)
		now = 1;
	else
		timer_set(&d->sched.refill, d->sched.refill.expires + CAP_PERIOD);
	if (now > 0 && atomic_xchg(&d->sched.parked, false))
		recheck_all(d);
}

/* Its vcpus on other CPUs find out there. */
static void park(struct domain *d)
{
	struct vcpu *v;

	if (atomic_xchg(&d->sched.parked, true))
		return;
	for_each_vcpu (d, v)
		if (READ_ONCE(v->sched.running))
			cpu_raise_hazard(READ_ONCE(v->sched.cpu), HAZ_SCHED);
}

void cap_charge(struct domain *d, nsec_t ran)
{
	if (likely(!d->sched.cap))
		return;
	if (atomic_sub(&d->sched.budget, ran) <= 0)
		park(d);
}

void sched_init_domain(struct domain *d)
{
	timer_init(&d->sched.refill, refill, d, smp_cpu_id());
}

void sched_stop_domain(struct domain *d)
{
	timer_stop(&d->sched.refill);
}

void sched_set_share(struct domain *d, u16 weight, u16 cap)
{
	struct vcpu *v;

	for_each_vcpu (d, v)
		WRITE_ONCE(v->sched.weight, weight);
	timer_stop(&d->sched.refill);
	spin_lock(&d->lock);
	d->sched.cap = cap;
	atomic_store(&d->sched.budget, quota(d));
	if (cap && !d->dying)
		timer_set(&d->sched.refill, clock_now() + CAP_PERIOD);
	spin_unlock(&d->lock);
	if (atomic_xchg(&d->sched.parked, false))
		recheck_all(d);
}

u16 sched_get_weight(const struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu (d, v)
		return v->sched.weight;
	return WEIGHT_DEFAULT;
}
