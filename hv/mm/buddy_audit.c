/* SPDX-License-Identifier: MIT */
#include "mm/zone.h"
#include <xen/xen.h>

struct counts {
	unsigned long frames, waits;
};

/* Every part of every size, from its halves. */
static bool audit_mixed(const struct frame *f, unsigned int order)
{
	for (unsigned int o = 0; o < order; o++)
		for (unsigned long i = 0; i < 1UL << order; i += 2UL << o) {
			const struct frame *left = f + i, *right = left + (1UL << o);
			bool same = block_alike(left, o) && block_alike(right, o) &&
				    frame_waits(left) == frame_waits(right);

			if (block_alike(left, o + 1) != same)
				return false;
		}
	return true;
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
		if (f[i].refs || f[i].type >> 16 || f[i].content > FC_WAITS ||
		    f[i].owner != DOMID_INVALID || (i && f[i].state != FS_FREE_TAIL))
			return false;
	return audit_mixed(f, order);
}

static bool audit_list(const struct zone *z, unsigned int list, unsigned int order,
		       struct counts *c)
{
	u32 prev = FRAME_NIL;

	for (struct frame *f = zone_first(z, list, order); f;) {
		if (!audit_block(z, f, order, prev) || block_list(f, order) != list)
			return false;
		c->frames += 1UL << order;
		c->waits += block_count_waits(f, order);
		if (c->frames > z->free) /* also ends a list that became a circle */
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

static bool audit_zone(const struct zone *z)
{
	struct counts c = {0};

	for (unsigned int list = 0; list < NR_LISTS; list++)
		for (unsigned int o = 0; o <= MAX_ORDER; o++)
			if (!audit_list(z, list, o, &c) ||
			    (z->there[list] >> o & 1) != (z->head[list][o] != 0))
				return false;
	return c.frames + z->taken == z->free && c.waits == z->waits;
}

bool buddy_audit(void)
{
	bool ok;

	spin_lock(&buddy_lock);
	ok = audit_zone(&zones[ZONE_LOW]) && audit_zone(&zones[ZONE_HIGH]) &&
	     zones[ZONE_LOW].free + zones[ZONE_HIGH].free == count_free_states();
	spin_unlock(&buddy_lock);
	return ok;
}
