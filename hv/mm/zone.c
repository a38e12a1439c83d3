/* SPDX-License-Identifier: MIT */
#include "mm/zone.h"
#include "lib/bits.h"
#include "lib/log.h"

struct zone zones[NR_ZONES];
spinlock_t buddy_lock = SPINLOCK_INIT;

/* Two neighbours of that order are a block now. */
static void join(struct frame *left, const struct frame *right, unsigned int order)
{
	if (!block_alike(left, order))
		return;
	left->mixed = block_alike(right, order) && frame_waits(left) == frame_waits(right)
			      ? 0
			      : (u8)(order + 1);
}

/* For frames whose `mixed` is 0 and of which some wait. */
void block_join_all(struct frame *f, unsigned int order)
{
	for (unsigned int o = 0; o < order; o++)
		for (unsigned long i = 0; i < 1UL << order; i += 2UL << o)
			join(f + i, f + i + (1UL << o), o);
}

unsigned int block_count_waits(const struct frame *f, unsigned int order)
{
	unsigned int n = 0;

	for (unsigned long i = 0; i < 1UL << order; i++)
		n += frame_waits(&f[i]);
	return n;
}

static void list_push(struct zone *z, struct frame *f, unsigned int order)
{
	unsigned int list = block_list(f, order);
	u32 n = (u32)frame_to_mfn(f), *head = &z->head[list][order];

	f->state = FS_FREE;
	f->order = (u8)order;
	f->prev = FRAME_NIL;
	f->next = *head ? *head - 1 : FRAME_NIL;
	if (f->next != FRAME_NIL)
		frame_table[f->next].prev = n;
	*head = n + 1;
	z->there[list] |= 1u << order;
}

static void set_first(struct zone *z, const struct frame *f, u32 next)
{
	unsigned int list = block_list(f, f->order);

	z->head[list][f->order] = next == FRAME_NIL ? 0 : next + 1;
	if (next == FRAME_NIL)
		z->there[list] &= ~(1u << f->order);
}

static void list_remove(struct zone *z, struct frame *f)
{
	/* analyze-ok null-dereference: z->there has a bit for lists with a first block only. */
	ASSERT(f->state == FS_FREE && f->order <= MAX_ORDER);
	if (f->prev != FRAME_NIL)
		frame_table[f->prev].next = f->next;
	else
		set_first(z, f, f->next);
	if (f->next != FRAME_NIL)
		frame_table[f->next].prev = f->prev;
	f->state = FS_FREE_TAIL;
}

/* A free block of that order that begins at `last` or below. */
static struct frame *find_one(const struct zone *z, unsigned int list, unsigned int order,
			      mfn_t last)
{
	struct frame *f = zone_first(z, list, order);

	while (f && frame_to_mfn(f) > last)
		f = f->next == FRAME_NIL ? NULL : mfn_to_frame(f->next);
	return f;
}

/* The smallest of at least that order, or the largest. */
static inline struct frame *find_block(const struct zone *z, unsigned int list, unsigned int order,
				       mfn_t last, bool largest)
{
	u32 there = z->there[list] & ~0u << order;
	struct frame *f = NULL;

	while (there && !f) {
		unsigned int o = largest ? fls_long(there) : ffs_long(there);

		f = find_one(z, list, o, last);
		there &= ~(1u << o);
	}
	return f;
}

/*
 * Frames that wait only when there are no others. Of a mixed block a part may be ready: the larger it
 * is the more likely. (A single frame that is ready is always found, a larger block mostly.)
 */
static inline struct frame *find_best(const struct zone *z, unsigned int order, mfn_t last)
{
	struct frame *f = find_block(z, LIST_READY, order, last, false);

	if (!f)
		f = find_block(z, LIST_MIXED, order, last, true);
	return f ? f : find_block(z, LIST_WAITS, order, last, false);
}

/* Takes a free block, or the better part of it that begins at `last` or below; the rest stays free. */
static struct frame *cut(struct zone *z, struct frame *f, unsigned int order, mfn_t last)
{
	unsigned int o = f->order;

	list_remove(z, f);
	while (o > order) {
		struct frame *right = f + (1UL << --o), *rest = right;

		if (block_list(right, o) < block_list(f, o) && frame_to_mfn(right) <= last) {
			rest = f;
			f = right;
		}
		list_push(z, rest, o);
	}
	return f;
}

struct frame *zone_take(struct zone *z, unsigned int order, mfn_t limit)
{
	mfn_t last = limit - (1UL << order);
	struct frame *f = find_best(z, order, last);

	return f ? cut(z, f, order, last) : NULL;
}

/*
 * The largest block of which some frames wait, and of it what lies lowest: as a domain's frames come
 * back mostly in order, that is what has waited longest, for which the TLBs have most likely been
 * flushed already.
 */
struct frame *zone_take_waiting(struct zone *z, unsigned int *order)
{
	u32 waits = z->there[LIST_WAITS], all = waits | z->there[LIST_MIXED];
	struct frame *f;
	unsigned int o;

	if (!all)
		return NULL;
	o = fls_long(all);
	f = zone_first(z, waits >> o & 1 ? LIST_WAITS : LIST_MIXED, o);
	list_remove(z, f);
	while (o > SCRUB_ORDER) {
		struct frame *right = f + (1UL << --o), *rest = right;

		if (block_list(f, o) == LIST_READY) {
			rest = f;
			f = right;
		}
		list_push(z, rest, o);
	}
	*order = o;
	return f;
}

void zone_insert(mfn_t mfn, unsigned int order)
{
	struct zone *z = zone_of(mfn);

	for (; order < MAX_ORDER; order++) {
		mfn_t buddy = mfn ^ (1UL << order);

		if (!is_free_block(buddy, order))
			break;
		list_remove(z, mfn_to_frame(buddy));
		mfn &= ~(1UL << order);
		join(mfn_to_frame(mfn), mfn_to_frame(mfn | 1UL << order), order);
	}
	list_push(z, mfn_to_frame(mfn), order);
}
