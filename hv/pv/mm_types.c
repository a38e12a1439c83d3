/* SPDX-License-Identifier: MIT */
#include "pv/mm_l1.h"
#include "pv/l1tf.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/guest_copy.h"
#include "mm/tlb.h"

#define KIND(level)    ((u32)(level) << 29)
#define TABLE_BAD      (PTE_PSE | (0xfUL << 59))
#define REFS_MANY      (FR_COUNT / 2)
#define GROUP	       32u /* entries of an upper table that have one bit in frame->groups */
#define TABLE_HARMLESS (PTE_A | PTE_D | PTE_AVAIL | (0x7fUL << 52))

static u64 normal_entry(u64 e)
{
	return (e | PTE_US) & ~PTE_G;
}

/* A root that maps itself read-only: the one recursive form that is allowed; it is not counted. */
static bool self_map(const struct frame *f, unsigned int level, u64 e)
{
	if (level != 4 || pte_mfn(e) != frame_to_mfn(f) || (e & PTE_RW))
		return false;
	guest_has_self_map = true;
	return true;
}

/* The frame, on which the caller holds a reference, becomes a table in the making with one count. */
static int claim(struct domain *d, struct frame *f, unsigned int level)
{
	u32 old = READ_ONCE(f->type), stamp;

	do {
		if (old & (FT_COUNT | FT_PINNED))
			return -XEN_EBUSY;
		stamp = READ_ONCE(f->stamp);
	} while (!atomic_cmpxchg(&f->type, &old, KIND(level) | FT_PARTIAL | 1));
	if ((old & FT_KIND) != FT_NONE && (old & FT_KIND) != KIND(level))
		type_flush_hook(f, stamp);
	f->partial = f->groups = 0;
	if (level == 4) {
		u64 *l4 = frame_to_virt(f);

		memcpy(&l4[HV_SLOT_FIRST], &idle_l4[HV_SLOT_FIRST], 16 * sizeof(u64));
		l4[L4_INDEX(PERDOMAIN_VA)] = make_pte(d->pv.perdomain_l3, PTE_TABLE);
	}
	return 0;
}

static bool count_up(struct frame *f)
{
	if ((f->type & FT_COUNT) == FT_COUNT)
		return false;
	f->type++;
	return true;
}

/*
 * One more reference and count for a table that is one already; false: see get_child(). Its type is ours to
 * read and to change, with mm_lock, and its count has references of which none can go meanwhile. Other CPUs
 * may add some at the same time, so far from the end the count of those needs no compare-and-swap.
 */
static inline bool share_table(struct domain *d, mfn_t mfn, unsigned int level)
{
	struct frame *f = frame_checked(mfn);

	if (unlikely(!f) || unlikely(pv_table_differs(d, f, level)) ||
	    unlikely((READ_ONCE(f->refs) & FR_COUNT) >= REFS_MANY) || unlikely(!count_up(f)))
		return false;
	atomic_add(&f->refs, 1);
	return true;
}

/* A present entry stands, or has stood, at i. */
static inline void note_group(struct frame *f, unsigned int i)
{
	f->groups |= (u16)(1u << i / GROUP);
}

/*
 * Looks at the table below an entry on behalf of its parent. 0: referenced and counted; 1: claimed,
 * to be promoted by the caller first; negative: error, nothing held.
 */
static int get_child(struct domain *d, mfn_t mfn, unsigned int level, struct frame **out)
{
	struct frame *f;
	int rc = 0;

	if (pv_mfn_is_io(mfn))
		return -XEN_EINVAL;
	f = get_frame_inline(mfn, d->id);
	if (!f)
		return -XEN_EINVAL;
	*out = f;
	if (pv_is_table(d, f, level))
		rc = count_up(f) ? 0 : -XEN_EINVAL;
	else if (!(f->type & FT_PARTIAL) && !claim(d, f, level))
		return 1;
	else
		rc = -XEN_EBUSY;
	if (rc)
		put_frame(f);
	return rc;
}

