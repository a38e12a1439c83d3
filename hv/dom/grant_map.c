/* SPDX-License-Identifier: MIT */
#include "dom/grant_priv.h"
#include "lib/inject.h"
#include "lib/log.h"
#include "mm/heap.h"
#include "lib/nospec.h"

/*
 * A handle: an entry of another domain (or its own) that this one has pinned. kinds says which of
 * its two mappings still stand; when none does the handle is free.
 */
struct grant_maptrack {
	struct domain *rd; /* referenced */
	grant_ref_t ref;
	u32 mfn;
	u32 next; /* free list */
	u8 state;
	u8 kinds; /* GNTMAP_device_map, GNTMAP_host_map */
	bool write;
	bool by_pte; /* GNTMAP_contains_pte */
} __aligned(32);

enum {
	TRACK_FREE,
	TRACK_BUSY, /* somebody maps or unmaps by it right now */
	TRACK_LIVE
};

#define TRACK_PER_FRAME	  (PAGE_SIZE / sizeof(struct grant_maptrack))
#define TRACK_END	  (~0u)
#define KINDS		  (GNTMAP_device_map | GNTMAP_host_map)
#define RELINQUISH_BUDGET 256

BUILD_BUG_ON(sizeof(struct grant_maptrack) != 32);

/* --- handles --- */

int grant_track_init(struct domain *d)
{
	struct grant_table *t = &d->grants;

	spin_lock_init(&t->track_lock);
	t->track_free = TRACK_END;
	t->track = hv_alloc(GRANT_MAX_TRACK_FRAMES * sizeof(*t->track));
	return t->track ? 0 : -XEN_ENOMEM;
}

void grant_track_free(struct domain *d)
{
	struct grant_table *t = &d->grants;

	ASSERT(!t->nr_maps);
	for (unsigned int i = 0; i < t->nr_track_frames; i++)
		hv_free_pages(t->track[i], 0);
	hv_free(t->track);
	t->track = NULL;
	t->nr_track_frames = 0;
	t->track_free = TRACK_END;
}

/* With track_lock. */
static struct grant_maptrack *track_of(const struct grant_table *t, u32 handle)
{
	if (handle >= t->nr_track_frames * TRACK_PER_FRAME)
		return NULL;
	handle = (u32)nospec_index(handle, t->nr_track_frames * TRACK_PER_FRAME);
	return &t->track[handle / TRACK_PER_FRAME][handle % TRACK_PER_FRAME];
}

/* All handles of a page are free, one after the other. */
static void track_chain(struct grant_maptrack *page, u32 first)
{
	for (u32 i = 0; i < TRACK_PER_FRAME; i++)
		page[i].next = i + 1 < TRACK_PER_FRAME ? first + i + 1 : TRACK_END;
}

static bool track_grow(struct grant_table *t)
{
	u32 first = t->nr_track_frames * TRACK_PER_FRAME;
	struct grant_maptrack *page;

	if (t->nr_track_frames == GRANT_MAX_TRACK_FRAMES)
		return false;
	page = hv_alloc_pages(0);
	if (!page)
		return false;
	track_chain(page, first);
	t->track[t->nr_track_frames++] = page;
	t->track_free = first;
	return true;
}

/* A handle of the caller's alone; NULL when there are no more. */
static struct grant_maptrack *track_alloc(struct grant_table *t, u32 *handle)
{
	struct grant_maptrack *m = NULL;

	spin_lock(&t->track_lock);
	if (t->track_free != TRACK_END || track_grow(t)) {
		*handle = t->track_free;
		m = track_of(t, *handle);
		/* analyze-ok null-dereference: the chain holds only handles that there are. */
		t->track_free = m->next;
		t->nr_maps++;
		m->state = TRACK_BUSY;
	}
	spin_unlock(&t->track_lock);
	return m;
}

/* Who maps nothing any more keeps one page, so that what guests cost comes back with their end. */
static void track_shrink(struct grant_table *t)
{
	while (t->nr_track_frames > 1) {
		struct grant_maptrack **last = &t->track[--t->nr_track_frames];

		hv_free_pages(*last, 0);
		*last = NULL;
	}
	track_chain(t->track[0], 0);
	t->track_free = 0;
}

