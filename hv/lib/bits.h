/* SPDX-License-Identifier: MIT */
/* Bit maps in arrays of unsigned long, bit 0 lowest. The _atomic forms return the old value. */
#ifndef LIB_BITS_H
#define LIB_BITS_H

#include "lib/atomic.h"

#define BITS_PER_LONG	     64
#define BITS_TO_LONGS(n)     DIV_ROUND_UP(n, BITS_PER_LONG)
#define DECLARE_BITMAP(n, b) unsigned long n[BITS_TO_LONGS(b)]
#define BIT_WORD(nr)	     ((nr) / BITS_PER_LONG)
#define BIT_MASK(nr)	     (1UL << ((nr) % BITS_PER_LONG))

static inline bool test_bit(unsigned int nr, const unsigned long *m)
{
	return (READ_ONCE(m[BIT_WORD(nr)]) & BIT_MASK(nr)) != 0;
}

static inline void set_bit(unsigned int nr, unsigned long *m)
{
	/* analyze-ok uninitialized: gcc 12 does not see the = {0} of a map of one word. */
	m[BIT_WORD(nr)] |= BIT_MASK(nr);
}

static inline void clear_bit(unsigned int nr, unsigned long *m)
{
	m[BIT_WORD(nr)] &= ~BIT_MASK(nr);
}

/* One locked instruction each: the word may be a guest's, whose processors must not make us loop. */
static inline bool test_and_set_bit_atomic(unsigned int nr, unsigned long *m)
{
	bool old;

	__asm__ __volatile__("lock btsq %2, %0"
			     : "+m"(m[BIT_WORD(nr)]), "=@ccc"(old)
			     : "r"((unsigned long)nr % BITS_PER_LONG)
			     : "memory");
	return old;
}

static inline bool test_and_clear_bit_atomic(unsigned int nr, unsigned long *m)
{
	bool old;

	__asm__ __volatile__("lock btrq %2, %0"
			     : "+m"(m[BIT_WORD(nr)]), "=@ccc"(old)
			     : "r"((unsigned long)nr % BITS_PER_LONG)
			     : "memory");
	return old;
}

/* Index of the lowest set bit of a non-zero word. */
static inline unsigned int ffs_long(unsigned long w)
{
	return (unsigned int)__builtin_ctzl(w);
}

/* Index of the highest set bit of a non-zero word. */
static inline unsigned int fls_long(unsigned long w)
{
	return 63u - (unsigned int)__builtin_clzl(w);
}

/* First set bit at or after `from`; `size` when there is none. */
static inline unsigned int find_next_bit(const unsigned long *m, unsigned int size,
					 unsigned int from)
{
	while (from < size) {
		unsigned long w = READ_ONCE(m[BIT_WORD(from)]) >> (from % BITS_PER_LONG);

		if (w) {
			from += ffs_long(w);
			return from < size ? from : size;
		}
		from = (from / BITS_PER_LONG + 1) * BITS_PER_LONG;
	}
	return size;
}

static inline unsigned int find_first_bit(const unsigned long *m, unsigned int size)
{
	return find_next_bit(m, size, 0);
}

/* First clear bit at or after `from`; `size` when there is none. */
static inline unsigned int find_next_zero_bit(const unsigned long *m, unsigned int size,
					      unsigned int from)
{
	for (; from < size; from++)
		if (!test_bit(from, m))
			return from;
	return size;
}

#define for_each_set_bit(i, m, n) \
	for ((i) = find_first_bit(m, n); (i) < (n); (i) = find_next_bit(m, n, (i) + 1))

#endif
