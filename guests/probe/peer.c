/* SPDX-License-Identifier: MIT */
/* The taking side of peer.h: the tests. */
#include "hypercall.h"
#include "topics.h"
#include "peer.h"

#define OFFICE_WIN 400
#define DATA_WIN   401
#define MORE_WIN   402

static struct office *office;
static domid_t peer;
static unsigned int bound;

static s16 map(unsigned int ref, unsigned int w, u32 flags, grant_handle_t *h)
{
	struct gnttab_map_grant_ref m = {.host_addr = (u64)win(w),
					 .flags = GNTMAP_host_map | flags,
					 .ref = ref,
					 .dom = peer,
					 .status = 77};
	long rc = grant_op(GNTTABOP_map_grant_ref, &m, 1);

	*h = m.handle;
	return rc ? (s16)rc : m.status;
}

static s16 unmap(unsigned int w, grant_handle_t h)
{
	struct gnttab_unmap_grant_ref u = {.host_addr = (u64)win(w), .handle = h, .status = 77};
	long rc = grant_op(GNTTABOP_unmap_grant_ref, &u, 1);

	return rc ? (s16)rc : u.status;
}

/* The page of orders stays mapped to the end. */
static bool find_peer(void)
{
	const char *p = option("peer");
	grant_handle_t h;

	if (office || !p)
		return office;
	for (peer = 0; *p >= '0' && *p <= '9'; p++)
		peer = (domid_t)(peer * 10 + (*p - '0'));
	if (map(REF_OFFICE, OFFICE_WIN, 0, &h))
		return false;
	office = win(OFFICE_WIN);
	return office->magic == PEER_MAGIC;
}

#define NEED_PEER()                                  \
	do {                                         \
		if (!option("peer"))                 \
			SKIP_TEST("no other probe"); \
		REQUIRE(find_peer());                \
	} while (0)

static s64 order(enum order o, u64 arg)
{
	u64 end = now_ns() + 60000000000UL;

	office->arg = arg;
	mb();
	office->order = o;
	while (office->order && now_ns() < end)
		sched_op(SCHEDOP_yield, NULL);
	if (office->order)
		outcome_set(ERROR, __FILE__, __LINE__, "order %u is not carried out", o);
	return office->result;
}

#define IN_USE(ref) (order(ORDER_FLAGS, ref) & (GTF_reading | GTF_writing))

static void map_and_write(void)
{
	volatile u64 *data = win(DATA_WIN);
	grant_handle_t h;

	NEED_PEER();
	CHECK_EQ(IN_USE(REF_DATA), 0);
	REQUIRE_OK(map(REF_DATA, DATA_WIN, 0, &h));
	CHECK_EQ(data[0], PEER_MAGIC);
	data[1] = 0x77;
	CHECK_EQ(IN_USE(REF_DATA), GTF_reading | GTF_writing);
	CHECK_OK(unmap(DATA_WIN, h));
	CHECK_EQ(IN_USE(REF_DATA), 0);
	CHECK_EQ(try_read(win(DATA_WIN)), 14);
	CHECK(unmap(DATA_WIN, h) < 0);
}

static void rights(void)
{
	grant_handle_t h;

	NEED_PEER();
	CHECK_EQ(map(REF_READ_ONLY, DATA_WIN, 0, &h), GNTST_general_error);
	REQUIRE_OK(map(REF_READ_ONLY, DATA_WIN, GNTMAP_readonly, &h));
	CHECK_EQ(*(u64 *)win(DATA_WIN), PEER_MAGIC);
	CHECK_EQ(try_write(win(DATA_WIN)), 14);
	/* Nor by another entry for the same frame. */
	CHECK_REFUSED(win_map(0, mk_pte(office->frame[REF_READ_ONLY], PTE_KERNEL)));
	CHECK_OK(unmap(DATA_WIN, h));
	CHECK(map(REF_OTHERS, DATA_WIN, 0, &h) < 0);
	CHECK(map(REF_OTHERS, DATA_WIN, GNTMAP_readonly, &h) < 0);
	for (unsigned int ref = REF_END; ref < 2000; ref += 3)
		CHECK(map(ref, DATA_WIN, GNTMAP_readonly, &h) < 0);
	CHECK_EQ(map(0xffffffff, DATA_WIN, 0, &h), GNTST_bad_gntref);
	CHECK_EQ(try_read(win(DATA_WIN)), 14);
}

