/* SPDX-License-Identifier: MIT */
/* Descriptor tables, data selectors and segment bases of PV vcpus. */
#include "pv/pv.h"
#include "pv/mm.h"
#include "dom/handlers.h"
#include "dom/hypercall.h"
#include "cpu/cpu.h"
#include "cpu/desc.h"
#include "cpu/extable.h"
#include "cpu/features.h"
#include "lib/string.h"

#define PTE_GUEST_TABLE (PTE_P | PTE_RW | PTE_A | PTE_D | pte_nx)
#define PTE_NO_TABLE	(PTE_P | PTE_A | pte_nx)

static u64 zero_page[512] __aligned(4096);
#define HV_GDT_OFFSET (GDT_RESERVED_PAGE * PAGE_SIZE)
#define LLDT_INDEX    8
#define LLDT_SEL      (HV_GDT_OFFSET + LLDT_INDEX * 8)

static DEFINE_PER_CPU(u64, lldt_gdt[LLDT_INDEX + 2]);

static void set_table_pte(struct vcpu *v, unsigned int i, u64 pte)
{
	v->pv.gdt_ptes[i] = pte;
	if (v == current)
		invlpg(PV_GDT_VA(v) + i * PAGE_SIZE);
}

static u64 empty_pte(void)
{
	return hv_virt_to_phys(zero_page) | PTE_NO_TABLE;
}

void pv_drop_gdt(struct vcpu *v)
{
	for (unsigned int i = 0; i < GDT_RESERVED_PAGE; i++) {
		mfn_t mfn = v->pv.gdt_frames[i];

		set_table_pte(v, i, empty_pte());
		v->pv.gdt_frames[i] = 0;
		if (mfn)
			pv_put_segdesc(mfn_to_frame(mfn));
	}
	v->pv.gdt_ents = 0;
}

/* mm_lock of v->d is held. All frames are taken before anything changes. */
int pv_set_gdt(struct vcpu *v, const mfn_t *frames, unsigned int entries)
{
	unsigned int nr = DIV_ROUND_UP(entries, 512), i;
	int rc = 0;

	if (entries > FIRST_RESERVED_GDT_ENTRY)
		return -XEN_EINVAL;
	for (i = 0; i < nr && !rc; i++)
		rc = pv_get_segdesc(v->d, frames[i]);
	if (rc) {
		while (--i > 0)
			pv_put_segdesc(mfn_to_frame(frames[i - 1]));
		return rc;
	}
	pv_drop_gdt(v);
	for (i = 0; i < nr; i++) {
		v->pv.gdt_frames[i] = frames[i];
		set_table_pte(v, i, make_pte(frames[i], PTE_GUEST_TABLE));
	}
	v->pv.gdt_ents = entries;
	return 0;
}

long do_set_gdt(unsigned long list, unsigned long entries, unsigned long a3, unsigned long a4,
		unsigned long a5)
{
	mfn_t frames[GDT_RESERVED_PAGE] = {0};
	struct vcpu *v = current;
	int rc;

	if (entries > FIRST_RESERVED_GDT_ENTRY)
		return -XEN_EINVAL;
	if (copy_from_guest(frames, (void *)list, DIV_ROUND_UP(entries, 512) * sizeof(mfn_t)))
		return -XEN_EFAULT;
	spin_lock(&v->d->mm_lock);
	rc = pv_set_gdt(v, frames, (unsigned int)entries);
	spin_unlock(&v->d->mm_lock);
	return rc;
}

void pv_drop_ldt(struct vcpu *v)
{
	for (unsigned int i = 16; i < 32; i++) {
		u64 e = v->pv.gdt_ptes[i];

		if (!e)
			continue;
		set_table_pte(v, i, 0);
		pv_put_segdesc(mfn_to_frame(pte_mfn(e)));
	}
}

/*
 * The processor keeps what LLDT reads, so a table of our own serves for the moment. It has our code
 * segments at their usual place, for an NMI in between, and the LDT's descriptor behind them.
 */
