/* SPDX-License-Identifier: MIT */
#include "time/scale.h"

#define GIGA	  1000000000ULL
#define MUL_MAX	  (0x100000000ULL - SCALE_GRAIN)
#define FAR_TICKS (~0ULL >> 1)

/* The shift that leaves the shifted rate above 1 GHz and at most 2 GHz: mul has 32 bits then. */
struct scale scale_of_hz(u64 hz)
{
	struct scale s = {0};
	u64 mul;

	while (s.shift < 31 && hz << s.shift <= GIGA)
		s.shift++;
	while (s.shift > -31 && s.shift <= 0 && hz >> -s.shift > 2 * GIGA)
		s.shift--;
	/* GIGA * 2^(32 - shift) / hz, without leaving 64 bits. */
	if (s.shift >= -2)
		mul = ((GIGA << (32 - s.shift)) + hz / 2) / hz;
	else
		mul = (GIGA << 34) / (hz >> (-s.shift - 2));
	mul = ROUND_DOWN(mul + SCALE_GRAIN / 2, (u64)SCALE_GRAIN);
	s.mul = (u32)min(mul, MUL_MAX);
	return s;
}

u64 scale_hz(struct scale s)
{
	u64 shifted = ((GIGA << 32) + s.mul / 2) / s.mul;

	if (s.shift > 0)
		return shifted >> s.shift;
	/* More digits where the shift takes them away: GIGA << 34 still fits. */
	if (s.shift >= -2)
		return ((GIGA << (32 - s.shift)) + s.mul / 2) / s.mul;
	return ((GIGA << 34) / s.mul) << (-s.shift - 2);
}

/*
 * ns = shifted * mul / 2^32, backwards: whole multiples of 2^32 shifted ticks are mul ns each, the
 * rest fits a 64-bit division.
 */
u64 scale_ticks(struct scale s, u64 ns)
{
	u64 quot = ns / s.mul, rest = ns % s.mul, shifted;

	/* Each quot is 2.1 to 4.3 s; the result is to stay below 2^62 ticks. */
	if (quot >> (s.shift < 0 ? 30 + s.shift : 30))
		return FAR_TICKS;
	shifted = (quot << 32) + ((rest << 32) + s.mul - 1) / s.mul;
	if (s.shift >= 0)
		return (shifted + (1ULL << s.shift) - 1) >> s.shift;
	return shifted << -s.shift;
}
