/* SPDX-License-Identifier: MIT */
/*
 * From TSC ticks to ns and back, pure: ns = (ticks shifted left by shift (right when negative)) * mul
 * >> 32, the formula of struct vcpu_time_info (<xen/xen.h>). mul is a multiple of SCALE_GRAIN, so
 * every SCALE_CHUNK ticks are a whole number of ns: there a time base can move without rounding.
 */
#ifndef TIME_SCALE_H
#define TIME_SCALE_H

#include "lib/types.h"

#define SCALE_GRAIN_SHIFT 6
#define SCALE_GRAIN	  (1u << SCALE_GRAIN_SHIFT)
#define SCALE_HZ_MIN	  1000000ULL
#define SCALE_HZ_MAX	  32000000000ULL

struct scale {
	u32 mul;
	s8 shift;
};

/* hz from SCALE_HZ_MIN to SCALE_HZ_MAX. The rate is met to 1.5e-8 (see SCALE_GRAIN). */
struct scale scale_of_hz(u64 hz);
/* The rate that the scale really stands for. */
u64 scale_hz(struct scale s);
/* The smallest number of ticks that are ns or more; ~0 >> 1 when ns is decades away. */
u64 scale_ticks(struct scale s, u64 ns);

static inline u64 scale_shifted(struct scale s, u64 ticks)
{
	return s.shift < 0 ? ticks >> -s.shift : ticks << s.shift;
}

static inline u64 scale_ns(struct scale s, u64 ticks)
{
	return (u64)((unsigned __int128)scale_shifted(s, ticks) * s.mul >> 32);
}

/* Ticks in a chunk; below 70 ms at any rate. */
static inline unsigned int scale_chunk_shift(struct scale s)
{
	return (unsigned int)(32 - SCALE_GRAIN_SHIFT - s.shift);
}

/* ns in a chunk, exactly. */
static inline u64 scale_chunk_ns(struct scale s)
{
	return s.mul >> SCALE_GRAIN_SHIFT;
}

#endif
