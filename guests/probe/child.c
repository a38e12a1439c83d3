/* SPDX-License-Identifier: MIT */
/* The probe as its own toolstack: makes and ends the domains of child.h. */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "child.h"
#include <xen/domctl.h>

#define FIRST	   (LOAD_PADDR / PAGE_SIZE)
#define MAX_FRAMES 1024
#define SECONDS	   1000000000UL
#define LIMIT	   (60 * SECONDS)

extern char _start[], _end[];
union child_union child_union __attribute__((aligned(4096)));
unsigned long child_mfn[MAX_FRAMES];
static unsigned long list[FIRST + MAX_FRAMES]; /* becomes the child's p2m */
static unsigned long image_end, heap_end, all_end, child_root, child_shared;
static u64 tables[CHILD_TABLES][512] __attribute__((aligned(4096)));
static struct vcpu_guest_context context;

enum {
	ROOT,
	L3_IMAGE,
	L2_IMAGE,
	L1_IMAGE, /* two of them */
	L3_HEAP = L1_IMAGE + 2,
	L2_HEAP,
	L1_HEAP, /* two of them */
	L3_WIN = L1_HEAP + 2,
	L2_WIN,
	L1_WIN
};

/* --- in the child --- */

static void child_main(void)
{
	struct sched_shutdown off = {.reason = SHUTDOWN_poweroff};

	for (unsigned int i = 0; i < MAX_CPUS; i++)
		memset(stacks[i], 0, sizeof(struct cpu));
	start_copy.flags = 0;
	start_copy.nr_pages = all_end;
	start_copy.shared_info = child_shared;
	start_info = &start_copy;
	user_root_mfn = 0;
	mem_adopt(list, child_root, image_end, heap_end, all_end);
	trap_init();
	upcall_mask(true);
	console_capture(me->text, sizeof(me->text));
	me->outcome = outcome_of(me->fn);
	mb();
	me->done = 1;
	sched_op(SCHEDOP_shutdown, &off);
	for (;;)
		;
}

/* --- building; in dom0 --- */

static u64 frame_of(unsigned long pfn)
{
	return child_mfn[pfn - FIRST];
}

static u64 table_mfn(unsigned int t)
{
	return frame_of(heap_end + t);
}

u64 child_table_mfn(const struct child *c, int level)
{
	return table_mfn(ROOT + 4 - (unsigned int)level);
}

static u64 *slot(unsigned int table, u64 va, int level)
{
	return &tables[table][va >> (12 + 9 * (level - 1)) & 511];
}

static void link_tables(u64 va, unsigned int l3, unsigned int l2, unsigned int l1)
{
	*slot(ROOT, va, 4) = mk_pte(table_mfn(l3), PTE_TABLE);
	*slot(l3, va, 3) = mk_pte(table_mfn(l2), PTE_TABLE);
	*slot(l2, va, 2) = mk_pte(table_mfn(l1), PTE_TABLE);
}

static void fill_tables(const struct child *c)
{
	unsigned long pfn;

	memset(tables, 0, sizeof(tables));
	link_tables(VIRT_BASE, L3_IMAGE, L2_IMAGE, L1_IMAGE);
	link_tables(DM_BASE, L3_HEAP, L2_HEAP, L1_HEAP);
	tables[L2_IMAGE][1] = mk_pte(table_mfn(L1_IMAGE + 1), PTE_TABLE);
	tables[L2_HEAP][1] = mk_pte(table_mfn(L1_HEAP + 1), PTE_TABLE);
	link_tables(WIN_BASE, L3_WIN, L2_WIN, L1_WIN);
	for (pfn = FIRST; pfn < image_end; pfn++)
		tables[L1_IMAGE + pfn / 512][pfn % 512] = mk_pte(frame_of(pfn), PTE_KERNEL);
	pfn = va_pfn(&shared_page);
	tables[L1_IMAGE + pfn / 512][pfn % 512] = mk_pte(c->shared_mfn, PTE_KERNEL);
	for (pfn = image_end; pfn < all_end; pfn++)
		tables[L1_HEAP + pfn / 512][pfn % 512] =
			mk_pte(frame_of(pfn), pfn < heap_end ? PTE_KERNEL : PTE_RO);
}

