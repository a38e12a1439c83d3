/* SPDX-License-Identifier: MIT */
/*
 * Recounts what the domains' frames must have: one reference and type count for each table entry, of
 * whichever domain, and for each pin, root, descriptor page, grant and shared area that we know of.
 * For debug key A and for test builds.
 */
#include "pv/mm.h"
#include "dom/evtchn_priv.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/heap.h"

#define MAX_SHOWN 16
#define TRIES	  20

struct tally {
	u32 refs, types;
};

struct audit {
	struct tally *t; /* by frame number */
	bool show;
};

static void expect(struct audit *a, mfn_t mfn, bool typed)
{
	a->t[mfn].refs++;
	a->t[mfn].types += typed;
}

static bool counted_entry(const struct frame *f, unsigned int level, unsigned int i, u64 e)
{
	if (!(e & PTE_P) || (level == 4 && pv_hv_slot(i)) || pv_mfn_is_io(pte_mfn(e)))
		return false;
	return !(level == 4 && pte_mfn(e) == frame_to_mfn(f) && !(e & PTE_RW));
}

static void count_table(struct audit *a, const struct frame *f)
{
	unsigned int level = f->type >> 29, end = f->type & FT_VALIDATED ? 512 : f->partial;
	const u64 *tbl = frame_to_virt(f);

	if (f->type & FT_PARTCHILD)
		end++;
	for (unsigned int i = 0; i < end; i++)
		if (counted_entry(f, level, i, tbl[i]))
			expect(a, pte_mfn(tbl[i]), level > 1 || (tbl[i] & PTE_RW));
}

static void count_vcpu(struct audit *a, const struct vcpu *v)
{
	if (v->pv.cr3_mfn)
		expect(a, v->pv.cr3_mfn, true);
	if (v->pv.user_cr3_mfn)
		expect(a, v->pv.user_cr3_mfn, true);
	for (unsigned int i = 0; i < ARRAY_SIZE(v->pv.gdt_frames); i++)
		if (v->pv.gdt_frames[i])
			expect(a, v->pv.gdt_frames[i], true);
	for (unsigned int i = 16; i < 32; i++)
		if (v->pv.gdt_ptes[i])
			expect(a, pte_mfn(v->pv.gdt_ptes[i]), true);
	if (v->info_frame)
		expect(a, frame_to_mfn(v->info_frame), true);
}

static void count_shared(struct frame *f, void *arg)
{
	expect(arg, frame_to_mfn(f), true);
}

static void count_grant(struct frame *f, bool typed, void *arg)
{
	expect(arg, frame_to_mfn(f), typed);
}

/* Claimed by a promotion that was stopped, and that the guest may never go on with. */
static bool half_done(const struct frame *f)
{
	return (f->type & (FT_PARTIAL | FT_DEMOTING | FT_CHILD)) == FT_PARTIAL &&
	       (f->type >> 29) <= 4;
}

static unsigned int count_domain(struct audit *a, struct domain *d)
{
	struct vcpu *v;

	for (u32 n = d->frames.head; n != FRAME_NIL; n = mfn_to_frame(n)->next) {
		const struct frame *f = mfn_to_frame(n);

		if (f->refs & FR_ALLOCATED)
			a->t[n].refs++;
		if (f->type & FT_PINNED)
			expect(a, n, true);
		if (half_done(f))
			expect(a, n, true);
		if ((f->type & (FT_VALIDATED | FT_PARTIAL)) && (f->type >> 29) <= 4)
			count_table(a, f);
	}
	for_each_vcpu (d, v)
		count_vcpu(a, v);
	evtchn_for_each_frame(d, count_shared, a);
	grant_for_each_ref(d, count_grant, a);
	if (d->pirqs.eoi_frame)
		count_shared(d->pirqs.eoi_frame, a);
	if (d->pv.demoting != FRAME_NIL)
		expect(a, d->pv.demoting, true);
	return 0;
}

static unsigned int compare(struct audit *a, struct domain *d)
{
	unsigned int errors = 0;

	for (u32 n = d->frames.head; n != FRAME_NIL; n = mfn_to_frame(n)->next) {
		const struct frame *f = mfn_to_frame(n);

		if ((f->refs & FR_COUNT) == a->t[n].refs && (f->type & FT_COUNT) == a->t[n].types)
			continue;
		errors++;
		if (a->show && errors <= MAX_SHOWN)
			pr_err("audit: d%u frame %x: refs %x, expected %u; type %08x, expected "
			       "count %u\n",
			       d->id, n, f->refs, a->t[n].refs, f->type, a->t[n].types);
	}
	if (a->show)
		pr_info("audit: d%u: %u errors in %u frames\n", d->id, errors, d->frames.nr);
	return errors;
}

static unsigned int order_of(size_t bytes)
{
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < bytes)
		order++;
	return order;
}

static unsigned int each_domain(struct audit *a,
				unsigned int (*fn)(struct audit *a, struct domain *d))
{
	unsigned int errors = 0, next;

	for (struct domain *d = domain_get_from(0); d; d = domain_get_from((domid_t)next)) {
		spin_lock(&d->mm_lock);
		errors += fn(a, d);
		spin_unlock(&d->mm_lock);
		next = d->id + 1u;
		domain_put(d);
	}
	return errors;
}

static unsigned int audit_once(struct audit *a, size_t bytes)
{
	memset(a->t, 0, bytes);
	each_domain(a, count_domain);
	return each_domain(a, compare);
}

static unsigned int say_right(struct audit *a, struct domain *d)
{
	pr_info("audit: d%u: 0 errors in %u frames\n", d->id, d->frames.nr);
	return 0;
}

/* Other CPUs hold references for moments while we count: only what stays wrong is an error. */
unsigned int pv_audit_all(void)
{
	size_t bytes = max_mfn * sizeof(struct tally);
	unsigned int order = order_of(bytes), errors = 1;
	struct audit a = {.t = hv_alloc_pages(order)};

	if (!a.t) {
		pr_warn("audit: no memory for the recount\n");
		return 0;
	}
	for (unsigned int i = 1; i <= TRIES && errors; i++) {
		a.show = i == TRIES;
		errors = audit_once(&a, bytes);
	}
	if (!a.show)
		each_domain(&a, say_right);
	hv_free_pages(a.t, order);
	return errors;
}
