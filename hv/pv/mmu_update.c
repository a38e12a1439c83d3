/* SPDX-License-Identifier: MIT */
/* mmu_update, update_va_mapping: changes of single page-table entries (<xen/xen.h>). */
#include "pv/mm_l1.h"
#include "pv/mm_walk.h"
#include "pv/flush.h"
#include "cpu/cpu.h"
#include "dom/handlers.h"
#include "dom/hypercall.h"
#include "mm/guest_words.h"
#include "mm/m2p.h"
#include "mm/tlb.h"

/* What a request costs beside the entries it validates, in units of PV_BUDGET. */
#define UPDATE_COST 8

struct update_ctx {
	struct domain *d;  /* owner of the tables */
	struct domain *pg; /* owner of the frames, NULL: one of the reserved ids in pg_id */
	domid_t pg_id;
	int budget;
};

static int update_table(struct update_ctx *c, struct frame *f, paddr_t ptr, u64 val, bool ad)
{
	unsigned int level = f->type >> 29, idx = (ptr & ~PAGE_MASK) / 8;

	if (level == 1)
		return pv_l1e_set(c->d, c->pg_id, (u64 *)frame_to_virt(f) + idx, val, ad);
	return pv_table_entry_set(c->d, f, level, idx, val, ad, &c->budget);
}

/* The target is no page table: a plain store, if the domain may write there. */
static int update_plain(struct update_ctx *c, mfn_t mfn, paddr_t ptr, u64 val)
{
	struct frame *f = get_frame_and_writable(mfn, c->d->id);

	if (!f)
		return -XEN_EINVAL;
	WRITE_ONCE(*(u64 *)((char *)frame_to_virt(f) + (ptr & ~PAGE_MASK)), val);
	put_frame_and_writable(f);
	return 0;
}

static int update_normal(struct update_ctx *c, u64 req_ptr, u64 val, bool ad)
{
	paddr_t ptr = req_ptr & ~7ULL;
	mfn_t mfn = PFN_DOWN(ptr);
	struct frame *f;

	if ((req_ptr & 4) || pv_mfn_is_io(mfn))
		return -XEN_EINVAL;
	f = mfn_to_frame_nospec(mfn);
	if (f->owner == c->d->id && (f->type & FT_VALIDATED) && (f->type >> 29) <= 4) {
		nospec_barrier();
		return update_table(c, f, ptr, val, ad);
	}
	return update_plain(c, mfn, ptr, val);
}

static int update_m2p(struct update_ctx *c, u64 req_ptr, u64 val)
{
	mfn_t mfn = PFN_DOWN(req_ptr);
	struct frame *f = get_frame(mfn, c->pg_id);

	if (!f)
		return -XEN_EINVAL;
	m2p_set(mfn, val);
	put_frame(f);
	return 0;
}

static __attribute__((noinline)) int update_one(struct update_ctx *c, const struct mmu_update *req)
{
	switch (req->ptr & 3) {
	case MMU_NORMAL_PT_UPDATE:
	case MMU_PT_UPDATE_NO_TRANSLATE:
		return update_normal(c, req->ptr, req->val, false);
	case MMU_PT_UPDATE_PRESERVE_AD:
		return update_normal(c, req->ptr, req->val, true);
	default:
		return update_m2p(c, req->ptr, req->val);
	}
}

/*
 * Nearly all requests: a new value for an entry of an L1 table, whose place *at then is. False: it is another
 * kind, perhaps. What is not RAM has no type, so nobody need ask for that.
 */
static inline __attribute__((always_inline)) bool l1_entry(struct domain *d,
							   const struct mmu_update *req, u64 **at)
{
	struct frame *f;
	u32 differs;

	BUILD_BUG_ON(MMU_NORMAL_PT_UPDATE != 0);
	if (unlikely(req->ptr & 7))
		return false;
	f = frame_whole(PFN_DOWN(req->ptr));
	if (unlikely(!f))
		return false;
	/* What is read there is the base of further reads: on no wrong path may it be what a guest chose. */
	differs = pv_table_differs(d, f, 1);
	*at = paddr_to_virt(nospec_if_same(req->ptr, differs));
	return !differs;
}