/* Never a page table and writable for another domain at once. */
static void types(void)
{
	grant_handle_t h;

	NEED_PEER();
	CHECK(map(REF_ROOT, DATA_WIN, 0, &h) < 0);
	CHECK(map(REF_TABLE, DATA_WIN, 0, &h) < 0);
	CHECK_EQ(IN_USE(REF_TABLE), 0);
	CHECK_EQ(order(ORDER_PIN, REF_DATA), 0);
	REQUIRE_OK(map(REF_DATA, DATA_WIN, 0, &h));
	CHECK(order(ORDER_PIN, REF_DATA) < 0);
	CHECK_OK(unmap(DATA_WIN, h));
	CHECK_EQ(order(ORDER_PIN, REF_DATA), 0);
}

/* A domain grants what is not its own: our page, the hypervisor's, nobody's. */
static void frames_of_others(void)
{
	u64 *page = page_alloc();
	u64 frames[] = {va_mfn(page), root_mfn(), 0x200, 0x100, 0xfee00, 0xfffffff0};
	grant_handle_t h;

	NEED_PEER();
	REQUIRE(page);
	for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++) {
		order(ORDER_FRAME, frames[i]);
		CHECK(map(REF_ANY_FRAME, DATA_WIN, 0, &h) < 0);
		CHECK(map(REF_ANY_FRAME, DATA_WIN, GNTMAP_readonly, &h) < 0);
	}
	CHECK_EQ(IN_USE(REF_ANY_FRAME), 0);
	page_free(page);
}

static void revoked(void)
{
	grant_handle_t h, other;

	NEED_PEER();
	REQUIRE_OK(map(REF_DATA, DATA_WIN, 0, &h));
	order(ORDER_REVOKE, REF_DATA);
	CHECK_EQ(*(u64 *)win(DATA_WIN), PEER_MAGIC);
	CHECK_EQ(try_write((char *)win(DATA_WIN) + 100), -1);
	/* Until it is unmapped, the frame cannot become a table. */
	CHECK(order(ORDER_PIN, REF_DATA) < 0);
	CHECK_OK(unmap(DATA_WIN, h));
	CHECK(map(REF_DATA, DATA_WIN, 0, &other) < 0);
	CHECK_EQ(order(ORDER_PIN, REF_DATA), 0);
	order(ORDER_GRANT, REF_DATA);
	REQUIRE_OK(map(REF_DATA, DATA_WIN, 0, &h));
	CHECK_OK(unmap(DATA_WIN, h));
}

/* The granter gives the page back to the hypervisor: nobody else gets it while we have it. */
static void given_away(void)
{
	volatile u64 *data = win(DATA_WIN);
	grant_handle_t h;
	s64 pages;

	NEED_PEER();
	REQUIRE_OK(map(REF_GIVEN_AWAY, DATA_WIN, 0, &h));
	pages = order(ORDER_GIVE, 0);
	CHECK(pages == 0 || pages == 1);
	CHECK_EQ(data[0], PEER_MAGIC);
	data[0] = 5;
	CHECK_EQ(data[0], 5);
	CHECK_OK(unmap(DATA_WIN, h));
	CHECK_EQ(try_read(win(DATA_WIN)), 14);
	if (pages == 1)
		CHECK(map(REF_GIVEN_AWAY, DATA_WIN, 0, &h) < 0);
}

