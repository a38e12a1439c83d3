/* SPDX-License-Identifier: MIT */
#include "mm/plan.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"

#define SECTION_BYTES (1ULL << (SECTION_SHIFT + PAGE_SHIFT))
#define TABLE_SLOT(l) (1ULL << (PAGE_SHIFT + 9 * (l))) /* address space of one level-l table */

/* Inserts [start, end) into sorted, disjoint ranges and joins what touches. False when full. */
static bool insert(struct mem_range *r, unsigned int *nr, unsigned int most, u64 start, u64 end)
{
	unsigned int first = 0, last;

	while (first < *nr && r[first].end < start)
		first++;
	for (last = first; last < *nr && r[last].start <= end; last++) {
		start = min(start, r[last].start);
		end = max(end, r[last].end);
	}
	if (last == first) {
		if (*nr == most)
			return false;
		memmove(&r[first + 1], &r[first], (*nr - first) * sizeof(*r));
		(*nr)++;
	} else {
		memmove(&r[first + 1], &r[last], (*nr - last) * sizeof(*r));
		*nr -= last - first - 1;
	}
	r[first] = (struct mem_range){start, end};
	return true;
}

/* Whole pages only, and only what the direct map reaches. */
static void trim_ram(struct mem_plan *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->nr_ram; i++) {
		u64 start = p->ram[i].start, end = ROUND_DOWN(p->ram[i].end, PAGE_SIZE);

		if (end <= start ||
		    end - start < PAGE_SIZE) /* keeps the rounding up from wrapping */
			continue;
		start = ROUND_UP(start, PAGE_SIZE);
		if (end > DIRECTMAP_MAX) {
			p->lost_bytes += end - max(start, (u64)DIRECTMAP_MAX);
			end = DIRECTMAP_MAX;
		}
		if (start >= end)
			continue;
		p->ram[n++] = (struct mem_range){start, end};
		p->ram_bytes += end - start;
	}
	p->nr_ram = n;
}

static void mark_sections(struct mem_plan *p)
{
	memset(p->sections, 0, MAX_SECTIONS / 8);
	for (unsigned int i = 0; i < p->nr_ram; i++)
		for (u64 s = p->ram[i].start / SECTION_BYTES;
		     s <= (p->ram[i].end - 1) / SECTION_BYTES; s++)
			set_bit((unsigned int)s, p->sections);
}

