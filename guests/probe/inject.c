/* SPDX-License-Identifier: MIT */
/*
 * Fault injection, on a hypervisor that has it (CONFIG_HV_FAULT_INJECT): each operation again and again,
 * with the first allocation failing, the second, ..., until it succeeds; then with the first check whether
 * to stop saying yes, the second, ... After each one all frames are recounted and no memory is lost.
 */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "topics.h"
#include "tables.h"
#include <xen/domctl.h>
#include <xen/sysctl.h>

#define XENVER_INJECT 0x1a7ec7
#define NEVER	      0xffffffff
#define MAX_N	      60
#define GUEST_PAGES   24
#define GUEST_PFN     0x100
#define NR_OPS	      8

struct inject_request {
	u32 alloc_at, preempt_at, alloc_seen, preempt_seen;
};

static struct xen_domctl dc;
static domid_t guest; /* the second domain; 0: there is none */
static u64 *page[NR_OPS];
static struct tree tree;
static u64 guest_root; /* a frame of the second domain */
static u32 ports[NR_OPS];

static long arm(u32 alloc_at, u32 preempt_at, struct inject_request *r)
{
	*r = (struct inject_request){.alloc_at = alloc_at, .preempt_at = preempt_at};
	return xen_version(XENVER_INJECT, r);
}

static u64 free_pages(void)
{
	static struct xen_sysctl op;

	memset(&op, 0, sizeof(op));
	op.cmd = XEN_SYSCTL_physinfo;
	op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return hcall(__HYPERVISOR_sysctl, &op) ? 0 : op.u.physinfo.free_pages;
}

/* Debug key A, and what it says in the log: false when anything is wrong. */
static bool audit(void)
{
	static char key[] = "A", text[1024];
	static struct xen_sysctl op;
	static u32 index;
	u32 sound = 0;

	memset(&op, 0, sizeof(op));
	op.cmd = XEN_SYSCTL_debug_keys;
	op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	op.u.debug_keys.nr_keys = 1;
	set_xen_guest_handle(op.u.debug_keys.keys, key);
	if (hcall(__HYPERVISOR_sysctl, &op))
		return false;
	do {
		memset(&op.u, 0, sizeof(op.u));
		op.cmd = XEN_SYSCTL_readconsole;
		op.u.readconsole.incremental = 1;
		op.u.readconsole.index = index;
		op.u.readconsole.count = sizeof(text) - 1;
		set_xen_guest_handle(op.u.readconsole.buffer, text);
		if (hcall(__HYPERVISOR_sysctl, &op))
			return false;
		index = op.u.readconsole.index;
		text[op.u.readconsole.count] = 0;
		for (const char *s = text; *s; s++) {
			if (!strncmp(s, "WRONG", 5))
				return false;
			if (!strncmp(s, " errors in", 10) && (s[-1] != '0' || s[-2] != ' '))
				return false;
			sound += !strncmp(s, "free lists in order", 19);
		}
	} while (op.u.readconsole.count == sizeof(text) - 1);
	return sound != 0;
}

/* --- a second domain, step by step --- */

static long domctl(u32 cmd)
{
	dc.cmd = cmd;
	dc.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	dc.domain = guest;
	return hcall(__HYPERVISOR_domctl, &dc);
}

static long create(void)
{
	long rc;

	memset(&dc, 0, sizeof(dc));
	dc.u.createdomain.max_vcpus = 2;
	dc.u.createdomain.max_evtchn_port = 1023;
	dc.u.createdomain.max_grant_frames = 4;
	guest = 0;
	rc = domctl(XEN_DOMCTL_createdomain);
	guest = rc ? 0 : dc.domain;
	return rc;
}

static long max_vcpus(void)
{
	dc.u.max_vcpus.max = 2;
	return domctl(XEN_DOMCTL_max_vcpus);
}

static long max_mem(void)
{
	dc.u.max_mem.max_memkb = GUEST_PAGES * 4;
	return domctl(XEN_DOMCTL_max_mem);
}

/* The number of pages that were not given. */
static long populate(void)
{
	static xen_pfn_t list[GUEST_PAGES];
	struct xen_memory_reservation r = {.nr_extents = GUEST_PAGES, .domid = guest};
	long n;

	for (unsigned int i = 0; i < GUEST_PAGES; i++)
		list[i] = GUEST_PFN + i;
	set_xen_guest_handle(r.extent_start, list);
	n = memory_op(XENMEM_populate_physmap, &r);
	guest_root = list[0];
	return n < 0 ? n : GUEST_PAGES - n;
}