/* foreigndom: low half owner of the frames, high half owner of the tables + 1. */
static __attribute__((noinline)) int ctx_get_other(struct update_ctx *c, unsigned long foreigndom)
{
	struct domain *self = current->d;
	domid_t pt = (domid_t)(foreigndom >> 16), pg = (domid_t)foreigndom;

	if (pt && (domid_t)(pt - 1) != DOMID_SELF && (domid_t)(pt - 1) != self->id) {
		if (!self->privileged)
			return -XEN_EPERM;
		c->d = domain_get((domid_t)(pt - 1));
		if (!c->d)
			return -XEN_ESRCH;
	}
	c->pg_id = pg == DOMID_SELF ? self->id : pg;
	if (c->pg_id == c->d->id)
		return 0;
	if (!self->privileged) {
		if (c->d != self)
			domain_put(c->d);
		return -XEN_EPERM;
	}
	if (c->pg_id == DOMID_IO || c->pg_id == DOMID_XEN)
		return 0;
	c->pg = domain_get(c->pg_id);
	if (c->pg)
		return 0;
	if (c->d != self)
		domain_put(c->d);
	return -XEN_ESRCH;
}

static inline int ctx_get(struct update_ctx *c, unsigned long foreigndom)
{
	c->d = current->d;
	c->pg = NULL;
	c->pg_id = c->d->id;
	c->budget = PV_BUDGET;
	return likely(foreigndom == DOMID_SELF) ? 0 : ctx_get_other(c, foreigndom);
}

static void ctx_put(struct update_ctx *c)
{
	if (c->pg)
		domain_put(c->pg);
	if (c->d != current->d)
		domain_put(c->d);
}

static inline int read_request(struct mmu_update *req, const struct mmu_update *from)
{
	if (unlikely(!guest_words_begin(from, 2)))
		return -XEN_EFAULT;
	guest_read(req->ptr, &from->ptr, fault);
	guest_read(req->val, &from->val, fault);
	guest_words_end();
	return 0;
fault:
	return guest_words_fault();
}

/* Works through requests from *i on; the error of the first that fails, PV_AGAIN at the budget's end. */
static int update_batch(struct update_ctx *c, unsigned long ureqs, unsigned long count,
			unsigned long *i)
{
	int rc = unlikely(c->d->dying) ? -XEN_EINVAL : pv_drain(c->d, &c->budget);

	for (; !rc && *i < count; ++*i) {
		struct mmu_update req;
		u64 *pl1e;

		if (pv_spent(&c->budget, UPDATE_COST))
			return PV_AGAIN;
		if (read_request(&req, (struct mmu_update *)ureqs + *i))
			return -XEN_EFAULT;
		if (likely(l1_entry(c->d, &req, &pl1e)))
			rc = l1e_set(c->d, c->pg_id, pl1e, req.val, false);
		else
			rc = update_one(c, &req);
		if (rc)
			break;
	}
	return rc;
}

static __attribute__((noinline)) long update_any(unsigned long ureqs, unsigned long count,
						 unsigned long pdone, unsigned long foreigndom)
{
	unsigned long i = 0;
	struct update_ctx c;
	u32 done = 0;
	int rc;

	/* The high bit marks a restart, whose pdone already holds a count (ABI: PV_RESUMED). */
	if (count & PV_RESUMED) {
		count &= ~PV_RESUMED;
		if (pdone && copy_from_guest(&done, (void *)pdone, sizeof(done)))
			return -XEN_EFAULT;
	}
	count = (u32)count;
	rc = ctx_get(&c, foreigndom);
	if (rc)
		return rc;
	spin_lock(&c.d->mm_lock);
	rc = update_batch(&c, ureqs, count, &i);
	spin_unlock(&c.d->mm_lock);
	ctx_put(&c);
	done += (u32)i;
	if (pdone && copy_to_guest((void *)pdone, &done, sizeof(done)))
		rc = -XEN_EFAULT;
	if (rc == PV_AGAIN)
		return call_restart(ureqs + i * sizeof(struct mmu_update), (count - i) | PV_RESUMED,
				    pdone, foreigndom, 0);
	return rc;
}

/* The ways on from update_single() that need more: ends of it, so that it need not keep anything for later. */
static __attribute__((noinline)) long single_any(struct domain *d, unsigned long ureqs)
{
	spin_unlock(&d->mm_lock);
	return update_any(ureqs, 1, 0, DOMID_SELF);
}

