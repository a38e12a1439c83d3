/* SPDX-License-Identifier: MIT */
/*
 * Double fetches: vcpu 1 changes an argument while vcpu 0's call reads it. One of the two values would
 * be refused, so whatever is accepted must be the other one, all the way.
 */
#include "hypercall.h"
#include "topics.h"

#define ROUNDS 4000
#define FRAMES 1
#define REF    90

static volatile u64 *flipped;
static u64 good, bad;
static volatile bool stop;

static void flip(void *arg)
{
	while (!stop) {
		*flipped = good;
		*flipped = bad;
	}
}

static bool begin(volatile void *word, u64 good_value, u64 bad_value)
{
	flipped = word;
	good = good_value;
	bad = bad_value;
	stop = false;
	if (cpu_up(1))
		return false;
	cpu_run(1, flip, NULL);
	return true;
}

static bool end(void)
{
	stop = true;
	return cpu_wait(1);
}

/* The grant entry: our page, or our root, which nobody may map writable. */
static void grant_entry(void)
{
	static xen_pfn_t frames[FRAMES];
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = FRAMES};
	u64 *page = page_alloc(), entry, va = (u64)win(210);
	unsigned int mapped = 0, copied = 0;
	grant_entry_v1_t *table;
	domid_t self = own_domid();

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	set_xen_guest_handle(s.frame_list, frames);
	REQUIRE(page && !grant_op(GNTTABOP_setup_table, &s, 1) && !s.status);
	REQUIRE_OK(win_map(220, mk_pte(frames[0], PTE_KERNEL)));
	table = win(220);
	entry = GTF_permit_access | (u64)self << 16;
	REQUIRE(begin(&table[REF], entry | va_mfn(page) << 32, entry | root_mfn() << 32));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct gnttab_map_grant_ref m = {
			.host_addr = va, .flags = GNTMAP_host_map, .ref = REF, .dom = self};
		struct gnttab_unmap_grant_ref u = {.host_addr = va};
		struct gnttab_copy c = {.len = 8, .flags = GNTCOPY_dest_gref};

		CHECK_OK(grant_op(GNTTABOP_map_grant_ref, &m, 1));
		if (!m.status) {
			mapped++;
			CHECK_EQ((pte_get(va, 1, NULL) & PTE_ADDR) >> 12, va_mfn(page));
			u.handle = m.handle;
			CHECK_OK(grant_op(GNTTABOP_unmap_grant_ref, &u, 1));
			if (!CHECK_EQ(u.status, 0))
				break;
		}
		c.source.domid = DOMID_SELF;
		c.source.u.gmfn = va_mfn(page);
		c.dest.domid = self;
		c.dest.u.ref = REF;
		CHECK_OK(grant_op(GNTTABOP_copy, &c, 1));
		copied += !c.status;
	}
	REQUIRE(end());
	table[REF].flags = 0;
	if (verbose)
		printf("\n  note: mapped %u, copied %u of %u", mapped, copied, ROUNDS);
	page_free(page);
}

/* The list of a GDT's frames: a page that may be one, or the root. */
static void gdt_list(void)
{
	static u64 list[14];
	u64 *gdt = page_alloc();

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	REQUIRE(gdt);
	REQUIRE_OK(page_ro(gdt));
	for (unsigned int i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = va_mfn(gdt);
	REQUIRE(begin(&list[7], va_mfn(gdt), root_mfn()));
	for (unsigned int i = 0; i < ROUNDS; i++)
		set_gdt(list, 14 * 512);
	REQUIRE(end());
	CHECK_OK(set_gdt(NULL, 0));
	/* Every count of it has come back. */
	page_free(gdt);
}

/* The command of a page-table operation, and a call's number in a list. */
static void operations(void)
{
	static struct mmuext_op op;
	static struct multicall_entry m;
	u64 *page = page_alloc();

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	REQUIRE(page);
	REQUIRE_OK(page_ro(page));
	op.arg1.mfn = va_mfn(page);
	REQUIRE(begin((u64 *)&op, MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L3_TABLE));
	for (unsigned int i = 0; i < ROUNDS; i++)
		if (!mmuext_op(&op, 1, NULL, DOMID_SELF))
			CHECK_OK(unpin(va_mfn(page)));
	REQUIRE(end());
	CHECK_REFUSED(unpin(va_mfn(page)));
	m.args[0] = XENVER_pagesize;
	REQUIRE(begin(&m.op, __HYPERVISOR_xen_version, ~0UL));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		m.op = ~0UL;
		CHECK_OK(multicall(&m, 1));
		CHECK(m.result == PAGE_SIZE || (long)m.result == -XEN_ENOSYS);
	}
	REQUIRE(end());
	page_free(page);
}

/* Ports that come and go under a reset. */
static void bind_on(void *arg)
{
	while (!stop) {
		struct evtchn_bind_ipi i = {.vcpu = 1};
		struct evtchn_close c;

		if (evtchn_op(EVTCHNOP_bind_ipi, &i))
			continue;
		c.port = i.port;
		if (i.port & 1)
			evtchn_op(EVTCHNOP_close, &c);
	}
}

static void reset(void)
{
	struct evtchn_reset r = {.dom = DOMID_SELF};
	struct evtchn_status s = {.dom = DOMID_SELF};
	unsigned int left = 0;

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	if (!is_dom0())
		SKIP_TEST("a guest's console has a channel");
	REQUIRE_OK(cpu_up(1));
	stop = false;
	cpu_run(1, bind_on, NULL);
	for (unsigned int i = 0; i < 200; i++)
		CHECK_OK(evtchn_op(EVTCHNOP_reset, &r));
	stop = true;
	REQUIRE(cpu_wait(1));
	CHECK_OK(evtchn_op(EVTCHNOP_reset, &r));
	for (s.port = 1; s.port < 1024; s.port++)
		left += !evtchn_op(EVTCHNOP_status, &s) && s.status != EVTCHNSTAT_closed;
	CHECK_EQ(left, 0);
}

const struct test fetch_tests[] = {
	{"grant-entry", grant_entry},
	{"gdt-list", gdt_list},
	{"operations", operations},
	{"reset", reset},
	{NULL, NULL},
};
