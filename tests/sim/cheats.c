/* SPDX-License-Identifier: MIT */
/* Guests that yield or sleep when they think that somebody looks, or in the rhythm of the scheduler. */
#include "scenario.h"

#define AIM 0.5 /* percent of its share that a cheat may gain */

/* What the cheat has beyond its share beside honest busy guests, in percent of that share. */
static double gain(unsigned int cpus, unsigned int honest, u16 weight, enum guest_kind kind,
		   nsec_t run, nsec_t sleep)
{
	nsec_t time = (sim_long ? 60 : 20) * NSEC_PER_SEC, warm_up = 2 * NSEC_PER_SEC, before;
	double share;

	guests_reset(cpus, sim_seed);
	guest_new(1, kind, run, sleep);
	guest_weight(guests[0], weight, 0);
	for (unsigned int i = 0; i < honest; i++)
		guest_new(1, HOG, 0, 0);
	guests_start();
	machine_run(warm_up);
	before = guest_ran(guests[0]);
	machine_run(time);
	guests_check_times();
	share = cpus * (double)weight / (weight + 256.0 * honest);
	share = share > 1 ? 1 : share;
	return 100 * ((double)(guest_ran(guests[0]) - before) / (share * (double)time) - 1);
}

static void before_accounting(unsigned int cpus, unsigned int honest, u16 weight)
{
	static const unsigned int period_ms[] = {4, 6, 10, 20, 30};
	double worst = -100;

	for (enum guest_kind kind = CHEAT_SLEEP; kind <= CHEAT_YIELD; kind++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(period_ms); i++) {
			double g = gain(cpus, honest, weight, kind, period_ms[i] * NSEC_PER_MSEC,
					300 * NSEC_PER_USEC);

			worst = g > worst ? g : worst;
		}
	}
	at_most(worst, AIM, "%",
		"sleeps or yields before each 4 to 30 ms, weight %u, beside %u busy, %u CPUs: most "
		"gained",
		weight, honest, cpus);
}

/* Any rhythm: the whole grid of runs and sleeps. */
static void rhythm(unsigned int cpus, unsigned int honest, u16 weight)
{
	static const unsigned int times_us[] = {100,  700,   1500,  3000, 5000,
						8000, 15000, 25000, 60000};
	unsigned int step = sim_long ? 1 : 3, best_run = 0, best_sleep = 0;
	double worst = -100;

	for (unsigned int r = 0; r < ARRAY_SIZE(times_us); r += step) {
		for (unsigned int s = 0; s < ARRAY_SIZE(times_us); s += step) {
			double g = gain(cpus, honest, weight, DEBTOR, times_us[r] * NSEC_PER_USEC,
					times_us[s] * NSEC_PER_USEC);

			if (g <= worst)
				continue;
			worst = g;
			best_run = times_us[r];
			best_sleep = times_us[s];
		}
	}
	at_most(worst, AIM, "%",
		"runs and sleeps in any rhythm (best %u and %u us), weight %u, beside %u busy, %u "
		"CPUs: most "
		"gained",
		best_run, best_sleep, weight, honest, cpus);
}

void scenario_cheats(void)
{
	before_accounting(1, 1, 256);
	before_accounting(1, 3, 256);
	before_accounting(1, 3, 2560);
	before_accounting(4, 7, 256);
	rhythm(1, 1, 256);
	rhythm(1, 3, 256);
	rhythm(1, 1, 2560);
	rhythm(1, 3, 25);
	rhythm(2, 3, 256);
	rhythm(4, 7, 256);
}
