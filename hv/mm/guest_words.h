/* SPDX-License-Identifier: MIT */
/*
 * Copies of a few words from and to a guest, in place: what guest_copy.h does, for the paths where a
 * call and a string instruction would be most of the work. nr is a constant above 0. Contracts are those
 * of copy_from_guest() and copy_to_guest().
 */
#ifndef MM_GUEST_WORDS_H
#define MM_GUEST_WORDS_H

#include "mm/guest_copy.h"

#ifdef UNIT_TEST
#define words_from_guest(dst, src, nr) copy_from_guest(dst, src, (nr)*8)
#define words_to_guest(dst, src, nr)   copy_to_guest(dst, src, (nr)*8)
#else
#include "cpu/extable.h"
#include "cpu/features.h"

static inline bool guest_words_ok(unsigned long a, size_t n)
{
	if (unlikely(a - (HV_VA_START - n + 1) < HV_VA_END - HV_VA_START + n - 1 || a + n < a))
		return false;
	return likely(!guest_has_self_map) || !guest_through_self_map(a, n);
}

/*
 * One load and one store a word. The guest's side is one of the two; a fault there ends the copy with
 * the error that rc has until all is done.
 */
static inline __attribute__((always_inline)) int copy_words(void *dst, const void *src,
							    unsigned int nr)
{
	int rc = -XEN_EFAULT;
	unsigned long w;

	if (hv_cr4 & CR4_SMAP)
		__asm__ __volatile__("stac" ::: "memory");
	__asm__ __volatile__(".set guest_at, 0\n\t"
			     ".rept %c4\n"
			     "1: movq guest_at(%2), %0\n"
			     "2: movq %0, guest_at(%3)\n\t" EX_TABLE("1b", "3f")
				     EX_TABLE("2b", "3f") ".set guest_at, guest_at + 8\n\t"
							  ".endr\n\t"
							  "xorl %1, %1\n"
							  "3:"
			     : "=&r"(w), "+&r"(rc)
			     : "r"(src), "r"(dst), "i"(nr)
			     : "memory", "cc");
	if (hv_cr4 & CR4_SMAP)
		__asm__ __volatile__("clac" ::: "memory");
	return rc;
}

static inline __attribute__((always_inline)) int words_from_guest(void *dst, const void *src,
								  unsigned int nr)
{
	if (unlikely(!guest_words_ok((unsigned long)src, nr * 8)) ||
	    unlikely(copy_words(dst, src, nr))) {
		memset(dst, 0, nr * 8);
		return -XEN_EFAULT;
	}
	return 0;
}

static inline __attribute__((always_inline)) int words_to_guest(void *dst, const void *src,
								unsigned int nr)
{
	if (unlikely(!guest_words_ok((unsigned long)dst, nr * 8)) ||
	    unlikely(copy_words(dst, src, nr)))
		return -XEN_EFAULT;
	return 0;
}
#endif
#endif
