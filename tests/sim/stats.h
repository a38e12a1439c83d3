/* SPDX-License-Identifier: MIT */
/* How often which delay was seen, in 16 steps an octave: a quantile is right within 5 %. */
#ifndef SIM_STATS_H
#define SIM_STATS_H

#include "lib/types.h"
#include "time/clock.h"

#define STATS_STEPS 16
#define STATS_SLOTS (48 * STATS_STEPS)

struct stats {
	unsigned long nr, slot[STATS_SLOTS];
	nsec_t worst;
};

void stats_reset(struct stats *s);
void stats_add(struct stats *s, nsec_t value);
/* per_mille 500: the median. */
nsec_t stats_quantile(const struct stats *s, unsigned int per_mille);

#endif
