/* SPDX-License-Identifier: MIT */
/*
 * A machine of up to 64 CPUs in one thread, with the hypervisor's own scheduler in it. The clock jumps
 * from one event to the next: timers of the scheduler, and what guests.h makes vcpus do. After each
 * instant all CPUs do what they have to, in turn, until none has anything to do. Nothing takes time
 * but the guests.
 */
#ifndef SIM_MACHINE_H
#define SIM_MACHINE_H

#include "dom/domain.h"

extern nsec_t sim_now;

/* Something that happens at a time. Owner: whoever has it in his structure. */
struct event {
	struct heap_node node;
	void (*fn)(struct event *e);
};

/* How many keys were compared in one schedule(), by number of those that wanted to run there. */
struct decisions {
	unsigned long nr, compared, most;
};

/* Anew: clock 0, no domain, seed of the random numbers. */
void machine_init(unsigned int cpus, u64 seed);
void machine_run(nsec_t duration);
/* From here on, do something on this CPU; the scheduler sees it as the one that acts. */
void machine_act_as(unsigned int cpu);
struct vcpu *machine_running(unsigned int cpu); /* NULL: idle */

void event_set(struct event *e, nsec_t at);
void event_stop(struct event *e);

/* What decisions have cost since the last call of decisions_reset(). */
extern struct decisions decisions;
void decisions_reset(void);

u32 sim_random(void);
/* 0 .. n - 1 */
u64 sim_below(u64 n);
/* Exponentially distributed, with that mean: how independent things follow each other. */
nsec_t sim_delay(nsec_t mean);

/* Of the floors above, called by the machine. */
void guests_settled(void); /* all CPUs have done what they had to at this instant */
void guests_comes(struct vcpu *v);
void guests_leaves(struct vcpu *v);

void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
