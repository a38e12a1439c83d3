/* SPDX-License-Identifier: MIT */
/* Busy guests: each has the part of the machine that its weight says. */
#include <math.h>
#include "scenario.h"

#define AIM 0.5 /* percent of a share */

double deviation(nsec_t got, double wanted, nsec_t total)
{
	return 100.0 * fabs((double)got / (wanted * (double)total) - 1.0);
}

/* All guests are busy and of one vcpu; the worst of them, by weight. */
static double worst_by_weight(nsec_t total)
{
	unsigned long sum = 0;
	double worst = 0;

	for (unsigned int i = 0; i < nr_guests; i++)
		sum += guests[i]->v.sched.weight;
	for (unsigned int i = 0; i < nr_guests; i++) {
		double wanted = (double)guests[i]->v.sched.weight / (double)sum;

		worst = fmax(worst, deviation(guests[i]->ran, wanted, total));
	}
	return worst;
}

/* So that guest_ran() is complete in ran. */
static void run(nsec_t duration)
{
	machine_run(duration);
	guests_check_times();
	for (unsigned int i = 0; i < nr_guests; i++) {
		guests[i]->ran = guest_ran(guests[i]);
		if (guests[i]->since >= 0)
			guests[i]->since = sim_now;
	}
}

static void one_cpu(unsigned int hogs)
{
	nsec_t time = (nsec_t)max(hogs * (sim_long ? 10u : 2u), 10u) * NSEC_PER_SEC;

	guests_reset(1, sim_seed);
	for (unsigned int i = 0; i < hogs; i++)
		guest_new(1, HOG, 0, 0);
	guests_start();
	run(time);
	at_most(worst_by_weight(time), AIM, "%", "%u busy on one CPU, %ld s: worst deviation", hogs,
		(long)(time / NSEC_PER_SEC));
}

static void weights(unsigned int hogs, unsigned int spread)
{
	nsec_t time = (sim_long ? 36000 : 3600) * NSEC_PER_SEC;

	guests_reset(1, sim_seed);
	for (unsigned int i = 0; i < hogs; i++)
		guest_weight(guest_new(1, HOG, 0, 0), (u16)(32 + sim_below(32 * spread)), 0);
	guests_start();
	run(time);
	at_most(worst_by_weight(time), AIM, "%",
		"%u busy of random weights 1:%u on one CPU, %ld s: worst deviation", hogs, spread,
		(long)(time / NSEC_PER_SEC));
}

static void many_cpus(unsigned int cpus, unsigned int hogs)
{
	nsec_t time = (sim_long ? 1200 : 60) * NSEC_PER_SEC;

	guests_reset(cpus, sim_seed);
	for (unsigned int i = 0; i < hogs; i++)
		guest_new(1, HOG, 0, 0);
	guests_start();
	run(time);
	at_most(worst_by_weight(time * cpus), AIM, "%",
		"%u busy on %u CPUs, %ld s: worst deviation", hogs, cpus,
		(long)(time / NSEC_PER_SEC));
}

static void cap(unsigned int vcpus, unsigned int percent, unsigned int others)
{
	nsec_t time = (sim_long ? 600 : 60) * NSEC_PER_SEC, ran = 0;

	guests_reset(4, sim_seed);
	guest_new(vcpus, HOG, 0, 0);
	guest_weight(guests[0], 256, (u16)percent);
	for (unsigned int i = 0; i < others; i++)
		guest_new(1, HOG, 0, 0);
	guests_start();
	run(time);
	for (unsigned int i = 0; i < vcpus; i++)
		ran += guests[i]->ran;
	at_most(deviation(ran, percent / 100.0, time), AIM, "%",
		"a cap of %u %% for %u vcpus beside %u busy ones: deviation", percent, vcpus,
		others);
}

static void lone(unsigned int idle)
{
	nsec_t time = (sim_long ? 600 : 60) * NSEC_PER_SEC, others = 0;

	guests_reset(1, sim_seed);
	guest_new(1, HOG, 0, 0);
	for (unsigned int i = 0; i < idle; i++)
		guest_new(1, SLEEPER, 10 * NSEC_PER_USEC, NSEC_PER_SEC);
	guests_start();
	run(time);
	for (unsigned int i = 1; i < nr_guests; i++)
		others += guests[i]->ran;
	at_most(deviation(guests[0]->ran + others, 1.0, time), 0.0001, "%",
		"a busy one beside %u that sleep: of the time nobody has", idle);
}

void scenario_fair(void)
{
	static const unsigned int hogs[] = {1, 2, 10, 100, 500};

	for (unsigned int i = 0; i < ARRAY_SIZE(hogs); i++)
		one_cpu(hogs[i]);
	weights(10, 4);
	weights(40, 64);
	many_cpus(2, 3);
	many_cpus(4, 5);
	many_cpus(8, 21);
	many_cpus(16, 47);
	if (sim_long) {
		many_cpus(64, 65);
		many_cpus(64, 1000);
	}
	cap(1, 30, 0);
	cap(1, 30, 8);
	cap(4, 150, 0);
	cap(4, 90, 8);
	lone(9);
	lone(500);
}
