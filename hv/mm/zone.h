/* SPDX-License-Identifier: MIT */
/*
 * Inside the buddy allocator: the free blocks of a zone, in lists by order and by whether their frames
 * wait to be cleared. All with buddy_lock held.
 *
 * Blocks merge whatever they hold, so that waiting costs no contiguity. What is in a block must then
 * be told without looking at each frame. The parts that begin at a frame, of orders 0, 1, ..., lie in
 * one another: up to some order all of their frames are alike in whether they wait, from there on
 * not. frame->mixed is that order, 0 when there is none; above the order of the block it means nothing.
 * Merging and cutting keep it right at the cost of one step for an order.
 */
#ifndef MM_ZONE_H
#define MM_ZONE_H

#include "lib/spinlock.h"
#include "mm/buddy.h"

#define ZONE_LIMIT (1UL << (32 - PAGE_SHIFT)) /* no block of MAX_ORDER or less crosses 4 GiB */

enum {
	ZONE_LOW,
	ZONE_HIGH,
	NR_ZONES
};

/* Of a block's frames none, some or all wait. The better ones first. */
enum {
	LIST_READY,
	LIST_MIXED,
	LIST_WAITS,
	NR_LISTS
};

struct zone {
	u32 there[NR_LISTS];		   /* bit order: that list is not empty */
	u32 head[NR_LISTS][MAX_ORDER + 1]; /* first frame number of each list + 1; 0 = empty */
	unsigned long free;		   /* frames; those that scrubbers have taken, too */
	unsigned long waits;		   /* frames in the lists that wait */
	unsigned long taken;		   /* frames that scrubbers have, waiting or not */
};

extern struct zone zones[NR_ZONES];
extern spinlock_t buddy_lock;

static inline struct zone *zone_of(mfn_t mfn)
{
	return &zones[mfn >= ZONE_LIMIT ? ZONE_HIGH : ZONE_LOW];
}

static inline bool frame_waits(const struct frame *f)
{
	return f->content == FC_WAITS;
}

/* Of a part of a free block. */
static inline bool block_alike(const struct frame *f, unsigned int order)
{
	return !f->mixed || order < f->mixed;
}

static inline unsigned int block_list(const struct frame *f, unsigned int order)
{
	if (!block_alike(f, order))
		return LIST_MIXED;
	return frame_waits(f) ? LIST_WAITS : LIST_READY;
}

static inline struct frame *zone_first(const struct zone *z, unsigned int list, unsigned int order)
{
	return z->head[list][order] ? mfn_to_frame(z->head[list][order] - 1) : NULL;
}

/* Whether any list has a block of at least that order. */
static inline bool zone_may_have(const struct zone *z, unsigned int order)
{
	return (z->there[LIST_READY] | z->there[LIST_MIXED] | z->there[LIST_WAITS]) >> order;
}

static inline bool is_free_block(mfn_t mfn, unsigned int order)
{
	const struct frame *f = mfn_to_frame(mfn);

	return mfn_valid(mfn) && f->state == FS_FREE && f->order == order;
}

/* Sets `mixed` in all 2^order frames, where it is 0, by their content. */
void block_join_all(struct frame *f, unsigned int order);
unsigned int block_count_waits(const struct frame *f, unsigned int order);

/*
 * Out of the lists, FS_FREE_TAIL; the counts are the caller's business. The first: a block that begins
 * below `limit` wholly, with frames that wait only when there is none without, or NULL.
 */
struct frame *zone_take(struct zone *z, unsigned int order, mfn_t limit);
/* One of which some frames wait, of at most SCRUB_ORDER: *order says. NULL: no frame waits. */
struct frame *zone_take_waiting(struct zone *z, unsigned int *order);
/* Into the lists: frames that are FS_FREE_TAIL with content and `mixed`. Merges. */
void zone_insert(mfn_t mfn, unsigned int order);

#endif
