/* SPDX-License-Identifier: MIT */
/*
 * Thousands of vcpus that do anything, while the toolstack pins, weighs, caps and pauses them at random.
 * guests.c checks at each instant that no CPU is idle in vain; here: nobody starves, caps hold, and those
 * whom nobody touches and who are always busy have the same.
 */
#include <math.h>
#include "scenario.h"
#include "sched/pool.h"

#define TWINS 32 /* busy, one vcpu, any CPU, never touched */

static unsigned int nr_cpus_here, nr_pools;
static struct event disturbance;
static nsec_t disturbance_mean;

static struct guest *somebody(void)
{
	return guests[TWINS + sim_below(nr_guests - TWINS)];
}

static unsigned long some_cpus(void)
{
	unsigned long all = nr_cpus_here == 64 ? ~0UL : (1UL << nr_cpus_here) - 1, mask;

	switch (sim_below(3)) {
	case 0:
		return all;
	case 1:
		return 1UL << sim_below(nr_cpus_here);
	default:
		mask = ((u64)sim_random() << 32 | sim_random()) & all;
		return mask ? mask : all;
	}
}

/* A CPU changes pools, unless it is the last one that somebody has. */
static void move_cpu(void)
{
	unsigned int cpu = (unsigned int)sim_below(nr_cpus_here), pool = pool_of_cpu[cpu];

	if (nr_pools == 1 || sim_below(64))
		return;
	machine_act_as(0);
	for (unsigned int i = TWINS; i < nr_guests; i++)
		guests[i]->disturbed = true;
	if (!pool_remove_cpu(pool, cpu) && pool_add_cpu(!pool, cpu))
		fail("CPU %u, taken out of pool %u, cannot be used", cpu, pool);
}

static void disturb(struct event *e)
{
	static const u16 caps[] = {0, 0, 10, 50, 150};
	struct guest *g = somebody();

	switch (sim_below(4)) {
	case 0:
		guest_pin(g, some_cpus());
		move_cpu();
		break;
	case 1:
		guest_move(g, nr_pools > 1 ? (unsigned int)sim_below(nr_pools) : 0);
		break;
	case 2:
		guest_weight(g, (u16)(64 << sim_below(5)), caps[sim_below(ARRAY_SIZE(caps))]);
		break;
	default:
		guest_pause(g, !g->v.sched.pause_count);
	}
	event_set(e, sim_now + sim_delay(disturbance_mean));
}

static void populate(unsigned int nr)
{
	const nsec_t us = NSEC_PER_USEC, ms = NSEC_PER_MSEC;

	for (unsigned int i = 0; i < TWINS; i++)
		guest_new(1, HOG, 0, 0);
	while (nr_guests < nr) {
		unsigned int vcpus = 1 + (unsigned int)sim_below(4);

		switch (sim_below(12)) {
		case 0:
			guest_new(1, HOG, 0, 0);
			break;
		case 1:
			guest_new(1, YIELDER, 3 * ms, 0);
			break;
		case 2:
			guest_new(1, CHEAT_SLEEP, 10 * ms, 300 * us);
			break;
		case 3:
			guest_new(vcpus, SLEEPER, 2 * ms, 20 * ms);
			break;
		default:
			guest_new(vcpus, SLEEPER, 30 * us, 100 * ms);
		}
	}
}

/* The longest that anybody waited whom nobody had disturbed, ms. */
static double longest_wait(void)
{
	nsec_t longest = 0;

	for (unsigned int i = 0; i < nr_guests; i++)
		longest = max(longest, guests[i]->longest);
	return (double)longest / 1e6;
}

/* How far the least and the most of the twins are from their mean, percent. */
static double twins_apart(const nsec_t *before)
{
	double sum = 0, worst = 0;

	for (unsigned int i = 0; i < TWINS; i++)
		sum += (double)(guest_ran(guests[i]) - before[i]);
	for (unsigned int i = 0; i < TWINS; i++)
		worst = fmax(worst,
			     fabs((double)(guest_ran(guests[i]) - before[i]) / (sum / TWINS) - 1));
	return 100 * worst;
}

