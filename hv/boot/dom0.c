/* SPDX-License-Identifier: MIT */
/* Builds domain 0 from the boot modules: the PV64 start-of-day contract (<xen/xen.h>, abi.md 1). */
#include "boot/boot.h"
#include "boot/dom0.h"
#include "cpu/percpu.h"
#include "dom/domain.h"
#include "dom/vtime.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/m2p.h"
#include "mm/setup.h"
#include "plat/plat.h"
#include "plat/screen.h"
#include "plat/vga.h"
#include "pv/entry.h"
#include "pv/mm.h"
#include "pv/pv.h"

#define PTE_DOM0	(PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define VGA_INFO_OFFSET sizeof(struct start_info)
#define RESERVE_MAX	((128UL << 20) >> PAGE_SHIFT)

struct builder {
	struct domain *d;
	struct dom0_image img;
	struct dom0_layout l;
	const struct boot_module *kernel, *initrd;
	unsigned long nr_pages, max_pages;
	u64 *p2m;   /* the guest's table, contiguous in our direct map */
	mfn_t next; /* frames of the current chunk that are not used yet */
	unsigned long left;
};

/* The next frame of dom0's memory, from chunks as large as possible. */
static mfn_t take_frame(struct builder *b)
{
	if (!b->left) {
		unsigned long want = b->nr_pages - b->d->tot_pages;
		unsigned int order = want ? min(fls_long(want), 18u) : 0;
		struct frame *f;

		do
			f = domain_alloc_frames(b->d, order, DMF_NOZERO);
		while (!f && order-- > 0);
		if (!f)
			panic("not enough memory for dom0: %lu of %lu pages", b->d->tot_pages,
			      b->nr_pages);
		b->next = frame_to_mfn(f);
		b->left = 1UL << order;
	}
	b->left--;
	return b->next++;
}

static void *page_of(const struct builder *b, u64 va)
{
	return mfn_to_virt(b->p2m[(va - b->l.virt_base) >> PAGE_SHIFT]);
}

static void set_p2m(struct builder *b, unsigned long pfn, mfn_t mfn)
{
	b->p2m[pfn] = mfn;
	m2p_set(mfn, pfn);
}

/* The p2m table wants to be contiguous for us: one chunk, whose surplus becomes ordinary memory. */
static void make_p2m(struct builder *b)
{
	unsigned long n = b->l.p2m_pages + b->l.p2m_tables;
	unsigned int order = n > 1 ? fls_long(n - 1) + 1 : 0;
	struct frame *f = domain_alloc_frames(b->d, order, 0);

	if (!f)
		panic("no memory in one piece for dom0's p2m table");
	b->p2m = frame_to_virt(f);
	for (unsigned long i = 0; i < n; i++)
		set_p2m(b, b->l.p2m_pfn + i, frame_to_mfn(f) + i);
	b->next = frame_to_mfn(f) + n;
	b->left = (1UL << order) - n;
}

/* The initrd stays where the loader has put it; its pages become dom0's. */
static void adopt_initrd(struct builder *b)
{
	mfn_t first;
	u64 size;

	if (!b->initrd || !b->l.initrd_pages)
		return;
	first = PFN_DOWN(b->initrd->start);
	size = b->initrd->end - b->initrd->start;
	if (size & ~PAGE_MASK)
		memset((char *)paddr_to_virt(b->initrd->end), 0, PAGE_SIZE - (size & ~PAGE_MASK));
	for (unsigned long i = 0; i < b->l.initrd_pages; i++) {
		struct frame *f = mfn_to_frame(first + i);

		f->state = FS_USED;
		if (domain_assign_frame(b->d, f))
			panic("the initrd does not fit into dom0's memory");
		set_p2m(b, b->l.initrd_pfn + i, first + i);
	}
}

static bool has_frame(const struct builder *b, unsigned long pfn)
{
	const struct dom0_layout *l = &b->l;

	return (pfn >= l->p2m_pfn && pfn < l->p2m_pfn + l->p2m_pages + l->p2m_tables) ||
	       (pfn >= l->initrd_pfn && pfn < l->initrd_pfn + l->initrd_pages);
}

static void fill_p2m(struct builder *b, unsigned long from, unsigned long to)
{
	for (unsigned long pfn = from; pfn < to; pfn++)
		if (!has_frame(b, pfn))
			set_p2m(b, pfn, take_frame(b));
}

static void copy_in(struct builder *b, u64 va, const void *src, u64 n)
{
	while (n) {
		u64 off = va & ~PAGE_MASK, step = min(n, PAGE_SIZE - off);

		memcpy((char *)page_of(b, va) + off, src, step);
		va += step;
		src = (const char *)src + step;
		n -= step;
	}
}

static void clear(struct builder *b, u64 va, u64 n)
{
	while (n) {
		u64 off = va & ~PAGE_MASK, step = min(n, PAGE_SIZE - off);

		memset((char *)page_of(b, va) + off, 0, step);
		va += step;
		n -= step;
	}
}

