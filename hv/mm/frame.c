/* SPDX-License-Identifier: MIT */
#include "mm/frame.h"
#include "lib/spinlock.h"
#include <xen/xen.h>
#include "lib/atomic.h"
#include "lib/log.h"
#include "mm/buddy.h"
#include "mm/heap.h"

BUILD_BUG_ON(sizeof(struct frame) != 24);

unsigned long frame_sections[MAX_SECTIONS / 64];
mfn_t max_mfn, frames_whole;
void (*frame_free_hook)(struct frame *f);
u32 (*frame_clock_hook)(void);
void (*type_flush_hook)(struct frame *f, u32 stamp);

bool mfn_valid_beyond(mfn_t mfn)
{
	unsigned long i = nospec_index(mfn, max_mfn) >> SECTION_SHIFT;

	return mfn < max_mfn && (frame_sections[i >> 6] >> (i & 63) & 1);
}

struct frame *get_frame(mfn_t mfn, u16 domid)
{
	return get_frame_inline(mfn, domid);
}

static void free_last(struct frame *f, u32 refs)
{
	if (frame_free_hook && f->owner != DOMID_INVALID)
		frame_free_hook(f);
	else if (refs & FR_XENHEAP)
		hv_free_pages(frame_to_virt(f), 0);
	else
		buddy_free(f, 0);
}

void put_frame(struct frame *f)
{
	put_frame_inline(f);
}

void put_frame_slow(struct frame *f, u32 refs)
{
	ASSERT((refs & FR_COUNT) != FR_COUNT);
	if (refs & FR_COUNT)
		return;
	/* The owner's reference is part of the count, so somebody put one that was not his. */
	ASSERT(!(refs & FR_ALLOCATED));
	free_last(f, refs);
}

/*
 * FT_PARTIAL on a writable frame: one CPU is changing it from or to count 0 and has it for itself; the
 * others wait, and serve flush requests meanwhile, because that CPU may be waiting for one.
 */
static u32 settled_type(const struct frame *f)
{
	u32 type;

	while (((type = READ_ONCE(f->type)) & (FT_KIND | FT_PARTIAL)) == (FT_WRITABLE | FT_PARTIAL))
		if (spin_wait_hook)
			spin_wait_hook();
	return type;
}

bool get_frame_writable(struct frame *f)
{
	u32 type, next, stamp = 0;

	do {
		type = settled_type(f);
		if ((type & FT_KIND) == FT_WRITABLE) {
			if ((type & FT_COUNT) == FT_COUNT)
				return false;
			next = type + 1;
		} else {
			if ((type & FT_COUNT) || (type & FT_PINNED))
				return false;
			/* At count 0 the page-table floor has already undone the old type. */
			next = FT_WRITABLE | 1;
			stamp = READ_ONCE(f->stamp);
			if ((type & FT_KIND) != FT_NONE)
				next |= FT_PARTIAL;
		}
	} while (!atomic_cmpxchg(&f->type, &type, next));

	if (next & FT_PARTIAL) {
		/* Nobody may write before all have forgotten the frame as a table. */
		if (type_flush_hook)
			type_flush_hook(f, stamp);
		atomic_store(&f->type, FT_WRITABLE | 1);
	}
	return true;
}

void put_frame_writable(struct frame *f)
{
	u32 type, next;

	do {
		type = settled_type(f);
		ASSERT((type & FT_KIND) == FT_WRITABLE && (type & FT_COUNT));
		next = (type & FT_COUNT) == 1 ? type | FT_PARTIAL : type - 1;
	} while (!atomic_cmpxchg(&f->type, &type, next));
	if (!(next & FT_PARTIAL))
		return;
	/* Before the count shows 0: a promotion looks at the stamp right after. */
	if (frame_clock_hook)
		WRITE_ONCE(f->stamp, frame_clock_hook());
	atomic_store(&f->type, FT_WRITABLE);
}

struct frame *get_frame_and_writable(mfn_t mfn, u16 domid)
{
	struct frame *f = get_frame(mfn, domid);

	if (f && !get_frame_writable(f)) {
		put_frame(f);
		return NULL;
	}
	return f;
}

void put_frame_and_writable(struct frame *f)
{
	put_frame_writable(f);
	put_frame(f);
}

void frame_list_init(struct frame_list *l)
{
	l->head = l->tail = FRAME_NIL;
	l->nr = 0;
}

void frame_list_add(struct frame_list *l, struct frame *f)
{
	u32 n = (u32)frame_to_mfn(f);

	f->next = FRAME_NIL;
	f->prev = l->tail;
	if (l->tail == FRAME_NIL)
		l->head = n;
	else
		frame_table[l->tail].next = n;
	l->tail = n;
	l->nr++;
}

void frame_list_del(struct frame_list *l, struct frame *f)
{
	u32 n = (u32)frame_to_mfn(f);

	ASSERT(l->nr);
	if (f->prev == FRAME_NIL) {
		ASSERT(l->head == n);
		l->head = f->next;
	} else {
		frame_table[f->prev].next = f->next;
	}
	if (f->next == FRAME_NIL) {
		ASSERT(l->tail == n);
		l->tail = f->prev;
	} else {
		frame_table[f->next].prev = f->prev;
	}
	f->next = f->prev = FRAME_NIL;
	l->nr--;
}
