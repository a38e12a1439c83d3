/* SPDX-License-Identifier: MIT */
/* Inside of the grant tables: pinning of entries (grant_pin.c), for grant_map.c and grant_copy.c. */
#ifndef DOM_GRANT_PRIV_H
#define DOM_GRANT_PRIV_H

#include "dom/domain.h"
#include "lib/nospec.h"

#define GRANTS_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))

/* Twin of a shared entry. In use when there are readers or writers, all of them of one domain. */
struct grant_active {
	u32 readers, writers;
	u32 mfn;
	domid_t user;
	u16 unused;
};

#define ACTIVE_ORDER 1 /* pages of active entries for a frame of shared ones */

/* With d->grants.lock: is there such an entry? */
static inline bool grant_ref_ok(const struct domain *d, grant_ref_t ref)
{
	return ref < d->grants.nr_frames * GRANTS_PER_FRAME;
}

/* For one that grant_ref_ok() accepted and a guest chose. */
static inline grant_ref_t grant_ref_nospec(const struct domain *d, grant_ref_t ref)
{
	return (grant_ref_t)nospec_index(ref, d->grants.nr_frames * GRANTS_PER_FRAME);
}

static inline struct grant_entry_v1 *grant_shared(const struct domain *d, grant_ref_t ref)
{
	struct grant_entry_v1 *page = d->grants.frames[ref / GRANTS_PER_FRAME];

	return &page[ref % GRANTS_PER_FRAME];
}

static inline struct grant_active *grant_active_of(const struct domain *d, grant_ref_t ref)
{
	return &d->grants.active[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME];
}

/*
 * Pins entry ref of rd for domain `user`, sets its reading and writing flags, and returns the frame
 * with a reference (and a writable count when write) for the caller. 0 or GNTST_*.
 */
int grant_pin(struct domain *rd, domid_t user, grant_ref_t ref, bool write, struct frame **f);
/* Ends the pin; the caller's references to the frame are not touched. rd may have lost its table. */
void grant_unpin(struct domain *rd, grant_ref_t ref, bool write);
/* Gives back what grant_pin() returned. */
void grant_put(struct frame *f, bool write);
/* DOMID_SELF or an id to a referenced domain; NULL when there is none. */
struct domain *grant_domain(struct domain *d, domid_t id) __must_check;

/* --- grant_map.c --- */
int grant_track_init(struct domain *d);
void grant_track_free(struct domain *d);
void grant_track_for_each(struct domain *d, void (*fn)(struct frame *f, bool typed, void *arg),
			  void *arg);

#endif