/* Validates L1 entries from f->partial on. 0 all done, PV_AGAIN, or an error at f->partial. */
static int promote_l1(struct domain *d, struct frame *f, int *budget)
{
	u64 *tbl = frame_to_virt(f);
	unsigned int i;
	/* analyze-ok NullDereference: promote_upper() returns 1 with a child only. */
	int rc = f->partial ? 0 : l1tf_check_table(d, tbl, 1, budget);

	if (rc)
		return rc;
	for (i = pte_next(tbl, f->partial); i < 512; i = pte_next(tbl, i + 1)) {
		u64 e = tbl[i];

		rc = pv_spent(budget, 1) ? PV_AGAIN : l1e_get(d, d->id, &e);
		if (rc)
			break;
		if (e != tbl[i])
			tbl[i] = e;
	}
	f->partial = (u16)i;
	return rc;
}

/* The same for upper levels. 1: a child must be promoted first (f is then FT_PARTCHILD). */
static int promote_upper(struct domain *d, struct frame *f, unsigned int level, int *budget,
			 struct frame **child)
{
	u64 *tbl = frame_to_virt(f);
	/* analyze-ok NullDereference: it returns 1 with a child only. */
	int rc = f->partial ? 0 : l1tf_check_table(d, tbl, level, budget);

	if (rc)
		return rc;
	for (unsigned int i = pte_next(tbl, f->partial); i < 512; i = pte_next(tbl, i + 1)) {
		u64 e = tbl[i];

		if (level == 4 && pv_hv_slot(i)) {
			i = HV_SLOT_LAST;
			continue;
		}
		f->partial = (u16)i;
		if (self_map(f, level, e))
			continue;
		if (unlikely((e & (TABLE_BAD | PTE_US | PTE_G)) != PTE_US)) {
			if (e & TABLE_BAD)
				return -XEN_EINVAL;
			tbl[i] = normal_entry(e);
		}
		if (pv_spent(budget, 1))
			return PV_AGAIN;
		note_group(f, i);
		if (likely(share_table(d, pte_mfn(e), level - 1)))
			continue;
		rc = get_child(d, pte_mfn(e), level - 1, child);
		if (rc == 1) {
			f->type |= FT_PARTCHILD;
			(*child)->type |= FT_CHILD;
		}
		if (rc)
			return rc;
	}
	f->partial = 512;
	return 0;
}

static struct frame *partial_child(const struct frame *f)
{
	const u64 *tbl = frame_to_virt(f);

	return mfn_to_frame(pte_mfn(tbl[f->partial]));
}

/* Promotes the claimed root (or goes on with it). 0, PV_AGAIN, or an error with the work left as it is. */
static int promote_tree(struct domain *d, struct frame *root, unsigned int level, int *budget)
{
	struct frame *path[5], *child = NULL;
	unsigned int l = level;
	int rc;

	path[l] = root;
	while (l > 1 && (path[l]->type & FT_PARTCHILD)) {
		path[l - 1] = partial_child(path[l]);
		l--;
	}
	for (;;) {
		struct frame *f = path[l];

		rc = l == 1 ? promote_l1(d, f, budget) : promote_upper(d, f, l, budget, &child);
		if (rc < 0)
			return rc;
		if (rc == 1) {
			path[--l] = child;
			continue;
		}
		f->type = (f->type & ~(FT_PARTIAL | FT_CHILD)) | FT_VALIDATED;
		if (l == level)
			return 0;
		l++;
		path[l]->type &= ~FT_PARTCHILD;
		path[l]->partial++;
	}
}

static void begin_demotion(struct frame *f)
{
	if (f->type & FT_VALIDATED)
		f->partial = 512;
	f->type = (f->type & ~(FT_VALIDATED | FT_CHILD)) | FT_PARTIAL | FT_DEMOTING;
}

/* The last entry is gone: the frame is free of its type; the reference of the count goes too. */
static void end_demotion(struct frame *f)
{
	u32 kind = f->type & FT_KIND;

	f->stamp = tlb_clock_now();
	atomic_store(&f->type, kind);
	put_frame(f);
}

/* Drops the entries of [low, n), of which the last is present; returns how many were. */
static inline int put_l1_entries(const u64 *tbl, unsigned int low, unsigned int n)
{
	int done = 0;

	for (; n > low; n--) {
		u64 e = tbl[n - 1];

		if (!(e & PTE_P))
			continue;
		l1e_put(e);
		done++;
	}
	return done;
}

