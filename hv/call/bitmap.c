/* SPDX-License-Identifier: MIT */
#include "call/bitmap.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/guest_copy.h"

int bitmap_from_guest(unsigned long *map, unsigned int nbits, const struct xenctl_bitmap *b)
{
	u8 bytes[BITMAP_MAX_BITS / 8] = {0};
	unsigned int n = min(b->nr_bits, min(nbits, (unsigned int)BITMAP_MAX_BITS));

	memset(map, 0, BITS_TO_LONGS(nbits) * sizeof(*map));
	if (n && copy_from_guest(bytes, b->bitmap.p, DIV_ROUND_UP(n, 8)))
		return -XEN_EFAULT;
	for (unsigned int i = 0; i < n; i++)
		if (bytes[i / 8] >> (i % 8) & 1)
			set_bit(i, map);
	return 0;
}

int bitmap_to_guest(const struct xenctl_bitmap *b, const unsigned long *map, unsigned int nbits)
{
	u8 bytes[BITMAP_MAX_BITS / 8] = {0};
	unsigned int n = min(b->nr_bits, (unsigned int)BITMAP_MAX_BITS);

	for (unsigned int i = 0; i < min(n, nbits); i++)
		if (test_bit(i, map))
			bytes[i / 8] |= (u8)(1u << (i % 8));
	return n ? copy_to_guest(b->bitmap.p, bytes, DIV_ROUND_UP(n, 8)) : 0;
}