static void load_kernel(struct builder *b)
{
	const struct elf_kernel *k = &b->img.k;
	u64 off = k->has_paddr_offset ? k->paddr_offset : 0;

	for (unsigned int i = 0; i < k->nr_segments; i++) {
		const struct elf_segment *s = &k->seg[i];
		u64 va = b->l.virt_base + s->paddr - off;

		copy_in(b, va, (const char *)b->img.elf + s->offset, s->filesz);
		clear(b, va + s->filesz, s->memsz - s->filesz);
	}
	/* What is new in the mapping must not show what the memory held before. */
	clear(b, b->l.start_info_va, b->l.end - b->l.start_info_va);
	if (k->has_hypercall_page)
		pv_fill_hypercall_page(page_of(b, k->hypercall_page));
}

/* Page tables are taken one after the other from [pt_va, stack_va), or from the p2m's own. */
struct table_source {
	struct builder *b;
	unsigned long pfn;
};

static u64 *next_table(struct table_source *s, u64 *entry)
{
	mfn_t mfn;

	if (*entry & PTE_P)
		return mfn_to_virt(pte_mfn(*entry));
	mfn = s->b->p2m[s->pfn++];
	memset(mfn_to_virt(mfn), 0, PAGE_SIZE);
	*entry = make_pte(mfn, PTE_DOM0);
	return mfn_to_virt(mfn);
}

static void map_page(struct table_source *s, u64 *l4, u64 va, mfn_t mfn, u64 flags)
{
	u64 *l3 = next_table(s, &l4[L4_INDEX(va)]);
	u64 *l2 = next_table(s, &l3[L3_INDEX(va)]);
	u64 *l1 = next_table(s, &l2[L2_INDEX(va)]);

	l1[L1_INDEX(va)] = make_pte(mfn, flags);
}

static mfn_t make_tables(struct builder *b)
{
	const struct dom0_layout *l = &b->l;
	struct table_source s = {b, (l->pt_va - l->virt_base) >> PAGE_SHIFT};
	mfn_t root = b->p2m[s.pfn++];
	u64 *l4 = mfn_to_virt(root);

	for (u64 va = l->virt_base; va < l->end; va += PAGE_SIZE) {
		bool table = va >= l->pt_va && va < l->stack_va;

		map_page(&s, l4, va, b->p2m[(va - l->virt_base) >> PAGE_SHIFT],
			 table ? PTE_DOM0 & ~PTE_RW : PTE_DOM0);
	}
	ASSERT(s.pfn == (l->stack_va - l->virt_base) >> PAGE_SHIFT);
	if (!l->p2m_tables)
		return root;
	s.pfn = l->p2m_pfn + l->p2m_pages;
	for (unsigned long i = 0; i < l->p2m_pages; i++)
		map_page(&s, l4, l->p2m_va + i * PAGE_SIZE, b->p2m[l->p2m_pfn + i], PTE_DOM0);
	return root;
}

/* What the screen is: dom0 goes on with the mode that it finds. */
static void vga_info(struct start_info *si)
{
	struct dom0_vga_console_info *vga = (void *)((char *)si + VGA_INFO_OFFSET);
	const struct screen_fb *fb = screen_get_fb();

	if (!fb && !screen_is_text())
		return;
	si->console.dom0.info_off = (u32)VGA_INFO_OFFSET;
	si->console.dom0.info_size = sizeof(*vga);
	if (fb) {
		vga->video_type = plat_efi ? XEN_VGATYPE_EFI_LFB : XEN_VGATYPE_VESA_LFB;
		vga->u.vesa_lfb.width = (u16)fb->width;
		vga->u.vesa_lfb.height = (u16)fb->height;
		vga->u.vesa_lfb.bytes_per_line = (u16)fb->pitch;
		vga->u.vesa_lfb.bits_per_pixel = fb->bpp;
		vga->u.vesa_lfb.lfb_base = (u32)fb->addr;
		vga->u.vesa_lfb.ext_lfb_base = (u32)(fb->addr >> 32);
		vga->u.vesa_lfb.lfb_size = DIV_ROUND_UP(fb->pitch * fb->height, 65536);
		memcpy(&vga->u.vesa_lfb.red_pos, fb->red, 2);
		memcpy(&vga->u.vesa_lfb.green_pos, fb->green, 2);
		memcpy(&vga->u.vesa_lfb.blue_pos, fb->blue, 2);
		return;
	}
	vga->video_type = XEN_VGATYPE_TEXT_MODE_3;
	vga_get_text_info(&vga->u.text_mode_3.columns, &vga->u.text_mode_3.rows,
			  &vga->u.text_mode_3.cursor_x, &vga->u.text_mode_3.cursor_y,
			  &vga->u.text_mode_3.font_height);
}

