/* SPDX-License-Identifier: MIT */
#include "time/timer.h"
#include "cpu/apic.h"
#include "cpu/percpu.h"
#include "cpu/irqflags.h"
#include "lib/log.h"
#include "lib/spinlock.h"

#define NEVER INT64_MAX

struct timer_cpu {
	spinlock_t lock; /* the heap, its timers' fields, armed */
	struct heap heap;
	nsec_t armed; /* the APIC will interrupt by then; 0: this CPU is not set up yet */
	bool busy;    /* in timer_interrupt, which arms at its end; this CPU's own */
};

static DEFINE_PER_CPU(struct timer_cpu, timer_cpus);
static DEFINE_PER_CPU(u32, beats);

static struct timer *first_of(const struct timer_cpu *tc)
{
	return tc->heap.root ? container_of(tc->heap.root, struct timer, node) : NULL;
}

/* Times before the clock's start are all the same, and keys may not be further apart than that. */
static void insert(struct timer_cpu *tc, struct timer *t)
{
	u64 key = (u64)max(t->expires, (nsec_t)0);

	if (t->node.in)
		heap_rekey(&tc->heap, &t->node, key);
	else
		heap_insert(&tc->heap, &t->node, key);
}

/* Locks the heap that t belongs to: it may be moved until the lock is there. */
static struct timer_cpu *lock_of(struct timer *t, unsigned int *cpu)
{
	for (;;) {
		struct timer_cpu *tc;

		*cpu = READ_ONCE(t->cpu);
		tc = &per_cpu(timer_cpus, *cpu);
		spin_lock(&tc->lock);
		if (*cpu == t->cpu)
			return tc;
		spin_unlock(&tc->lock);
	}
}

/* This CPU, locked. An APIC that interrupts too early is left alone: that costs less than a write. */
static void arm(struct timer_cpu *tc)
{
	const struct timer *first = first_of(tc);

	if (!first || first->expires >= tc->armed)
		return;
	tc->armed = max(first->expires, (nsec_t)1);
	apic_timer_arm(clock_ns_to_tsc(first->expires));
}

/* After an insertion: unlocks, and sees to it that the CPU knows. */
static void unlock_and_tell(struct timer_cpu *tc, unsigned int cpu, const struct timer *t)
{
	bool tell = first_of(tc) == t && t->expires < tc->armed;

	if (cpu == smp_cpu_id()) {
		if (tell && !tc->busy)
			arm(tc);
		tell = false;
	}
	spin_unlock(&tc->lock);
	if (tell)
		cpu_raise_hazard(cpu, HAZ_TIMER);
}

void timer_init(struct timer *t, void (*fn)(void *), void *arg, unsigned int cpu)
{
	*t = (struct timer){.fn = fn, .arg = arg, .cpu = cpu};
}

void timer_set(struct timer *t, nsec_t expires)
{
	unsigned int cpu;
	struct timer_cpu *tc = lock_of(t, &cpu);

	t->expires = expires;
	insert(tc, t);
	unlock_and_tell(tc, cpu, t);
}

/* A callback that runs meanwhile may set its timer again, so both must be gone at one time. */
void timer_stop(struct timer *t)
{
	for (;;) {
		unsigned int cpu;
		struct timer_cpu *tc = lock_of(t, &cpu);
		bool running;

		if (t->node.in)
			heap_remove(&tc->heap, &t->node);
		running = atomic_load(&t->running) != 0;
		spin_unlock(&tc->lock);
		if (!running)
			return;
		if (spin_wait_hook)
			spin_wait_hook();
		cpu_relax();
	}
}

/* Two heaps are locked in the order of their CPUs' numbers. */
static void lock_two(unsigned int a, unsigned int b)
{
	spin_lock(&per_cpu(timer_cpus, min(a, b)).lock);
	spin_lock(&per_cpu(timer_cpus, max(a, b)).lock);
}

void timer_migrate(struct timer *t, unsigned int cpu)
{
	unsigned int old;
	struct timer_cpu *from, *to = &per_cpu(timer_cpus, cpu);

	for (;;) {
		old = READ_ONCE(t->cpu);
		if (old == cpu)
			return;
		lock_two(old, cpu);
		from = &per_cpu(timer_cpus, old);
		if (old == t->cpu)
			break;
		spin_unlock(&from->lock);
		spin_unlock(&to->lock);
	}
	WRITE_ONCE(t->cpu, cpu);
	if (!t->node.in) {
		spin_unlock(&from->lock);
		spin_unlock(&to->lock);
		return;
	}
	heap_remove(&from->heap, &t->node);
	insert(to, t);
	spin_unlock(&from->lock);
	unlock_and_tell(to, cpu, t);
}

/* Locked; unlocked while the callback runs. The timer may be freed as soon as running is back. */
static void run(struct timer_cpu *tc, struct timer *t)
{
	void (*fn)(void *) = t->fn;
	void *arg = t->arg;

	heap_remove(&tc->heap, &t->node);
	atomic_add(&t->running, 1);
	spin_unlock(&tc->lock);
	fn(arg);
	atomic_sub(&t->running, 1);
	spin_lock(&tc->lock);
}

u32 timer_beats(unsigned int cpu)
{
	return READ_ONCE(per_cpu(beats, cpu));
}

/* The time is taken once: callbacks that set their timers to the past cannot keep us here. */
void timer_interrupt(void)
{
	struct timer_cpu *tc = &this_cpu(timer_cpus);
	nsec_t now = clock_now();

	this_cpu(beats)++;
	if (!tc->armed)
		return;
	tc->busy = true;
	spin_lock(&tc->lock);
	for (unsigned int i = 0; i < TIMER_BATCH; i++) {
		struct timer *t = first_of(tc);

		if (!t || t->expires > now)
			break;
		run(tc, t);
	}
	tc->busy = false;
	tc->armed = NEVER;
	arm(tc);
	spin_unlock(&tc->lock);
}

void timer_init_cpu(void)
{
	struct timer_cpu *tc = &this_cpu(timer_cpus);

	apic_timer_init_cpu();
	spin_lock(&tc->lock);
	tc->armed = NEVER;
	arm(tc);
	spin_unlock(&tc->lock);
}
