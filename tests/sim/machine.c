/* SPDX-License-Identifier: MIT */
#include "machine.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu/percpu.h"
#include "dom/vtime.h"
#include "lib/log.h"
#include "mm/heap.h"
#include "sched/runq.h"

nsec_t sim_now;
unsigned long sim_compared;
struct decisions decisions;

struct cpu_info test_cpu_info;
static struct cpu_info infos[CONFIG_NR_CPUS];
static bool in_hypervisor[CONFIG_NR_CPUS]; /* it waits for another CPU, further down the stack */
static unsigned long pending;		   /* CPUs with a hazard */
static unsigned int acting;
unsigned long cpu_online_map[BITS_TO_LONGS(CONFIG_NR_CPUS)];
unsigned int nr_cpus;
u32 cpu_apic_id[CONFIG_NR_CPUS], cpu_acpi_id[CONFIG_NR_CPUS];
struct cpu_info *cpu_infos[CONFIG_NR_CPUS];

static struct heap timers, events;

/* --- CPUs --- */

/* Only what the scheduler uses: the rest of struct cpu_info is large. */
static void copy_info(struct cpu_info *to, const struct cpu_info *from)
{
	to->curr = from->curr;
	to->cpu = from->cpu;
	to->hazard = from->hazard;
}

void machine_act_as(unsigned int cpu)
{
	if (cpu == acting)
		return;
	copy_info(&infos[acting], &test_cpu_info);
	acting = cpu;
	copy_info(&test_cpu_info, &infos[cpu]);
}

static struct cpu_info *info_of(unsigned int cpu)
{
	return cpu == acting ? &test_cpu_info : &infos[cpu];
}

struct vcpu *machine_running(unsigned int cpu)
{
	struct vcpu *v = info_of(cpu)->curr;

	return v == idle_vcpu(cpu) ? NULL : v;
}

void cpu_raise_hazard(unsigned int cpu, u32 haz)
{
	info_of(cpu)->hazard |= haz;
	pending |= 1UL << cpu;
}

static void decide(void)
{
	unsigned long before = sim_compared;
	u32 haz = test_cpu_info.hazard;

	test_cpu_info.hazard = 0;
	if (!(haz & HAZ_SCHED))
		return;
	schedule();
	before = sim_compared - before;
	decisions.nr++;
	decisions.compared += before;
	decisions.most = max(decisions.most, before);
}

static bool do_pending(unsigned long mask)
{
	unsigned long todo = pending & mask;
	bool any = false;

	while (todo) {
		unsigned int cpu = ffs_long(todo);

		todo &= todo - 1;
		if (in_hypervisor[cpu])
			continue;
		pending &= ~(1UL << cpu);
		in_hypervisor[cpu] = true;
		machine_act_as(cpu);
		decide();
		in_hypervisor[cpu] = false;
		any = true;
	}
	return any;
}

static void settle(void)
{
	unsigned int rounds = 0;

	while (do_pending(~0UL))
		if (++rounds > 10000)
			fail("the CPUs do not come to rest");
}

/* Somebody waits for another CPU: let the others work. */
static void others_go_on(void)
{
	unsigned int back = acting;

	if (!do_pending(~(1UL << back)))
		fail("CPU %u waits for ever", back);
	machine_act_as(back);
}

/* --- time --- */

nsec_t clock_now(void)
{
	return sim_now;
}

void timer_init(struct timer *t, void (*fn)(void *), void *arg, unsigned int cpu)
{
	*t = (struct timer){.fn = fn, .arg = arg, .cpu = cpu};
}

void timer_set(struct timer *t, nsec_t expires)
{
	unsigned long compared = sim_compared;

	timer_stop(t);
	t->expires = expires;
	heap_insert(&timers, &t->node, (u64)expires);
	sim_compared = compared; /* of the run queues only */
}

void timer_stop(struct timer *t)
{
	unsigned long compared = sim_compared;

	if (t->node.in)
		heap_remove(&timers, &t->node);
	sim_compared = compared;
}

void timer_migrate(struct timer *t, unsigned int cpu)
{
	t->cpu = cpu;
}

