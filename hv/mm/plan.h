/* SPDX-License-Identifier: MIT */
/*
 * The sizing of memory at boot, as pure arithmetic: what RAM there is, which sections it touches, what
 * the frame table, the machine-to-physical table and the page tables for them cost, and where to carve
 * them from. Setup code calls mem_plan_build(), then backs the two tables slot by slot as
 * mem_plan_backing() says, with memory from mem_plan_carve(), and at the end gives what
 * mem_plan_next_free() yields to the buddy allocator. One CPU, no lock, no allocation.
 */
#ifndef MM_PLAN_H
#define MM_PLAN_H

#include "lib/types.h"
#include "mm/frame.h"

#define PLAN_MAX_RAM	  128
#define PLAN_MAX_RESERVED 256
#define LARGE_PAGE	  (2UL << 20)
#define HUGE_PAGE	  (1UL << 30)
#define M2P_ENTRY	  8u

/* [start, end), in bytes. */
struct mem_range {
	u64 start, end;
};

struct mem_plan {
	unsigned int nr_ram, nr_reserved;
	struct mem_range ram[PLAN_MAX_RAM];	      /* sorted, disjoint, whole pages */
	struct mem_range reserved[PLAN_MAX_RESERVED]; /* the same */
	unsigned long *sections;		      /* bit map: sections that hold RAM */
	mfn_t max_mfn;				      /* last RAM frame + 1 */
	u64 ram_bytes;
	u64 lost_bytes;	      /* RAM above DIRECTMAP_MAX, or in more ranges than we can hold */
	u64 frametable_bytes; /* of frames that back the frame table */
	u64 m2p_bytes;	      /* of frames that back the machine-to-physical table */
	u64 pagetable_bytes;  /* for the direct map and both tables (the M2P is mapped twice) */
	bool huge_pages;      /* the direct map may use 1 GiB pages */
};

/* What backs a page of a table that has one entry a frame. */
enum plan_backing {
	PLAN_NONE,   /* no section has RAM here: leave it unmapped */
	PLAN_SHARED, /* in a section with RAM, but no RAM frame: any one read-only page of zeroes */
	PLAN_OWN,    /* memory of its own */
	PLAN_MIXED,  /* only for a 2 MiB slot: ask for each of its pages */
};

/*
 * Fills *p. ram and reserved: any order, overlaps and alignment; RAM is rounded inwards, reserved
 * outwards. sections: MAX_SECTIONS bits, cleared first. Returns 0, -XEN_ENOMEM when there is no RAM,
 * -XEN_E2BIG when reserved has too many ranges.
 */
int mem_plan_build(struct mem_plan *p, const struct mem_range *ram, unsigned int nr_ram,
		   const struct mem_range *reserved, unsigned int nr_reserved,
		   unsigned long *sections, bool huge_pages);

/* All that the plan costs, in bytes. */
u64 mem_plan_overhead(const struct mem_plan *p);

/*
 * How to back [offset, offset + size) of a table with `entry` bytes a frame (sizeof(struct frame) or
 * M2P_ENTRY). size: PAGE_SIZE or LARGE_PAGE, offset aligned to it. A large slot that is PLAN_OWN
 * wants one 2 MiB page.
 */
enum plan_backing mem_plan_backing(const struct mem_plan *p, unsigned int entry, u64 offset,
				   u64 size);
/* Bytes of a table up to and with the entry of the last RAM frame, rounded up to LARGE_PAGE. */
u64 mem_plan_table_span(const struct mem_plan *p, unsigned int entry);

/*
 * Takes `bytes` (whole pages) at a multiple of `align` (a power of two, >= PAGE_SIZE), wholly below
 * `limit` (a machine address; 0 = anywhere), from the top of the largest free range that fits, and
 * adds it to the reserved ranges. Returns the machine address; 0 when nothing fits.
 */
u64 mem_plan_carve(struct mem_plan *p, u64 bytes, u64 align, u64 limit);
/* Adds a range to the reserved ones; 0 or -XEN_E2BIG. */
int mem_plan_reserve(struct mem_plan *p, u64 start, u64 end);
/* Free RAM in ascending order: *r is the first free range at or after `from`; false at the end. */
bool mem_plan_next_free(const struct mem_plan *p, u64 from, struct mem_range *r);
/* Whether any RAM lies in [start, end). */
bool mem_plan_has_ram(const struct mem_plan *p, u64 start, u64 end);

#endif
