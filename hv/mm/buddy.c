/* SPDX-License-Identifier: MIT */
#include "mm/buddy.h"
#include <xen/xen.h>
#include "cpu/irqflags.h"
#include "lib/inject.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/zone.h"

#define CHUNK_ORDER 9 /* of buddy_free_range: bounds the time in the lock */

static unsigned long taken_waits; /* of the frames with scrubbers */
static unsigned long scrubbed;
static unsigned int scrubbers;	 /* at work */
static unsigned int scrub_holds; /* allocations that want them to end */

/* --- allocation --- */

/*
 * Memory below 4 GiB is for those who can use no other: rather frames above that wait than those. With
 * the lock.
 */
static inline struct frame *take_any(unsigned int order, unsigned int flags, mfn_t limit)
{
	struct frame *f = NULL;

	if (!(flags & BUDDY_LOW) && limit > ZONE_LIMIT && zone_may_have(&zones[ZONE_HIGH], order))
		f = zone_take(&zones[ZONE_HIGH], order, limit);
	return f ? f : zone_take(&zones[ZONE_LOW], order, limit);
}

/*
 * Scrubbers have some of what is free. They take nothing more until this one is content or has seen
 * all that they had: that is the clearing of a few frames. With the lock, which is dropped meanwhile.
 */
static __attribute__((noinline)) struct frame *take_back(unsigned int order, unsigned int flags,
							 mfn_t limit)
{
	struct frame *f = NULL;

	scrub_holds++;
	while (!f && scrubbers && !READ_ONCE(spin_ignored)) {
		spin_unlock(&buddy_lock);
		if (spin_wait_hook)
			spin_wait_hook();
		cpu_relax();
		spin_lock(&buddy_lock);
		f = take_any(order, flags, limit);
	}
	scrub_holds--;
	return f;
}

/* With the lock. What they hold is still to be seen in them. */
static void leave_zone(struct frame *f, unsigned int order)
{
	struct zone *z = zone_of(frame_to_mfn(f));
	unsigned long waiting = 0;

	for (unsigned long i = 0; i < 1UL << order; i++) {
		waiting += frame_waits(&f[i]);
		f[i].refs = 0;
		f[i].owner = DOMID_INVALID;
		f[i].next = f[i].prev = FRAME_NIL;
		f[i].state = FS_USED;
	}
	f->order = (u8)order;
	z->free -= 1UL << order;
	z->waits -= waiting;
}

/*
 * A TLB may still hold what a guest had mapped here before the frames were freed: first that goes, once
 * for all neighbours that were freed at the same time, then what they hold. Those that are known
 * to be zero need no look: nothing has mapped them since that flush, without which nobody would know.
 */
static void make_clean(struct frame *f, unsigned int order, unsigned int flags)
{
	const struct frame *end = f + (1UL << order);
	bool flushed = false;
	u32 last = 0;

	for (; f != end; f++) {
		if (f->content != FC_ZERO) {
			if (type_flush_hook && (!flushed || f->stamp != last))
				type_flush_hook(f, f->stamp);
			flushed = true;
			last = f->stamp;
			if (flags & BUDDY_ZERO)
				clear_lines(frame_to_virt(f), PAGE_SIZE);
		}
		f->type = FT_NONE;
	}
}

struct frame *buddy_alloc_below(unsigned int order, unsigned int flags, mfn_t limit)
{
	struct frame *f;

	if (order > MAX_ORDER || limit < 1UL << order || inject_alloc())
		return NULL;
	spin_lock(&buddy_lock);
	f = take_any(order, flags, limit);
	if (unlikely(!f && scrubbers))
		f = take_back(order, flags, limit);
	if (f)
		leave_zone(f, order);
	spin_unlock(&buddy_lock);
	if (!f)
		return NULL;
	make_clean(f, order, flags);
	return f;
}

struct frame *buddy_alloc(unsigned int order, unsigned int flags)
{
	return buddy_alloc_below(order, flags, INVALID_MFN);
}

/* --- back --- */

/* Whether a guest can have had a mapping of it; frames that only we used need no flush later. */
static bool was_guests(const struct frame *f)
{
	return f->owner != DOMID_INVALID || f->type || f->refs;
}