static s16 copy(struct gnttab_copy c)
{
	c.status = 77;
	return grant_op(GNTTABOP_copy, &c, 1) ? 77 : c.status;
}

static void copies(void)
{
	struct gnttab_copy in = {.len = 16, .flags = GNTCOPY_source_gref}, out = in;
	u64 *page = page_alloc();

	NEED_PEER();
	REQUIRE(page);
	in.source.domid = peer;
	in.source.u.ref = REF_READ_ONLY;
	in.dest.domid = DOMID_SELF;
	in.dest.u.gmfn = va_mfn(page);
	CHECK_OK(copy(in));
	CHECK_EQ(page[0], PEER_MAGIC);
	in.source.u.ref = REF_OTHERS;
	CHECK(copy(in) < 0);
	in.source.u.ref = REF_END;
	CHECK(copy(in) < 0);
	/* By frame: only our own. */
	in.flags = 0;
	in.source.u.gmfn = office->frame[REF_DATA];
	CHECK_EQ(copy(in), GNTST_permission_denied);
	in.source.domid = DOMID_SELF;
	CHECK(copy(in) < 0);
	out.flags = GNTCOPY_dest_gref;
	out.source.domid = DOMID_SELF;
	out.source.u.gmfn = va_mfn(page);
	out.dest.domid = peer;
	out.dest.u.ref = REF_DATA;
	CHECK_OK(copy(out));
	out.dest.u.ref = REF_READ_ONLY;
	CHECK(copy(out) < 0);
	out.dest.u.ref = REF_ROOT;
	CHECK(copy(out) < 0);
	out.dest.u.ref = REF_TABLE;
	CHECK(copy(out) < 0);
	CHECK_EQ(IN_USE(REF_DATA) | IN_USE(REF_READ_ONLY) | IN_USE(REF_ROOT), 0);
	page_free(page);
}

/* The peer's frames by number. */
static void by_frame(void)
{
	struct mmuext_op pin_op = {.cmd = MMUEXT_PIN_L1_TABLE};
	struct mmu_update u;
	u64 ma;

	NEED_PEER();
	REQUIRE_OK(win_map(0, 0));
	pte_get((u64)win(0), 1, &ma);
	for (unsigned int ref = REF_OFFICE; ref < REF_GIVEN_AWAY; ref++) {
		u64 mfn = office->frame[ref];
		domid_t whom[] = {DOMID_SELF, peer, 0, DOMID_IO, DOMID_XEN};

		CHECK_REFUSED(win_map(0, mk_pte(mfn, PTE_KERNEL)));
		CHECK_REFUSED(win_map(0, mk_pte(mfn, PTE_RO)));
		for (unsigned int i = 0; i < ARRAY_SIZE(whom); i++) {
			u = (struct mmu_update){ma | MMU_NORMAL_PT_UPDATE, mk_pte(mfn, PTE_RO)};
			CHECK_REFUSED(mmu_update(&u, 1, NULL, whom[i]));
			u = (struct mmu_update){mfn << 12 | MMU_NORMAL_PT_UPDATE, 0};
			CHECK_REFUSED(mmu_update(&u, 1, NULL, whom[i]));
			pin_op.arg1.mfn = mfn;
			CHECK_REFUSED(mmuext_op(&pin_op, 1, NULL, whom[i]));
		}
		CHECK_REFUSED(mmuext(MMUEXT_NEW_BASEPTR, mfn, 0));
		CHECK_REFUSED(set_gdt(&mfn, 512));
	}
}

static long bind(u32 port, u32 *local)
{
	struct evtchn_bind_interdomain b = {.remote_dom = peer, .remote_port = port};
	long rc = evtchn_op(EVTCHNOP_bind_interdomain, &b);

	*local = b.local_port;
	return rc;
}