static long map_frame(const struct child *c, unsigned int w, u64 mfn, u64 flags)
{
	win_map(w, 0);
	return hcall(__HYPERVISOR_update_va_mapping_otherdomain, win(w), mk_pte(mfn, flags),
		     UVMF_INVLPG, c->id);
}

static long copy_frame(const struct child *c, unsigned long pfn, const void *from)
{
	long rc = map_frame(c, CHILD_WIN + 1, frame_of(pfn), PTE_KERNEL);

	if (!rc)
		memcpy(win(CHILD_WIN + 1), from, PAGE_SIZE);
	return rc;
}

static long copy_all(const struct child *c)
{
	long rc = 0;

	for (unsigned long pfn = FIRST; !rc && pfn < image_end; pfn++)
		if (pfn != va_pfn(&shared_page))
			rc = copy_frame(c, pfn, (char *)VIRT_BASE + pfn * PAGE_SIZE);
	for (unsigned int t = 0; !rc && t < CHILD_TABLES; t++)
		rc = copy_frame(c, heap_end + t, tables[t]);
	win_map(CHILD_WIN + 1, 0);
	return rc;
}

static long populate(struct child *c)
{
	struct xen_memory_reservation r = {.nr_extents = c->nr, .domid = c->id};
	long rc;

	for (unsigned long i = 0; i < c->nr; i++)
		child_mfn[i] = FIRST + i;
	set_xen_guest_handle(r.extent_start, child_mfn);
	rc = memory_op(XENMEM_populate_physmap, &r);
	for (unsigned long i = 0; i < c->nr; i++)
		list[FIRST + i] = child_mfn[i];
	return rc == (long)c->nr ? 0 : -XEN_ENOMEM;
}

static long make_domain(struct child *c)
{
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_createdomain, 0);
	long rc;

	op->u.createdomain.max_vcpus = 1;
	op->u.createdomain.max_evtchn_port = 1023;
	op->u.createdomain.max_grant_frames = 4;
	op->u.createdomain.max_maptrack_frames = 4;
	op->u.createdomain.grant_opts = XEN_DOMCTL_GRANT_version(1);
	rc = domctl_do();
	c->id = op->domain;
	if (rc)
		return rc;
	domctl_new(XEN_DOMCTL_max_mem, c->id)->u.max_mem.max_memkb = c->nr * 4;
	rc = domctl_do();
	domctl_new(XEN_DOMCTL_max_vcpus, c->id)->u.max_vcpus.max = 1;
	rc = rc ? rc : domctl_do();
	op = domctl_new(XEN_DOMCTL_getdomaininfo, c->id);
	rc = rc ? rc : domctl_do();
	c->shared_mfn = op->u.getdomaininfo.shared_info_frame;
	return rc;
}

static long set_context(const struct child *c)
{
	struct vcpu_guest_context *x = &context;
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_setvcpucontext, c->id);

	memset(x, 0, sizeof(*x));
	x->flags = VGCF_in_kernel | VGCF_syscall_disables_events | VGCF_online;
	x->user_regs.rip = (unsigned long)child_main;
	x->user_regs.rsp = (unsigned long)stacks[0] + STACK_SIZE - 8;
	x->user_regs.cs = FLAT_KERNEL_CS;
	x->user_regs.ss = FLAT_KERNEL_SS;
	x->user_regs.rflags = RFLAGS_IF;
	x->kernel_ss = FLAT_KERNEL_SS;
	x->kernel_sp = x->user_regs.rsp;
	x->ctrlreg[3] = xen_pfn_to_cr3(child_root);
	set_xen_guest_handle(op->u.vcpucontext.ctxt, x);
	return domctl_do();
}

