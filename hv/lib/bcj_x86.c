/* SPDX-License-Identifier: MIT */
/*
 * The encoder turns the 32-bit displacement after a call (e8) or jump (e9) into an absolute address
 * when its top byte is 00 or ff, so that calls of one function look the same everywhere. An opcode byte
 * that lies inside another candidate's displacement makes the choice ambiguous; what the two sides
 * agreed on then depends on which of the three bytes before were opcodes that were left alone.
 */
#include "lib/xz.h"

typedef u64 __attribute__((may_alias, aligned(1))) una64;
typedef u32 __attribute__((may_alias, aligned(1))) una32;

static inline bool is_opcode(u8 b)
{
	return (b & 0xfe) == 0xe8;
}

static inline bool is_sign(u8 b)
{
	return b == 0 || b == 0xff;
}

/* High bit of each byte: set when that byte is no opcode. */
static inline u64 other_bytes(const u8 *p)
{
	const u64 ones = 0x0101010101010101ULL;

	/* The upper seven bits, moved down: adding cannot carry from one byte into the next. */
	return ((*(const una64 *)p >> 1 & 0x7f * ones) ^ 0x74 * ones) + 0x7f * ones;
}

/* Index of the first opcode byte at or after i; n when there is none. Most of a kernel is data. */
static size_t next_opcode(const u8 *buf, size_t i, size_t n)
{
	const u64 high = 0x8080808080808080ULL;

	for (; i + 32 <= n; i += 32)
		if ((other_bytes(buf + i) & other_bytes(buf + i + 8) & other_bytes(buf + i + 16) &
		     other_bytes(buf + i + 24) & high) != high)
			break;
	for (; i + 8 <= n; i += 8) {
		u64 found = ~other_bytes(buf + i) & high;

		if (found)
			return i + ((size_t)__builtin_ctzll(found) >> 3);
	}
	while (i < n && !is_opcode(buf[i]))
		i++;
	return i;
}

/* How many of the displacement's top bytes the nearest marked byte before reaches into, from bit 24. */
static inline u32 overlap(u32 mask)
{
	return mask >= 4 ? 3 : mask >= 2 ? 2 : 1;
}

/*
 * mask: bit k set when the byte k + 1 before was an opcode left alone. With more than one of them the
 * encoder leaves this one alone, too.
 */
static bool refused(const u8 *p, u32 mask)
{
	if (!mask)
		return false;
	if (mask == 3 || mask > 4)
		return true;
	return is_sign(p[4 - overlap(mask)]);
}

static u32 to_relative(u32 absolute, u32 next, u32 mask)
{
	u32 v = absolute - next;

	if (mask) {
		u32 low = 32 - 8 * overlap(mask);

		/* Once is enough: the second result is the complement of a byte that is no sign. */
		if (is_sign((u8)(v >> (low - 8)))) {
			v ^= (u32)((1ULL << low) - 1);
			v -= next;
		}
	}
	return (v & 0x01ffffff) | (0 - (v & 0x01000000)); /* sign from bit 24 */
}

void bcj_x86_decode(u8 *buf, size_t n, u32 start)
{
	size_t last = 0, end;
	u32 mask = 0;

	if (n <= 4)
		return;
	end = n - 4; /* a whole displacement must follow */
	for (size_t i = next_opcode(buf, 0, end); i < end; i = next_opcode(buf, i, end)) {
		u8 *p = buf + i;

		/* The marks move away with the distance; beyond three bytes they are gone. */
		/* analyze-ok UndefinedBinaryOperatorResult: with a mask, i has moved on from last. */
		mask = mask && i - last <= 3 ? (mask << (i - last - 1)) & 7 : 0;
		last = i;
		if (refused(p, mask) || !is_sign(p[4])) {
			mask = mask << 1 | 1;
			i++;
			continue;
		}
		*(una32 *)(p + 1) = to_relative(*(una32 *)(p + 1), start + (u32)i + 5, mask);
		mask = 0;
		i += 5;
	}
}
