/* SPDX-License-Identifier: MIT */
#include "mm/setup.h"
#include "mm/buddy.h"
#include "mm/heap.h"
#include "mm/m2p.h"
#include "mm/pgtable.h"
#include "mm/tlb.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "cpu/percpu.h"
#include "lib/log.h"
#include "lib/string.h"
#include <xen/xen.h>

/* Not global: it must be gone from the TLB in a guest's user mode, whose roots do not have it. */
#define PTE_M2P ((PTE_HV_RO & ~PTE_G) | PTE_US)
#define LOW_RAM (1UL << 20)

extern u64 boot_l3[512], boot_l2[4 * 512], image_l2[512];
extern const char _hv_start[], _text_end[], _rodata_end[], _hv_end[];

static struct mem_plan plan;
static u64 pool_next, pool_end;
static mfn_t zero_frame;
static unsigned long released;

static mfn_t pool_page(void)
{
	u64 pa = pool_next;

	if (pa >= pool_end) {
		/* The estimate did not reach; single pages will do. */
		pa = mem_plan_carve(&plan, PAGE_SIZE, PAGE_SIZE, BOOT_MAPPED);
		if (!pa)
			panic("no memory below 4 GiB for page tables");
		return PFN_DOWN(pa);
	}
	pool_next += PAGE_SIZE;
	return PFN_DOWN(pa);
}

static mfn_t heap_page(void)
{
	void *p = hv_alloc_pages(0);

	if (!p)
		panic("no memory for the hypervisor's page tables");
	return virt_to_mfn(p);
}

static void make_pool(void)
{
	u64 bytes = ROUND_UP(plan.pagetable_bytes, PAGE_SIZE);

	pool_next = mem_plan_carve(&plan, bytes, PAGE_SIZE, BOOT_MAPPED);
	if (!pool_next)
		panic("no memory below 4 GiB for page tables");
	pool_end = pool_next + bytes;
	pgtable_page_hook = pool_page;
}

/* Below 4 GiB the boot tables stay; above, RAM is added. */
static void map_ram(void)
{
	unsigned long largest = plan.huge_pages ? HUGE_PAGE : LARGE_PAGE;

	for (unsigned int i = 1; i < 2048; i++) {
		u64 start = i * LARGE_PAGE;

		if (mem_plan_has_ram(&plan, start, start + LARGE_PAGE))
			boot_l2[i] = start | PTE_HV | PTE_PSE;
	}
	for (unsigned int i = 0; i < plan.nr_ram; i++) {
		u64 start = max(plan.ram[i].start, BOOT_MAPPED), end = plan.ram[i].end;

		if (start < end)
			hv_map(DIRECTMAP_VA + start, start, end - start, PTE_HV, largest);
	}
}

static u64 carve(u64 bytes)
{
	u64 pa = mem_plan_carve(&plan, bytes, bytes, 0);

	if (!pa)
		panic("no memory for the frame tables");
	return pa;
}

/* Backs [va + off, +size) of a table and fills it; RAM must be mapped. */
static void back(unsigned long va, unsigned long alias, u64 size, int fill)
{
	u64 pa = carve(size);

	memset(paddr_to_virt(pa), fill, size);
	hv_map(va, pa, size, PTE_HV, size);
	if (alias)
		hv_map(alias, pa, size, PTE_M2P, size);
}

static void back_page(unsigned long va, unsigned long alias, unsigned int entry, u64 off, int fill)
{
	switch (mem_plan_backing(&plan, entry, off, PAGE_SIZE)) {
	case PLAN_OWN:
		back(va + off, alias ? alias + off : 0, PAGE_SIZE, fill);
		break;
	case PLAN_SHARED:
		hv_map(va + off, zero_frame << PAGE_SHIFT, PAGE_SIZE, PTE_HV_RO, PAGE_SIZE);
		if (alias)
			hv_map(alias + off, zero_frame << PAGE_SHIFT, PAGE_SIZE, PTE_M2P,
			       PAGE_SIZE);
		break;
	default:
		break;
	}
}

static void back_table(unsigned long va, unsigned long alias, unsigned int entry, int fill)
{
	u64 span = mem_plan_table_span(&plan, entry);

	for (u64 off = 0; off < span; off += LARGE_PAGE) {
		enum plan_backing b = mem_plan_backing(&plan, entry, off, LARGE_PAGE);

		if (b == PLAN_OWN) {
			back(va + off, alias ? alias + off : 0, LARGE_PAGE, fill);
			continue;
		}
		if (b == PLAN_NONE)
			continue;
		for (u64 o = off; o < off + LARGE_PAGE; o += PAGE_SIZE)
			back_page(va, alias, entry, o, fill);
	}
}

/*
 * Nearly every PC has no RAM somewhere below 4 GiB. The frame table is backed there too, by the page of
 * zeroes: then nearly all frame numbers have an entry, and need no look at the sections.
 */
