/* SPDX-License-Identifier: MIT */
#include "dom/grant_priv.h"
#include "lib/log.h"

#define TRIES 16

/*
 * Flags and domid of a shared entry are one word to us: checked and marked as used by one
 * compare-and-swap. From then on a guest that keeps to the ABI leaves the entry alone.
 */
static int mark_used(struct grant_entry_v1 *e, domid_t user, bool write)
{
	u32 *word = (u32 *)e;
	u32 w = READ_ONCE(*word);

	for (unsigned int i = 0; i < TRIES; i++) {
		u32 marked = w | GTF_reading | (write ? GTF_writing : 0);

		if ((w & (GTF_type_mask | GTF_sub_page)) != GTF_permit_access || w >> 16 != user)
			return GNTST_bad_gntref;
		if (write && (w & GTF_readonly))
			return GNTST_general_error;
		if (w == marked || atomic_cmpxchg(word, &w, marked))
			return GNTST_okay;
	}
	/* Somebody keeps writing to it, which no guest has a reason for. */
	return GNTST_general_error;
}

static void mark_unused(struct grant_entry_v1 *e, const struct grant_active *act)
{
	u16 gone =
		(act->writers ? 0 : GTF_writing) | (act->readers || act->writers ? 0 : GTF_reading);

	if (gone)
		(void)atomic_and(&e->flags, (u16)~gone);
}

/* With the lock, nobody uses the entry yet and it is marked. */
static int take_frame(struct domain *rd, struct grant_active *act, struct grant_entry_v1 *e,
		      domid_t user)
{
	u32 mfn = READ_ONCE(e->frame);

	if (!get_frame(mfn, rd->id)) {
		mark_unused(e, act);
		return GNTST_bad_page;
	}
	act->mfn = mfn;
	act->user = user;
	return GNTST_okay;
}

static int pin_locked(struct domain *rd, domid_t user, grant_ref_t ref, bool write)
{
	struct grant_entry_v1 *e;
	struct grant_active *act;
	int rc;

	if (!grant_ref_ok(rd, ref))
		return GNTST_bad_gntref;
	ref = grant_ref_nospec(rd, ref);
	e = grant_shared(rd, ref);
	act = grant_active_of(rd, ref);
	if ((act->readers || act->writers) && act->user != user)
		return GNTST_general_error;
	rc = mark_used(e, user, write);
	if (!rc && !act->readers && !act->writers)
		rc = take_frame(rd, act, e, user);
	if (rc)
		return rc;
	/* Handles are fewer than 2^32, and copies that are under way one a CPU. */
	if (write)
		act->writers++;
	else
		act->readers++;
	return GNTST_okay;
}

int grant_pin(struct domain *rd, domid_t user, grant_ref_t ref, bool write, struct frame **f)
{
	mfn_t mfn = 0;
	int rc;

	spin_lock(&rd->grants.lock);
	rc = pin_locked(rd, user, ref, write);
	if (!rc)
		mfn = grant_active_of(rd, ref)->mfn;
	spin_unlock(&rd->grants.lock);
	if (rc)
		return rc;
	/* NULL: a page table, or rd has died since. */
	*f = write ? get_frame_and_writable(mfn, rd->id) : get_frame(mfn, rd->id);
	if (*f)
		return GNTST_okay;
	grant_unpin(rd, ref, write);
	return GNTST_bad_page;
}

void grant_unpin(struct domain *rd, grant_ref_t ref, bool write)
{
	struct frame *last = NULL;

	spin_lock(&rd->grants.lock);
	if (grant_ref_ok(rd, ref)) {
		struct grant_active *act = grant_active_of(rd, ref);

		ASSERT(write ? act->writers : act->readers);
		if (write)
			act->writers--;
		else
			act->readers--;
		if (!act->readers && !act->writers)
			last = mfn_to_frame(act->mfn);
		mark_unused(grant_shared(rd, ref), act);
	}
	spin_unlock(&rd->grants.lock);
	if (last)
		put_frame(last);
}

void grant_put(struct frame *f, bool write)
{
	if (write)
		put_frame_and_writable(f);
	else
		put_frame(f);
}
