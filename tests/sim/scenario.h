/* SPDX-License-Identifier: MIT */
/* What is simulated: each scenario prints one line a result, and does not return when one is wrong. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdio.h>
#include "guests.h"

/* Both are the same in each run with the same arguments. */
extern bool sim_long; /* hours instead of minutes */
extern u64 sim_seed;

void scenario_fair(void);
void scenario_cheats(void);
void scenario_latency(void);
void scenario_cost(void);
void scenario_chaos(void);

/* Runs a while, and again, with all counts from the second time only. */
void scenario_picture(FILE *to);

/* wanted: of the time of all CPUs together or of one, as the caller counts `total`; percent of it. */
double deviation(nsec_t got, double wanted, nsec_t total);
/* "name: value unit", and the end when value > limit. */
void at_most(double value, double limit, const char *unit, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
