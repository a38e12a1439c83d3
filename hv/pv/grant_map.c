/* SPDX-License-Identifier: MIT */
#include "pv/grant_map.h"
#include "pv/mm.h"
#include "cpu/percpu.h"
#include "dom/grant.h"
#include "mm/tlb.h"

#define AVAIL_SHIFT 9 /* the guest's own bits of an entry: 9..11 */

/* A place for an entry: in a validated L1 table of the current domain. mm_lock is held meanwhile. */
struct slot {
	u64 *pl1e;
	struct frame *table; /* referenced, when found by machine address */
};

static int find_by_maddr(struct domain *d, u64 maddr, struct slot *s)
{
	if (maddr % sizeof(u64))
		return GNTST_general_error;
	s->table = get_frame(PFN_DOWN(maddr), d->id);
	if (!s->table)
		return GNTST_general_error;
	spin_lock(&d->mm_lock);
	if (pv_is_table(d, s->table, 1)) {
		s->pl1e = (u64 *)((char *)frame_to_virt(s->table) + (maddr & ~PAGE_MASK));
		return GNTST_okay;
	}
	spin_unlock(&d->mm_lock);
	put_frame(s->table);
	return GNTST_general_error;
}

/* Others would be found under an address that a flush then does not reach. */
static u64 *walk(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va ? pv_walk_l1e(current, va) : NULL;
}

static int find_by_va(struct domain *d, u64 va, struct slot *s)
{
	s->table = NULL;
	spin_lock(&d->mm_lock);
	s->pl1e = walk(va);
	if (s->pl1e)
		return GNTST_okay;
	spin_unlock(&d->mm_lock);
	return GNTST_bad_virt_addr;
}

static int find(u64 host_addr, unsigned int flags, struct slot *s)
{
	if (flags & GNTMAP_contains_pte)
		return find_by_maddr(current->d, host_addr, s);
	return find_by_va(current->d, host_addr, s);
}

static void done(struct slot *s)
{
	spin_unlock(&current->d->mm_lock);
	if (s->table)
		put_frame(s->table);
}

static void flush(unsigned long va)
{
	tlb_flush_cpus(current->d->pv.dirty_cpus, va);
}

/* Linux marks the entries of user mappings as special by such a bit (XENFEAT_gnttab_map_avail_bits). */
static u64 entry(unsigned long mfn, unsigned int flags)
{
	u64 avail = (u64)(flags >> _GNTMAP_guest_avail0) << AVAIL_SHIFT & PTE_AVAIL;

	return make_pte(mfn, PTE_P | PTE_US | PTE_A | PTE_D | avail |
				     (flags & GNTMAP_readonly ? 0 : PTE_RW));
}

static int create(u64 host_addr, unsigned long mfn, unsigned int flags)
{
	struct slot s;
	u64 old;
	int rc = find(host_addr, flags, &s);

	if (rc)
		return rc;
	if (!(flags & GNTMAP_readonly) && mfn_to_frame(mfn)->owner != current->d->id)
		frame_note_foreign(mfn_to_frame(mfn));
	old = atomic_xchg(s.pl1e, entry(mfn, flags));
	done(&s);
	if (old & PTE_P) {
		flush(flags & GNTMAP_contains_pte ? TLB_ALL : host_addr);
		pv_l1e_put(current->d, old);
	}
	return GNTST_okay;
}

/* With mm_lock: what takes the mapping's place; its references move with it. */
static int take_replacement(u64 new_addr, u64 *into, u64 *e)
{
	u64 *from;

	*e = 0;
	if (!new_addr)
		return GNTST_okay;
	from = walk(new_addr);
	if (!from || from == into)
		return GNTST_bad_virt_addr;
	*e = atomic_xchg(from, 0UL);
	return GNTST_okay;
}

/*
 * An entry is known by its frame and its rights: then the references it has are those of any mapping
 * of that grant with those rights, and the caller may have them.
 */
static bool is_mapping(u64 e, unsigned long mfn, unsigned int flags)
{
	return (e & PTE_P) && pte_mfn(e) == mfn && !(e & PTE_RW) == !!(flags & GNTMAP_readonly);
}

static int destroy(u64 host_addr, u64 new_addr, unsigned long mfn, unsigned int flags)
{
	struct slot s;
	u64 old, new;
	int rc = find(host_addr, flags, &s);

	if (rc)
		return rc;
	rc = GNTST_general_error;
	if (is_mapping(READ_ONCE(*s.pl1e), mfn, flags))
		rc = take_replacement(new_addr, s.pl1e, &new);
	if (!rc) {
		/* Only accessed and dirty bits can have changed, by the processor. */
		old = atomic_xchg(s.pl1e, new);
		ASSERT(is_mapping(old, mfn, flags));
	}
	done(&s);
	/* Its old address must not reach the replacement's frame either. */
	if (!rc && new_addr)
		flush(new_addr);
	return rc;
}

static const struct grant_map_ops ops = {
	.create = create,
	.destroy = destroy,
	.flush = flush,
};

void pv_grant_init(void)
{
	grant_map_ops = &ops;
}
