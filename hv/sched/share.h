/* SPDX-License-Identifier: MIT */
/*
 * Proportional share: the policy, as arithmetic on virtual time. A vcpu's virtual time runs while it
 * runs, the faster the lower its weight; who has the least goes next. So each gets its share to the
 * nanosecond of what it was accounted, whatever it does around any moment: there are no ticks to dodge.
 *
 * Virtual times are compared by their signed difference. A queue's clock is the least virtual time of
 * all who want to run there, and never goes back.
 */
#ifndef SCHED_SHARE_H
#define SCHED_SHARE_H

#include "lib/heap.h"
#include "time/clock.h"

#define WEIGHT_DEFAULT 256
#define WEIGHT_MAX     65535

/*
 * How far the running vcpu may be ahead of the first one that waits before they change places: a round of
 * all that want to run takes SHARE_ROUND while each has at least SHARE_STEP_MIN of it.
 */
#define SHARE_ROUND    (8 * NSEC_PER_MSEC)
#define SHARE_STEP     (SHARE_ROUND / 2) /* of two */
#define SHARE_STEP_MIN (1 * NSEC_PER_MSEC)
/* The most that sleeping earns: a waking vcpu may be that far behind the queue's clock. */
#define SHARE_CREDIT (6 * NSEC_PER_MSEC)
/* Who was away so long is no longer compared: beside a light one the clock may have run half its way round. */
#define SHARE_FORGET (10 * NSEC_PER_SEC)
/* The most that one brings along as a debt to another queue. */
#define SHARE_DEBT (20 * NSEC_PER_MSEC)

/* ns of running (under 2^39) to virtual time. weight: 1..WEIGHT_MAX. */
static inline u64 share_vtime(nsec_t ran, u16 weight)
{
	return ((u64)ran << 24) / weight;
}

/* Where a vcpu that is `ahead` of its queue's clock (negative: behind) is after it has slept. */
static inline s64 share_credit(s64 ahead, u16 weight)
{
	s64 credit = -(s64)share_vtime(SHARE_CREDIT, weight);

	return ahead < credit ? credit : ahead;
}

/*
 * Where one that is `ahead` of its old queue's clock may be in its new one's. Beside a light one a heavy
 * one may run for long at a time: its debt is limited by the clock, not by what it ran.
 */
static inline s64 share_clamp(s64 ahead, u16 weight)
{
	s64 debt = (s64)share_vtime(SHARE_DEBT, min(weight, (u16)WEIGHT_DEFAULT));

	return ahead > debt ? debt : share_credit(ahead, weight);
}

/* The step, ns, beside so many that wait: 1..UINT_MAX - 1. */
static inline nsec_t share_step(unsigned int waiting)
{
	return max(SHARE_ROUND / (nsec_t)(waiting + 1), (nsec_t)SHARE_STEP_MIN);
}

/*
 * How long the running one may go on until it is a step, ns, ahead of the first that waits, ns; 0: not at
 * all. The step is one of the heavier of the two, for the lighter it is a shorter time.
 */
static inline nsec_t share_left(u64 vtime, u16 weight, u64 first, u16 first_weight, nsec_t step)
{
	s64 room = (s64)(first - vtime) + (s64)share_vtime(step, max(weight, first_weight));

	return room <= 0 ? 0 : (nsec_t)(((u64)room >> 12) * weight >> 12) + 1;
}

#endif