/* The root is a page of zeros. */
static long set_context(void)
{
	static struct vcpu_guest_context c;

	memset(&c, 0, sizeof(c));
	c.user_regs.cs = FLAT_KERNEL_CS;
	c.user_regs.ss = FLAT_KERNEL_SS;
	c.user_regs.rip = VIRT_BASE;
	c.user_regs.rflags = RFLAGS_IF;
	c.flags = VGCF_in_kernel;
	c.ctrlreg[3] = guest_root << 12;
	dc.u.vcpucontext.vcpu = 0;
	set_xen_guest_handle(dc.u.vcpucontext.ctxt, &c);
	return domctl(XEN_DOMCTL_setvcpucontext);
}

static long get_context(void)
{
	static struct vcpu_guest_context c;

	dc.u.vcpucontext.vcpu = 0;
	set_xen_guest_handle(dc.u.vcpucontext.ctxt, &c);
	return domctl(XEN_DOMCTL_getvcpucontext);
}

static long destroy(void)
{
	long rc = guest ? domctl(XEN_DOMCTL_destroydomain) : 0;

	guest = rc ? guest : 0;
	return rc;
}

static void no_guest(void)
{
	CHECK_OK(destroy());
}

static void guest_made(void)
{
	REQUIRE_OK(create());
	REQUIRE_OK(max_mem());
}

static void guest_with_vcpus(void)
{
	guest_made();
	REQUIRE_OK(max_vcpus());
}

static void guest_with_memory(void)
{
	guest_with_vcpus();
	REQUIRE_OK(populate());
}

static void guest_complete(void)
{
	guest_with_memory();
	REQUIRE_OK(set_context());
}

static long life(void)
{
	return create() ?: max_mem() ?: max_vcpus() ?: populate() ?: set_context() ?: destroy();
}

/* --- own memory and tables --- */

static void pages_made(void)
{
	for (unsigned int i = 0; i < NR_OPS; i++) {
		page[i] = page[i] ?: page_alloc();
		REQUIRE(page[i]);
		REQUIRE_OK(page_set(page[i], 0));
	}
}

static void pages_back(void)
{
	for (unsigned int i = 0; i < NR_OPS; i++)
		CHECK_OK(page_rw(page[i]));
}

static long exchange(void)
{
	static xen_pfn_t in[NR_OPS], out[NR_OPS];
	struct xen_memory_exchange e = {.in = {.nr_extents = NR_OPS, .domid = DOMID_SELF},
					.out = {.nr_extents = NR_OPS, .domid = DOMID_SELF}};
	long rc;

	for (unsigned int i = 0; i < NR_OPS; i++) {
		in[i] = va_mfn(page[i]);
		out[i] = va_pfn(page[i]);
	}
	set_xen_guest_handle(e.in.extent_start, in);
	set_xen_guest_handle(e.out.extent_start, out);
	rc = memory_op(XENMEM_exchange, &e);
	for (unsigned int i = 0; i < e.nr_exchanged; i++)
		p2m[va_pfn(page[i])] = out[i];
	return rc;
}

/* Given back and taken again, up to where it stops; the rest without a fault. */
static long give_and_take(void)
{
	static xen_pfn_t list[NR_OPS];
	struct xen_memory_reservation r = {.nr_extents = NR_OPS, .domid = DOMID_SELF};
	long given, taken = 0;

	for (unsigned int i = 0; i < NR_OPS; i++)
		list[i] = va_mfn(page[i]);
	set_xen_guest_handle(r.extent_start, list);
	given = memory_op(XENMEM_decrease_reservation, &r);
	CHECK_EQ(given, NR_OPS);
	for (int again = 0; again < 2 && taken < NR_OPS; again++) {
		for (long i = taken; i < NR_OPS; i++)
			list[i] = va_pfn(page[i]);
		set_xen_guest_handle(r.extent_start, list + taken);
		r.nr_extents = (u64)(NR_OPS - taken);
		given = memory_op(XENMEM_populate_physmap, &r);
		taken += given > 0 ? given : 0;
	}
	for (long i = 0; i < taken; i++)
		p2m[va_pfn(page[i])] = list[i];
	CHECK_EQ(taken, NR_OPS);
	return 0;
}

