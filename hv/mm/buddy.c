/* SPDX-License-Identifier: MIT */
#include "mm/buddy.h"
#include <xen/xen.h>
#include "lib/inject.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "lib/string.h"

#define ZONE_LIMIT  (1UL << (32 - PAGE_SHIFT)) /* no block of MAX_ORDER or less crosses 4 GiB */
#define CHUNK_ORDER 9 /* of buddy_free_range: bounds the time in the lock */

enum {
	ZONE_LOW,
	ZONE_HIGH,
	NR_ZONES
};

struct zone {
	u32 head[MAX_ORDER + 1]; /* first frame number of each list + 1; 0 = empty */
	unsigned long free;	 /* frames */
};

static struct zone zones[NR_ZONES];
static spinlock_t lock = SPINLOCK_INIT;

static struct zone *zone_of(mfn_t mfn)
{
	return &zones[mfn >= ZONE_LIMIT ? ZONE_HIGH : ZONE_LOW];
}

static void list_push(struct zone *z, struct frame *f, unsigned int order)
{
	u32 n = (u32)frame_to_mfn(f);

	f->state = FS_FREE;
	f->order = (u8)order;
	f->prev = FRAME_NIL;
	f->next = z->head[order] ? z->head[order] - 1 : FRAME_NIL;
	if (f->next != FRAME_NIL)
		frame_table[f->next].prev = n;
	z->head[order] = n + 1;
}

static void list_remove(struct zone *z, struct frame *f)
{
	ASSERT(f->state == FS_FREE && f->order <= MAX_ORDER);
	if (f->prev != FRAME_NIL)
		frame_table[f->prev].next = f->next;
	else
		z->head[f->order] = f->next == FRAME_NIL ? 0 : f->next + 1;
	if (f->next != FRAME_NIL)
		frame_table[f->next].prev = f->prev;
	f->state = FS_FREE_TAIL;
}

static struct frame *list_first(const struct zone *z, unsigned int order)
{
	return z->head[order] ? mfn_to_frame(z->head[order] - 1) : NULL;
}

/* A free block of at least `order` whose beginning of that size lies below limit. */
static struct frame *find_block(const struct zone *z, unsigned int order, mfn_t limit, bool bounded)
{
	mfn_t last = limit - (1UL << order);

	for (unsigned int o = order; o <= MAX_ORDER; o++) {
		struct frame *f = list_first(z, o);

		while (f && bounded && frame_to_mfn(f) > last)
			f = f->next == FRAME_NIL ? NULL : mfn_to_frame(f->next);
		if (f)
			return f;
	}
	return NULL;
}

/* Takes 2^order frames out of a zone; the upper halves of what is cut stay free. */
static struct frame *take(struct zone *z, unsigned int order, mfn_t limit, bool bounded)
{
	struct frame *f = find_block(z, order, limit, bounded);
	unsigned int o;

	if (!f)
		return NULL;
	o = f->order;
	list_remove(z, f);
	while (o > order) {
		o--;
		list_push(z, f + (1UL << o), o);
	}
	z->free -= 1UL << order;
	return f;
}

static void prepare(struct frame *f, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		f[i].refs = 0;
		f[i].type = FT_NONE;
		f[i].owner = DOMID_INVALID;
		f[i].next = f[i].prev = FRAME_NIL;
		f[i].state = FS_USED;
	}
	f->order = (u8)order;
}

/* A TLB may still hold what a guest had mapped here before the frames were freed. */
static void flush_stale(struct frame *f, unsigned int order)
{
	u32 last = f->stamp;

	if (!type_flush_hook)
		return;
	type_flush_hook(f, last);
	for (unsigned long i = 1; i < 1UL << order; i++)
		if (f[i].stamp != last) {
			last = f[i].stamp;
			type_flush_hook(&f[i], last);
		}
}

struct frame *buddy_alloc_below(unsigned int order, unsigned int flags, mfn_t limit)
{
	struct frame *f = NULL;

	if (order > MAX_ORDER || limit < 1UL << order || inject_alloc())
		return NULL;
	spin_lock(&lock);
	if (!(flags & BUDDY_LOW) && limit > ZONE_LIMIT)
		f = take(&zones[ZONE_HIGH], order, limit, limit < max_mfn);
	if (!f)
		f = take(&zones[ZONE_LOW], order, limit, limit < min(max_mfn, ZONE_LIMIT));
	if (f)
		prepare(f, order);
	spin_unlock(&lock);
	if (!f)
		return NULL;
	flush_stale(f, order);
	if (flags & BUDDY_ZERO)
		clear_lines(frame_to_virt(f), PAGE_SIZE << order);
	return f;
}

struct frame *buddy_alloc(unsigned int order, unsigned int flags)
{
	return buddy_alloc_below(order, flags, INVALID_MFN);
}

