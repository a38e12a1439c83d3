/* SPDX-License-Identifier: MIT */
/* What makes a domain and its vcpus PV: per-domain mappings, register areas, their end. */
#include "pv/pv.h"
#include "pv/grant_map.h"
#include "pv/mm.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "cpu/desc.h"
#include "cpu/features.h"
#include "cpu/spec.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/tlb.h"

#define VCPUS_PER_L1 16
#define CR0_GUEST    0x80050033UL

static u64 *table_alloc(void)
{
	return hv_alloc_pages(0);
}

static int pv_domain_init(struct domain *d)
{
	static u64 serials;
	u64 *l3 = table_alloc(), *l2 = table_alloc();

	if (!l3 || !l2) {
		hv_free_pages(l3, 0);
		hv_free_pages(l2, 0);
		return -XEN_ENOMEM;
	}
	l3[0] = make_pte(virt_to_mfn(l2), PTE_TABLE);
	d->pv.perdomain_l3 = virt_to_mfn(l3);
	d->pv.demoting = FRAME_NIL;
	d->pv.isolated = d->privileged ? spec_choice.xpti_dom0 : spec_choice.xpti_domu;
	d->pv.absent_hidden = d->privileged ? spec_choice.l1tf_dom0 : spec_choice.l1tf_domu;
	d->pv.serial = atomic_add(&serials, 1UL);
	return 0;
}

static u64 *perdomain_l2(struct domain *d)
{
	return mfn_to_virt(pte_mfn(*(u64 *)mfn_to_virt(d->pv.perdomain_l3)));
}

static void pv_domain_destroy(struct domain *d)
{
	u64 *l2;

	if (!d->pv.perdomain_l3)
		return;
	l2 = perdomain_l2(d);
	for (unsigned int i = 0; i < MAX_VCPUS / VCPUS_PER_L1; i++)
		if (l2[i])
			hv_free_pages(mfn_to_virt(pte_mfn(l2[i])), 0);
	hv_free_pages(l2, 0);
	hv_free_pages(mfn_to_virt(d->pv.perdomain_l3), 0);
	d->pv.perdomain_l3 = 0;
}

static u64 *vcpu_ptes(struct vcpu *v)
{
	u64 *l2e = &perdomain_l2(v->d)[v->id / VCPUS_PER_L1], *l1;

	if (!*l2e) {
		l1 = table_alloc();
		if (!l1)
			return NULL;
		*l2e = make_pte(virt_to_mfn(l1), PTE_TABLE);
	}
	return (u64 *)mfn_to_virt(pte_mfn(*l2e)) + v->id % VCPUS_PER_L1 * 32;
}

static void init_xsave(struct vcpu *v)
{
	u8 *x = v->pv.xsave;

	*(u16 *)x = 0x37f;	   /* FCW */
	*(u32 *)(x + 24) = 0x1f80; /* MXCSR */
	v->pv.xcr0 = cpu_features.xsave ? 1 : 0;
}

static unsigned int xsave_order(void)
{
	return cpu_features.xsave_size > PAGE_SIZE ? 1 : 0;
}

static int pv_vcpu_init(struct vcpu *v)
{
	v->pv.traps = hv_alloc_pages(0);
	v->pv.xsave = hv_alloc_pages(xsave_order());
	v->pv.gdt_ptes = vcpu_ptes(v);
	if (!v->pv.traps || !v->pv.xsave || !v->pv.gdt_ptes) {
		hv_free_pages(v->pv.traps, 0);
		hv_free_pages(v->pv.xsave, xsave_order());
		v->pv.traps = NULL;
		v->pv.xsave = NULL;
		return -XEN_ENOMEM;
	}
	init_xsave(v);
	v->pv.gdt_ptes[GDT_RESERVED_PAGE] =
		hv_virt_to_phys(desc_gdt_page()) | PTE_P | PTE_RW | PTE_A | PTE_D | pte_nx;
	pv_drop_gdt(v);
	v->pv.cr0 = CR0_GUEST;
	v->pv.cr4 = hv_cr4 & ~(CR4_SMEP | CR4_SMAP | CR4_PGE | CR4_MCE);
	v->pv.dr[6] = 0xffff0ff0UL;
	v->pv.dr[7] = 0x400;
	v->pv.kernel_mode = true;
	return 0;
}

static void pv_vcpu_destroy(struct vcpu *v)
{
	hv_free_pages(v->pv.traps, 0);
	hv_free_pages(v->pv.xsave, xsave_order());
	v->pv.traps = NULL;
	v->pv.xsave = NULL;
}

