/* SPDX-License-Identifier: MIT */
/*
 * The heap of timers, pure: a pairing heap linked through the timers themselves. Insert O(1), remove
 * O(log n) amortised, no recursion. The caller locks; heap_pos says whether a timer is in.
 */
#ifndef TIME_TIMER_HEAP_H
#define TIME_TIMER_HEAP_H

#include "time/timer.h"

struct timer_heap {
	struct timer *root; /* the earliest, or NULL */
};

void timer_heap_insert(struct timer_heap *h, struct timer *t); /* must not be in */
void timer_heap_remove(struct timer_heap *h, struct timer *t); /* must be in this heap */

#endif