void event_set(struct event *e, nsec_t at)
{
	unsigned long compared = sim_compared;

	event_stop(e);
	heap_insert(&events, &e->node, (u64)at);
	sim_compared = compared;
}

void event_stop(struct event *e)
{
	unsigned long compared = sim_compared;

	if (e->node.in)
		heap_remove(&events, &e->node);
	sim_compared = compared;
}

/* Everything that is due now. */
static void fire(void)
{
	while (timers.root && (nsec_t)timers.root->key <= sim_now) {
		struct timer *t = container_of(timers.root, struct timer, node);

		timer_stop(t);
		machine_act_as(t->cpu);
		t->fn(t->arg);
	}
	while (events.root && (nsec_t)events.root->key <= sim_now) {
		struct event *e = container_of(events.root, struct event, node);

		event_stop(e);
		e->fn(e);
	}
}

static nsec_t next_instant(void)
{
	nsec_t t = timers.root ? (nsec_t)timers.root->key : INT64_MAX;

	return events.root ? min(t, (nsec_t)events.root->key) : t;
}

void machine_run(nsec_t duration)
{
	nsec_t end = sim_now + duration, next;

	settle();
	while ((next = next_instant()) <= end) {
		sim_now = max(next, sim_now);
		fire();
		settle();
		guests_settled();
	}
	sim_now = end;
}

/* --- switching, and what else the scheduler needs of other floors --- */

static void nothing(struct vcpu *v)
{
	(void)v;
}

void vtime_enter(struct vcpu *v)
{
	guests_comes(v);
}

void vtime_leave(struct vcpu *v)
{
	guests_leaves(v);
}

void vtime_refresh(struct vcpu *v, nsec_t now)
{
	(void)v;
	(void)now;
}

bool vcpu_event_deliverable(const struct vcpu *v)
{
	return v->info->evtchn_upcall_pending && !v->info->evtchn_upcall_mask;
}

void *hv_alloc(size_t size)
{
	return calloc(1, size);
}

void hv_free(void *p)
{
	free(p);
}

void log_print(enum log_level lvl, const char *fmt, ...)
{
	(void)lvl;
	(void)fmt;
}

static void complain(const char *what, const char *fmt, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "sim: at %.6f s: %s", (double)sim_now / 1e9, what);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain("panic: ", fmt, ap);
	va_end(ap);
	abort();
}

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain("", fmt, ap);
	va_end(ap);
	exit(1);
}

/* --- numbers --- */

static u64 random_state;

u32 sim_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (u32)(random_state >> 32);
}

u64 sim_below(u64 n)
{
	return ((u64)sim_random() << 32 | sim_random()) % n;
}

nsec_t sim_delay(nsec_t mean)
{
	double u = (sim_random() + 1.0) / 4294967297.0;

	return (nsec_t)(-log(u) * (double)mean) + 1;
}

void decisions_reset(void)
{
	memset(&decisions, 0, sizeof(decisions));
}

/* --- start --- */

static const struct sched_switch_ops ops = {.save = nothing, .load = nothing};

void machine_init(unsigned int cpus, u64 seed)
{
	unsigned int cpu;

	sim_now = 0;
	random_state = seed * 0x9e3779b97f4a7c15 | 1;
	timers.root = events.root = NULL;
	pending = 0;
	memset(infos, 0, sizeof(infos));
	memset(in_hypervisor, 0, sizeof(in_hypervisor));
	memset(&test_cpu_info, 0, sizeof(test_cpu_info));
	memset(cpu_online_map, 0, sizeof(cpu_online_map));
	acting = 0;
	nr_cpus = cpus;
	guest_switch_ops = &ops;
	spin_wait_hook = others_go_on;
	sched_set_ratelimit(500 * NSEC_PER_USEC);
	sched_init();
	for (cpu = 0; cpu < cpus; cpu++) {
		machine_act_as(cpu);
		test_cpu_info.cpu = cpu;
		set_bit(cpu, cpu_online_map);
		cpu_infos[cpu] = &test_cpu_info;
		hv_free(idle_vcpu(cpu));
		sched_init_cpu(cpu);
		pending |= 1UL << cpu;
	}
	settle();
	decisions_reset();
}