bool mem_plan_has_ram(const struct mem_plan *p, u64 start, u64 end)
{
	unsigned int lo = 0, hi = p->nr_ram;

	while (lo < hi) { /* the first range that ends after start */
		unsigned int mid = (lo + hi) / 2;

		if (p->ram[mid].end <= start)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->nr_ram && p->ram[lo].start < end;
}

/* Whether the range that holds start goes on to end. */
static bool all_ram(const struct mem_plan *p, u64 start, u64 end)
{
	for (unsigned int i = 0; i < p->nr_ram; i++)
		if (p->ram[i].start <= start && p->ram[i].end >= end)
			return true;
	return false;
}

static bool has_section(const struct mem_plan *p, u64 first_frame, u64 last_frame)
{
	u64 last = min(last_frame >> SECTION_SHIFT, (u64)MAX_SECTIONS - 1);

	for (u64 s = first_frame >> SECTION_SHIFT; s <= last; s++)
		if (test_bit((unsigned int)s, p->sections))
			return true;
	return false;
}

static enum plan_backing page_backing(const struct mem_plan *p, unsigned int entry, u64 offset)
{
	u64 first = offset / entry, last = (offset + PAGE_SIZE - 1) / entry;

	if (!has_section(p, first, last))
		return PLAN_NONE;
	return mem_plan_has_ram(p, first << PAGE_SHIFT, (last + 1) << PAGE_SHIFT) ? PLAN_OWN
										  : PLAN_SHARED;
}

enum plan_backing mem_plan_backing(const struct mem_plan *p, unsigned int entry, u64 offset,
				   u64 size)
{
	u64 first = offset / entry, last = (offset + size - 1) / entry;

	if (size == PAGE_SIZE)
		return page_backing(p, entry, offset);
	if (!has_section(p, first, last))
		return PLAN_NONE;
	if (all_ram(p, first << PAGE_SHIFT, (last + 1) << PAGE_SHIFT))
		return PLAN_OWN;
	for (u64 o = offset; o < offset + size; o += PAGE_SIZE)
		if (page_backing(p, entry, o) != PLAN_OWN)
			return PLAN_MIXED;
	return PLAN_OWN;
}

u64 mem_plan_table_span(const struct mem_plan *p, unsigned int entry)
{
	return ROUND_UP((u64)p->max_mfn * entry, LARGE_PAGE);
}

static u64 slot_bytes(const struct mem_plan *p, unsigned int entry, u64 offset)
{
	enum plan_backing b = mem_plan_backing(p, entry, offset, LARGE_PAGE);
	u64 bytes = 0;

	if (b != PLAN_MIXED)
		return b == PLAN_OWN ? LARGE_PAGE : 0;
	for (u64 o = offset; o < offset + LARGE_PAGE; o += PAGE_SIZE)
		if (page_backing(p, entry, o) == PLAN_OWN)
			bytes += PAGE_SIZE;
	return bytes;
}

/* Bytes that back a table; adds to *tables the page tables that map it, level by level. */
static u64 table_bytes(const struct mem_plan *p, unsigned int entry, u64 *tables)
{
	u64 bytes = 0, l2 = ~0ULL, l3 = ~0ULL, span = mem_plan_table_span(p, entry);

	for (u64 o = 0; o < span; o += LARGE_PAGE) {
		enum plan_backing b = mem_plan_backing(p, entry, o, LARGE_PAGE);

		if (b == PLAN_NONE)
			continue;
		bytes += slot_bytes(p, entry, o);
		*tables += b == PLAN_MIXED ? PAGE_SIZE : 0;
		*tables += o / TABLE_SLOT(2) != l2 ? PAGE_SIZE : 0;
		*tables += o / TABLE_SLOT(3) != l3 ? PAGE_SIZE : 0;
		l2 = o / TABLE_SLOT(2);
		l3 = o / TABLE_SLOT(3);
	}
	return bytes;
}

/* Tables of one level that a range needs: one a slot that it does not fill with a larger page. */
static u64 level_tables(const struct mem_range *r, unsigned int level, bool whole_slots, u64 *last)
{
	u64 size = TABLE_SLOT(level), n = 0;

	for (u64 slot = r->start / size; slot <= (r->end - 1) / size; slot++) {
		if (!whole_slots && slot * size >= r->start && (slot + 1) * size <= r->end) {
			slot = r->end / size - 1; /* all in between are filled as well */
			continue;
		}
		n += slot != *last;
		*last = slot;
	}
	return n;
}

static u64 directmap_tables(const struct mem_plan *p)
{
	u64 n = 0, l1 = ~0ULL, l2 = ~0ULL, l3 = ~0ULL;

	for (unsigned int i = 0; i < p->nr_ram; i++) {
		n += level_tables(&p->ram[i], 1, false, &l1);
		n += level_tables(&p->ram[i], 2, !p->huge_pages, &l2);
		n += level_tables(&p->ram[i], 3, true, &l3);
	}
	return n * PAGE_SIZE;
}

int mem_plan_build(struct mem_plan *p, const struct mem_range *ram, unsigned int nr_ram,
		   const struct mem_range *reserved, unsigned int nr_reserved,
		   unsigned long *sections, bool huge_pages)
{
	u64 m2p_tables = 0;

	memset(p, 0, sizeof(*p));
	p->sections = sections;
	p->huge_pages = huge_pages;
	for (unsigned int i = 0; i < nr_ram; i++)
		if (ram[i].start < ram[i].end &&
		    !insert(p->ram, &p->nr_ram, PLAN_MAX_RAM, ram[i].start, ram[i].end))
			p->lost_bytes += ram[i].end - ram[i].start;
	trim_ram(p);
	if (!p->nr_ram)
		return -XEN_ENOMEM;
	for (unsigned int i = 0; i < nr_reserved; i++)
		if (mem_plan_reserve(p, reserved[i].start, reserved[i].end))
			return -XEN_E2BIG;
	p->max_mfn = p->ram[p->nr_ram - 1].end >> PAGE_SHIFT;
	mark_sections(p);
	p->pagetable_bytes = directmap_tables(p);
	p->frametable_bytes = table_bytes(p, sizeof(struct frame), &p->pagetable_bytes);
	p->m2p_bytes = table_bytes(p, M2P_ENTRY, &m2p_tables);
	p->pagetable_bytes += 2 * m2p_tables;
	return 0;
}

u64 mem_plan_overhead(const struct mem_plan *p)
{
	return p->frametable_bytes + p->m2p_bytes + p->pagetable_bytes;
}

int mem_plan_reserve(struct mem_plan *p, u64 start, u64 end)
{
	if (start >= end)
		return 0;
	start = ROUND_DOWN(start, PAGE_SIZE);
	end = end > -PAGE_SIZE ? ROUND_DOWN(end, PAGE_SIZE) : ROUND_UP(end, PAGE_SIZE);
	return insert(p->reserved, &p->nr_reserved, PLAN_MAX_RESERVED, start, end) ? 0 : -XEN_E2BIG;
}

bool mem_plan_next_free(const struct mem_plan *p, u64 from, struct mem_range *r)
{
	unsigned int j = 0;

	from = ROUND_UP(from, PAGE_SIZE);
	for (unsigned int i = 0; i < p->nr_ram; i++) {
		u64 start = max(from, p->ram[i].start), end = p->ram[i].end;

		while (start < end) {
			while (j < p->nr_reserved && p->reserved[j].end <= start)
				j++;
			if (j == p->nr_reserved || p->reserved[j].start > start) {
				r->start = start;
				r->end = j == p->nr_reserved ? end : min(end, p->reserved[j].start);
				return true;
			}
			start = p->reserved[j].end;
		}
	}
	return false;
}

u64 mem_plan_carve(struct mem_plan *p, u64 bytes, u64 align, u64 limit)
{
	struct mem_range r;
	u64 best = 0, best_size = 0;

	for (u64 from = 0; mem_plan_next_free(p, from, &r); from = r.end) {
		u64 end = limit ? min(limit, r.end) : r.end, at;

		if (end < bytes)
			continue;
		at = ROUND_DOWN(end - bytes, align);
		/* 0 is the answer for failure, so frame 0 is never carved. */
		if (at >= r.start && at && end - r.start > best_size) {
			best = at;
			best_size = end - r.start;
		}
	}
	if (!best || mem_plan_reserve(p, best, best + bytes))
		return 0;
	return best;
}
