/* SPDX-License-Identifier: MIT */
/*
 * A few words from and to a guest, in place: what guest_copy.h does, for the paths where a call and
 * a string instruction would be most of the work. Between begin and end, which bound the range once,
 * words are read into variables or written one by one, each once; a fault goes to a label, behind which
 * guest_words_fault() takes the place of the end and makes the error.
 */
#ifndef MM_GUEST_WORDS_H
#define MM_GUEST_WORDS_H

#include "mm/guest_copy.h"

#ifdef UNIT_TEST
#define guest_words_begin(p, nr) true
#define guest_words_end()
#define guest_words_fault() (-XEN_EFAULT)
#define guest_read(var, p, fault)                  \
	do {                                       \
		if (copy_from_guest(&(var), p, 8)) \
			goto fault;                \
	} while (0)
#define guest_write(p, val, fault)                         \
	do {                                               \
		u64 val_ = (val);                          \
		if (copy_to_guest(p, &val_, sizeof(val_))) \
			goto fault;                        \
	} while (0)
#else
#include "cpu/extable.h"
#include "cpu/features.h"

#define HALF_SHIFT 43
BUILD_BUG_ON(HV_VA_END - HV_VA_START != 1UL << HALF_SHIFT);
BUILD_BUG_ON(HV_VA_START &((1UL << HALF_SHIFT) - 1));

/*
 * True when n bytes at *p are the guest's own affair. *p is only then as it was: code that runs ahead of
 * a wrong guess about the answer finds all ones in place of an address of ours. What begins below our
 * half and reaches into it is not canonical, and faults.
 */
static inline bool guest_range_ok(const void **p, size_t n)
{
	unsigned long a = (unsigned long)*p, end = a + n, ours;

	if (unlikely(end < a))
		return false;
	__asm__("cmp $1, %1\n\tsbb %0, %0"
		: "=r"(ours)
		: "r"((a ^ HV_VA_START) >> HALF_SHIFT)
		: "cc");
	*p = (const void *)(a | ours);
	/* From here on the compiler knows nothing about *p, not even what the test below shows. */
	__asm__("" : "+r"(*p));
	if (unlikely(ours))
		return false;
	return likely(!guest_has_self_map) || !n || !guest_through_self_map(a, n);
}

/*
 * False when nr (> 0) words at p, a variable, are not all the guest's to name; p is clamped as above.
 */
#define guest_words_begin(p, nr)                                   \
	({                                                         \
		const void *at_ = (p);                             \
		bool ok_ = guest_range_ok(&at_, (nr)*8UL);         \
                                                                   \
		(p) = (__typeof__(p))(unsigned long)at_;           \
		if (likely(ok_) && (hv_cr4 & CR4_SMAP))            \
			__asm__ __volatile__("stac" ::: "memory"); \
		ok_;                                               \
	})

static inline void guest_words_end(void)
{
	if (hv_cr4 & CR4_SMAP)
		__asm__ __volatile__("clac" ::: "memory");
}

static inline int guest_words_fault(void)
{
	guest_words_end();
	return -XEN_EFAULT;
}

/*
 * Into a scalar of its own, and volatile: GCC 12 does not get it right for parts of structures, nor
 * without (its bug 113921).
 */
#define guest_read(var, p, fault)                                                    \
	do {                                                                         \
		u64 word_;                                                           \
		__asm__ __volatile__ goto("1: movq %1, %0\n\t" EX_TABLE("1b", "%l2") \
					  : "=r"(word_)                              \
					  : "m"(*(const u64 *)(p))                   \
					  :                                          \
					  : fault);                                  \
		(var) = word_;                                                       \
	} while (0)
#define guest_write(p, val, fault)                                           \
	__asm__ __volatile__ goto("1: movq %1, %0\n\t" EX_TABLE("1b", "%l2") \
				  :                                          \
				  : "m"(*(u64 *)(p)), "r"((u64)(val))        \
				  : "memory"                                 \
				  : fault)
#endif

#endif