void pv_load_ldt(struct vcpu *v)
{
	u64 *g = this_cpu(lldt_gdt), base = PV_LDT_VA(v);
	u32 limit = v->pv.ldt_ents * 8 - 1;
	struct {
		u16 limit;
		u64 base;
	} __packed r = {LLDT_SEL + 15, (u64)g - HV_GDT_OFFSET};

	if (!v->pv.ldt_ents) {
		__asm__ __volatile__("lldt %w0" ::"r"(0));
		return;
	}
	memcpy(g, desc_gdt_page(), LLDT_INDEX * sizeof(u64));
	g[LLDT_INDEX] = (limit & 0xffff) | (base & 0xffffff) << 16 | 0x82ULL << 40 |
			(base >> 24 & 0xff) << 56;
	g[LLDT_INDEX + 1] = base >> 32;
	__asm__ __volatile__("lgdt %0; lldt %w1" ::"m"(r), "r"(LLDT_SEL) : "memory");
	desc_load_gdt(PV_GDT_VA(v));
}

/* Pages of the LDT are mapped one by one when the processor first needs them. mm_lock held. */
int pv_set_ldt(struct vcpu *v, unsigned long base, unsigned int entries)
{
	if (entries > 8192 || (base & ~PAGE_MASK) || !is_canonical(base) ||
	    (entries && base >= HV_VA_START && base < HV_VA_END))
		return -XEN_EINVAL;
	if (!entries && !v->pv.ldt_ents)
		return 0;
	pv_drop_ldt(v);
	v->pv.ldt_base = base;
	v->pv.ldt_ents = entries;
	pv_load_ldt(v);
	return 0;
}

bool pv_map_ldt_page(struct vcpu *v, unsigned long fault_va)
{
	unsigned long off = fault_va - PV_LDT_VA(v);
	u64 *pl1e;
	bool ok = false;

	if (off >= v->pv.ldt_ents * 8UL)
		return false;
	spin_lock(&v->d->mm_lock);
	pl1e = pv_walk_l1e(v, v->pv.ldt_base + off);
	if (pl1e && (*pl1e & PTE_P) && !pv_get_segdesc(v->d, pte_mfn(*pl1e))) {
		set_table_pte(v, 16 + (unsigned int)(off >> PAGE_SHIFT),
			      make_pte(pte_mfn(*pl1e), PTE_GUEST_TABLE));
		ok = true;
	}
	spin_unlock(&v->d->mm_lock);
	return ok;
}

long do_update_descriptor(unsigned long maddr, unsigned long desc, unsigned long a3,
			  unsigned long a4, unsigned long a5)
{
	struct domain *d = current->d;
	mfn_t mfn = PFN_DOWN(maddr);
	struct frame *f;
	u64 val = desc;
	long rc = 0;

	if ((maddr & 7) || pv_mfn_is_io(mfn) || !pv_fix_descriptor(&val))
		return -XEN_EINVAL;
	spin_lock(&d->mm_lock);
	f = mfn_to_frame_nospec(mfn);
	if (f->owner == d->id &&
	    (f->type & (FT_KIND | FT_VALIDATED)) == (FT_SEGDESC | FT_VALIDATED)) {
		WRITE_ONCE(*(u64 *)paddr_to_virt(maddr), val);
	} else {
		f = get_frame_and_writable(mfn, d->id);
		if (f) {
			WRITE_ONCE(*(u64 *)paddr_to_virt(maddr), val);
			put_frame_and_writable(f);
		} else {
			rc = -XEN_EINVAL;
		}
	}
	spin_unlock(&d->mm_lock);
	return rc;
}

/* A selector that the tables do not back becomes null, as the ABI has it. */
#define LOAD_SEG(reg, val)                                                      \
	__asm__ __volatile__("1: mov %w0, %%" reg "\n2:\n\t"                    \
			     ".pushsection .text.fixup, \"ax\"\n"               \
			     "3: xorl %k0, %k0; mov %w0, %%" reg "; jmp 2b\n\t" \
			     ".popsection\n\t" EX_TABLE("1b", "3b")             \
			     : "+r"(val))

#define READ_SEG(reg, var) __asm__ __volatile__("mov %%" reg ", %k0" : "=r"(var))