static long pin_root(const struct child *c)
{
	struct mmuext_op op = {.cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = child_root};

	return mmuext_op(&op, 1, NULL, c->id);
}

static bool fail(struct child *c, const char *what, long rc)
{
	outcome_set(ERROR, __FILE__, __LINE__, "child: %s: %ld", what, rc);
	if (c->id)
		child_destroy(c);
	return false;
}

bool child_make(struct child *c, void (*fn)(void))
{
	long rc;

	memset(c, 0, sizeof(*c));
	/* Two tables each must do. */
	image_end = ((u64)_end - VIRT_BASE) / PAGE_SIZE;
	heap_end = image_end + CHILD_HEAP;
	all_end = heap_end + CHILD_TABLES;
	c->image = image_end - FIRST;
	c->nr = all_end - FIRST;
	rc = make_domain(c);
	if (rc)
		return fail(c, "create", rc);
	rc = populate(c);
	if (rc)
		return fail(c, "populate", rc);
	child_root = table_mfn(ROOT);
	child_shared = c->shared_mfn * PAGE_SIZE;
	memset(me, 0, sizeof(*me));
	me->fn = fn;
	fill_tables(c);
	rc = copy_all(c);
	if (rc)
		return fail(c, "copy", rc);
	rc = pin_root(c);
	if (rc)
		return fail(c, "pin", rc);
	rc = set_context(c);
	if (rc)
		return fail(c, "context", rc);
	rc = map_frame(c, CHILD_WIN, frame_of(va_pfn(me)), PTE_KERNEL);
	c->page = win(CHILD_WIN);
	return rc ? fail(c, "page", rc) : true;
}

long child_unpause(const struct child *c)
{
	domctl_new(XEN_DOMCTL_unpausedomain, c->id);
	return domctl_do();
}

bool child_make_and_run(struct child *c, void (*fn)(void))
{
	long rc;

	if (!child_make(c, fn))
		return false;
	rc = child_unpause(c);
	return rc ? fail(c, "unpause", rc) : true;
}

/* --- its end --- */

static bool shut_down(const struct child *c)
{
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_getdomaininfo, c->id);

	return domctl_do() || op->domain != c->id ||
	       (op->u.getdomaininfo.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying));
}

void child_wait(struct child *c)
{
	u64 end = now_ns() + LIMIT;

	while (!c->page->done && !shut_down(c) && now_ns() < end)
		sched_op(SCHEDOP_yield, NULL);
	if (!c->page->done)
		outcome_set(ERROR, __FILE__, __LINE__, "the child %s",
			    shut_down(c) ? "has crashed" : "does not end");
	else if (c->page->outcome != SUCCESS)
		outcome_set(c->page->outcome, __FILE__, __LINE__, "in the child:");
	if (c->page->text[0])
		printf("%s", c->page->text);
}

long child_destroy(struct child *c)
{
	domctl_new(XEN_DOMCTL_destroydomain, c->id);
	return domctl_do();
}

bool child_exists(domid_t id)
{
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_getdomaininfo, id);

	return !domctl_do() && op->domain == id;
}

void child_end(struct child *c)
{
	win_map(CHILD_WIN, 0);
	CHECK_OK(child_destroy(c));
	CHECK(!child_exists(c->id));
}

static void pin_child(const struct child *c, bool on)
{
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_setvcpuaffinity, c->id);
	static u8 map[32];

	memset(map, on ? 0 : 0xff, sizeof(map));
	map[0] |= 1;
	op->u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
	op->u.vcpuaffinity.cpumap_hard.nr_bits = sizeof(map) * 8;
	set_xen_guest_handle(op->u.vcpuaffinity.cpumap_hard.bitmap, map);
	domctl_do();
}

void child_together(const struct child *c, bool on)
{
	cpu_pin(0, on ? 0 : ~0UL);
	pin_child(c, on);
}
