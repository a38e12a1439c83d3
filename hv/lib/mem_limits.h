/* SPDX-License-Identifier: MIT */
/*
 * An amount of memory in words: dom0_mem=[min:<sz>,][max:<sz>,][<sz>] as Xen's documentation has it.
 * <sz> is <size>, <frac>% of what there is, or <size>+<frac>%; a minus sign before it means all but
 * that much. Pure.
 */
#ifndef LIB_MEM_LIMITS_H
#define LIB_MEM_LIMITS_H

#include "lib/types.h"

struct mem_amount {
	u64 bytes;
	unsigned int percent; /* at most 100 */
	bool negative, given;
};

struct mem_limits {
	struct mem_amount size, min, max;
};

/* 0 or -XEN_EINVAL with *r unchanged. What is named twice counts as written last. */
int mem_limits_parse(const char *s, struct mem_limits *r);
/* Pages; `given` must be set. Never more than ULONG_MAX / 2. */
unsigned long mem_amount_pages(const struct mem_amount *a, unsigned long avail);
/*
 * Pages to begin with, of `avail` pages: size, else fallback, within min and max. May exceed avail when
 * that was asked for.
 */
unsigned long mem_limits_pages(const struct mem_limits *r, unsigned long avail,
			       unsigned long fallback);

#endif
