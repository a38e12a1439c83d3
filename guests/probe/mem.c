/* SPDX-License-Identifier: MIT */
/*
 * Memory: the initial mapping stays as it is; all other frames up to DM_PAGES get one writable mapping
 * at DM_BASE, so that a test knows all the mappings that there are of a page.
 */
#include "hypercall.h"

#define POOL (DM_PAGES / 512 + 8)

unsigned long *p2m;
unsigned long nr_pages, init_pfns, dm_end;
static u64 root;
static char pool[POOL][PAGE_SIZE] __attribute__((aligned(4096)));
static unsigned int pool_used;
static u32 next_free[DM_PAGES];
static u32 free_head;
static unsigned long bump;
static bool win_used[WIN_PAGES];

static unsigned int idx(u64 va, int level)
{
	return va >> (12 + 9 * (level - 1)) & 511;
}

u64 va_pfn(const void *va)
{
	u64 a = (u64)va;

	return (a >= VIRT_BASE ? a - VIRT_BASE : a - DM_BASE) >> 12;
}

u64 va_mfn(const void *va)
{
	return p2m[va_pfn(va)];
}

void *mfn_va(u64 mfn)
{
	u64 pfn = mfn_pfn(mfn);

	return (void *)((pfn < init_pfns ? VIRT_BASE : DM_BASE) + (pfn << 12));
}

u64 root_mfn(void)
{
	return root;
}

u64 pte_get(u64 va, int level, u64 *ma)
{
	u64 mfn = root, e = 0;

	for (int l = 4; l >= level; l--) {
		u64 *table = mfn_va(mfn);

		e = table[idx(va, l)];
		if (ma)
			*ma = (mfn << 12) + idx(va, l) * 8;
		if (!(e & PTE_P))
			return 0;
		mfn = (e & PTE_ADDR) >> 12;
	}
	return e;
}

long page_set(const void *va, u64 pte)
{
	return update_va_mapping(va, pte, UVMF_INVLPG);
}

long page_ro(void *page)
{
	return page_set(page, mk_pte(va_mfn(page), PTE_RO));
}

long page_rw(void *page)
{
	return page_set(page, mk_pte(va_mfn(page), PTE_KERNEL));
}

long pt_write(u64 ma, u64 val)
{
	struct mmu_update u = {.ptr = ma | MMU_NORMAL_PT_UPDATE, .val = val};

	return mmu_update(&u, 1, NULL, DOMID_SELF);
}

long pin(int level, u64 mfn)
{
	return mmuext(MMUEXT_PIN_L1_TABLE + level - 1, mfn, 0);
}

long unpin(u64 mfn)
{
	return mmuext(MMUEXT_UNPIN_TABLE, mfn, 0);
}

void tlb_flush(void)
{
	mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
}

static u64 *pool_table(void)
{
	return (u64 *)pool[pool_used++];
}

static void fatal(const char *what, long rc)
{
	struct sched_shutdown off = {.reason = SHUTDOWN_crash};

	printf("probe: PANIC: %s: %ld\n", what, rc);
	sched_op(SCHEDOP_shutdown, &off);
}

static u64 table_entry(u64 *table)
{
	long rc = page_ro(table);

	if (rc)
		fatal("a page of the pool cannot be made read-only", rc);
	return mk_pte(va_mfn(table), PTE_TABLE);
}

static void find_end_of_mapping(void)
{
	u64 va = VIRT_BASE;

	/* While it is not known, every frame is taken to be part of it. */
	init_pfns = ~0UL;
	while (va && pte_get(va, 1, NULL))
		va += PAGE_SIZE;
	init_pfns = (va - VIRT_BASE) >> 12;
}

static void make_direct_map(void)
{
	u64 *l3 = pool_table(), *l2 = pool_table();
	long rc;

	for (unsigned long first = init_pfns & ~511UL; first < dm_end; first += 512) {
		u64 *l1 = pool_table();

		for (unsigned long pfn = first; pfn < first + 512; pfn++)
			if (pfn >= init_pfns && pfn < dm_end)
				l1[pfn & 511] = mk_pte(p2m[pfn], PTE_KERNEL);
		l2[first >> 9] = table_entry(l1);
	}
	l3[0] = table_entry(l2);
	rc = pt_write((root << 12) + idx(DM_BASE, 4) * 8, table_entry(l3));
	if (rc)
		fatal("the direct map is refused", rc);
}

static void make_window(void)
{
	u64 *l3 = pool_table(), *l2 = pool_table(), *l1 = pool_table();
	long rc;

	l2[0] = table_entry(l1);
	l3[0] = table_entry(l2);
	rc = pt_write((root << 12) + idx(WIN_BASE, 4) * 8, table_entry(l3));
	if (rc)
		fatal("the window is refused", rc);
}

void mem_init(void)
{
	p2m = (unsigned long *)start_info->mfn_list;
	nr_pages = start_info->nr_pages;
	root = p2m[(start_info->pt_base - VIRT_BASE) >> 12];
	find_end_of_mapping();
	dm_end = nr_pages < DM_PAGES ? nr_pages : DM_PAGES;
	bump = init_pfns;
	make_direct_map();
	make_window();
}

void mem_adopt(unsigned long *list, u64 root_of_tables, unsigned long image_end,
	       unsigned long heap_end, unsigned long end)
{
	p2m = list;
	root = root_of_tables;
	init_pfns = bump = image_end;
	dm_end = heap_end;
	nr_pages = end;
	free_head = 0;
	memset(win_used, 0, sizeof(win_used));
}

void *page_alloc(void)
{
	unsigned long pfn;

	if (free_head) {
		pfn = free_head;
		free_head = next_free[pfn];
	} else if (bump < dm_end) {
		pfn = bump++;
	} else {
		return NULL;
	}
	return memset((void *)(DM_BASE + (pfn << 12)), 0, PAGE_SIZE);
}

void page_free(void *page)
{
	u64 e = pte_get((u64)page, 1, NULL);
	long rc = 0;

	if ((e & (PTE_P | PTE_RW)) != (PTE_P | PTE_RW) || (e & PTE_ADDR) >> 12 != va_mfn(page))
		rc = page_rw(page);
	if (rc) {
		outcome_set(FAILURE, __FILE__, __LINE__, "page %lx (mfn %lx) stays read-only: %ld",
			    va_pfn(page), va_mfn(page), rc);
		return;
	}
	next_free[va_pfn(page)] = free_head;
	free_head = (u32)va_pfn(page);
}

void *win(unsigned int i)
{
	return (void *)(WIN_BASE + i * PAGE_SIZE);
}

long win_map(unsigned int i, u64 pte)
{
	win_used[i] = true;
	return page_set(win(i), pte);
}

void win_clear(void)
{
	for (unsigned int i = 0; i < WIN_PAGES; i++)
		if (win_used[i]) {
			page_set(win(i), 0);
			win_used[i] = false;
		}
}

static void read_byte(void *va)
{
	(void)*(volatile u8 *)va;
}

static void write_byte(void *va)
{
	*(volatile u8 *)va = 0xa5;
}

int try_read(const void *va)
{
	return catch_trap(read_byte, (void *)(u64)va);
}

int try_write(void *va)
{
	return catch_trap(write_byte, va);
}

struct store {
	u64 *va, val;
};

static void write_word(void *arg)
{
	struct store *s = arg;

	*(volatile u64 *)s->va = s->val;
}

int try_write64(void *va, u64 val)
{
	struct store s = {va, val};

	return catch_trap(write_word, &s);
}
