/* SPDX-License-Identifier: MIT */
/*
 * Changes of L1 entries, in place, for mm_l1.c and for the loop of mmu_update. A change has three steps:
 * prepare checks the new entry and takes what it needs and the old one does not already hold; then the
 * entry is written; finish gives back what only the old one needed. mm_lock held.
 */
#ifndef PV_MM_L1_H
#define PV_MM_L1_H

#include "pv/l1tf.h"
#include "pv/mm.h"

/* Changing only these bits touches neither the frame nor the rights class. */
#define L1_HARMLESS (PTE_A | PTE_D | PTE_AVAIL | PTE_NX | (0x7fUL << 52))
/* Protection-key bits, which a PV guest does not have. */
#define L1_BAD	 (0xfUL << 59)
#define L1_CACHE (PTE_PWT | PTE_PCD | PTE_PAT)

/* May d have device memory at mfn? 0 or an error. */
int pv_io_get(const struct domain *d, domid_t pg, mfn_t mfn) __must_check;

static inline __attribute__((always_inline)) int l1e_get(struct domain *d, domid_t pg, u64 *e)
{
	mfn_t mfn = pte_mfn(*e);
	struct frame *f;

	if (unlikely(*e & L1_BAD))
		return -XEN_EINVAL;
	*e = (*e | PTE_US) & ~PTE_G;
	f = pv_ram_frame(mfn);
	if (unlikely(!f))
		return pv_io_get(d, pg, mfn);
	/* Memory that is not cached, at addresses that others cache: for drivers only. */
	if (unlikely(*e & L1_CACHE) && !d->privileged)
		return -XEN_EINVAL;
	if (unlikely(!get_frame_at(f, pg)))
		return -XEN_EINVAL;
	if ((*e & PTE_RW) && unlikely(!get_frame_writable_inline(f))) {
		put_frame(f);
		return -XEN_EINVAL;
	}
	if (unlikely(pg != d->id) && (*e & PTE_RW))
		frame_note_foreign(f);
	return 0;
}

static inline void l1e_put(u64 e)
{
	struct frame *f;

	if (!(e & PTE_P))
		return;
	f = pv_ram_frame(pte_mfn(e));
	if (unlikely(!f))
		return;
	if (e & PTE_RW)
		put_frame_writable_inline(f);
	put_frame_inline(f);
}

/* What prepare has taken for the new entry. */
enum l1e_held {
	HELD_NOTHING,  /* nothing: the old entry's references are the new one's */
	HELD_WRITABLE, /* a writable count, or none to give back; the frame is the same */
	HELD_ALL,      /* everything, as if there was no old entry */
};

/*
 * The frame when `old` and `new` differ in nothing but the right to write (and harmless bits), and
 * l1e_get(new) could fail for the missing writable count only; else NULL.
 */
static inline struct frame *l1e_same_frame(domid_t pg, u64 old, u64 new)
{
	struct frame *f;

	if (((old ^ new) & ~(L1_HARMLESS | PTE_RW)) || (new &L1_CACHE))
		return NULL;
	f = pv_ram_frame(pte_mfn(new));
	/* The old entry's reference keeps it in place, but it may be another domain's (a grant). */
	return f && READ_ONCE(f->owner) == pg ? f : NULL;
}

/* new is present and normal. */
static inline __attribute__((always_inline)) int l1e_prepare(struct domain *d, domid_t pg, u64 old,
							     u64 *new, enum l1e_held *held)
{
	if ((old & PTE_P) && likely(!(*new &L1_BAD))) {
		struct frame *f;

		*held = HELD_NOTHING;
		if (!((old ^ *new) & ~L1_HARMLESS))
			return 0;
		f = pg == d->id ? l1e_same_frame(pg, old, *new) : NULL;
		if (f) {
			*held = HELD_WRITABLE;
			return !(*new &PTE_RW) || get_frame_writable_inline(f) ? 0 : -XEN_EINVAL;
		}
	}
	*held = HELD_ALL;
	return l1e_get(d, pg, new);
}

static inline void l1e_undo(u64 new, enum l1e_held held)
{
	if (held == HELD_ALL)
		l1e_put(new);
	else if (held == HELD_WRITABLE && (new &PTE_RW))
		put_frame_writable(mfn_to_frame(pte_mfn(new)));
}

static inline void l1e_finish(u64 old, u64 new, enum l1e_held held)
{
	if (held == HELD_ALL || !(new &PTE_P))
		l1e_put(old);
	else if (held == HELD_WRITABLE && !(new &PTE_RW))
		put_frame_writable_inline(mfn_to_frame(pte_mfn(new)));
}

static inline void l1e_write(u64 *pl1e, u64 old, u64 new, bool preserve_ad)
{
	if (likely(!preserve_ad)) {
		WRITE_ONCE(*pl1e, new);
		return;
	}
	while (!atomic_cmpxchg(pl1e, &old, new | (old & (PTE_A | PTE_D))))
		continue;
}

/* pv_l1e_set() in place. */
static inline __attribute__((always_inline)) int l1e_set(struct domain *d, domid_t pg, u64 *pl1e,
							 u64 new, bool preserve_ad)
{
	enum l1e_held held = HELD_NOTHING;
	u64 old = READ_ONCE(*pl1e);
	int rc;

	if (!(new &PTE_P)) {
		rc = l1tf_check(d, new, 1);
		if (unlikely(rc))
			return rc;
		WRITE_ONCE(*pl1e, new);
		l1e_put(old);
		return 0;
	}
	new = (new | PTE_US) & ~PTE_G;
	rc = l1e_prepare(d, pg, old, &new, &held);
	if (unlikely(rc))
		return rc;
	l1e_write(pl1e, old, new, preserve_ad);
	l1e_finish(old, new, held);
	return 0;
}

#endif