static void give(mfn_t mfn, unsigned int order, u8 expected)
{
	struct frame *f = mfn_to_frame(mfn);
	struct zone *z = zone_of(mfn);
	u32 now = frame_clock_hook ? frame_clock_hook() : 0;
	unsigned long waiting = 0;

	for (unsigned long i = 0; i < 1UL << order; i++) {
		bool guests = expected == FS_USED && was_guests(&f[i]);

		if (unlikely(f[i].state != expected || (f[i].refs & FR_COUNT)))
			panic("buddy: free of frame %lx, state %u, refs %x", mfn + i, f[i].state,
			      f[i].refs);
		f[i].refs = 0;
		f[i].type = FT_NONE;
		f[i].owner = DOMID_INVALID;
		f[i].state = FS_FREE_TAIL;
		if (!guests)
			continue;
		f[i].stamp = now;
		f[i].content = FC_WAITS;
		waiting++;
	}
	if (unlikely(waiting && waiting < 1UL << order))
		block_join_all(f, order);
	z->free += 1UL << order;
	z->waits += waiting;
	zone_insert(mfn, order);
}

void buddy_free(struct frame *f, unsigned int order)
{
	mfn_t mfn = frame_to_mfn(f);

	ASSERT(order <= MAX_ORDER && !(mfn & ((1UL << order) - 1)));
	ASSERT(mfn_valid(mfn));
	spin_lock(&buddy_lock);
	give(mfn, order, FS_USED);
	spin_unlock(&buddy_lock);
}

/* Cuts a range into naturally aligned blocks of at most 2^most frames. */
static void give_range(mfn_t start, unsigned long nr, unsigned int most, u8 expected)
{
	while (nr) {
		unsigned int order = min(most, (unsigned int)__builtin_clzl(1) -
						       (unsigned int)__builtin_clzl(nr));

		if (start)
			order = min(order, (unsigned int)__builtin_ctzl(start));
		spin_lock(&buddy_lock);
		give(start, order, expected);
		spin_unlock(&buddy_lock);
		start += 1UL << order;
		nr -= 1UL << order;
	}
}

void buddy_add_range(mfn_t start, unsigned long nr)
{
	ASSERT(nr <= max_mfn && start <= max_mfn - nr);
	give_range(start, nr, MAX_ORDER, FS_RESERVED);
}

void buddy_free_range(mfn_t start, unsigned long nr)
{
	ASSERT(nr <= max_mfn && start <= max_mfn - nr);
	give_range(start, nr, CHUNK_ORDER, FS_USED);
}

unsigned long buddy_free_frames(void)
{
	return READ_ONCE(zones[ZONE_LOW].free) + READ_ONCE(zones[ZONE_HIGH].free);
}

/* --- for those who clear --- */

static unsigned long listed_waits(void)
{
	return READ_ONCE(zones[ZONE_LOW].waits) + READ_ONCE(zones[ZONE_HIGH].waits);
}

unsigned long buddy_waiting(void)
{
	return listed_waits() + READ_ONCE(taken_waits);
}

unsigned long buddy_scrubbed(void)
{
	return READ_ONCE(scrubbed);
}

bool buddy_neglected(void)
{
	return listed_waits() && !READ_ONCE(scrubbers);
}

/* With the lock. */
static void hand_out(struct frame *f, unsigned int order)
{
	struct zone *z = zone_of(frame_to_mfn(f));
	unsigned int n = block_count_waits(f, order);

	z->waits -= n;
	z->taken += 1UL << order;
	taken_waits += n;
	scrubbers++;
}

struct frame *buddy_scrub_take(unsigned int *order)
{
	struct frame *f = NULL;

	spin_lock(&buddy_lock);
	if (!scrub_holds && scrubbers < SCRUBBERS) {
		f = zone_take_waiting(&zones[ZONE_HIGH], order);
		if (!f)
			f = zone_take_waiting(&zones[ZONE_LOW], order);
	}
	if (f)
		hand_out(f, *order);
	spin_unlock(&buddy_lock);
	return f;
}

void buddy_scrub_give(struct frame *f, unsigned int order, unsigned int cleared)
{
	struct zone *z = zone_of(frame_to_mfn(f));
	unsigned int n;

	for (unsigned long i = 0; i < 1UL << order; i++)
		f[i].mixed = 0;
	n = block_count_waits(f, order);
	block_join_all(f, order);
	spin_lock(&buddy_lock);
	taken_waits -= n + cleared;
	scrubbed += cleared;
	z->waits += n;
	z->taken -= 1UL << order;
	scrubbers--;
	zone_insert(frame_to_mfn(f), order);
	spin_unlock(&buddy_lock);
}