static void track_release(struct grant_table *t, struct grant_maptrack *m, u32 handle)
{
	spin_lock(&t->track_lock);
	m->state = TRACK_FREE;
	m->next = t->track_free;
	t->track_free = handle;
	if (!--t->nr_maps && t->nr_track_frames > 1)
		track_shrink(t);
	spin_unlock(&t->track_lock);
}

/* A live handle for the caller alone, NULL when it is not live. */
static struct grant_maptrack *track_claim(struct grant_table *t, u32 handle)
{
	struct grant_maptrack *m;

	spin_lock(&t->track_lock);
	m = track_of(t, handle);
	if (m && m->state == TRACK_LIVE)
		m->state = TRACK_BUSY;
	else
		m = NULL;
	spin_unlock(&t->track_lock);
	return m;
}

static void track_publish(struct grant_table *t, struct grant_maptrack *m)
{
	spin_lock(&t->track_lock);
	m->state = TRACK_LIVE;
	spin_unlock(&t->track_lock);
}

/* The handle has no mapping left (or never got one): its pin and its domain go. */
static void track_end(struct grant_table *t, struct grant_maptrack *m, u32 handle)
{
	struct domain *rd = m->rd;

	grant_unpin(rd, m->ref, m->write);
	track_release(t, m, handle);
	domain_put(rd);
}

void grant_track_for_each(struct domain *d, void (*fn)(struct frame *f, bool typed, void *arg),
			  void *arg)
{
	struct grant_table *t = &d->grants;

	spin_lock(&t->track_lock);
	for (u32 h = 0; h < t->nr_track_frames * TRACK_PER_FRAME; h++) {
		const struct grant_maptrack *m = track_of(t, h);

		if (m->state == TRACK_LIVE && (m->kinds & GNTMAP_device_map))
			fn(mfn_to_frame(m->mfn), m->write, arg);
	}
	spin_unlock(&t->track_lock);
}

/* --- mapping --- */

static int map_host(const struct gnttab_map_grant_ref *op, struct frame *f)
{
	if (!grant_map_ops)
		return GNTST_general_error;
	return grant_map_ops->create(op->host_addr, frame_to_mfn(f), op->flags);
}

/*
 * With one set of references in hand (grant_pin's), which become those of the device mapping or of
 * the page-table entry; a mapping of both kinds takes a second one.
 */
static int map_kinds(struct domain *rd, const struct gnttab_map_grant_ref *op, struct frame *f,
		     bool write)
{
	mfn_t mfn = frame_to_mfn(f);
	int rc = GNTST_okay;

	if ((op->flags & KINDS) == KINDS) {
		struct frame *second =
			write ? get_frame_and_writable(mfn, rd->id) : get_frame(mfn, rd->id);

		if (!second)
			rc = GNTST_general_error;
	}
	if (!rc && (op->flags & GNTMAP_host_map)) {
		rc = map_host(op, f);
		if (rc && (op->flags & GNTMAP_device_map))
			grant_put(f, write);
	}
	if (rc)
		grant_put(f, write);
	return rc;
}

/* m is busy; rd referenced, and m's when this succeeds. */
static int map_with(struct domain *d, struct domain *rd, struct gnttab_map_grant_ref *op,
		    struct grant_maptrack *m)
{
	bool write = !(op->flags & GNTMAP_readonly);
	struct frame *f;
	int rc = grant_pin(rd, d->id, op->ref, write, &f);

	if (rc)
		return rc;
	rc = map_kinds(rd, op, f, write);
	if (rc) {
		grant_unpin(rd, op->ref, write);
		return rc;
	}
	m->rd = rd;
	m->ref = op->ref;
	m->mfn = (u32)frame_to_mfn(f);
	m->kinds = op->flags & KINDS;
	m->write = write;
	m->by_pte = op->flags & GNTMAP_contains_pte;
	op->dev_bus_addr = (u64)m->mfn << PAGE_SHIFT;
	return GNTST_okay;
}