static unsigned long read_base(u32 msr)
{
	unsigned long v;

	if (hv_cr4 & CR4_FSGSBASE) {
		if (msr == MSR_FS_BASE) {
			__asm__ __volatile__("rdfsbase %0" : "=r"(v));
			return v;
		}
		if (msr == MSR_GS_BASE) {
			__asm__ __volatile__("rdgsbase %0" : "=r"(v));
			return v;
		}
	}
	return rdmsr(msr);
}

static void write_base(u32 msr, unsigned long v)
{
	if ((hv_cr4 & CR4_FSGSBASE) && msr == MSR_FS_BASE)
		__asm__ __volatile__("wrfsbase %0" ::"r"(v));
	else if ((hv_cr4 & CR4_FSGSBASE) && msr == MSR_GS_BASE)
		__asm__ __volatile__("wrgsbase %0" ::"r"(v));
	else
		wrmsr(msr, v);
}

/* Two SWAPGS around WRGSBASE cost a fraction of a WRMSR. */
static void write_inactive_gs(unsigned long v)
{
	if (hv_cr4 & CR4_FSGSBASE)
		__asm__ __volatile__("swapgs; wrgsbase %0; swapgs" ::"r"(v));
	else
		wrmsr(MSR_KERNEL_GS_BASE, v);
}

static unsigned long read_inactive_gs(void)
{
	unsigned long v;

	if (!(hv_cr4 & CR4_FSGSBASE))
		return rdmsr(MSR_KERNEL_GS_BASE);
	__asm__ __volatile__("swapgs; rdgsbase %0; swapgs" : "=r"(v));
	return v;
}

void pv_save_segments(struct vcpu *v)
{
	u32 sel;

	READ_SEG("ds", sel);
	v->pv.ds = (u16)sel;
	READ_SEG("es", sel);
	v->pv.es = (u16)sel;
	READ_SEG("fs", sel);
	v->pv.fs = (u16)sel;
	READ_SEG("gs", sel);
	v->pv.gs = (u16)sel;
	v->pv.fs_base = read_base(MSR_FS_BASE);
	if (v->pv.kernel_mode) {
		v->pv.gs_base_kernel = read_base(MSR_GS_BASE);
		v->pv.gs_base_user = read_inactive_gs();
	} else {
		v->pv.gs_base_user = read_base(MSR_GS_BASE);
		v->pv.gs_base_kernel = read_inactive_gs();
	}
}

void pv_load_segments(struct vcpu *v)
{
	bool k = v->pv.kernel_mode;
	u32 sel;

	sel = v->pv.ds;
	LOAD_SEG("ds", sel);
	sel = v->pv.es;
	LOAD_SEG("es", sel);
	sel = v->pv.fs;
	LOAD_SEG("fs", sel);
	sel = v->pv.gs;
	LOAD_SEG("gs", sel);
	write_base(MSR_FS_BASE, v->pv.fs_base);
	write_base(MSR_GS_BASE, k ? v->pv.gs_base_kernel : v->pv.gs_base_user);
	write_inactive_gs(k ? v->pv.gs_base_user : v->pv.gs_base_kernel);
}

long do_set_segment_base(unsigned long which, unsigned long base, unsigned long a3,
			 unsigned long a4, unsigned long a5)
{
	u32 sel = (u16)base;

	if (which != SEGBASE_GS_USER_SEL && !is_canonical(base))
		return -XEN_EINVAL;
	switch (which) {
	case SEGBASE_FS:
		write_base(MSR_FS_BASE, base);
		return 0;
	case SEGBASE_GS_USER: /* we are called from kernel mode: the user's base is the inactive one */
		write_inactive_gs(base);
		return 0;
	case SEGBASE_GS_KERNEL:
		write_base(MSR_GS_BASE, base);
		return 0;
	case SEGBASE_GS_USER_SEL:
		__asm__ __volatile__("swapgs" ::: "memory");
		LOAD_SEG("gs", sel);
		__asm__ __volatile__("swapgs" ::: "memory");
		return 0;
	default:
		return -XEN_EINVAL;
	}
}
