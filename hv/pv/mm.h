/* SPDX-License-Identifier: MIT */
/*
 * Page tables of PV guests: every entry is checked once, when its page becomes a table ("promotion")
 * or when it is changed, and counted for as long as it stands.
 *
 * For each present entry a table owns references: an L1 entry one on the frame it maps, plus a
 * writable count if it maps it writable; an L2..L4 entry one on the lower table and one of its type
 * counts. A frame typed as a table can therefore never be mapped writable, and a table in use can
 * never change its nature. All of it under the owner's mm_lock.
 *
 * Promotion and demotion walk a tree without recursion and may stop when the budget is used up: the
 * pages on the path stay FT_PARTIAL. A half-done promotion is continued by executing the hypercall
 * again; demotion of a root waits in d->pv.demoting and is finished before the domain's next change.
 */
#ifndef PV_MM_H
#define PV_MM_H

#include "dom/domain.h"
#include "lib/inject.h"
#include "lib/log.h"
#include "mm/pgtable.h"

#define PV_BUDGET 4096 /* table entries a hypercall may work through before it restarts */
#define PV_AGAIN  (-XEN_ERESTART)
/* In the count of a batch: it is being continued, *pdone already holds what was done before. */
#define PV_RESUMED (1UL << 31)

/*
 * Takes n off a budget; true when it is used up. Where work must not stop the budget is more than
 * PV_BUDGET; injected stops leave that alone.
 */
static inline bool pv_spent(int *budget, int n)
{
	*budget -= n;
	if (*budget < PV_BUDGET && inject_preempt())
		*budget = -1;
	return *budget < 0;
}

/* Slots of an L4 table that are ours. */
static inline bool pv_hv_slot(unsigned int i)
{
	return i - HV_SLOT_FIRST <= HV_SLOT_LAST - HV_SLOT_FIRST;
}

/* --- mm_l1.c: single entries of L1 tables --- */
/*
 * Takes the references that L1 entry *e needs; pg is the owner of the frame (d's own id mostly).
 * *e gets the user bit, loses the global bit, and its write bit where only reading is allowed.
 * 0 or -XEN_EINVAL / -XEN_EPERM.
 */
int pv_l1e_get(struct domain *d, domid_t pg, u64 *e) __must_check;
void pv_l1e_put(struct domain *d, u64 e);
/*
 * Changes *pl1e, an entry of a validated L1 table of d, to `new`. preserve_ad: accessed and dirty bits
 * that the processor sets meanwhile are kept. Nothing is changed on failure. The caller flushes.
 */
int pv_l1e_set(struct domain *d, domid_t pg, u64 *pl1e, u64 new, bool preserve_ad) __must_check;
/*
 * The same as one compare-and-swap: -XEN_EAGAIN and no change when *pl1e is not `old` any more, which
 * happens when the processor has set accessed or dirty bits. old must be present.
 */
int pv_l1e_cmpxchg(struct domain *d, u64 *pl1e, u64 old, u64 new) __must_check;
/*
 * The frame of a number that a guest chose, clamped. NULL for device memory: not RAM, or RAM that was
 * never the allocator's (below 1 MiB).
 */
static inline struct frame *pv_ram_frame(mfn_t mfn)
{
	struct frame *f = frame_checked(mfn);

	return unlikely(!f) || unlikely(f->state == FS_NOTRAM) ? NULL : f;
}
static inline bool pv_mfn_is_io(mfn_t mfn)
{
	return !pv_ram_frame(mfn);
}
/* Keeps device pages that are the hypervisor's own (APICs) from every guest; boot time. */
void pv_deny_io(mfn_t first, mfn_t last);

/* --- mm_types.c: tables as wholes --- */
/* One reference and one type count of a validated table of `level` for the caller. PV_AGAIN: repeat. */
int pv_get_table(struct domain *d, mfn_t mfn, unsigned int level, int *budget) __must_check;
/* Gives both back; the last one starts the demotion (see pv_drain). */
void pv_put_table(struct domain *d, struct frame *f, unsigned int level, int *budget);
/* Works on a pending demotion. 0 when there is none (left), PV_AGAIN when the budget is used up. */
int pv_drain_pending(struct domain *d, int *budget) __must_check;
static inline __must_check int pv_drain(struct domain *d, int *budget)
{
	return likely(d->pv.demoting == FRAME_NIL) ? 0 : pv_drain_pending(d, budget);
}
/* Domain death: undoes a promotion that was begun and never finished. */
void pv_abandon(struct domain *d, struct frame *f, int *budget);
/* Changes entry idx of the validated table f of level 2..4. */
int pv_table_entry_set(struct domain *d, struct frame *f, unsigned int level, unsigned int idx,
		       u64 new, bool preserve_ad, int *budget) __must_check;
/* Entry i of a validated root of d is e now; NULL: nobody wants to know. mm_lock of d. */
extern void (*root_entry_hook)(struct domain *d, mfn_t root, unsigned int i, u64 e);
/* A root is about to be loaded: kernels see the machine-to-physical table, their user mode does not. */
void pv_show_m2p(mfn_t root, bool show);
int pv_pin(struct domain *d, mfn_t mfn, unsigned int level, int *budget) __must_check;
int pv_unpin(struct domain *d, mfn_t mfn, int *budget) __must_check;

static inline bool pv_is_table(const struct domain *d, const struct frame *f, unsigned int level)
{
	return f->owner == d->id &&
	       (f->type & (FT_KIND | FT_VALIDATED)) == ((level << 29) | FT_VALIDATED);
}

/* 0 when pv_is_table(), without a branch: for nospec_if_same(). */
static inline u32 pv_table_differs(const struct domain *d, const struct frame *f,
				   unsigned int level)
{
	return (u32)(f->owner ^ d->id) |
	       ((f->type & (FT_KIND | FT_VALIDATED)) ^ ((level << 29) | FT_VALIDATED));
}

/* --- mmuext.c --- */
/* Loads mfn as the current vcpu's kernel root; mm_lock held, drained. 0, -XEN_EINVAL, PV_AGAIN. */
int pv_new_kernel_root(struct vcpu *v, mfn_t mfn, int *budget);

/* --- mm_desc.c: descriptor pages --- */
int pv_get_segdesc(struct domain *d, mfn_t mfn) __must_check;
void pv_put_segdesc(struct frame *f);
/* Makes a descriptor harmless (ring 3 only); false when it is of a forbidden kind. */
bool pv_fix_descriptor(u64 *desc);

/* --- mm_walk.c --- */
/* The L1 entry that maps va in the current vcpu's kernel tables, or NULL. mm_lock held. */
u64 *pv_walk_l1e(struct vcpu *v, unsigned long va);

/* --- mm_audit.c --- */
/*
 * Recounts the references and types of all domains' frames, prints a line a domain and returns the
 * number of mistakes. Takes each mm_lock in turn; 0 as well when there is no memory to count in.
 */
unsigned int pv_audit_all(void);

#endif
