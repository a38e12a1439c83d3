/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: run queues a CPU, preemptive, work-conserving, affinity respected. Owns the run
 * state of every vcpu. schedule() runs on the way out to the guest when HAZ_SCHED is set.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "lib/types.h"
#include "lib/bits.h"
#include "lib/list.h"
#include "lib/spinlock.h"
#include "time/timer.h"

struct vcpu;
struct domain;

/* sched.pause_flags: why a vcpu may not run */
#define VPF_DOWN    1u /* VCPUOP_down, or never up */
#define VPF_BLOCKED 2u /* SCHEDOP_block, poll */

struct sched_vcpu {
	struct list_head node; /* in a run queue */
	u32 pause_flags;       /* VPF_*, atomically */
	u32 pause_count;       /* nested vcpu_pause() and the domain's pause */
	unsigned int cpu;      /* where it runs, or ran last */
	bool running, queued;
	bool migrating;
	spinlock_t lock;
	nsec_t last_start, slice_end;
	u64 cpu_time; /* ns of running so far, not counting the present run */
	DECLARE_BITMAP(hard, CONFIG_NR_CPUS);
	DECLARE_BITMAP(soft, CONFIG_NR_CPUS);
	u16 weight, cap;
};

void sched_init(void);	       /* boot CPU, before the first domain */
void sched_init_cpu(unsigned int cpu); /* creates its idle vcpu */
struct vcpu *idle_vcpu(unsigned int cpu);
int sched_init_vcpu(struct vcpu *v);
void sched_destroy_vcpu(struct vcpu *v);

/* Makes a vcpu that has VPF_BLOCKED runnable, wakes an idle CPU by hazard + IPI. Any context. */
void vcpu_wake(struct vcpu *v);
/* Clears VPF_BLOCKED if an event is deliverable or the poll is over, then vcpu_wake. */
void vcpu_kick(struct vcpu *v);
/* The current vcpu: block until an event (the caller has already checked for one). */
void vcpu_block_current(void);
void vcpu_yield_current(void);
/* Pause count up; _sync waits until it is off its CPU (never for current). */
void vcpu_pause_nosync(struct vcpu *v);
void vcpu_pause_sync(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
bool vcpu_runnable(const struct vcpu *v);

/* Called by the exit path with HAZ_SCHED: may switch to another vcpu. Returns in its context. */
void schedule(void);
void __attribute__((noreturn)) idle_loop(void);
void sched_set_affinity(struct vcpu *v, const unsigned long *hard, const unsigned long *soft);
u64 vcpu_cpu_time(const struct vcpu *v); /* ns, the present run included */
void vcpu_get_runstate(const struct vcpu *v, void *vcpu_runstate_info);

/* How kinds of vcpus are switched; registered by pv/ (and hvm/). Called with interrupts off. */
struct sched_switch_ops {
	void (*save)(struct vcpu *prev);  /* registers, segments, extended state out of the CPU */
	void (*load)(struct vcpu *next);  /* and in; page tables too */
	void (*resumed)(struct vcpu *v);  /* runstate and time areas of the guest, address space loaded */
};
extern const struct sched_switch_ops *guest_switch_ops;

#endif