/* Drops entries below f->partial, sixteen in a turn. 0 done, PV_AGAIN. */
static int demote_l1(struct frame *f, int *budget)
{
	const u64 *tbl = frame_to_virt(f);
	int left = *budget, rc = 0;
	unsigned int n;

	for (n = pte_below(tbl, f->partial, 0); n; n = pte_below(tbl, (n - 1) & ~15u, 0)) {
		if (pv_spent(&left, 1)) {
			rc = PV_AGAIN;
			break;
		}
		left -= put_l1_entries(tbl, (n - 1) & ~15u, n) - 1;
	}
	f->partial = (u16)n;
	*budget = left;
	return rc;
}

/* pte_below(tbl, n, 0) for an upper table, by the groups of which it is known that they are empty. */
static inline unsigned int table_below(const struct frame *f, const u64 *tbl, unsigned int n)
{
	if (n % 16 && (tbl[n - 1] & PTE_P))
		return n;
	while (n) {
		u32 groups = f->groups & ~(~0u << DIV_ROUND_UP(n, GROUP));
		unsigned int low, found;

		if (!groups)
			break;
		low = fls_long(groups) * GROUP;
		n = min(n, low + GROUP);
		found = pte_below(tbl, n, low);
		if (found > low)
			return found;
		n = low;
	}
	return 0;
}

/* The same for upper levels. 1: child must be taken apart first. */
static int demote_upper(struct frame *f, unsigned int level, int *budget, struct frame **child)
{
	const u64 *tbl = frame_to_virt(f);

	for (;;) {
		/* analyze-ok NullDereference: it returns 1 with a child only. */
		unsigned int i = table_below(f, tbl, f->partial);
		u64 e;

		if (!i--)
			break;
		if (level == 4 && pv_hv_slot(i)) {
			f->partial = HV_SLOT_FIRST;
			continue;
		}
		e = tbl[i];
		if (self_map(f, level, e)) {
			f->partial = (u16)i;
			continue;
		}
		if (pv_spent(budget, 1))
			return PV_AGAIN;
		f->partial = (u16)i;
		*child = mfn_to_frame(pte_mfn(e));
		if (((*child)->type & FT_COUNT) > 1) {
			/* What is left of its count has a reference: this one is not the last. */
			(*child)->type--;
			atomic_sub(&(*child)->refs, 1);
			continue;
		}
		f->type |= FT_PARTCHILD;
		begin_demotion(*child);
		return 1;
	}
	f->partial = 0;
	return 0;
}

/* Takes apart the root, FT_DEMOTING; 0 when it is done and its reference dropped. */
static int demote_tree(struct domain *d, struct frame *root, unsigned int level, int *budget)
{
	struct frame *path[5], *child = NULL;
	unsigned int l = level;
	int rc;

	path[l] = root;
	while (l > 1 && (path[l]->type & FT_PARTCHILD)) {
		path[l - 1] = partial_child(path[l]);
		begin_demotion(path[--l]);
	}
	for (;;) {
		struct frame *f = path[l];

		rc = l == 1 ? demote_l1(f, budget) : demote_upper(f, l, budget, &child);
		if (rc < 0)
			return rc;
		if (rc == 1) {
			path[--l] = child;
			continue;
		}
		end_demotion(f);
		if (l == level)
			return 0;
		path[++l]->type &= ~FT_PARTCHILD;
	}
}

int pv_drain_pending(struct domain *d, int *budget)
{
	struct frame *root = mfn_to_frame(d->pv.demoting);
	int rc = demote_tree(d, root, root->type >> 29, budget);

	if (!rc)
		d->pv.demoting = FRAME_NIL;
	return rc;
}

static void queue_demotion(struct domain *d, struct frame *f, int *budget)
{
	int l1_budget = INT_MAX; /* a single table is always finished at once */

	begin_demotion(f);
	if ((f->type & FT_KIND) == FT_L1) {
		int rc = demote_tree(d, f, 1, &l1_budget);

		ASSERT(!rc);
		*budget -= INT_MAX - l1_budget;
		return;
	}
	ASSERT(d->pv.demoting == FRAME_NIL);
	d->pv.demoting = (u32)frame_to_mfn(f);
	if (pv_drain(d, budget))
		*budget = 0;
}