static void start_info(struct builder *b)
{
	struct start_info *si = page_of(b, b->l.start_info_va);
	const struct dom0_layout *l = &b->l;

	strlcpy(si->magic, b->img.k.pae ? "xen-3.0-x86_64p" : "xen-3.0-x86_64", sizeof(si->magic));
	si->nr_pages = b->nr_pages;
	si->shared_info = (unsigned long)virt_to_mfn(b->d->shared) << PAGE_SHIFT;
	si->flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
	si->pt_base = l->pt_va;
	si->nr_pt_frames = l->nr_pt;
	si->mfn_list = l->p2m_va;
	if (l->p2m_tables) {
		si->first_p2m_pfn = l->p2m_pfn;
		si->nr_p2m_frames = l->p2m_pages + l->p2m_tables;
	}
	if (l->initrd_pages) {
		si->mod_start = l->initrd_va ? l->initrd_va : l->initrd_pfn;
		si->mod_len = b->initrd->end - b->initrd->start;
		si->flags |= l->initrd_va ? 0 : SIF_MOD_START_PFN;
	}
	strlcpy((char *)si->cmd_line, b->kernel->args, sizeof(si->cmd_line));
	vga_info(si);
}

static void start_vcpu(struct builder *b, mfn_t root)
{
	struct vcpu *v = b->d->vcpu[0];
	int budget = INT_MAX, rc;

	spin_lock(&b->d->mm_lock);
	rc = pv_get_table(b->d, root, 4, &budget);
	/* Linux unpins the root that it was started on, once its own is pinned. */
	if (!rc)
		rc = pv_pin(b->d, root, 4, &budget);
	spin_unlock(&b->d->mm_lock);
	if (rc)
		panic("dom0's first page tables were refused (%d)", rc);
	v->pv.cr3_mfn = root;
	v->regs.rip = b->l.entry;
	v->regs.rsp = b->l.stack_va + PAGE_SIZE;
	v->regs.rsi = b->l.start_info_va;
	v->regs.cs = GUEST_CS;
	v->regs.ss = GUEST_SS;
	v->regs.rflags = RFLAGS_IF | 2;
	v->initialised = true;
	vcpu_up(v);
}

/* How much dom0 gets: dom0_mem=, else all but a sixteenth (at most 128 MiB) for the hypervisor. */
static void size_dom0(struct builder *b)
{
	unsigned long initrd = b->initrd ? PFN_UP(b->initrd->end - b->initrd->start) : 0;
	unsigned long avail = buddy_free_frames() + initrd;
	unsigned long n =
		mem_limits_pages(&opt_dom0_mem, avail, avail - min(avail / 16, RESERVE_MAX));

	b->max_pages = UINT_MAX;
	if (opt_dom0_mem.max.given)
		b->max_pages = max(n, mem_amount_pages(&opt_dom0_mem.max, avail));
	if (n > avail)
		panic("dom0_mem= asks for %lu MiB, but the box has only %lu MiB free", n >> 8,
		      avail >> 8);
	if (initrd >= n)
		panic("the initrd (%lu MiB) is larger than dom0's memory (%lu MiB)", initrd >> 8,
		      n >> 8);
	b->nr_pages = n;
}

static struct domain *create(const struct builder *b)
{
	unsigned int nr = opt_dom0_max_vcpus ? min(opt_dom0_max_vcpus, nr_cpus) : nr_cpus;
	struct domain *d;
	int err = 0;

	d = domain_create(0, nr, true, &err);
	if (!d)
		panic("dom0 cannot be created (%d)", err);
	for (unsigned int i = 0; i < nr; i++) {
		struct vcpu *v = vcpu_create(d, i);

		if (!v)
			panic("no memory for dom0's vcpu %u", i);
		if (opt_dom0_vcpus_pin) {
			DECLARE_BITMAP(one, CONFIG_NR_CPUS) = {0};

			set_bit(i % nr_cpus, one);
			sched_set_affinity(v, one, NULL);
		}
	}
	d->max_pages = b->max_pages;
	return d;
}

void dom0_build(void)
{
	static struct builder b;
	mfn_t root;

	if (!boot_info.nr_modules)
		panic("no dom0 kernel: the boot loader has passed no module");
	b.kernel = &boot_info.module[0];
	b.initrd = boot_info.nr_modules > 1 ? &boot_info.module[1] : NULL;
	size_dom0(&b);
	b.d = create(&b);
	dom0_image_open(&b.img, paddr_to_virt(b.kernel->start), b.kernel->end - b.kernel->start);
	switch (dom0_layout(&b.l, &b.img.k, b.nr_pages,
			    b.initrd ? b.initrd->end - b.initrd->start : 0)) {
	case 0:
		break;
	case -XEN_ENOMEM:
		panic("dom0's memory (%lu MiB) is too small for its kernel and initrd",
		      b.nr_pages >> 8);
	default:
		panic("dom0 kernel's virtual addresses make no sense");
	}
	make_p2m(&b);
	adopt_initrd(&b);
	fill_p2m(&b, 0, b.l.init_pfns);
	load_kernel(&b);
	dom0_image_close(&b.img);
	mm_release(b.kernel->start, b.kernel->end);
	fill_p2m(&b, b.l.init_pfns, b.nr_pages);
	root = make_tables(&b);
	start_info(&b);
	dom0 = b.d;
	domain_publish(b.d);
	vtime_update_wallclock(b.d);
	start_vcpu(&b, root);
	pr_info("dom0: %lu MiB, %u vcpus, entry 0x%lx\n", b.nr_pages >> 8, b.d->max_vcpus,
		b.l.entry);
	screen_release();
}
