/* SPDX-License-Identifier: MIT */
/*
 * A processor may run ahead on a check that will fail and use the value all the same ("Spectre", first
 * variant). These make a value harmless without a branch that could be guessed wrong. They do not
 * replace the check.
 */
#ifndef LIB_NOSPEC_H
#define LIB_NOSPEC_H

#include "lib/types.h"

#ifdef UNIT_TEST
/* A test that wants to know which numbers went through here has this. */
extern void nospec_seen(unsigned long i, unsigned long n) __attribute__((weak));
#define NOSPEC_SEEN(i, n)                      \
	do {                                   \
		if (nospec_seen)               \
			nospec_seen((i), (n)); \
	} while (0)
#else
#define NOSPEC_SEEN(i, n)
#endif

/* i when i < n, else 0, also in code that runs ahead of its check. n > 0. */
static inline unsigned long nospec_index(unsigned long i, unsigned long n)
{
	unsigned long mask;

	NOSPEC_SEEN(i, n);
	__asm__("cmp %2, %1\n\tsbb %0, %0" : "=r"(mask) : "r"(i), "rm"(n) : "cc");
	return i & mask;
}

/* v when differs is 0, else 0: for a check that is written as a difference, ahead of the branch on it. */
static inline unsigned long nospec_if_same(unsigned long v, unsigned long differs)
{
	unsigned long mask;

	__asm__("cmp $1, %1\n\tsbb %0, %0" : "=r"(mask) : "r"(differs) : "cc");
	return v & mask;
}

/* Nothing behind it begins before everything ahead of it has ended: after a check, where no index can help. */
static inline void nospec_barrier(void)
{
	__asm__ __volatile__("lfence" ::: "memory");
}

#endif
