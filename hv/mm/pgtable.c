/* SPDX-License-Identifier: MIT */
#include "mm/pgtable.h"
#include "lib/log.h"
#include "lib/string.h"

unsigned long pte_nx;
mfn_t (*pgtable_page_hook)(void);

static u64 *table_of(u64 *entry, bool us)
{
	mfn_t mfn;

	if (*entry & PTE_P) {
		ASSERT(!(*entry & PTE_PSE));
		return mfn_to_virt(pte_mfn(*entry));
	}
	mfn = pgtable_page_hook();
	memset(mfn_to_virt(mfn), 0, PAGE_SIZE);
	*entry = make_pte(mfn, PTE_TABLE | (us ? PTE_US : 0));
	return mfn_to_virt(mfn);
}

static u64 *l2e_of(unsigned long va, bool us)
{
	u64 *l3 = table_of(&idle_l4[L4_INDEX(va)], us);

	return &((u64 *)table_of(&l3[L3_INDEX(va)], us))[L2_INDEX(va)];
}

u64 *hv_l1e(unsigned long va, bool us)
{
	return &((u64 *)table_of(l2e_of(va, us), us))[L1_INDEX(va)];
}

static bool fits(unsigned long va, paddr_t pa, unsigned long size, unsigned long page,
		 unsigned long max_page)
{
	return page <= max_page && size >= page && !((va | pa) & (page - 1));
}

void hv_map(unsigned long va, paddr_t pa, unsigned long size, u64 flags, unsigned long max_page)
{
	bool us = flags & PTE_US;
	unsigned long step;

	for (; size; va += step, pa += step, size -= step) {
		if (fits(va, pa, size, 1UL << 30, max_page)) {
			u64 *l3 = table_of(&idle_l4[L4_INDEX(va)], us);

			step = 1UL << 30;
			l3[L3_INDEX(va)] = pa | flags | PTE_PSE;
		} else if (fits(va, pa, size, 1UL << 21, max_page)) {
			step = 1UL << 21;
			*l2e_of(va, us) = pa | flags | PTE_PSE;
		} else {
			step = PAGE_SIZE;
			*hv_l1e(va, us) = pa | flags;
		}
	}
}

paddr_t hv_virt_to_phys(const void *p)
{
	unsigned long va = (unsigned long)p;
	u64 *l3 = mfn_to_virt(pte_mfn(idle_l4[L4_INDEX(va)])), e = l3[L3_INDEX(va)];

	if (e & PTE_PSE)
		return (e & PTE_MFN_MASK & ~((1UL << 30) - 1)) | (va & ((1UL << 30) - 1));
	e = ((u64 *)mfn_to_virt(pte_mfn(e)))[L2_INDEX(va)];
	if (e & PTE_PSE)
		return (e & PTE_MFN_MASK & ~((1UL << 21) - 1)) | (va & ((1UL << 21) - 1));
	e = ((u64 *)mfn_to_virt(pte_mfn(e)))[L1_INDEX(va)];
	return (e & PTE_MFN_MASK) | (va & ~PAGE_MASK);
}
