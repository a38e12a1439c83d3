/* SPDX-License-Identifier: MIT */
/* The copy of a match, which both decompressors do most of the time. */
#ifndef LIB_LZCOPY_H
#define LIB_LZCOPY_H

#include "lib/types.h"

#define LZ_ROOM 16 /* how far behind a match a fast copy may write */

typedef u64 __attribute__((may_alias, aligned(1))) lz_word;

/*
 * Copies len bytes from dist back to out; dist >= 1 and len >= 1 are checked by the caller. Up to `room`
 * anything may be written, so words are copied when there is enough of it. Returns out + len.
 */
static inline __attribute__((always_inline)) u8 *lz_copy(u8 *out, size_t dist, size_t len,
							 const u8 *room)
{
	/* A short distance is a pattern that repeats: also at a multiple that a word fits into. */
	static const u8 wide[8] = {0, 8, 8, 9, 8, 10, 12, 14};
	u8 *end = out + len;

	if (unlikely(dist < 8 || (size_t)(room - out) < len + LZ_ROOM)) {
		const u8 *from = out - dist;
		u8 *slow = end;

		if ((size_t)(room - out) >= len + LZ_ROOM && len > wide[dist])
			slow = out + wide[dist];
		do
			*out++ = *from++;
		while (out < slow);
		if (out == end)
			return end;
		dist = wide[dist];
	}
	for (ptrdiff_t i = out - end; i < 0; i += 8)
		*(lz_word *)(end + i) = *(const lz_word *)(end + i - dist);
	return end;
}

#endif
