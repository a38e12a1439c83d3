/* SPDX-License-Identifier: MIT */
/*
 * What a decision costs: how many keys of the run queue are compared in one schedule(), with 1 to 512
 * vcpus that want to run. All else in schedule() is the same for any number of them.
 */
#include <math.h>
#include "scenario.h"

static struct decisions measure(unsigned int busy, unsigned int nappers)
{
	guests_reset(1, sim_seed);
	for (unsigned int i = 0; i < busy; i++)
		guest_new(1, HOG, 0, 0);
	for (unsigned int i = 0; i < nappers; i++)
		guest_new(1, SLEEPER, 20 * NSEC_PER_USEC, 100 * NSEC_PER_MSEC);
	guests_start();
	machine_run(10 * NSEC_PER_SEC);
	decisions_reset();
	machine_run((sim_long ? 1000 : 100) * NSEC_PER_SEC);
	return decisions;
}

static void show(unsigned int busy, unsigned int nappers)
{
	struct decisions d = measure(busy, nappers);
	double mean = (double)d.compared / (double)d.nr;

	printf("       %3u busy, %3u that nap: %9lu decisions, %5.2f comparisons each, %lu at "
	       "most\n",
	       busy, nappers, d.nr, mean, d.most);
	at_most(mean, 4 + 2 * log2(busy + 1), "", "comparisons a decision, %u busy, %u that nap",
		busy, nappers);
}

void scenario_cost(void)
{
	static const unsigned int busy[] = {1, 8, 64, 512};

	for (unsigned int i = 0; i < ARRAY_SIZE(busy); i++)
		show(busy[i], 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(busy); i++)
		show(busy[i], 20);
}
