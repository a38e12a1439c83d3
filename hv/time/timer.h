/* SPDX-License-Identifier: MIT */
/*
 * One-shot timers, a heap a CPU, on the local APIC timer. A callback runs on the timer's CPU with
 * interrupts off, from the timer interrupt, holding no lock; it may set any timer again.
 */
#ifndef TIME_TIMER_H
#define TIME_TIMER_H

#include "time/clock.h"

struct timer {
	nsec_t expires;
	void (*fn)(void *arg);
	void *arg;
	unsigned int cpu;      /* whose heap it is in, or goes to */
	unsigned int heap_pos; /* 1-based position; 0 = not set */
};

void timer_init(struct timer *t, void (*fn)(void *), void *arg, unsigned int cpu);
/* Starts or moves it; an expiry in the past fires as soon as interrupts are on. */
void timer_set(struct timer *t, nsec_t expires);
/* After return the callback is not running and will not run. Not from the callback itself. */
void timer_stop(struct timer *t);
/* Moves it to another CPU, pending or not. */
void timer_migrate(struct timer *t, unsigned int cpu);
static inline bool timer_pending(const struct timer *t)
{
	return t->heap_pos != 0;
}
/* The LAPIC timer vector's work: runs what has expired and arms the next. */
void timer_interrupt(void);
void timer_init_cpu(void);

#endif
