/* SPDX-License-Identifier: MIT */
#include "boot/dom0.h"
#include "lib/errno.h"
#include "mm/layout.h"

#define ALIGN_4M (4UL << 20)
#define SPARE	 (512UL << 10) /* free room behind the boot stack that the ABI promises */
#define MAX_SPAN (1UL << 30)

static unsigned long tables_for(u64 start, u64 end)
{
	unsigned long l1 = (end - 1) / (1UL << 21) - start / (1UL << 21) + 1;
	unsigned long l2 = (end - 1) / (1UL << 30) - start / (1UL << 30) + 1;
	unsigned long l3 = (end - 1) / (1UL << 39) - start / (1UL << 39) + 1;

	return l1 + l2 + l3;
}

/* The end of the mapping depends on the number of its tables, and the other way round. */
static void place_tables(struct dom0_layout *l)
{
	l->nr_pt = 0;
	for (;;) {
		unsigned long need;

		l->stack_va = l->pt_va + l->nr_pt * PAGE_SIZE;
		l->end = ROUND_UP(l->stack_va + PAGE_SIZE + SPARE, ALIGN_4M);
		need = tables_for(l->virt_base, l->end) + 1;
		if (need == l->nr_pt)
			return;
		l->nr_pt = need;
	}
}

static int place_kernel(struct dom0_layout *l, const struct elf_kernel *k)
{
	u64 off = k->has_paddr_offset ? k->paddr_offset : 0;

	l->virt_base = k->has_virt_base ? k->virt_base : 0;
	l->entry = k->has_entry ? k->entry : k->e_entry;
	if ((l->virt_base & (ALIGN_4M - 1)) || k->min_paddr < off || k->max_paddr - off > MAX_SPAN)
		return -XEN_EINVAL;
	l->kernel_end = ROUND_UP(l->virt_base + k->max_paddr - off, PAGE_SIZE);
	if (l->kernel_end <= l->virt_base || l->kernel_end > ~0ULL - MAX_SPAN)
		return l->kernel_end < l->virt_base ? -XEN_EINVAL : 0;
	return 0;
}

static void place_p2m(struct dom0_layout *l, const struct elf_kernel *k, unsigned long nr_pages)
{
	l->p2m_pages = DIV_ROUND_UP(nr_pages, PAGE_SIZE / sizeof(u64));
	if (!k->has_init_p2m)
		return;
	/* The root is shared with the initial mapping. */
	l->p2m_tables = tables_for(k->init_p2m, k->init_p2m + l->p2m_pages * PAGE_SIZE);
	l->p2m_va = k->init_p2m;
}

int dom0_layout(struct dom0_layout *l, const struct elf_kernel *k, unsigned long nr_pages,
		u64 initrd_bytes)
{
	u64 va;

	*l = (struct dom0_layout){0};
	if (place_kernel(l, k))
		return -XEN_EINVAL;
	place_p2m(l, k, nr_pages);
	l->initrd_pages = DIV_ROUND_UP(initrd_bytes, PAGE_SIZE);
	va = l->kernel_end;
	if (!k->mod_start_pfn && l->initrd_pages) {
		l->initrd_va = va;
		l->initrd_pfn = (va - l->virt_base) >> PAGE_SHIFT;
		va += l->initrd_pages * PAGE_SIZE;
	}
	if (!k->has_init_p2m) {
		l->p2m_va = va;
		l->p2m_pfn = (va - l->virt_base) >> PAGE_SHIFT;
		va += l->p2m_pages * PAGE_SIZE;
	}
	l->start_info_va = va;
	l->pt_va = va + PAGE_SIZE;
	place_tables(l);
	l->init_pfns = (l->end - l->virt_base) >> PAGE_SHIFT;
	va = l->init_pfns;
	if (k->mod_start_pfn && l->initrd_pages) {
		l->initrd_pfn = va;
		va += l->initrd_pages;
	}
	if (k->has_init_p2m) {
		l->p2m_pfn = va;
		va += l->p2m_pages + l->p2m_tables;
	}
	return va <= nr_pages ? 0 : -XEN_ENOMEM;
}
