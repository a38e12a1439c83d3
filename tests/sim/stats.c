/* SPDX-License-Identifier: MIT */
#include "stats.h"
#include <string.h>

/* Values under 16 have a slot each; from there on the 4 bits below the highest choose it. */
static unsigned int slot_of(nsec_t value)
{
	u64 x = (u64)value;
	unsigned int high;

	if (x < STATS_STEPS)
		return (unsigned int)x;
	high = 63 - (unsigned int)__builtin_clzl(x);
	return (high - 3) * STATS_STEPS + ((x >> (high - 4)) & (STATS_STEPS - 1));
}

static nsec_t value_of(unsigned int slot)
{
	unsigned int high = slot / STATS_STEPS + 3;

	if (slot < STATS_STEPS)
		return slot;
	return (nsec_t)((u64)(STATS_STEPS + slot % STATS_STEPS) << (high - 4));
}

void stats_reset(struct stats *s)
{
	memset(s, 0, sizeof(*s));
}

void stats_add(struct stats *s, nsec_t value)
{
	unsigned int slot = slot_of(value < 0 ? 0 : value);

	s->slot[slot < STATS_SLOTS ? slot : STATS_SLOTS - 1]++;
	s->nr++;
	if (value > s->worst)
		s->worst = value;
}

nsec_t stats_quantile(const struct stats *s, unsigned int per_mille)
{
	unsigned long before = 0;

	for (unsigned int i = 0; i < STATS_SLOTS; i++) {
		before += s->slot[i];
		if (before * 1000 > s->nr * per_mille)
			return value_of(i) < s->worst ? value_of(i) : s->worst;
	}
	return s->worst;
}