void grant_map(struct domain *d, struct gnttab_map_grant_ref *op)
{
	struct grant_table *t = &d->grants;
	struct grant_maptrack *m;
	struct domain *rd;
	u32 handle = 0;

	op->status = GNTST_general_error;
	if (!(op->flags & KINDS))
		return;
	rd = grant_domain(d, op->dom);
	if (!rd) {
		op->status = GNTST_bad_domain;
		return;
	}
	m = track_alloc(t, &handle);
	op->status = m ? (s16)map_with(d, rd, op, m) : GNTST_no_space;
	if (op->status == GNTST_okay) {
		op->handle = handle;
		track_publish(t, m);
		return;
	}
	if (m)
		track_release(t, m, handle);
	domain_put(rd);
}

/* --- unmapping --- */

static int check_unmap(const struct grant_maptrack *m, const struct grant_unmap *u)
{
	if (u->host_addr && !(m->kinds & GNTMAP_host_map))
		return GNTST_bad_virt_addr;
	if (u->dev_bus_addr &&
	    (!(m->kinds & GNTMAP_device_map) || u->dev_bus_addr >> PAGE_SHIFT != m->mfn))
		return GNTST_bad_dev_addr;
	return GNTST_okay;
}

static int unmap_host(const struct grant_unmap *u, const struct grant_maptrack *m)
{
	unsigned int flags =
		(m->write ? 0 : GNTMAP_readonly) | (m->by_pte ? GNTMAP_contains_pte : 0);

	if (!grant_map_ops)
		return GNTST_general_error;
	return grant_map_ops->destroy(u->host_addr, u->new_addr, m->mfn, flags);
}

/* The mappings go, but neither their references nor the handle. NULL: nothing to be done later. */
static struct grant_maptrack *unmap_begin(struct domain *d, struct grant_unmap *u)
{
	struct grant_maptrack *m = track_claim(&d->grants, u->handle);

	u->done = 0;
	u->status = GNTST_bad_handle;
	if (!m)
		return NULL;
	u->mfn = m->mfn;
	u->status = (s16)check_unmap(m, u);
	if (!u->status && u->host_addr) {
		u->status = (s16)unmap_host(u, m);
		if (!u->status)
			u->done |= GNTMAP_host_map;
	}
	if (!u->status && u->dev_bus_addr)
		u->done |= GNTMAP_device_map;
	return m;
}

static void unmap_end(struct domain *d, struct grant_unmap *u, struct grant_maptrack *m)
{
	struct frame *f = mfn_to_frame(u->mfn);

	if (u->done & GNTMAP_host_map)
		grant_put(f, m->write);
	if (u->done & GNTMAP_device_map)
		grant_put(f, m->write);
	m->kinds &= (u8)~u->done;
	if (m->kinds)
		track_publish(&d->grants, m);
	else
		track_end(&d->grants, m, u->handle);
}

void grant_unmap(struct domain *d, struct grant_unmap *ops, unsigned int n)
{
	struct grant_maptrack *m[GRANT_UNMAP_BATCH];
	unsigned int i, host = 0;
	unsigned long va = ~0UL;

	ASSERT(n <= GRANT_UNMAP_BATCH);
	for (i = 0; i < n; i++) {
		m[i] = unmap_begin(d, &ops[i]);
		if (ops[i].done & GNTMAP_host_map) {
			va = m[i]->by_pte ? ~0UL : ops[i].host_addr;
			host++;
		}
	}
	if (host)
		grant_map_ops->flush(host == 1 ? va : ~0UL);
	for (i = 0; i < n; i++)
		if (m[i])
			unmap_end(d, &ops[i], m[i]);
}

/* --- the end of a domain that maps --- */

/* References of host mappings went, or will go, with its page tables. */
static void abandon(struct domain *d, struct grant_maptrack *m, u32 handle)
{
	if (m->kinds & GNTMAP_device_map)
		grant_put(mfn_to_frame(m->mfn), m->write);
	m->kinds = 0;
	track_end(&d->grants, m, handle);
}

int grant_relinquish(struct domain *d)
{
	struct grant_table *t = &d->grants;
	unsigned int done = 0;

	while (t->nr_maps && t->track_next < t->nr_track_frames * TRACK_PER_FRAME) {
		u32 handle = t->track_next++;
		struct grant_maptrack *m = track_claim(t, handle);

		if (m)
			abandon(d, m, handle);
		if (++done == RELINQUISH_BUDGET || inject_preempt())
			return -XEN_ERESTART;
	}
	t->track_next = 0;
	return 0;
}
