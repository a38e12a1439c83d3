/* SPDX-License-Identifier: MIT */
/*
 * One-shot timers, a heap a CPU, on the local APIC timer. A callback runs on the timer's CPU with
 * interrupts off, from the timer interrupt, holding no lock; it may set any timer again.
 */
#ifndef TIME_TIMER_H
#define TIME_TIMER_H

#include "lib/heap.h"
#include "time/clock.h"

struct timer {
	nsec_t expires;
	void (*fn)(void *arg);
	void *arg;
	unsigned int cpu; /* whose heap it is in, or goes to */
	u32 running;	  /* callbacks in progress */
	struct heap_node node;
};

void timer_init(struct timer *t, void (*fn)(void *), void *arg, unsigned int cpu);
/*
 * Starts or moves it; an expiry in the past fires as soon as interrupts are on. Any CPU, any lock
 * that no callback takes while it is held here; another CPU's heap is told by HAZ_TIMER.
 */
void timer_set(struct timer *t, nsec_t expires);
/*
 * After return the callback is not running and will not run, and the timer may be freed. Waits for
 * a callback that is running on another CPU: the caller holds no lock that it takes. Not from the
 * callback itself.
 */
void timer_stop(struct timer *t);
/* Moves it to another CPU, pending or not. */
void timer_migrate(struct timer *t, unsigned int cpu);
static inline bool timer_pending(const struct timer *t)
{
	return t->node.in;
}
/*
 * The LAPIC timer vector's work, and that of HAZ_TIMER: runs what has expired and arms the next. The
 * caller has acknowledged the interrupt (apic_eoi). At most TIMER_BATCH callbacks; what is left
 * interrupts again at once.
 */
#define TIMER_BATCH 128
void timer_interrupt(void);
/* How often a CPU has been in timer_interrupt, modulo 2^32. */
u32 timer_beats(unsigned int cpu);
/* Every CPU, after clock_init / clock_init_cpu: sets the APIC timer up and arms what waits. */
void timer_init_cpu(void);

#endif