static void channels(void)
{
	struct evtchn_send send = {0};
	u32 other;

	NEED_PEER();
	CHECK_REFUSED(bind(office->others_port, &other));
	for (u32 port = 0; port < 1100; port++)
		if (port != office->port)
			CHECK_REFUSED(bind(port, &other));
	REQUIRE_OK(bind(office->port, &bound));
	CHECK_REFUSED(bind(office->port, &other));
	order(ORDER_COUNT, 0);
	upcall_mask(false);
	upcall_mask(true);
	port_count[bound] = 0;
	other = (u32)order(ORDER_COUNT, 0);
	send.port = bound;
	CHECK_OK(evtchn_op(EVTCHNOP_send, &send));
	CHECK_EQ(order(ORDER_COUNT, 0), other + 1);
	CHECK_EQ(order(ORDER_SEND, 0), 0);
	CHECK(wait_count(&port_count[bound], 1, 5000000000UL));
	CHECK_EQ(port_count[bound], 1);
}

static void many_maps(void)
{
	static grant_handle_t h[64];

	NEED_PEER();
	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < 64; i++)
			CHECK_OK(map(REF_DATA, 300 + i, 0, &h[i]));
		CHECK(order(ORDER_PIN, REF_DATA) < 0);
		for (unsigned int i = 0; i < 64; i++)
			CHECK_OK(unmap(300 + i, h[i]));
	}
	CHECK_EQ(IN_USE(REF_DATA), 0);
	CHECK_EQ(order(ORDER_PIN, REF_DATA), 0);
}

static void wrong_unmaps(void)
{
	grant_handle_t h;

	NEED_PEER();
	REQUIRE_OK(map(REF_DATA, DATA_WIN, 0, &h));
	CHECK(unmap(MORE_WIN, h) < 0);
	CHECK_EQ(*(u64 *)win(DATA_WIN), PEER_MAGIC);
	CHECK(order(ORDER_PIN, REF_DATA) < 0);
	if (unmap(DATA_WIN, h)) {
		/* The wrong one counted as the unmapping: then no entry may be left either. */
		CHECK_EQ(try_read(win(DATA_WIN)), 14);
	}
	CHECK_EQ(order(ORDER_PIN, REF_DATA), 0);
}

/* With the word `die` the peer ends while we hold its pages, else we end while we hold them. */
static void the_end(void)
{
	struct evtchn_status s = {.dom = DOMID_SELF, .port = bound};
	u64 end = now_ns() + 3000000000UL;
	grant_handle_t data, ro, h;

	NEED_PEER();
	REQUIRE_OK(map(REF_DATA, DATA_WIN, 0, &data));
	REQUIRE_OK(map(REF_READ_ONLY, MORE_WIN, GNTMAP_readonly, &ro));
	order(option("die") ? ORDER_END : ORDER_WATCH, 0);
	if (!option("die"))
		return;
	while (now_ns() < end ||
	       (!evtchn_op(EVTCHNOP_status, &s) && s.status == EVTCHNSTAT_interdomain &&
		now_ns() < end + 30000000000))
		sched_op(SCHEDOP_yield, NULL);
	CHECK(s.status != EVTCHNSTAT_interdomain);
	CHECK_EQ(*(u64 *)win(DATA_WIN), PEER_MAGIC);
	CHECK_EQ(try_write((char *)win(DATA_WIN) + 8), -1);
	CHECK(map(REF_DATA, DATA_WIN + 5, 0, &h) < 0);
	CHECK_OK(unmap(DATA_WIN, data));
	CHECK_OK(unmap(MORE_WIN, ro));
}

const struct test peer_tests[] = {
	{"map", map_and_write},
	{"rights", rights},
	{"types", types},
	{"frames-of-others", frames_of_others},
	{"revoked", revoked},
	{"given-away", given_away},
	{"copy", copies},
	{"by-frame", by_frame},
	{"channels", channels},
	{"many", many_maps},
	{"wrong-unmap", wrong_unmaps},
	{"end", the_end},
	{NULL, NULL},
};
