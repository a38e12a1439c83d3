/* SPDX-License-Identifier: MIT */
/*
 * Page-table entries (SDM vol. 3, 4.5) and the hypervisor's own mappings, which live under idle_l4
 * and whose L4 entries are copied into every guest's root.
 */
#ifndef MM_PGTABLE_H
#define MM_PGTABLE_H

#include "lib/types.h"
#include "mm/layout.h"

#define PTE_P	     0x001UL
#define PTE_RW	     0x002UL
#define PTE_US	     0x004UL
#define PTE_PWT	     0x008UL
#define PTE_PCD	     0x010UL
#define PTE_A	     0x020UL
#define PTE_D	     0x040UL
#define PTE_PSE	     0x080UL /* L2, L3 */
#define PTE_PAT	     0x080UL /* L1 */
#define PTE_G	     0x100UL
#define PTE_AVAIL    0xe00UL
#define PTE_NX	     (1UL << 63)
#define PTE_MFN_MASK 0x000ffffffffff000UL

#define PTE_HV	  (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_G | pte_nx)
#define PTE_HV_RO (PTE_P | PTE_A | PTE_D | PTE_G | pte_nx)
#define PTE_HV_RX (PTE_P | PTE_A | PTE_D | PTE_G)
#define PTE_UC	  (PTE_PCD | PTE_PWT)
#define PTE_TABLE (PTE_P | PTE_RW | PTE_A | PTE_D)

#define L1_INDEX(va) (((unsigned long)(va) >> 12) & 511)
#define L2_INDEX(va) (((unsigned long)(va) >> 21) & 511)
#define L3_INDEX(va) (((unsigned long)(va) >> 30) & 511)
#define L4_INDEX(va) (((unsigned long)(va) >> 39) & 511)

extern u64 idle_l4[512];
extern unsigned long pte_nx; /* PTE_NX when the processor has it, else 0 */

static inline mfn_t pte_mfn(u64 e)
{
	return (e & PTE_MFN_MASK) >> PAGE_SHIFT;
}

static inline u64 make_pte(mfn_t mfn, u64 flags)
{
	return (u64)mfn << PAGE_SHIFT | flags;
}

/*
 * Most entries of most tables are empty, so they are looked at 32 at a time. The index of the first present
 * entry at or after i, 512 when there is none; the index of the last one of [low, n), plus 1, or low, which
 * is a multiple of 32.
 */
static inline u64 pte_or16(const u64 *t)
{
	return t[0] | t[1] | t[2] | t[3] | t[4] | t[5] | t[6] | t[7] | t[8] | t[9] | t[10] | t[11] |
	       t[12] | t[13] | t[14] | t[15];
}

/* The first, and the last, of which it is known that they are there. */
static inline const u64 *pte_first(const u64 *t)
{
	while (!(*t & PTE_P))
		t++;
	return t;
}

static inline const u64 *pte_last(const u64 *t)
{
	while (!(*t & PTE_P))
		t--;
	return t;
}

static inline __attribute__((always_inline)) unsigned int pte_next(const u64 *tbl, unsigned int i)
{
	const u64 *t = tbl + i;

	for (; i % 16; i++, t++)
		if (*t & PTE_P)
			return i;
	if (i % 32) {
		if (pte_or16(t) & PTE_P)
			return (unsigned int)(pte_first(t) - tbl);
		t += 16;
	}
	for (; t != tbl + 512; t += 32) {
		u64 left = pte_or16(t), right = pte_or16(t + 16);

		if ((left | right) & PTE_P)
			return (unsigned int)(pte_first(left & PTE_P ? t : t + 16) - tbl);
	}
	return 512;
}

static inline __attribute__((always_inline)) unsigned int pte_below(const u64 *tbl, unsigned int n,
								    unsigned int low)
{
	const u64 *t = tbl + n;

	for (; n % 16; n--, t--)
		if (t[-1] & PTE_P)
			return n;
	if (n % 32) {
		if (pte_or16(t - 16) & PTE_P)
			return (unsigned int)(pte_last(t - 1) - tbl) + 1;
		t -= 16;
	}
	for (; t > tbl + low; t -= 32) {
		u64 left = pte_or16(t - 32), right = pte_or16(t - 16);

		if ((left | right) & PTE_P)
			return (unsigned int)(pte_last(right & PTE_P ? t - 1 : t - 17) - tbl) + 1;
	}
	return low;
}

/* Where pages for our own tables come from: the boot carve-out first, the buddy allocator later. */
extern mfn_t (*pgtable_page_hook)(void);
/*
 * Maps [va, va + size) to pa in idle_l4 with the largest pages that fit and `max_page` allows
 * (PAGE_SIZE, 2 MiB, 1 GiB); upper levels get PTE_US when flags have it. Panics without memory.
 */
void hv_map(unsigned long va, paddr_t pa, unsigned long size, u64 flags, unsigned long max_page);
/* The L1 entry of va, tables made when missing; 4 KiB mappings only. */
u64 *hv_l1e(unsigned long va, bool us);
/* Physical address of a mapped hypervisor address. */
paddr_t hv_virt_to_phys(const void *va);

#endif