static void tree_made(void)
{
	REQUIRE(tree_make(&tree));
}

static void tree_pinned(void)
{
	REQUIRE(tree_make_pinned(&tree));
}

static void tree_ended(void)
{
	unpin(va_mfn(tree.page[4]));
	tree_free(&tree, false);
}

static long pin_tree(void)
{
	return pin(4, va_mfn(tree.page[4]));
}

static long unpin_tree(void)
{
	return unpin(va_mfn(tree.page[4]));
}

/* Entries of all levels in one batch, set and cleared. */
static long update_tree(void)
{
	struct mmu_update u[NR_OPS];

	for (unsigned int i = 0; i < NR_OPS; i++) {
		unsigned int l = 1 + i % 4;

		u[i].ptr = slot_ma(tree.page[l], 5 + i / 4) | MMU_NORMAL_PT_UPDATE;
		u[i].val = mk_pte(va_mfn(tree.page[l - 1]), l == 1 ? PTE_KERNEL : PTE_TABLE);
	}
	u[NR_OPS - 1].ptr = slot_ma(tree.page[4], 0);
	u[NR_OPS - 1].val = 0;
	return mmu_update(u, NR_OPS, NULL, DOMID_SELF);
}

/* --- grants and events --- */

static grant_entry_v1_t *grants;
static u32 handles[NR_OPS];
static unsigned int nr_handles;

static void grants_made(void)
{
	static xen_pfn_t frame;
	struct gnttab_setup_table t = {.dom = DOMID_SELF, .nr_frames = 1};

	pages_made();
	pages_back();
	set_xen_guest_handle(t.frame_list, &frame);
	REQUIRE_OK(grant_op(GNTTABOP_setup_table, &t, 1));
	REQUIRE_OK(t.status);
	REQUIRE_OK(win_map(WIN_PAGES - 1, mk_pte(frame, PTE_KERNEL)));
	grants = win(WIN_PAGES - 1);
	for (u32 i = 0; i < NR_OPS; i++) {
		grants[8 + i].domid = own_domid();
		grants[8 + i].frame = (u32)va_mfn(page[i]);
		barrier();
		grants[8 + i].flags = GTF_permit_access;
	}
}

static long map_grants(void)
{
	struct gnttab_map_grant_ref m[NR_OPS];
	long rc;

	for (u32 i = 0; i < NR_OPS; i++)
		m[i] = (struct gnttab_map_grant_ref){.host_addr = (u64)win(i),
						     .ref = 8 + i,
						     .dom = own_domid(),
						     .flags = GNTMAP_host_map};
	rc = grant_op(GNTTABOP_map_grant_ref, m, NR_OPS);
	for (nr_handles = 0; nr_handles < NR_OPS && !m[nr_handles].status; nr_handles++)
		handles[nr_handles] = m[nr_handles].handle;
	return rc ?: nr_handles < NR_OPS ? m[nr_handles].status : 0;
}

static long unmap_grants(void)
{
	struct gnttab_unmap_grant_ref u[NR_OPS];
	long rc;

	for (u32 i = 0; i < nr_handles; i++)
		u[i] = (struct gnttab_unmap_grant_ref){.host_addr = (u64)win(i),
						       .handle = handles[i]};
	rc = grant_op(GNTTABOP_unmap_grant_ref, u, nr_handles);
	for (u32 i = 0; i < nr_handles; i++)
		CHECK_EQ(u[i].status, 0);
	nr_handles = 0;
	return rc;
}

static void grants_mapped(void)
{
	grants_made();
	REQUIRE_OK(map_grants());
}

static void grants_ended(void)
{
	unmap_grants();
	for (u32 i = 0; grants && i < NR_OPS; i++) {
		CHECK_EQ(grants[8 + i].flags & (GTF_reading | GTF_writing), 0);
		grants[8 + i].flags = 0;
	}
	win_clear();
}

