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
#include "sched/share.h"

#define SCHED_TICK    (1 * NSEC_PER_SEC)   /* a vcpu that runs alone: time area refresh */
#define SCHED_BALANCE (20 * NSEC_PER_MSEC) /* while somebody waits: a look at the other CPUs */

/* How long a vcpu runs before another may take over that does not come from idleness, ns. */
extern nsec_t sched_ratelimit;

struct runq {
	spinlock_t lock;
	struct heap heap; /* who waits, by virtual time */
	unsigned int nr;  /* in it */
	u64 clock;	  /* the least virtual time of those who want to run here */
	nsec_t served;	  /* how far the clock went while somebody was there, in ns of weight 256 */
	nsec_t counted_to; /* until when the running one is accounted for */
	nsec_t balanced;   /* when this CPU last looked at the other queues */
	struct vcpu *curr; /* the idle vcpu when idle */
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
/* With the lock: into the queue as runnable. last: behind the next one, whatever its virtual time. */
void runq_insert(struct runq *rq, struct vcpu *v, bool last, nsec_t now);
void runq_remove(struct runq *rq, struct vcpu *v);
/* With the lock: who is next, or NULL. */
struct vcpu *runq_first(const struct runq *rq);
/* With the lock: counts what the running vcpu has run since the last time, and moves the clock on. */
void runq_account(struct runq *rq, nsec_t now);
/* With the lock of rq, announced as idle: takes a vcpu out of another queue, for this one. */
struct vcpu *runq_steal(struct runq *rq);
/*
 * With the lock of rq, at most every SCHED_BALANCE: gives one that waits here to a CPU with less to do
 * that was ahead in service. Thus three hogs on two CPUs have two thirds each.
 */
void runq_balance(struct runq *rq, nsec_t now);
/* v, if it may run and does not yet: chooses a CPU, queues it there and has somebody run it. No lock. */
void runq_place(struct vcpu *v);
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