/* Roots first: after them only pins keep tables alive. */
static int drop_vcpu_roots(struct vcpu *v, int *budget)
{
	mfn_t k = v->pv.cr3_mfn, u = v->pv.user_cr3_mfn;
	int rc = 0;

	v->pv.cr3_mfn = 0;
	if (k)
		pv_put_table(v->d, mfn_to_frame(k), 4, budget);
	rc = pv_drain(v->d, budget);
	if (rc)
		return rc;
	v->pv.user_cr3_mfn = 0;
	if (u)
		pv_put_table(v->d, mfn_to_frame(u), 4, budget);
	return pv_drain(v->d, budget);
}

/* A promotion of its own, not of a parent's, that nobody will go on with. */
static bool abandoned(const struct frame *f)
{
	return (f->type & (FT_PARTIAL | FT_DEMOTING | FT_CHILD)) == FT_PARTIAL &&
	       (f->type & FT_KIND) >= FT_L1 && (f->type & FT_KIND) <= FT_L4;
}

/*
 * From the cursor that the teardown keeps (dom/memory.c moves it when a frame goes): the next pinned
 * or abandoned table. NULL at the end of the list, or with the budget used up.
 */
static struct frame *next_pinned(struct domain *d, int *budget)
{
	struct frame *found = NULL;

	spin_lock(&d->page_lock);
	while (!found && d->relinquish_next != FRAME_NIL && !pv_spent(budget, 1)) {
		struct frame *f = mfn_to_frame(d->relinquish_next);

		if ((f->type & FT_PINNED) || abandoned(f))
			found = f;
		else
			d->relinquish_next = f->next;
	}
	spin_unlock(&d->page_lock);
	return found;
}

static int drop_pins(struct domain *d, int *budget)
{
	struct frame *f;
	int rc = 0;

	while (!rc && (f = next_pinned(d, budget)) != NULL) {
		if (f->type & FT_PINNED)
			rc = pv_unpin(d, frame_to_mfn(f), budget);
		else
			pv_abandon(d, f, budget);
		if (!rc)
			rc = pv_drain(d, budget);
	}
	return !rc && *budget < 0 ? PV_AGAIN : rc;
}

static int pv_relinquish(struct domain *d)
{
	int budget = PV_BUDGET, rc;
	struct vcpu *v;

	spin_lock(&d->mm_lock);
	rc = pv_drain(d, &budget);
	for_each_vcpu (d, v) {
		if (rc)
			break;
		pv_drop_gdt(v);
		pv_drop_ldt(v);
		v->pv.ldt_ents = 0;
		rc = drop_vcpu_roots(v, &budget);
	}
	if (!rc)
		rc = drop_pins(d, &budget);
	spin_unlock(&d->mm_lock);
	return rc;
}

static void pv_kernel_view(struct vcpu *v, bool on)
{
	if (v->pv.kernel_mode)
		return;
	write_cr3((on ? v->pv.cr3_mfn : v->pv.user_cr3_mfn) << PAGE_SHIFT);
}

static u32 clock_of_flushes(void)
{
	return tlb_clock_now();
}

/*
 * A frame changes its kind: nobody may still use it the old way through a stale translation. As a table
 * or descriptor page only its owner has used it; as a writable page others too, if it is FR_FOREIGN.
 */
static void flush_for_type(struct frame *f, u32 stamp)
{
	const struct domain *d;
	u32 foreign;

	/* The allocator's, free of all notes. */
	if (f->owner == DOMID_INVALID) {
		tlb_flush_since(cpu_online_map, stamp);
		return;
	}
	d = current ? current->d : NULL;
	foreign = READ_ONCE(f->refs) & FR_FOREIGN;
	if ((f->type & FT_KIND) == FT_WRITABLE)
		foreign = 0;
	if (d && f->owner == d->id && !foreign) {
		tlb_flush_since(d->pv.dirty_cpus, stamp);
		return;
	}
	tlb_flush_since(cpu_online_map, stamp);
	if (foreign)
		atomic_and(&f->refs, ~FR_FOREIGN);
}

static const struct domain_kind_ops ops = {
	.domain_init = pv_domain_init,
	.domain_destroy = pv_domain_destroy,
	.vcpu_init = pv_vcpu_init,
	.vcpu_destroy = pv_vcpu_destroy,
	.relinquish = pv_relinquish,
	.set_context = pv_set_context,
	.kernel_view = pv_kernel_view,
};

void pv_domain_init_ops(void)
{
	guest_kind_ops = &ops;
	frame_clock_hook = clock_of_flushes;
	type_flush_hook = flush_for_type;
	pv_switch_init();
	pv_grant_init();
}