static long copy_grants(void)
{
	struct gnttab_copy c[NR_OPS];
	long rc;

	for (u32 i = 0; i < NR_OPS; i++) {
		c[i] = (struct gnttab_copy){.len = 8, .flags = GNTCOPY_source_gref};
		c[i].source.u.ref = 8 + i;
		c[i].source.domid = own_domid();
		c[i].dest.u.gmfn = va_mfn(page[(i + 1) % NR_OPS]);
		c[i].dest.domid = DOMID_SELF;
	}
	rc = grant_op(GNTTABOP_copy, c, NR_OPS);
	for (u32 i = 0; i < NR_OPS; i++)
		rc = rc ?: c[i].status;
	return rc;
}

static long open_channels(void)
{
	long rc = 0;

	for (u32 i = 0; i < NR_OPS && !rc; i++) {
		struct evtchn_alloc_unbound a = {.dom = guest, .remote_dom = DOMID_SELF};
		struct evtchn_bind_interdomain b = {.remote_dom = guest};

		rc = evtchn_op(EVTCHNOP_alloc_unbound, &a);
		b.remote_port = a.port;
		rc = rc ?: evtchn_op(EVTCHNOP_bind_interdomain, &b);
		ports[i] = rc ? 0 : b.local_port;
	}
	return rc;
}

static void guest_and_channels_ended(void)
{
	for (u32 i = 0; i < NR_OPS; i++) {
		struct evtchn_close c = {.port = ports[i]};

		if (ports[i])
			CHECK_OK(evtchn_op(EVTCHNOP_close, &c));
		ports[i] = 0;
	}
	no_guest();
}

/* --- the walk --- */

static void nothing(void)
{
}

struct operation {
	const char *name;
	void (*before)(void);
	long (*op)(void);
	void (*after)(void);
};

static const struct operation operations[] = {
	{"create", nothing, create, no_guest},
	{"max-vcpus", guest_made, max_vcpus, no_guest},
	{"populate", guest_with_vcpus, populate, no_guest},
	{"set-context", guest_with_memory, set_context, no_guest},
	{"get-context", guest_complete, get_context, no_guest},
	{"destroy", guest_complete, destroy, no_guest},
	{"life", nothing, life, no_guest},
	{"exchange", pages_made, exchange, pages_back},
	{"give-and-take", pages_made, give_and_take, pages_back},
	{"pin", tree_made, pin_tree, tree_ended},
	{"unpin", tree_pinned, unpin_tree, tree_ended},
	{"mmu-update", tree_pinned, update_tree, tree_ended},
	{"grant-map", grants_made, map_grants, grants_ended},
	{"grant-unmap", grants_mapped, unmap_grants, grants_ended},
	{"grant-copy", grants_made, copy_grants, grants_ended},
	{"events", guest_with_vcpus, open_channels, guest_and_channels_ended},
};

/* Fault number n of a kind. False: there were fewer than n, and it has succeeded. */
static bool one_fault(const struct operation *o, bool preempt, u32 n, u64 memory)
{
	struct inject_request r;
	u32 seen;
	long rc;

	o->before();
	arm(preempt ? 0 : n, preempt ? n : 0, &r);
	rc = o->op();
	arm(0, 0, &r);
	seen = preempt ? r.preempt_seen : r.alloc_seen;
	o->after();
	if (preempt || seen < n)
		CHECK_RC(rc, 0);
	CHECK(audit());
	CHECK_EQ(free_pages(), memory);
	return seen >= n;
}

/* What an operation allocates once and keeps is there before memory is compared. */
static void walk(const struct operation *o, bool preempt)
{
	u64 memory;
	u32 n = 0;

	o->before();
	REQUIRE_OK(o->op());
	o->after();
	memory = free_pages();
	while (++n < MAX_N && one_fault(o, preempt, n, memory))
		;
	printf("%s %s %u, ", o->name, preempt ? "stopped" : "failed", n - 1);
}

static void walk_all(bool preempt)
{
	struct inject_request r;

	if (!is_dom0())
		SKIP_TEST("only dom0 may inject faults");
	if (arm(0, 0, &r))
		SKIP_TEST("this hypervisor has no fault injection");
	audit();
	for (unsigned int i = 0; i < ARRAY_SIZE(operations); i++)
		walk(&operations[i], preempt);
}

static void allocations(void)
{
	walk_all(false);
}

static void preemptions(void)
{
	walk_all(true);
}

const struct test inject_tests[] = {
	{"allocations", allocations},
	{"preemptions", preemptions},

	{NULL, NULL},
};
