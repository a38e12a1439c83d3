/* SPDX-License-Identifier: MIT */
/*
 * Inside the scheduler: one run queue a CPU, who waits in it, who runs, and where a vcpu that became
 * runnable shall wait. A vcpu that may run is in exactly one of three places: in a queue (queued), on
 * a CPU (running), or in the hands of the function that is placing it.
 *
 * The lock of a queue is a leaf but for the timer heap's. A CPU that holds its own may only try those
 * of others. Work conservation rests on one rule: who goes idle announces it before it looks into
 * other queues, who queues a vcpu looks for idle CPUs afterwards.
 */
#ifndef SCHED_RUNQ_H
#define SCHED_RUNQ_H

#include "dom/domain.h"

#define SCHED_SLICE  (10 * NSEC_PER_MSEC)
#define SCHED_REST   (1 * NSEC_PER_MSEC)  /* less of a slice is not kept for later */
#define SCHED_STARVE (20 * NSEC_PER_MSEC) /* hogs wait at most that long for wakers */
#define SCHED_TICK   (1 * NSEC_PER_SEC)	  /* a vcpu that runs alone: time area refresh */

struct runq {
	spinlock_t lock;
	struct list_head normal, boosted;
	unsigned int nr;      /* in both lists */
	nsec_t normal_served; /* a normal vcpu last ran, or none was waiting */
	struct vcpu *curr;    /* the idle vcpu when idle */
	struct vcpu *idle;
	struct vcpu *lazy; /* whose registers this idle CPU still has; its own business */
	bool sync_lazy;	   /* somebody wants them in struct vcpu */
	struct timer tick;
} __aligned(64);

extern struct runq runqs[CONFIG_NR_CPUS];
extern unsigned long sched_idle_map[BITS_TO_LONGS(CONFIG_NR_CPUS)];

/* Locks the queue that v belongs to. */
struct runq *runq_lock_of(const struct vcpu *v);
/* Is it in v's hard affinity and online? */
bool runq_cpu_allowed(const struct vcpu *v, unsigned int cpu);
/* With the lock: into the queue as runnable. front: it was interrupted and has slice left. */
void runq_insert(struct runq *rq, struct vcpu *v, bool front, nsec_t now);
void runq_remove(struct runq *rq, struct vcpu *v);
/* With the lock: who is next, or NULL. */
struct vcpu *runq_first(struct runq *rq, nsec_t now);
/* With the lock of rq, announced as idle: takes a vcpu out of another queue, for this one. */
struct vcpu *runq_steal(struct runq *rq);
/*
 * v, if it may run and does not yet: chooses a CPU, queues it there and has somebody run it. boost: it
 * ended a block. No lock held.
 */
void runq_place(struct vcpu *v, bool boost);
/* After v was queued on cpu: wakes an idle CPU for it; the queue's own when tell_owner is set. */
void runq_kick(const struct vcpu *v, unsigned int cpu, bool tell_owner);

/*
 * This CPU was woken for one vcpu, perhaps, and took another: wakes idle CPUs for all that still wait.
 * No lock held.
 */
void runq_pass_on(void);

/* With the lock of v's queue. */
void runstate_set(struct vcpu *v, int state, nsec_t now);
/* What a vcpu that is on no CPU is. */
int runstate_off_cpu(const struct vcpu *v);

#endif
