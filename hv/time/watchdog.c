/* SPDX-License-Identifier: MIT */
#include "time/watchdog.h"
#include "cpu/panic.h"
#include "cpu/percpu.h"
#include "lib/log.h"
#include "mm/tlb.h"
#include "time/timer.h"

#define PERIOD NSEC_PER_SEC

bool opt_watchdog;
unsigned int opt_watchdog_timeout = 5;

/* Written by the one CPU that watches this one. */
static struct {
	u32 beats, sleeps;
	unsigned int missed; /* looks that found it awake and where it was */
} seen[CONFIG_NR_CPUS];
static struct timer timers[2];
static bool stopped;

/*
 * A CPU that runs a vcpu has a timer interrupt every second at least; one that has nothing to run goes
 * to sleep. Looks are counted, not time: after a stop of the whole machine everybody starts anew.
 */
static void look(unsigned int cpu)
{
	u32 beats = timer_beats(cpu), sleeps;
	bool asleep = tlb_cpu_sleeps(cpu, &sleeps);

	if (asleep || beats != seen[cpu].beats || sleeps != seen[cpu].sleeps) {
		seen[cpu].beats = beats;
		seen[cpu].sleeps = sleeps;
		seen[cpu].missed = 0;
		return;
	}
	if (++seen[cpu].missed > opt_watchdog_timeout)
		panic_other(cpu, "watchdog: the CPU is stuck");
}

/* CPU 0 watches all others, and CPU 1 watches CPU 0: no other one is woken for this. */
static void tick(void *arg)
{
	struct timer *t = arg;

	if (READ_ONCE(stopped))
		return;
	if (t == &timers[1]) {
		look(0);
	} else {
		for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
			look(cpu);
	}
	timer_set(t, clock_now() + PERIOD);
}

void watchdog_stop(void)
{
	WRITE_ONCE(stopped, true);
}

void watchdog_start(void)
{
	if (!opt_watchdog || !opt_watchdog_timeout)
		return;
	if (nr_cpus < 2) {
		pr_warn("watchdog: one CPU alone is not watched\n");
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(timers); i++) {
		timer_init(&timers[i], tick, &timers[i], i);
		timer_set(&timers[i], clock_now() + PERIOD);
	}
	pr_info("watchdog: a CPU that stands still for %u s ends the machine\n",
		opt_watchdog_timeout);
}
