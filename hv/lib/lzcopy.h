/* SPDX-License-Identifier: MIT */
/* The copy of a match, which both decompressors do most of the time. */
#ifndef LIB_LZCOPY_H
#define LIB_LZCOPY_H

#include "lib/types.h"

typedef u64 __attribute__((may_alias, aligned(1))) lz_word;

/*
 * Copies len bytes from dist back to out; dist >= 1 and len >= 1 are checked by the caller. Up to `room`
 * anything may be written, so words are copied when there is enough of it. Returns out + len.
 */
static inline __attribute__((always_inline)) u8 *lz_copy(u8 *out, size_t dist, size_t len,
							 const u8 *room)
{
	const u8 *from = out - dist;
	u8 *end = out + len;

	if (likely(dist >= 8 && (size_t)(room - out) >= len + 8)) {
		do {
			*(lz_word *)out = *(const lz_word *)from;
			out += 8;
			from += 8;
		} while (out < end);
		return end;
	}
	do
		*out++ = *from++;
	while (out < end);
	return end;
}

#endif
