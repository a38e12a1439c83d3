/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: run queues a CPU, preemptive, work-conserving, affinity respected. Owns the run
 * state of every vcpu. schedule() runs on the way out to the guest when HAZ_SCHED is set.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "lib/types.h"
#include "lib/bits.h"
#include "lib/heap.h"
#include "lib/spinlock.h"
#include "time/timer.h"

struct vcpu;
struct domain;

/* A domain's cap: what it may run in each period, counted by all CPUs. Owner: cap.c. */
struct sched_domain {
	u16 cap;     /* percent of one CPU; 0: none */
	bool parked; /* it has used up its period: no vcpu of it runs */
	s64 budget; /* ns left of this period, atomically; what was overdrawn is taken off the next */
	struct timer refill;
};

/* sched.pause_flags: why a vcpu may not run */
#define VPF_DOWN    1u /* VCPUOP_down, or never up */
#define VPF_BLOCKED 2u /* SCHEDOP_block, poll */

/*
 * cpu, running, queued and the runstate change only under the lock of the run queue of `cpu`. lazy_cpu
 * is the CPU (+ 1) that idles with the registers of a blocked vcpu still in it.
 */
struct sched_vcpu {
	struct heap_node node; /* in a run queue */
	u64 vtime;	       /* share.h, on the timeline of the queue of cpu */
	u64 owed;	       /* virtual time that it is yet to get, from a queue that had less */
	u32 pause_flags;       /* VPF_*, atomically */
	u32 pause_count;       /* nested vcpu_pause(), atomically; the domain's own is in d */
	unsigned int cpu;      /* where it runs, or ran last */
	unsigned int lazy_cpu;
	bool running, queued;
	bool yielded, pinned;
	nsec_t last_start;
	DECLARE_BITMAP(hard, CONFIG_NR_CPUS); /* where it may run */
	DECLARE_BITMAP(asked,
		       CONFIG_NR_CPUS); /* of those of its pool, unless SCHEDOP_pin_override */
	DECLARE_BITMAP(soft, CONFIG_NR_CPUS);
	u16 weight;
};

void sched_init(void); /* boot CPU, before the first domain; needs the heap */
void sched_init_cpu(
	unsigned int cpu); /* creates its idle vcpu; needs timer_init_cpu and cpu_infos */
struct vcpu *idle_vcpu(unsigned int cpu);
void sched_init_domain(struct domain *d);
void sched_stop_domain(struct domain *d); /* before it is freed; its vcpus do not run any more */
/* weight: 1..65535, of each vcpu; cap: percent of one CPU for all together, 0: none. */
void sched_set_share(struct domain *d, u16 weight, u16 cap);
u16 sched_get_weight(const struct domain *d);
/* ns that a vcpu runs before one that waits may take over; 0..500 ms. */
void sched_set_ratelimit(nsec_t ns);
nsec_t sched_get_ratelimit(void);
int sched_init_vcpu(struct vcpu *v); /* down, any CPU */
void sched_destroy_vcpu(struct vcpu *v);

/* Makes a vcpu that has VPF_BLOCKED runnable, wakes an idle CPU by hazard + IPI. Any context. */
void vcpu_wake(struct vcpu *v);
/*
 * There may be an event for v: ends a block if it is deliverable or v does not poll (any longer), and
 * brings a vcpu that is in guest mode on another CPU to its exit path. Any context.
 */
void vcpu_kick(struct vcpu *v);
/* VCPUOP_up, VCPUOP_down: down takes effect at the latest when v next leaves the hypervisor. */
void vcpu_up(struct vcpu *v);
void vcpu_down(struct vcpu *v);
/* Sets VHAZ_* bits and has v look at them; an NMI ends a block. */
void vcpu_set_hazard(struct vcpu *v, u32 bits);
/*
 * The current vcpu: block until an event (the caller has already checked for one). For a poll, set
 * poll_port first: a block that finds it cleared again, or an event deliverable, does not happen.
 */
void vcpu_block_current(void);
void vcpu_yield_current(void);
/* Pause count up; _sync waits until it is off its CPU (never for current). See domain_pause(). */
void vcpu_pause_nosync(struct vcpu *v);
void vcpu_pause_sync(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
/* Waits until v, which cannot run, is off its CPU and its registers are in struct vcpu. */
void vcpu_wait_off(struct vcpu *v);
/* Something that vcpu_runnable() depends on has changed. */
void sched_recheck(struct vcpu *v);
bool vcpu_runnable(const struct vcpu *v);
/* It is kept from running by its own or its domain's state; a used-up cap is not meant. */
bool vcpu_stopped(const struct vcpu *v);

/* Called by the exit path with HAZ_SCHED: may switch to another vcpu. Returns in its context. */
void schedule(void);
/* Called on an empty stack when schedule() has left an idle vcpu in current. */
void __noreturn idle_loop(void);
/* There is work for the idle loop: has one idle CPU, if there is one, come by. */
void sched_nudge_idle(void);
/* Provided by the floor above: leaves this C context for the guest state in struct cpu_info. */
void __noreturn resume_guest(void);
/* Either may be NULL: unchanged. CPUs that are not online count only when there is no other. */
void sched_set_affinity(struct vcpu *v, const unsigned long *hard, const unsigned long *soft);
/* The CPUs of its domain's pool, or the pool, have changed. */
void sched_pool_changed(struct vcpu *v);
/* The current vcpu: to one CPU, or back (negative). 0, -XEN_EINVAL (also: not in the pool) or -XEN_EBUSY. */
int sched_pin_override(int cpu);
u64 vcpu_cpu_time(const struct vcpu *v); /* ns, the present run included */
/* *info: struct vcpu_runstate_info, the time in the present state included. */
void vcpu_get_runstate(const struct vcpu *v, void *vcpu_runstate_info);
u64 sched_idle_time(unsigned int cpu); /* ns */
void sched_dump(void);		       /* debug key 'r' */

/* How kinds of vcpus are switched; registered by pv/ (and hvm/). Called with interrupts off. */
struct sched_switch_ops {
	/*
	 * Registers (from guest_regs()), segments, extended state out of the CPU. prev is current, or
	 * the idle vcpu is: a vcpu that blocks stays in an idle CPU until another is to run there, or
	 * somebody wants to see its registers. When it wakes on that CPU neither is called.
	 */
	void (*save)(struct vcpu *prev);
	void (*load)(struct vcpu *next); /* and in; page tables too; next is current already */
	/* May be NULL. A save that no load follows: from prev's page tables to our own. */
	void (*unload)(void);
	void (*resumed)(struct vcpu *v); /* may be NULL: v goes on, loaded or still there */
};
extern const struct sched_switch_ops *guest_switch_ops;

#endif
