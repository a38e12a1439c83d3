/* SPDX-License-Identifier: MIT */
#include "mm/guest_words.h"
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
	if (unlikely(!guest_range_ok(&src, n)) || unlikely(copy_raw(dst, src, n))) {
		memset(dst, 0, n);
		return -XEN_EFAULT;
	}
	return 0;
}

int copy_u32_from_guest(u32 *dst, const void *src)
{
	int rc = -XEN_EFAULT;
	u32 v = 0;

	if (likely(guest_range_ok(&src, sizeof(v)))) {
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

	if (unlikely(!guest_range_ok(&to, n)) || unlikely(copy_raw((void *)to, src, n)))
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
