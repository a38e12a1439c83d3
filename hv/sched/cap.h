/* SPDX-License-Identifier: MIT */
/* Caps: a domain with one stops for the rest of a period in which it has run its part. */
#ifndef SCHED_CAP_H
#define SCHED_CAP_H

#include "dom/domain.h"

#define CAP_PERIOD (10 * NSEC_PER_MSEC)

/* ns of running are counted against d's cap. With the lock of a run queue. */
void cap_charge(struct domain *d, nsec_t ran);

static inline bool cap_parked(const struct domain *d)
{
	return READ_ONCE(d->sched.parked);
}

/*
 * How long one of its vcpus may run at most before somebody looks again, ns: all of them may be running.
 * What is overdrawn because of the lower bound is taken off the next period.
 */
static inline nsec_t cap_left(const struct domain *d, nsec_t limit)
{
	s64 left;

	if (!d->sched.cap)
		return limit;
	left = READ_ONCE(d->sched.budget) / (s64)d->max_vcpus;
	left = max(left, (s64)(NSEC_PER_MSEC / 2));
	return min((nsec_t)left, limit);
}

#endif
