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

/* How long one of its vcpus may run at most before somebody looks again, ns. */
static inline nsec_t cap_left(const struct domain *d, nsec_t limit)
{
	s64 left = READ_ONCE(d->sched.budget);

	if (!d->sched.cap || left >= limit)
		return limit;
	return left > NSEC_PER_MSEC / 10 ? left : NSEC_PER_MSEC / 10;
}

#endif
