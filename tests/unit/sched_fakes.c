/* SPDX-License-Identifier: MIT */
#include "sched_fakes.h"
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cpu/percpu.h"
#include "lib/log.h"
#include "mm/heap.h"
#include "sched/runq.h"

#define STEP	   (50 * NSEC_PER_USEC)
#define MAX_TIMERS 512

nsec_t fake_now;
unsigned int fake_switches;

struct cpu_info test_cpu_info;
static struct cpu_info infos[CONFIG_NR_CPUS];
static unsigned int acting;
static bool in_hypervisor[CONFIG_NR_CPUS]; /* it waits for another CPU, further down the stack */
unsigned long cpu_online_map[BITS_TO_LONGS(CONFIG_NR_CPUS)];
unsigned int nr_cpus;
u32 cpu_apic_id[CONFIG_NR_CPUS], cpu_acpi_id[CONFIG_NR_CPUS];
struct cpu_info *cpu_infos[CONFIG_NR_CPUS];

static struct timer *timers[MAX_TIMERS];
static struct vcpu *in_cpu[CONFIG_NR_CPUS]; /* whose registers the CPU has */

/* --- CPUs --- */

void act_as(unsigned int cpu)
{
	infos[acting] = test_cpu_info;
	acting = cpu;
	test_cpu_info = infos[cpu];
}

static struct cpu_info *info_of(unsigned int cpu)
{
	return cpu == acting ? &test_cpu_info : &infos[cpu];
}

struct vcpu *running_on(unsigned int cpu)
{
	return info_of(cpu)->curr;
}

void cpu_raise_hazard(unsigned int cpu, u32 haz)
{
	info_of(cpu)->hazard |= haz;
}

static bool do_hazards(unsigned int cpu)
{
	u32 haz = info_of(cpu)->hazard;

	if (!haz || in_hypervisor[cpu])
		return false;
	in_hypervisor[cpu] = true;
	act_as(cpu);
	test_cpu_info.hazard = 0;
	if (haz & HAZ_SCHED)
		schedule();
	in_hypervisor[cpu] = false;
	return true;
}

void fake_settle(void)
{
	unsigned int cpu, rounds = 0, back = acting;
	bool any;

	do {
		any = false;
		for (cpu = 0; cpu < nr_cpus; cpu++)
			any |= do_hazards(cpu);
		assert_true(++rounds < 1000);
	} while (any);
	act_as(back);
}

/* Somebody waits for another CPU: let the idle ones work. */
static void others_go_on(void)
{
	unsigned int cpu, back = acting;

	for (cpu = 0; cpu < nr_cpus; cpu++) {
		if (cpu != back)
			do_hazards(cpu);
	}
	act_as(back);
}

/* --- time --- */

nsec_t clock_now(void)
{
	return fake_now;
}

void timer_init(struct timer *t, void (*fn)(void *), void *arg, unsigned int cpu)
{
	*t = (struct timer){.fn = fn, .arg = arg, .cpu = cpu};
}

void timer_set(struct timer *t, nsec_t expires)
{
	unsigned int i;

	t->expires = expires;
	if (t->node.in)
		return;
	for (i = 0; i < MAX_TIMERS && timers[i]; i++)
		;
	assert_true(i < MAX_TIMERS);
	timers[i] = t;
	t->node.in = true;
}

void timer_stop(struct timer *t)
{
	for (unsigned int i = 0; t->node.in && i < MAX_TIMERS; i++)
		if (timers[i] == t)
			timers[i] = NULL;
	t->node.in = false;
}

void timer_migrate(struct timer *t, unsigned int cpu)
{
	t->cpu = cpu;
}

static void run_timers(void)
{
	unsigned int i, back = acting;

	for (i = 0; i < MAX_TIMERS; i++) {
		struct timer *t = timers[i];

		if (!t || t->expires > fake_now)
			continue;
		timer_stop(t);
		act_as(t->cpu);
		t->fn(t->arg);
	}
	act_as(back);
}

void fake_run(nsec_t duration, void (*step)(void))
{
	nsec_t end = fake_now + duration;

	while (fake_now < end) {
		fake_now += STEP;
		run_timers();
		fake_settle();
		if (step)
			step();
	}
}

/* --- switching --- */

unsigned int registers_in(const struct vcpu *v)
{
	unsigned int cpu;

	for (cpu = 0; cpu < nr_cpus; cpu++) {
		if (in_cpu[cpu] == v)
			return cpu + 1;
	}
	return 0;
}

static void save(struct vcpu *v)
{
	assert_ptr_equal(in_cpu[acting], v);
	in_cpu[acting] = NULL;
}

static void load(struct vcpu *v)
{
	assert_null(in_cpu[acting]);
	assert_int_equal(registers_in(v), 0);
	assert_ptr_equal(current, v);
	in_cpu[acting] = v;
	fake_switches++;
}

/* However it came there. */
static void resumed(struct vcpu *v)
{
	assert_ptr_equal(in_cpu[acting], v);
	assert_true(test_bit(acting, v->sched.hard));
}

static const struct sched_switch_ops ops = {.save = save, .load = load, .resumed = resumed};

void fake_machine(unsigned int cpus)
{
	unsigned int cpu;

	fake_now = 0;
	fake_switches = 0;
	memset(timers, 0, sizeof(timers));
	memset(infos, 0, sizeof(infos));
	memset(in_cpu, 0, sizeof(in_cpu));
	memset(&test_cpu_info, 0, sizeof(test_cpu_info));
	memset(cpu_online_map, 0, sizeof(cpu_online_map));
	acting = 0;
	nr_cpus = cpus;
	guest_switch_ops = &ops;
	spin_wait_hook = others_go_on;
	sched_init();
	for (cpu = 0; cpu < cpus; cpu++) {
		act_as(cpu);
		test_cpu_info.cpu = cpu;
		set_bit(cpu, cpu_online_map);
		cpu_infos[cpu] = &test_cpu_info;
		hv_free(idle_vcpu(cpu));
		sched_init_cpu(cpu);
	}
	act_as(0);
	fake_settle();
}

struct domain *fake_domain(void)
{
	struct domain *d = calloc(1, sizeof(*d));

	d->id = 1;
	d->max_vcpus = MAX_VCPUS;
	d->vcpu = calloc(MAX_VCPUS, sizeof(*d->vcpu));
	return d;
}

struct vcpu *fake_vcpu(struct domain *d, unsigned int id)
{
	struct vcpu *v = calloc(1, sizeof(*v));

	v->d = d;
	v->id = id;
	v->info = &v->dummy_info;
	d->vcpu[id] = v;
	assert_int_equal(sched_init_vcpu(v), 0);
	return v;
}

/* --- the log --- */

void log_print(enum log_level lvl, const char *fmt, ...)
{
	(void)lvl;
	(void)fmt;
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}
