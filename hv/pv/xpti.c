/* SPDX-License-Identifier: MIT */
#include "pv/xpti.h"
#include "pv/mm.h"
#include "cpu/desc.h"
#include "cpu/percpu.h"
#include "cpu/xpti.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/guest_copy.h"
#include "mm/heap.h"
#include "mm/pgtable.h"

/* A CPU's copy of a root. */
struct root_copy {
	spinlock_t lock; /* a leaf: contents against root_changed() on other CPUs */
	mfn_t of;	 /* frame number of the root, 0: none */
	mfn_t mfn;
	u64 *table;
};

static DEFINE_PER_CPU(struct root_copy, copies[2]); /* user, kernel */
static mfn_t image_l2_mfn;

extern const char _xpti_text_start[], _xpti_text_end[];

static u64 *table_page(void)
{
	u64 *p = hv_alloc_pages(0);

	if (!p)
		panic("no memory for page-table isolation");
	return p;
}

/* The table below an entry, made when it is missing. */
static u64 *table_below(u64 *e)
{
	if (!(*e & PTE_P))
		*e = make_pte(virt_to_mfn(table_page()), PTE_TABLE);
	return mfn_to_virt(pte_mfn(*e));
}

/* One page below a table of level 3: where it is in our own tables, with other rights. */
static void show_page(u64 *l3, unsigned long va, u64 flags)
{
	u64 *l1 = table_below(&table_below(&l3[L3_INDEX(va)])[L2_INDEX(va)]);

	l1[L1_INDEX(va)] = hv_virt_to_phys((void *)va) | (flags & ~PTE_G);
}

static void show_image_page(u64 *l2, const char *p, u64 flags)
{
	unsigned long va = (unsigned long)p;

	table_below(&l2[L2_INDEX(va)])[L1_INDEX(va)] = hv_virt_to_phys(p) | (flags & ~PTE_G);
}

/*
 * An entry as the copy has it. A root that maps itself would show our tables, which it has and the copy
 * has not: the copy maps the copy.
 */
static u64 as_in_copy(const struct root_copy *c, u64 e)
{
	return (e & PTE_P) && pte_mfn(e) == c->of ? (e & ~PTE_MFN_MASK) | c->mfn << PAGE_SHIFT : e;
}

/* mm_lock of d: entry i of a root of d has changed. */
static void root_changed(struct domain *d, mfn_t root, unsigned int i, u64 e)
{
	unsigned int cpu;

	/* The entry is written before we look for copies: who makes one later finds it. */
	smp_mb();
	for_each_set_bit(cpu, d->pv.dirty_cpus, (unsigned int)CONFIG_NR_CPUS)
	{
		for (unsigned int k = 0; k < 2; k++) {
			struct root_copy *c = &per_cpu(copies, cpu)[k];

			if (READ_ONCE(c->of) != root)
				continue;
			spin_lock(&c->lock);
			if (c->of == root)
				WRITE_ONCE(c->table[i], as_in_copy(c, e));
			spin_unlock(&c->lock);
		}
	}
}

static void make_copy(struct root_copy *c, const struct domain *d, mfn_t root, bool kernel)
{
	const u64 *from = mfn_to_virt(root);
	const unsigned int low = HV_SLOT_FIRST, high = HV_SLOT_LAST + 1;

	spin_lock(&c->lock);
	/* Seen before the first entry is read: see root_changed(). */
	atomic_xchg(&c->of, root);
	memcpy(c->table, from, low * sizeof(u64));
	memcpy(c->table + high, from + high, (512 - high) * sizeof(u64));
	if (guest_has_self_map)
		for (unsigned int i = 0; i < 512; i++)
			if (!pv_hv_slot(i))
				c->table[i] = as_in_copy(c, c->table[i]);
	c->table[L4_INDEX(M2P_RO_VA)] = kernel ? idle_l4[L4_INDEX(M2P_RO_VA)] : 0;
	c->table[L4_INDEX(PERDOMAIN_VA)] = make_pte(d->pv.perdomain_l3, PTE_TABLE);
	spin_unlock(&c->lock);
}

static struct xpti_page *this_page(void)
{
	return xpti_page((unsigned long)get_cpu_info() & ~(STACK_SIZE - 1));
}

static void use_root(struct vcpu *v, mfn_t root)
{
	struct root_copy *c = &this_cpu(copies)[v->pv.kernel_mode];
	struct xpti_page *p = this_page();

	if (!v->d->pv.isolated) {
		p->guest_cr3 = p->hv_cr3 = 0;
		return;
	}
	if (c->of != root)
		make_copy(c, v->d, root, v->pv.kernel_mode);
	p->hv_cr3 = (u64)root << PAGE_SHIFT;
	p->guest_cr3 = (u64)c->mfn << PAGE_SHIFT;
}

void xpti_load_root(struct vcpu *v, mfn_t root)
{
	use_root(v, root);
	tlb_load_cr3((unsigned long)root << PAGE_SHIFT);
}

void xpti_forget(bool kernel)
{
	struct root_copy *c = &this_cpu(copies)[kernel];

	spin_lock(&c->lock);
	c->of = 0;
	spin_unlock(&c->lock);
}

void xpti_leave(void)
{
	struct xpti_page *p = this_page();

	p->guest_cr3 = p->hv_cr3 = 0;
	xpti_forget(false);
	xpti_forget(true);
}

void xpti_scrub(void)
{
	struct xpti_page *p = this_page();

	p->scratch = p->rip = p->rflags = 0;
	memset(p->stacks, 0, sizeof(p->stacks));
}

void xpti_init(void)
{
	u64 *l2 = table_page();

	for (const char *p = _xpti_text_start; p < _xpti_text_end; p += PAGE_SIZE)
		show_image_page(l2, p, PTE_HV_RX);
	show_image_page(l2, desc_idt_page(), PTE_HV_RO);
	image_l2_mfn = virt_to_mfn(l2);
	root_entry_hook = root_changed;
}

void xpti_prepare_cpu(unsigned int cpu, unsigned long stack_va)
{
	unsigned long page_va = (unsigned long)xpti_page(stack_va);
	u64 *l3 = table_page();

	BUILD_BUG_ON(sizeof(struct xpti_page) != PAGE_SIZE);
	BUILD_BUG_ON(CONFIG_NR_CPUS * STACK_SIZE > XPTI_DISTANCE);
	BUILD_BUG_ON(L3_INDEX(HV_IMAGE_VA) == L3_INDEX(CPUSTACK_VA));
	*hv_l1e(page_va, false) = make_pte(virt_to_mfn(table_page()), PTE_HV);
	show_page(l3, page_va, PTE_HV);
	show_page(l3, stack_va + STACK_PAGE_STUB * PAGE_SIZE, PTE_HV_RX);
	l3[L3_INDEX(HV_IMAGE_VA)] = make_pte(image_l2_mfn, PTE_TABLE);
	for (unsigned int k = 0; k < 2; k++) {
		struct root_copy *c = &per_cpu(copies, cpu)[k];

		c->table = table_page();
		c->mfn = virt_to_mfn(c->table);
		c->table[L4_INDEX(HV_IMAGE_VA)] = make_pte(virt_to_mfn(l3), PTE_TABLE);
	}
}