static __attribute__((noinline)) long single_raced(struct domain *d, unsigned long ureqs,
						   struct frame *f)
{
	put_frame(f);
	return single_any(d, ureqs);
}

static __attribute__((noinline)) long single_set(struct domain *d, u64 *pl1e, u64 val)
{
	long rc = pv_l1e_set(d, d->id, pl1e, val, false);

	spin_unlock(&d->mm_lock);
	return rc;
}

/*
 * The call that nearly all are: Linux maps the pages around a fault one by one, read-only. Such an absent
 * entry gives nothing back, and takes a reference to a page of the domain itself, but no kind. (What
 * is not RAM has no reference to add to.) All else is done by the functions above, which begin anew.
 */
static inline __attribute__((always_inline)) long update_single(unsigned long ureqs)
{
	struct domain *d = current->d;
	struct mmu_update req;
	struct frame *f;
	u64 *pl1e;

	if (unlikely(guest_has_self_map) ||
	    unlikely(read_request(&req, (const struct mmu_update *)ureqs)) ||
	    unlikely(!spin_trylock(&d->mm_lock)))
		return update_any(ureqs, 1, 0, DOMID_SELF);
	if (unlikely(d->dying) || unlikely(d->pv.demoting != FRAME_NIL) ||
	    unlikely(!l1_entry(d, &req, &pl1e)))
		return single_any(d, ureqs);
	if ((*pl1e & PTE_P) || unlikely((req.val & (PTE_P | PTE_RW | L1_CACHE | L1_BAD)) != PTE_P))
		return single_set(d, pl1e, req.val);
	f = frame_whole(pte_mfn(req.val));
	if (unlikely(!f) || unlikely(!ref_frame_at(f, d->id)))
		return single_set(d, pl1e, req.val);
	if (unlikely(READ_ONCE(f->owner) != d->id))
		return single_raced(d, ureqs, f);
	WRITE_ONCE(*pl1e, (req.val | PTE_US) & ~PTE_G);
	spin_unlock(&d->mm_lock);
	return 0;
}

long do_mmu_update(unsigned long ureqs, unsigned long count, unsigned long pdone,
		   unsigned long foreigndom, unsigned long a5)
{
	if (unlikely((count ^ 1) | pdone | (foreigndom ^ DOMID_SELF)))
		return update_any(ureqs, count, pdone, foreigndom);
	return update_single(ureqs);
}

static inline long va_mapping(unsigned long va, u64 val, unsigned long flags, domid_t pg)
{
	struct vcpu *v = current;
	int rc = -XEN_EINVAL, budget = PV_BUDGET;
	u64 *pl1e;

	if (!is_canonical(va))
		return -XEN_EINVAL;
	spin_lock(&v->d->mm_lock);
	if (pv_drain(v->d, &budget)) {
		spin_unlock(&v->d->mm_lock);
		return PV_AGAIN;
	}
	pl1e = walk_l1e(v, va);
	if (pl1e)
		rc = l1e_set(v->d, pg, pl1e, val, false);
	spin_unlock(&v->d->mm_lock);
	if (rc || !flags)
		return rc;
	if (likely(flags == (UVMF_INVLPG | UVMF_LOCAL))) {
		invlpg(va);
		return 0;
	}
	return pv_uvm_flush(v, va, flags);
}

long do_update_va_mapping(unsigned long va, unsigned long val, unsigned long flags,
			  unsigned long a4, unsigned long a5)
{
	long rc = va_mapping(va, val, flags, current->d->id);

	return rc == PV_AGAIN ? call_restart(va, val, flags, 0, 0) : rc;
}

long do_update_va_mapping_otherdomain(unsigned long va, unsigned long val, unsigned long flags,
				      unsigned long domid, unsigned long a5)
{
	domid_t id = (domid_t)domid;
	struct domain *d;
	long rc;

	if (!current->d->privileged)
		return -XEN_EPERM;
	d = domain_get(id);
	if (!d)
		return -XEN_ESRCH;
	rc = va_mapping(va, val, flags, d->id);
	domain_put(d);
	return rc == PV_AGAIN ? call_restart(va, val, flags, domid, 0) : rc;
}