static void back_hole(void)
{
	u64 end = min(max_mfn, PFN_DOWN(BOOT_MAPPED)) * sizeof(struct frame);
	unsigned long s = 0;

	for (u64 off = 0; off < end; off += PAGE_SIZE)
		if (mem_plan_backing(&plan, sizeof(struct frame), off, PAGE_SIZE) == PLAN_NONE)
			hv_map(FRAMETABLE_VA + off, zero_frame << PAGE_SHIFT, PAGE_SIZE, PTE_HV_RO,
			       PAGE_SIZE);
	while (s << SECTION_SHIFT < max_mfn && (s < PFN_DOWN(BOOT_MAPPED) >> SECTION_SHIFT ||
						test_bit((unsigned int)s, frame_sections)))
		s++;
	frames_whole = min(max_mfn, s << SECTION_SHIFT);
}

static void init_frames(void)
{
	struct mem_range r;

	for (unsigned int i = 0; i < plan.nr_ram; i++) {
		mfn_t end = plan.ram[i].end >> PAGE_SHIFT;

		for (mfn_t m = max(plan.ram[i].start, LOW_RAM) >> PAGE_SHIFT; m < end; m++) {
			struct frame *f = mfn_to_frame(m);

			f->state = FS_RESERVED;
			f->owner = DOMID_INVALID;
		}
	}
	for (u64 from = 0; mem_plan_next_free(&plan, from, &r); from = r.end)
		buddy_add_range(PFN_DOWN(r.start), PFN_DOWN(r.end - r.start));
}

/* Guests with the right to (DOMID_XEN) may map the machine-to-physical table. */
static void publish_m2p(void)
{
	u64 span = mem_plan_table_span(&plan, M2P_ENTRY);

	for (u64 off = 0; off < span; off += PAGE_SIZE) {
		struct frame *f;

		if (mem_plan_backing(&plan, M2P_ENTRY, off, PAGE_SIZE) != PLAN_OWN)
			continue;
		f = mfn_to_frame(PFN_DOWN(hv_virt_to_phys((void *)(M2P_VA + off))));
		f->state = FS_USED;
		f->owner = DOMID_XEN;
		f->refs = FR_ALLOCATED | FR_XENHEAP | 1;
		f->type = FT_NONE | 1;
	}
}

void mm_setup(const struct mem_range *ram, unsigned int nr_ram, const struct mem_range *reserved,
	      unsigned int nr_reserved)
{
	int rc;

	pte_nx = cpu_features.nx ? PTE_NX : 0;
	rc = mem_plan_build(&plan, ram, nr_ram, reserved, nr_reserved, frame_sections,
			    cpu_features.page1g);
	if (rc)
		panic("the loader's memory map is of no use (%d)", rc);
	max_mfn = plan.max_mfn;
	if (plan.lost_bytes)
		pr_warn("%lu MiB of RAM lie too high to be used\n", plan.lost_bytes >> 20);
	make_pool();
	map_ram();
	tlb_flush_global_local();
	zero_frame = pool_page();
	memset(mfn_to_virt(zero_frame), 0, PAGE_SIZE);
	back_table(FRAMETABLE_VA, 0, sizeof(struct frame), 0);
	back_hole();
	back_table(M2P_VA, M2P_RO_VA, M2P_ENTRY, 0xff);
	init_frames();
	publish_m2p();
	pgtable_page_hook = heap_page;
}

void mm_release(paddr_t start, paddr_t end)
{
	mfn_t first = PFN_UP(start), last = PFN_DOWN(end);

	if (first >= last)
		return;
	buddy_add_range(first, last - first);
	released += last - first;
}

static u64 image_flags(unsigned long va)
{
	if (va < (unsigned long)_text_end)
		return PTE_HV_RX;
	return va < (unsigned long)_rodata_end ? PTE_HV_RO : PTE_HV;
}

void mm_protect_image(void)
{
	unsigned long end = ROUND_UP((unsigned long)_hv_end, LARGE_PAGE);

	for (unsigned long va = HV_IMAGE_VA; va < end; va += LARGE_PAGE) {
		paddr_t pa = hv_virt_to_phys((void *)va);
		u64 *l1 = hv_alloc_pages(0);

		if (!l1)
			panic("no memory for the image's page table");
		for (unsigned int i = 0; i < 512; i++)
			l1[i] = va + i * PAGE_SIZE < (unsigned long)_hv_end
					? (pa + i * PAGE_SIZE) | image_flags(va + i * PAGE_SIZE)
					: 0;
		image_l2[L2_INDEX(va)] = make_pte(virt_to_mfn(l1), PTE_TABLE);
	}
	for (unsigned int i = L2_INDEX(end); i < 8; i++)
		image_l2[i] = 0;
	tlb_flush_global_local();
}

void mm_drop_boot_maps(void)
{
	idle_l4[0] = 0;
	for (unsigned int i = 1; i < 2048; i++)
		if (!mem_plan_has_ram(&plan, i * LARGE_PAGE, (i + 1) * LARGE_PAGE))
			boot_l2[i] = 0;
	tlb_flush_global_local();
	/* The other CPUs have no global entries of these, and sleep: they flush before they go on. */
	tlb_flush_cpus(cpu_online_map, TLB_ALL);
}

unsigned long mm_total_frames(void)
{
	return plan.ram_bytes >> PAGE_SHIFT;
}

unsigned long mm_hv_frames(void)
{
	return (mem_plan_overhead(&plan) >> PAGE_SHIFT) + heap_frames() +
	       PFN_UP((unsigned long)(_hv_end - _hv_start));
}
