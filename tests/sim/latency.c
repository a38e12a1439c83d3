/* SPDX-License-Identifier: MIT */
/* How late those run who wake. */
#include "scenario.h"

static struct stats late;

static void told(double limit_us, const char *what)
{
	guests_check_times();
	printf("       %-66s %9.1f us median, %.1f us of 99.9 %%\n", what,
	       (double)stats_quantile(&late, 500) / 1e3, (double)stats_quantile(&late, 999) / 1e3);
	at_most((double)late.worst / 1e3, limit_us, "us", "%s: worst of %lu", what, late.nr);
}

static void beside_hogs(unsigned int cpus, unsigned int hogs, unsigned int nappers,
			enum guest_kind kind, nsec_t run, nsec_t sleep, double limit_us)
{
	char what[128];

	guests_reset(cpus, sim_seed);
	for (unsigned int i = 0; i < hogs; i++)
		guest_new(1, HOG, 0, 0);
	for (unsigned int i = 0; i < nappers; i++)
		guest_new(1, kind, run, sleep);
	guests_start();
	machine_run(10 * NSEC_PER_SEC);
	stats_reset(&late);
	for (unsigned int i = hogs; i < nr_guests; i++)
		guests[i]->late = &late;
	machine_run((sim_long ? 3600 : 120) * NSEC_PER_SEC);
	snprintf(what, sizeof(what), "%u run %ld of %ld us, %u busy, %u CPUs", nappers,
		 (long)(run / NSEC_PER_USEC), (long)((run + sleep) / NSEC_PER_USEC), hogs, cpus);
	told(limit_us, what);
}

/* Beside one of the least weight the clock is soon round. */
static void long_sleep(void)
{
	guests_reset(1, sim_seed);
	guest_weight(guest_new(1, HOG, 0, 0), 1, 0);
	guest_new(1, DEBTOR, NSEC_PER_MSEC, 701 * NSEC_PER_SEC)->late = &late;
	stats_reset(&late);
	guests_start();
	machine_run((sim_long ? 36000 : 7200) * NSEC_PER_SEC);
	told(500, "1 that sleeps for 701 s beside one of weight 1");
}

void scenario_latency(void)
{
	const nsec_t us = NSEC_PER_USEC, ms = NSEC_PER_MSEC;

	/* The rate limit, and those who woke before. */
	beside_hogs(1, 1, 1, SLEEPER, 20 * us, 10 * ms, 500);
	beside_hogs(1, 10, 1, SLEEPER, 20 * us, 10 * ms, 500);
	beside_hogs(1, 100, 1, SLEEPER, 20 * us, 10 * ms, 500);
	beside_hogs(1, 10, 1, DEBTOR, 2 * ms, 40 * ms, 500);
	beside_hogs(1, 10, 20, SLEEPER, 20 * us, 10 * ms, 2000);
	long_sleep();
	beside_hogs(8, 40, 80, SLEEPER, 20 * us, 10 * ms, 2000);
}
