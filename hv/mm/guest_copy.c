/* SPDX-License-Identifier: MIT */
#include "mm/guest_copy.h"
#include "cpu/extable.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "mm/pgtable.h"

/*
 * The hypervisor's half is the only part of the address space that a guest's page tables do not
 * rule; everything else faults or not as the guest has mapped it (CR0.WP is on).
 */
bool guest_has_self_map;

/*
 * Through a root that maps itself the guest's half shows tables as memory, ours among them, which only
 * the user bit keeps from the guest; we would read them.
 */
bool guest_through_self_map(unsigned long a, size_t n)
{
	mfn_t root = PFN_DOWN(read_cr3());
	const u64 *l4 = mfn_to_virt(root);

	return pte_mfn(l4[L4_INDEX(a)]) == root || pte_mfn(l4[L4_INDEX(a + n - 1)]) == root;
}

#define HALF_SHIFT 43
BUILD_BUG_ON(HV_VA_END - HV_VA_START != 1UL << HALF_SHIFT);
BUILD_BUG_ON(HV_VA_START &((1UL << HALF_SHIFT) - 1));

/*
 * True when n bytes at *p are the guest's own affair. *p is only then as it was: code that runs ahead of
 * a wrong guess about the answer finds all ones in place of an address of ours. What begins below our
 * half and reaches into it is not canonical, and faults.
 */
static inline bool range_ok(const void **p, size_t n)
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

/* 0, or non-zero when an access faulted. */
static size_t copy_raw(void *dst, const void *src, size_t n)
{
	size_t words = n / 8, tail = n % 8;

	if (hv_cr4 & CR4_SMAP)
		__asm__ __volatile__("stac" ::: "memory");
	__asm__ __volatile__("1: rep movsq\n\t"
			     "mov %3, %%rcx\n"
			     "2: rep movsb\n"
			     "3:\n\t"
			     ".pushsection .text.fixup, \"ax\"\n"
			     "4: mov $1, %%ecx\n\t"
			     "jmp 3b\n\t"
			     ".popsection\n\t" EX_TABLE("1b", "4b") EX_TABLE("2b", "4b")
			     : "+c"(words), "+D"(dst), "+S"(src)
			     : "r"(tail)
			     : "memory");
	if (hv_cr4 & CR4_SMAP)
		__asm__ __volatile__("clac" ::: "memory");
	return words;
}

int copy_from_guest(void *dst, const void *src, size_t n)
{
	if (unlikely(!range_ok(&src, n)) || unlikely(copy_raw(dst, src, n))) {
		memset(dst, 0, n);
		return -XEN_EFAULT;
	}
	return 0;
}

int copy_u32_from_guest(u32 *dst, const void *src)
{
	int rc = -XEN_EFAULT;
	u32 v = 0;

	if (likely(range_ok(&src, sizeof(v)))) {
		if (hv_cr4 & CR4_SMAP)
			__asm__ __volatile__("stac" ::: "memory");
		__asm__ __volatile__("1: movl %2, %0\n\t"
				     "xorl %1, %1\n"
				     "2:\n\t" EX_TABLE("1b", "2b")
				     : "+r"(v), "+r"(rc)
				     : "m"(*(const u32 *)src)
				     : "cc");
		if (hv_cr4 & CR4_SMAP)
			__asm__ __volatile__("clac" ::: "memory");
	}
	*dst = v;
	return rc;
}

int copy_to_guest(void *dst, const void *src, size_t n)
{
	const void *to = dst;

	if (unlikely(!range_ok(&to, n)) || unlikely(copy_raw((void *)to, src, n)))
		return -XEN_EFAULT;
	return 0;
}

int clear_guest(void *dst, size_t n)
{
	static const u64 zero[64];
	char *p = dst;

	while (n) {
		size_t step = min(n, sizeof(zero));

		if (copy_to_guest(p, zero, step))
			return -XEN_EFAULT;
		p += step;
		n -= step;
	}
	return 0;
}

int copy_string_from_guest(char *dst, const char *src, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (copy_from_guest(dst + i, src + i, 1))
			return -XEN_EFAULT;
		if (!dst[i])
			return 0;
	}
	memset(dst, 0, size);
	return -XEN_E2BIG;
}