/* A second pool of a quarter of the CPUs. */
static void split(unsigned int cpus)
{
	unsigned int pool = POOL_ANY;

	if (pool_create(&pool) || pool != 1)
		fail("there is no second pool");
	for (unsigned int cpu = 0; cpu < cpus / 4; cpu++)
		if (pool_remove_cpu(0, cpu) || pool_add_cpu(1, cpu))
			fail("CPU %u does not change pools", cpu);
}

static void chaos(unsigned int cpus, unsigned int pools, unsigned int nr, nsec_t calm, nsec_t time)
{
	static struct stats late;
	nsec_t before[TWINS];

	nr_cpus_here = cpus;
	nr_pools = pools;
	disturbance_mean = calm;
	guests_reset(cpus, sim_seed);
	check_every = sim_long ? 64 : 8;
	populate(nr);
	stats_reset(&late);
	for (unsigned int i = TWINS; i < nr_guests; i++)
		if (guests[i]->kind == SLEEPER && guests[i]->run < NSEC_PER_MSEC)
			guests[i]->late = &late;
	guests_start();
	if (pools > 1)
		split(cpus);
	disturbance.fn = disturb;
	disturbance.node.in = false;
	event_set(&disturbance, calm);
	machine_run(5 * NSEC_PER_SEC);
	for (unsigned int i = 0; i < TWINS; i++)
		before[i] = guest_ran(guests[i]);
	machine_run(time);
	guests_check_times();
	printf("       %u vcpus on %u CPUs in %u pools, %ld s, a change each %ld ms: %lu "
	       "decisions\n",
	       nr_guests, cpus, pools, (long)(time / NSEC_PER_SEC), (long)(calm / NSEC_PER_MSEC),
	       decisions.nr);
	printf("       woke %lu times: late by %.1f us median, %.1f us of 99 %%, %.1f us worst\n",
	       late.nr, (double)stats_quantile(&late, 500) / 1e3,
	       (double)stats_quantile(&late, 990) / 1e3, (double)late.worst / 1e3);
	at_most(twins_apart(before), 10, "%",
		"%u equal busy ones among them: furthest from their mean", TWINS);
	at_most(longest_wait(), 20000, "ms", "the longest wait of anybody");
}

/* Somebody who may run anywhere, in a queue full of those who may not. */
static void hidden(unsigned int cpus, unsigned int pinned, unsigned int free)
{
	guests_reset(cpus, sim_seed);
	for (unsigned int i = 0; i < pinned; i++)
		guest_pin(guest_new(1, HOG, 0, 0), 1);
	for (unsigned int i = 0; i < free; i++)
		guest_pin(
			guest_new(1, i % 2 ? HOG : SLEEPER, 5 * NSEC_PER_MSEC, 10 * NSEC_PER_MSEC),
			1);
	guests_start();
	machine_run(NSEC_PER_SEC);
	for (unsigned int i = 0; i < free; i++)
		guest_pin(guests[pinned + i], ~0UL);
	machine_run((sim_long ? 600 : 30) * NSEC_PER_SEC);
	guests_check_times();
	printf("  ok   %u pinned to one of %u CPUs, %u free: no CPU was idle in vain\n", pinned,
	       cpus, free);
}

void scenario_chaos(void)
{
	unsigned int factor = sim_long ? 40 : 1;

	hidden(4, 10, 3);
	hidden(4, 200, 3);
	chaos(4, 1, 200, 5 * NSEC_PER_MSEC, 90 * factor * NSEC_PER_SEC);
	chaos(16, 2, 1000, 2 * NSEC_PER_MSEC, 30 * factor * NSEC_PER_SEC);
	chaos(64, 1, 4000, 20 * NSEC_PER_MSEC, (sim_long ? 800 : 50) * NSEC_PER_SEC);
}
