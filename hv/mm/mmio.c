/* SPDX-License-Identifier: MIT */
#include "mm/mmio.h"
#include "mm/pgtable.h"
#include "lib/spinlock.h"
#include "cpu/cpu.h"

static unsigned long next_va = MMIO_VA;
static spinlock_t lock = SPINLOCK_INIT;

static void *map_range(paddr_t pa, size_t size, u64 flags)
{
	paddr_t first = pa & PAGE_MASK;
	size_t len = ROUND_UP((pa & ~PAGE_MASK) + size, PAGE_SIZE);
	unsigned long va;

	if (!size || len < size || pa + size < pa)
		return NULL;
	spin_lock(&lock);
	va = next_va;
	if (len > MMIO_VA_END - va) {
		spin_unlock(&lock);
		return NULL;
	}
	next_va += len;
	hv_map(va, first, len, flags, PAGE_SIZE);
	spin_unlock(&lock);
	return (void *)(va + (pa & ~PAGE_MASK));
}

volatile void *map_mmio(paddr_t pa, size_t size)
{
	return map_range(pa, size, PTE_HV | PTE_UC);
}

/* Entry 4 of the PAT, see HV_PAT. */
volatile void *map_mmio_wc(paddr_t pa, size_t size)
{
	return map_range(pa, size, PTE_HV | PTE_PAT);
}

const void *map_firmware(paddr_t pa, size_t size)
{
	return map_range(pa, size, PTE_HV_RO);
}

/* The window is only ever used forward, except for the most recent mapping: tables come and go in order. */
void unmap_firmware(const void *p, size_t size)
{
	unsigned long va = (unsigned long)p & PAGE_MASK;
	unsigned long end = ROUND_UP((unsigned long)p + size, PAGE_SIZE);

	spin_lock(&lock);
	for (unsigned long a = va; a < end; a += PAGE_SIZE) {
		*hv_l1e(a, false) = 0;
		invlpg(a);
	}
	if (end == next_va)
		next_va = va;
	spin_unlock(&lock);
}