int pv_get_table(struct domain *d, mfn_t mfn, unsigned int level, int *budget)
{
	struct frame *f;
	int rc;

	if (pv_mfn_is_io(mfn))
		return -XEN_EINVAL;
	f = mfn_to_frame_nospec(mfn);
	if (f->owner != d->id || (f->type & (FT_KIND | FT_PARTIAL | FT_DEMOTING | FT_CHILD)) !=
					 (KIND(level) | FT_PARTIAL)) {
		rc = get_child(d, mfn, level, &f);
		if (rc != 1)
			return rc;
	}
	/* What a page holds leads on to other frames: on no wrong path may that be a page of others. */
	nospec_barrier();
	rc = promote_tree(d, f, level, budget);
	if (rc < 0 && rc != PV_AGAIN)
		queue_demotion(d, f, budget);
	return rc;
}

void pv_abandon(struct domain *d, struct frame *f, int *budget)
{
	queue_demotion(d, f, budget);
}

void pv_put_table(struct domain *d, struct frame *f, unsigned int level, int *budget)
{
	ASSERT(pv_is_table(d, f, level));
	if ((f->type & FT_COUNT) > 1) {
		f->type--;
		put_frame(f);
		return;
	}
	queue_demotion(d, f, budget);
}

void (*root_entry_hook)(struct domain *d, mfn_t root, unsigned int i, u64 e);

static void write_entry(struct domain *d, struct frame *f, unsigned int level, u64 *p, u64 e)
{
	WRITE_ONCE(*p, e);
	if (e & PTE_P)
		note_group(f, (unsigned long)p % PAGE_SIZE / 8);
	if (level == 4 && root_entry_hook)
		root_entry_hook(d, frame_to_mfn(f), (unsigned long)p % PAGE_SIZE / 8, e);
}

int pv_table_entry_set(struct domain *d, struct frame *f, unsigned int level, unsigned int idx,
		       u64 new, bool preserve_ad, int *budget)
{
	u64 *p = (u64 *)frame_to_virt(f) + idx, old = READ_ONCE(*p);
	int rc;

	if (level == 4 && pv_hv_slot(idx))
		return -XEN_EINVAL;
	if (new &PTE_P) {
		if (new &TABLE_BAD)
			return -XEN_EINVAL;
		new = normal_entry(new);
		if (preserve_ad)
			new |= old &(PTE_A | PTE_D);
		if ((old & PTE_P) && !((old ^ new) & ~TABLE_HARMLESS)) {
			write_entry(d, f, level, p, new);
			return 0;
		}
		if (!self_map(f, level, new)) {
			rc = pv_get_table(d, pte_mfn(new), level - 1, budget);
			if (rc)
				return rc;
		}
	} else {
		rc = l1tf_check(d, new, level);
		if (rc)
			return rc;
	}
	write_entry(d, f, level, p, new);
	if ((old & PTE_P) && !self_map(f, level, old))
		pv_put_table(d, mfn_to_frame(pte_mfn(old)), level - 1, budget);
	return 0;
}

void pv_show_m2p(mfn_t root, bool show)
{
	u64 *l4 = mfn_to_virt(root);

	WRITE_ONCE(l4[L4_INDEX(M2P_RO_VA)], show ? idle_l4[L4_INDEX(M2P_RO_VA)] : 0);
}

int pv_pin(struct domain *d, mfn_t mfn, unsigned int level, int *budget)
{
	int rc = pv_get_table(d, mfn, level, budget);
	struct frame *f;

	if (rc)
		return rc;
	f = mfn_to_frame(mfn);
	if (f->type & FT_PINNED) {
		pv_put_table(d, f, level, budget);
		return -XEN_EINVAL;
	}
	f->type |= FT_PINNED;
	return 0;
}

int pv_unpin(struct domain *d, mfn_t mfn, int *budget)
{
	struct frame *f;

	if (pv_mfn_is_io(mfn))
		return -XEN_EINVAL;
	f = mfn_to_frame_nospec(mfn);
	if (f->owner != d->id || !(f->type & FT_PINNED))
		return -XEN_EINVAL;
	f->type &= ~FT_PINNED;
	pv_put_table(d, f, f->type >> 29, budget);
	return 0;
}
