/* SPDX-License-Identifier: MIT */
#include "dom/domain.h"
#include "cpu/percpu.h"
#include "lib/inject.h"
#include "lib/log.h"
#include "mm/buddy.h"
#include "mm/heap.h"
#include "mm/m2p.h"

#define RELINQUISH_BUDGET 256

static unsigned int buddy_flags(unsigned int memflags)
{
	return (memflags & DMF_LOW ? BUDDY_LOW : 0) | (memflags & DMF_NOZERO ? 0 : BUDDY_ZERO);
}

static struct frame *alloc_block(unsigned int order, unsigned int memflags)
{
	unsigned int bits = memflags >> 8;

	if (order > MAX_ORDER)
		return NULL;
	if (!bits || bits >= 52)
		return buddy_alloc(order, buddy_flags(memflags));
	if (bits < PAGE_SHIFT)
		return NULL;
	return buddy_alloc_below(order, buddy_flags(memflags), 1UL << (bits - PAGE_SHIFT));
}

/* With page_lock. The reference count comes last: until it is there nobody gets at the frame. */
static void give_frame(struct domain *d, struct frame *f)
{
	f->type = FT_NONE;
	f->owner = d->id;
	frame_list_add(&d->frames, f);
	d->tot_pages++;
	atomic_store(&f->refs, FR_ALLOCATED | 1u);
}

/* With page_lock, if the answer shall last. */
static int may_have(const struct domain *d, unsigned long nr)
{
	if (READ_ONCE(d->dying))
		return -XEN_EINVAL;
	return READ_ONCE(d->tot_pages) + nr > READ_ONCE(d->max_pages) ? -XEN_E2BIG : 0;
}

static int give_block(struct domain *d, struct frame *f, unsigned int order)
{
	unsigned long i;
	int rc;

	spin_lock(&d->page_lock);
	rc = may_have(d, 1UL << order);
	for (i = 0; !rc && i < 1UL << order; i++)
		give_frame(d, f + i);
	spin_unlock(&d->page_lock);
	return rc;
}

struct frame *domain_alloc_frames(struct domain *d, unsigned int order, unsigned int memflags)
{
	struct frame *f;

	/* A look before the work, which needs no lock; the one that counts is in give_block(). */
	if (order > MAX_ORDER || may_have(d, 1UL << order))
		return NULL;
	f = alloc_block(order, memflags);
	if (f && give_block(d, f, order)) {
		buddy_free(f, order);
		return NULL;
	}
	return f;
}

int domain_assign_frame(struct domain *d, struct frame *f)
{
	ASSERT(!(f->refs & FR_COUNT));
	return give_block(d, f, 0);
}

void domain_share_xenheap(struct domain *d, struct frame *f, bool writable)
{
	ASSERT(!f->refs);
	/* A type count of our own, of a kind nobody can add to or that only allows more of the same. */
	f->type = (writable ? FT_WRITABLE : FT_NONE) | 1;
	f->owner = d->id;
	spin_lock(&d->page_lock);
	d->xenheap_pages++;
	spin_unlock(&d->page_lock);
	atomic_store(&f->refs, FR_XENHEAP | 1u);
}

void domain_unshare_xenheap(struct frame *f)
{
	ASSERT(f->refs & FR_XENHEAP);
	put_frame(f);
}

/* --- the last reference --- */

static struct domain *owner_of(const struct frame *f)
{
	struct domain *d = current ? current->d : NULL;

	if (!d || d->id != f->owner)
		d = domain_of_owner(f->owner);
	/* It stays listed as long as it has frames. */
	ASSERT(d);
	return d;
}

/* With page_lock. */
static bool was_last(struct domain *d)
{
	if (!d->killed || d->finished || d->tot_pages || d->xenheap_pages)
		return false;
	return d->finished = true;
}

bool domain_nothing_left(struct domain *d)
{
	bool last;

	spin_lock(&d->page_lock);
	d->killed = true;
	last = was_last(d);
	spin_unlock(&d->page_lock);
	return last;
}

/* Once page_lock is dropped d may go away, unless this was its last frame: then it is ours to end. */
static bool forget_frame(struct domain *d, struct frame *f)
{
	bool last;

	spin_lock(&d->page_lock);
	if (f->refs & FR_XENHEAP) {
		d->xenheap_pages--;
	} else {
		if (d->relinquish_next == frame_to_mfn(f))
			d->relinquish_next = f->next;
		frame_list_del(&d->frames, f);
		d->tot_pages--;
	}
	last = was_last(d);
	spin_unlock(&d->page_lock);
	return last;
}

/*
 * The frame keeps its owner until the allocator has it, which notes that TLBs have to be flushed
 * before somebody else gets it. What it holds stays until then: only after that flush can nobody write
 * to it any more, so whoever allocates it zeroes it. (Zeroing here as well was most of the time that
 * `xl destroy` of a large domain took.)
 */
static void free_frame(struct frame *f)
{
	struct domain *d = owner_of(f);
	bool last = forget_frame(d, f);

	m2p_set(frame_to_mfn(f), M2P_INVALID);
	if (f->refs & FR_XENHEAP)
		hv_free_pages(frame_to_virt(f), 0);
	else
		buddy_free(f, 0);
	if (last)
		domain_finish(d);
}

void domain_memory_init(void)
{
	frame_free_hook = free_frame;
}

/* --- teardown --- */

/* The next frame of the list with a reference of ours; NULL at the end. */
static struct frame *next_frame(struct domain *d)
{
	struct frame *f = NULL;

	spin_lock(&d->page_lock);
	while (!f && d->relinquish_next != FRAME_NIL) {
		u32 n = d->relinquish_next;

		d->relinquish_next = frame_table[n].next;
		/* NULL: its last reference went just now, free_frame() waits for page_lock. */
		f = get_frame(n, d->id);
	}
	spin_unlock(&d->page_lock);
	return f;
}

static int relinquish_some(struct domain *d)
{
	unsigned int done = 0;
	struct frame *f;

	while ((f = next_frame(d)) != NULL) {
		if (atomic_and(&f->refs, ~FR_ALLOCATED) & FR_ALLOCATED)
			put_frame(f);
		put_frame(f);
		if (++done == RELINQUISH_BUDGET || inject_preempt())
			return -XEN_ERESTART;
	}
	return 0;
}

int domain_relinquish_frames(struct domain *d)
{
	int rc = relinquish_some(d);

	/* This CPU clears them when it goes idle. One that sleeps begins at once, if there is one. */
	if (buddy_neglected())
		sched_nudge_idle();
	return rc;
}