static bool is_free_block(mfn_t mfn, unsigned int order)
{
	const struct frame *f = mfn_to_frame(mfn);

	return mfn_valid(mfn) && f->state == FS_FREE && f->order == order;
}

/* All 2^order frames are FS_FREE_TAIL. */
static void insert(mfn_t mfn, unsigned int order)
{
	struct zone *z = zone_of(mfn);

	z->free += 1UL << order;
	for (; order < MAX_ORDER; order++) {
		mfn_t buddy = mfn ^ (1UL << order);

		if (!is_free_block(buddy, order))
			break;
		list_remove(z, mfn_to_frame(buddy));
		mfn &= ~(1UL << order);
	}
	list_push(z, mfn_to_frame(mfn), order);
}

/* Whether a guest can have had a mapping of it; frames that only we used need no flush later. */
static bool was_guests(const struct frame *f)
{
	return f->owner != DOMID_INVALID || f->type || f->refs;
}

static void give(mfn_t mfn, unsigned int order, u8 expected)
{
	struct frame *f = mfn_to_frame(mfn);
	u32 now = frame_clock_hook ? frame_clock_hook() : 0;

	for (unsigned long i = 0; i < 1UL << order; i++) {
		if (unlikely(f[i].state != expected || (f[i].refs & FR_COUNT)))
			panic("buddy: free of frame %lx, state %u, refs %x", mfn + i, f[i].state,
			      f[i].refs);
		if (expected == FS_USED && was_guests(&f[i]))
			f[i].stamp = now;
		f[i].refs = 0;
		f[i].type = FT_NONE;
		f[i].owner = DOMID_INVALID;
		f[i].state = FS_FREE_TAIL;
	}
	insert(mfn, order);
}

void buddy_free(struct frame *f, unsigned int order)
{
	mfn_t mfn = frame_to_mfn(f);

	ASSERT(order <= MAX_ORDER && !(mfn & ((1UL << order) - 1)));
	ASSERT(mfn_valid(mfn));
	spin_lock(&lock);
	give(mfn, order, FS_USED);
	spin_unlock(&lock);
}

/* Cuts a range into naturally aligned blocks of at most 2^most frames. */
static void give_range(mfn_t start, unsigned long nr, unsigned int most, u8 expected)
{
	while (nr) {
		unsigned int order = min(most, (unsigned int)__builtin_clzl(1) -
						       (unsigned int)__builtin_clzl(nr));

		if (start)
			order = min(order, (unsigned int)__builtin_ctzl(start));
		spin_lock(&lock);
		give(start, order, expected);
		spin_unlock(&lock);
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

static bool audit_block(const struct zone *z, const struct frame *f, unsigned int order, u32 prev)
{
	mfn_t mfn = frame_to_mfn(f);

	if (!mfn_valid(mfn) || (mfn & ((1UL << order) - 1)) || zone_of(mfn) != z)
		return false;
	if (f->state != FS_FREE || f->order != order || f->prev != prev)
		return false;
	if (order < MAX_ORDER && is_free_block(mfn ^ (1UL << order), order))
		return false; /* should have been merged */
	for (unsigned long i = 0; i < 1UL << order; i++)
		if (f[i].refs || f[i].type || f[i].owner != DOMID_INVALID ||
		    (i && f[i].state != FS_FREE_TAIL))
			return false;
	return true;
}

static bool audit_list(const struct zone *z, unsigned int order, unsigned long *frames)
{
	u32 prev = FRAME_NIL;

	for (struct frame *f = list_first(z, order); f;) {
		if (!audit_block(z, f, order, prev))
			return false;
		*frames += 1UL << order;
		if (*frames > z->free) /* also ends a list that became a circle */
			return false;
		prev = (u32)frame_to_mfn(f);
		f = f->next == FRAME_NIL ? NULL : mfn_to_frame(f->next);
	}
	return true;
}

static unsigned long count_free_states(void)
{
	unsigned long n = 0;

	for (mfn_t m = 0; m < max_mfn; m++) {
		if (!mfn_valid(m)) {
			m |= (1UL << SECTION_SHIFT) - 1;
			continue;
		}
		n += mfn_to_frame(m)->state == FS_FREE || mfn_to_frame(m)->state == FS_FREE_TAIL;
	}
	return n;
}

bool buddy_audit(void)
{
	unsigned long total = 0;
	bool ok = true;

	spin_lock(&lock);
	for (unsigned int zi = 0; zi < NR_ZONES && ok; zi++) {
		unsigned long frames = 0;

		for (unsigned int o = 0; o <= MAX_ORDER && ok; o++)
			ok = audit_list(&zones[zi], o, &frames);
		ok = ok && frames == zones[zi].free;
		total += frames;
	}
	ok = ok && total == count_free_states();
	spin_unlock(&lock);
	return ok;
}
