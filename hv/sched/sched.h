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

/*
 * cpu, running, queued and the runstate change only under the lock of the run queue of `cpu`. lazy_cpu
 * is the CPU (+ 1) that idles with the registers of a blocked vcpu still in it.
 */
struct sched_vcpu {
	struct list_head node; /* in a run queue */
	u32 pause_flags;       /* VPF_*, atomically */
	u32 pause_count;       /* nested vcpu_pause(), atomically; the domain's own is in d */
	unsigned int cpu;      /* where it runs, or ran last */
	unsigned int lazy_cpu;
	bool running, queued;
	bool boosted; /* woken and has not used up a slice since: goes before the hogs */
	bool yielded, pinned;
	nsec_t last_start, slice_end, slice_left;
	DECLARE_BITMAP(hard, CONFIG_NR_CPUS);
	DECLARE_BITMAP(soft, CONFIG_NR_CPUS);
	DECLARE_BITMAP(unpinned, CONFIG_NR_CPUS); /* hard, while SCHEDOP_pin_override holds */
	u16 weight, cap;
};

void sched_init(void); /* boot CPU, before the first domain; needs the heap */
void sched_init_cpu(
	unsigned int cpu); /* creates its idle vcpu; needs timer_init_cpu and cpu_infos */
struct vcpu *idle_vcpu(unsigned int cpu);
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

/* Called by the exit path with HAZ_SCHED: may switch to another vcpu. Returns in its context. */
void schedule(void);
/* Called on an empty stack when schedule() has left an idle vcpu in current. */
void __noreturn idle_loop(void);
/* Provided by the floor above: leaves this C context for the guest state in struct cpu_info. */
void __noreturn resume_guest(void);
/* A hog runs that long before a waking vcpu takes over; 0: it makes room at once. */
#define SCHED_RATELIMIT_DEFAULT (1 * NSEC_PER_MSEC)
nsec_t sched_ratelimit(void);
void sched_set_ratelimit(nsec_t t); /* each CPU heeds it at its next decision */
/* Either may be NULL: unchanged. CPUs that are not online count only when there is no other. */
void sched_set_affinity(struct vcpu *v, const unsigned long *hard, const unsigned long *soft);
/* The current vcpu: to one CPU, or back (negative). 0, -XEN_EINVAL or -XEN_EBUSY. */
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
