/* SPDX-License-Identifier: MIT */
#include "dom/grant_priv.h"
#include "lib/log.h"
#include "mm/heap.h"

BUILD_BUG_ON(sizeof(struct grant_active) * GRANTS_PER_FRAME != PAGE_SIZE << ACTIVE_ORDER);

const struct grant_map_ops *grant_map_ops;

struct domain *grant_domain(struct domain *d, domid_t id)
{
	return domain_get(id == DOMID_SELF ? d->id : id);
}

/* --- the table --- */

static struct frame *frame_of(const void *page)
{
	return mfn_to_frame(virt_to_mfn(page));
}

/* With the lock (or before anybody knows d). */
static bool grow_by_one(struct domain *d)
{
	struct grant_table *t = &d->grants;
	struct grant_active *active = hv_alloc_pages(ACTIVE_ORDER);
	void *page = hv_alloc_pages(0);

	if (!active || !page) {
		if (active)
			hv_free_pages(active, ACTIVE_ORDER);
		if (page)
			hv_free_pages(page, 0);
		return false;
	}
	domain_share_xenheap(d, frame_of(page), true);
	t->active[t->nr_frames] = active;
	t->frames[t->nr_frames] = page;
	t->nr_frames++;
	return true;
}

int grant_get_frame(struct domain *d, unsigned int idx, unsigned long *mfn)
{
	struct grant_table *t = &d->grants;
	int rc = 0;

	spin_lock(&t->lock);
	if (idx >= t->max_frames)
		rc = -XEN_EINVAL;
	while (!rc && t->nr_frames <= idx)
		if (!grow_by_one(d))
			rc = -XEN_ENOMEM;
	if (!rc)
		*mfn = virt_to_mfn(t->frames[idx]);
	spin_unlock(&t->lock);
	return rc;
}

/* What there is of a table that is half built, or of a dead domain. */
static void free_table(struct grant_table *t, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		domain_unshare_xenheap(frame_of(t->frames[i]));
		hv_free_pages(t->active[i], ACTIVE_ORDER);
	}
	hv_free(t->frames);
	hv_free(t->active);
	t->frames = NULL;
	t->active = NULL;
}

int grant_init_domain(struct domain *d, unsigned int max_frames)
{
	struct grant_table *t = &d->grants;

	*t = (struct grant_table){0};
	spin_lock_init(&t->lock);
	max_frames = max(1u, min(max_frames, (unsigned int)GRANT_MAX_FRAMES_LIMIT));
	t->frames = hv_alloc(max_frames * sizeof(*t->frames));
	t->active = hv_alloc(max_frames * sizeof(*t->active));
	if (!t->frames || !t->active || grant_track_init(d)) {
		free_table(t, 0);
		return -XEN_ENOMEM;
	}
	if (!grow_by_one(d)) {
		grant_track_free(d);
		free_table(t, 0);
		return -XEN_ENOMEM;
	}
	t->max_frames = max_frames;
	return 0;
}

/* The pins' own references; mappings that others still have keep theirs. */
static void drop_pins(const struct grant_table *t, unsigned int frame)
{
	for (unsigned int i = 0; i < GRANTS_PER_FRAME; i++) {
		const struct grant_active *act = &t->active[frame][i];

		if (act->readers || act->writers)
			put_frame(mfn_to_frame(act->mfn));
	}
}

void grant_destroy_domain(struct domain *d)
{
	struct grant_table *t = &d->grants;
	unsigned int nr;

	while (grant_relinquish(d) == -XEN_ERESTART)
		continue;
	grant_track_free(d);
	/* From here on nobody finds an entry, neither for a new pin nor to end an old one. */
	spin_lock(&t->lock);
	nr = t->nr_frames;
	t->nr_frames = t->max_frames = 0;
	spin_unlock(&t->lock);
	for (unsigned int i = 0; i < nr; i++)
		drop_pins(t, i);
	free_table(t, nr);
}

int grant_swap(struct domain *d, grant_ref_t a, grant_ref_t b)
{
	int rc = GNTST_okay;

	spin_lock(&d->grants.lock);
	if (!grant_ref_ok(d, a) || !grant_ref_ok(d, b)) {
		rc = GNTST_bad_gntref;
	} else {
		struct grant_active *aa = grant_active_of(d, a), *ab = grant_active_of(d, b);
		u64 *ea = (u64 *)grant_shared(d, a), *eb = (u64 *)grant_shared(d, b);

		if (aa->readers || aa->writers || ab->readers || ab->writers) {
			rc = GNTST_eagain;
		} else if (a != b) {
			u64 old = READ_ONCE(*ea);

			WRITE_ONCE(*ea, READ_ONCE(*eb));
			WRITE_ONCE(*eb, old);
		}
	}
	spin_unlock(&d->grants.lock);
	return rc;
}

void grant_for_each_ref(struct domain *d, void (*fn)(struct frame *f, bool typed, void *arg),
			void *arg)
{
	spin_lock(&d->grants.lock);
	for (grant_ref_t ref = 0; grant_ref_ok(d, ref); ref++) {
		const struct grant_active *act = grant_active_of(d, ref);

		if (act->readers || act->writers)
			fn(mfn_to_frame(act->mfn), false, arg);
	}
	spin_unlock(&d->grants.lock);
	grant_track_for_each(d, fn, arg);
}

static bool look(struct domain *d, grant_ref_t ref, struct grant_active *act, u32 *flags)
{
	bool ok;

	spin_lock(&d->grants.lock);
	ok = grant_ref_ok(d, ref);
	if (ok) {
		*act = *grant_active_of(d, ref);
		*flags = READ_ONCE(grant_shared(d, ref)->flags);
	}
	spin_unlock(&d->grants.lock);
	return ok;
}

/* Prints without the lock, so each line is a picture of its own moment. */
void grant_dump(struct domain *d)
{
	struct grant_active act;
	u32 flags;

	pr_info("d%u: %u of %u grant frames, %u mappings of others\n", d->id, d->grants.nr_frames,
		d->grants.max_frames, d->grants.nr_maps);
	for (grant_ref_t ref = 0; look(d, ref, &act, &flags); ref++)
		if (act.readers || act.writers)
			pr_info("  %5u d%u frame %#x readers %u writers %u flags %#x\n", ref,
				act.user, act.mfn, act.readers, act.writers, flags);
}
