/* SPDX-License-Identifier: MIT */
/* Grant tables: our own grants, mapped and copied by ourselves. */
#include "hypercall.h"
#include "bench.h"
#include "topics.h"

#define FRAMES	4
#define BAD_REF 100000
#define MAP_WIN 200

static grant_entry_v1_t *table;
static domid_t self;

static bool table_init(void)
{
	static xen_pfn_t frames[FRAMES];
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = FRAMES};

	set_xen_guest_handle(s.frame_list, frames);
	self = own_domid();
	if (self == DOMID_INVALID || grant_op(GNTTABOP_setup_table, &s, 1) || s.status)
		return false;
	for (unsigned int i = 0; i < FRAMES; i++)
		if (win_map(220 + i, mk_pte(frames[i], PTE_KERNEL)))
			return false;
	table = win(220);
	return true;
}

static void grant(unsigned int ref, const void *page, u16 flags)
{
	table[ref].domid = self;
	table[ref].frame = (u32)va_mfn(page);
	mb();
	table[ref].flags = GTF_permit_access | flags;
}

bool grant_to_self(unsigned int ref, const void *page)
{
	if (!table_init())
		return false;
	grant(ref, page, 0);
	return true;
}

static s16 map(unsigned int ref, u64 host_addr, u32 flags, grant_handle_t *h)
{
	struct gnttab_map_grant_ref m = {
		.host_addr = host_addr, .flags = flags, .ref = ref, .dom = self, .status = 77};
	long rc = grant_op(GNTTABOP_map_grant_ref, &m, 1);

	*h = m.handle;
	return rc ? (s16)rc : m.status;
}

static s16 unmap(u64 host_addr, grant_handle_t h)
{
	struct gnttab_unmap_grant_ref u = {.host_addr = host_addr, .handle = h, .status = 77};
	long rc = grant_op(GNTTABOP_unmap_grant_ref, &u, 1);

	return rc ? (s16)rc : u.status;
}

static void questions(void)
{
	struct gnttab_query_size q = {.dom = DOMID_SELF};
	struct gnttab_set_version v = {.version = 1};
	struct gnttab_get_version g = {.dom = DOMID_SELF};

	CHECK_OK(grant_op(GNTTABOP_query_size, &q, 1));
	CHECK_EQ(q.status, GNTST_okay);
	CHECK(q.max_nr_frames >= q.nr_frames && q.max_nr_frames > 0);
	q.dom = 0x1234;
	CHECK_OK(grant_op(GNTTABOP_query_size, &q, 1));
	/* Or not even told that it does not exist. */
	if (is_dom0() || q.status != GNTST_permission_denied)
		CHECK_EQ(q.status, GNTST_bad_domain);
	CHECK_OK(grant_op(GNTTABOP_set_version, &v, 1));
	CHECK_EQ(v.version, 1);
	CHECK_OK(grant_op(GNTTABOP_get_version, &g, 1));
	CHECK_EQ(g.version, 1);
	v.version = 3;
	CHECK_REFUSED(grant_op(GNTTABOP_set_version, &v, 1));
	CHECK_RC(grant_op(GNTTABOP_query_size, &q, 0), -XEN_EINVAL);
}

static void setup(void)
{
	static xen_pfn_t frames[FRAMES], again[FRAMES];
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = FRAMES};

	set_xen_guest_handle(s.frame_list, frames);
	REQUIRE_OK(grant_op(GNTTABOP_setup_table, &s, 1));
	CHECK_EQ(s.status, 0);
	set_xen_guest_handle(s.frame_list, again);
	REQUIRE_OK(grant_op(GNTTABOP_setup_table, &s, 1));
	CHECK(!memcmp(frames, again, sizeof(frames)));
	CHECK_OK(win_map(0, mk_pte(frames[FRAMES - 1], PTE_KERNEL)));
	CHECK_EQ(try_write(win(0)), -1);
	*(u8 *)win(0) = 0;
	/* Not for use as a table. */
	CHECK_REFUSED(pin(1, frames[0]));
	s.nr_frames = 1000000;
	grant_op(GNTTABOP_setup_table, &s, 1);
	CHECK(s.status != 0);
}

static void map_and_write(void)
{
	u64 *page = page_alloc();
	grant_handle_t h;

	REQUIRE(page && table_init());
	page[0] = 0xabc;
	grant(20, page, 0);
	REQUIRE_OK(win_map(MAP_WIN, 0));
	REQUIRE_OK(map(20, (u64)win(MAP_WIN), GNTMAP_host_map, &h));
	CHECK_EQ(table[20].flags & (GTF_reading | GTF_writing), GTF_reading | GTF_writing);
	CHECK_EQ(*(u64 *)win(MAP_WIN), 0xabc);
	*(u64 *)win(MAP_WIN) = 0xdee; /* not present, as a table entry */
	CHECK_EQ(page[0], 0xdee);
	/* A granted and mapped page is writable: no page table. */
	REQUIRE_OK(page_ro(page));
	CHECK_REFUSED(pin(1, va_mfn(page)));
	CHECK_OK(unmap((u64)win(MAP_WIN), h));
	CHECK_EQ(table[20].flags & (GTF_reading | GTF_writing), 0);
	CHECK_EQ(try_read(win(MAP_WIN)), 14);
	CHECK_OK(pin(1, va_mfn(page)));
	CHECK_OK(unpin(va_mfn(page)));
	CHECK(unmap((u64)win(MAP_WIN), h) != GNTST_okay);
	table[20].flags = 0;
	page_free(page);
}

static void map_read_only(void)
{
	u64 *page = page_alloc();
	grant_handle_t h;

	REQUIRE(page && table_init());
	grant(21, page, GTF_readonly);
	CHECK_EQ(map(21, (u64)win(MAP_WIN), GNTMAP_host_map, &h), GNTST_general_error);
	REQUIRE_OK(map(21, (u64)win(MAP_WIN), GNTMAP_host_map | GNTMAP_readonly, &h));
	CHECK_EQ(table[21].flags & (GTF_reading | GTF_writing), GTF_reading);
	CHECK_EQ(try_read(win(MAP_WIN)), -1);
	CHECK_EQ(try_write(win(MAP_WIN)), 14);
	CHECK_OK(unmap((u64)win(MAP_WIN), h));
	table[21].flags = 0;
	page_free(page);
}

static void map_by_pte(void)
{
	u64 *page = page_alloc(), ma;
	grant_handle_t h;

	REQUIRE(page && table_init());
	grant(22, page, 0);
	REQUIRE_OK(win_map(MAP_WIN, 0));
	pte_get((u64)win(MAP_WIN), 1, &ma);
	REQUIRE_OK(map(22, ma, GNTMAP_host_map | GNTMAP_contains_pte, &h));
	CHECK_EQ(try_write(win(MAP_WIN)), -1);
	CHECK_EQ(*(u8 *)page, 0xa5);
	CHECK_OK(unmap(ma, h));
	mmuext(MMUEXT_INVLPG_LOCAL, (u64)win(MAP_WIN), 0);
	CHECK_EQ(try_read(win(MAP_WIN)), 14);
	/* Not at the start of an entry; not in a table; not ours. */
	CHECK(map(22, ma + 4, GNTMAP_host_map | GNTMAP_contains_pte, &h) != 0);
	CHECK(map(22, va_mfn(page) << 12, GNTMAP_host_map | GNTMAP_contains_pte, &h) != 0);
	CHECK(map(22, root_mfn() << 12, GNTMAP_host_map | GNTMAP_contains_pte, &h) != 0);
	CHECK(map(22, 0xffffffffff000, GNTMAP_host_map | GNTMAP_contains_pte, &h) != 0);
	table[22].flags = 0;
	page_free(page);
}

static void bad_maps(void)
{
	u64 *page = page_alloc();
	grant_handle_t h;

	REQUIRE(page && table_init());
	CHECK_EQ(map(BAD_REF, (u64)win(MAP_WIN), GNTMAP_host_map, &h), GNTST_bad_gntref);
	CHECK(map(30, (u64)win(MAP_WIN), GNTMAP_host_map, &h) < 0);
	grant(31, page, 0);
	table[31].domid = 0x1234;
	CHECK(map(31, (u64)win(MAP_WIN), GNTMAP_host_map, &h) < 0);
	grant(31, page, 0);
	table[31].frame = 0xffffffff;
	CHECK(map(31, (u64)win(MAP_WIN), GNTMAP_host_map, &h) < 0);
	table[31].frame = (u32)root_mfn();
	CHECK(map(31, (u64)win(MAP_WIN), GNTMAP_host_map, &h) < 0);
	grant(31, page, 0);
	CHECK(map(31, 0xffff828000000000, GNTMAP_host_map, &h) < 0);
	CHECK(map(31, 0x800000000000, GNTMAP_host_map, &h) < 0);
	CHECK(map(31, 0x7000, GNTMAP_host_map, &h) < 0);
	CHECK(map(31, (u64)win(MAP_WIN), 0, &h) < 0);
	CHECK(unmap((u64)win(MAP_WIN), 0xffffffff) < 0);
	CHECK(unmap((u64)win(MAP_WIN), 12345) < 0);
	CHECK_EQ(table[31].flags & (GTF_reading | GTF_writing), 0);
	table[31].flags = 0;
	CHECK_REFUSED(pin(1, va_mfn(page)));
	REQUIRE_OK(page_ro(page));
	CHECK_OK(pin(1, va_mfn(page)));
	CHECK_OK(unpin(va_mfn(page)));
	page_free(page);
}

/* The entry is changed behind the grant table's back; then the grant is returned. */
static void changed_entry(void)
{
	u64 *page = page_alloc(), *other = page_alloc();
	grant_handle_t h;
	s16 rc;

	REQUIRE(page && other && table_init());
	grant(40, page, 0);
	REQUIRE_OK(win_map(MAP_WIN, 0));
	REQUIRE_OK(map(40, (u64)win(MAP_WIN), GNTMAP_host_map, &h));
	REQUIRE_OK(win_map(MAP_WIN, mk_pte(va_mfn(other), PTE_KERNEL)));
	rc = unmap((u64)win(MAP_WIN), h);
	if (verbose)
		printf("\n  note: unmap of a changed entry: %d", rc);
	CHECK_EQ(pte_get((u64)win(MAP_WIN), 1, NULL) & PTE_ADDR, va_mfn(other) << 12);
	REQUIRE_OK(win_map(MAP_WIN, 0));
	if (rc) {
		/* Still held: give the way back that the handle asks for. */
		unmap(0, h);
	}
	table[40].flags = 0;
	page_free(other);
	REQUIRE_OK(page_ro(page));
	rc = (s16)pin(1, va_mfn(page));
	if (!rc)
		unpin(va_mfn(page));
	else if (verbose)
		printf("\n  note: the frame stays writable: %d", rc);
	page_free(page);
}

static void many_maps(void)
{
	static grant_handle_t h[64];
	u64 *page = page_alloc();

	REQUIRE(page && table_init());
	grant(50, page, 0);
	for (unsigned int round = 0; round < 50; round++) {
		for (unsigned int i = 0; i < 64; i++)
			CHECK_OK(map(50, (u64)win(300 + i), GNTMAP_host_map, &h[i]));
		for (unsigned int i = 0; i < 64; i++)
			CHECK_OK(unmap((u64)win(300 + i), h[i]));
	}
	CHECK_EQ(table[50].flags & (GTF_reading | GTF_writing), 0);
	table[50].flags = 0;
	REQUIRE_OK(page_ro(page));
	CHECK_OK(pin(1, va_mfn(page)));
	CHECK_OK(unpin(va_mfn(page)));
	page_free(page);
}

static s16 copy(struct gnttab_copy c)
{
	long rc;

	c.status = 77;
	rc = grant_op(GNTTABOP_copy, &c, 1);
	return rc ? (s16)rc : c.status;
}

static void copies(void)
{
	char *a = page_alloc(), *b = page_alloc();
	struct gnttab_copy c = {.len = 100};

	REQUIRE(a && b && table_init());
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		a[i] = (char)(i * 7);
	grant(60, a, GTF_readonly);
	grant(61, b, 0);
	c.flags = GNTCOPY_source_gref;
	c.source.u.ref = 60;
	c.source.domid = self;
	c.source.offset = 30;
	c.dest.u.gmfn = va_mfn(b);
	c.dest.domid = DOMID_SELF;
	c.dest.offset = 3000;
	CHECK_OK(copy(c));
	CHECK(!memcmp(a + 30, b + 3000, 100));
	CHECK_EQ(b[3100] | b[2999], 0);
	c.flags = GNTCOPY_source_gref | GNTCOPY_dest_gref;
	c.dest.u.ref = 61;
	c.dest.domid = self;
	c.dest.offset = 0;
	CHECK_OK(copy(c));
	CHECK(!memcmp(a + 30, b, 100));
	c.dest.u.ref = 60;
	CHECK(copy(c) < 0);
	c.dest.u.ref = BAD_REF;
	CHECK(copy(c) < 0);
	c.dest.u.ref = 61;
	c.dest.offset = 4000;
	CHECK(copy(c) < 0);
	c.dest.offset = 0;
	c.source.offset = 4090;
	CHECK(copy(c) < 0);
	c.source.offset = 0xffff;
	CHECK(copy(c) < 0);
	c.source.offset = 0;
	c.flags = GNTCOPY_source_gref;
	c.dest.domid = DOMID_SELF;
	c.dest.u.gmfn = root_mfn();
	CHECK(copy(c) < 0);
	c.dest.u.gmfn = 0xffffffffff;
	CHECK(copy(c) < 0);
	c.dest.u.gmfn = va_mfn(b);
	c.source.domid = 0x1234;
	CHECK(copy(c) < 0);
	CHECK_EQ(table[60].flags & (GTF_reading | GTF_writing), 0);
	CHECK_EQ(table[61].flags & (GTF_reading | GTF_writing), 0);
	table[60].flags = 0;
	table[61].flags = 0;
	page_free(a);
	page_free(b);
}

static void in_use(void)
{
	struct gnttab_swap_grant_ref s = {.ref_a = 70, .ref_b = 71, .status = 77};
	u64 *page = page_alloc();
	grant_handle_t h;

	REQUIRE(page && table_init());
	grant(70, page, 0);
	REQUIRE_OK(map(70, (u64)win(MAP_WIN), GNTMAP_host_map, &h));
	grant_op(GNTTABOP_swap_grant_ref, &s, 1);
	CHECK(s.status != GNTST_okay);
	/* Taken back by the granter while mapped: the mapping stays until it is undone. */
	table[70].flags = 0;
	CHECK_EQ(try_write(win(MAP_WIN)), -1);
	CHECK_OK(unmap((u64)win(MAP_WIN), h));
	page_free(page);
}

const struct test grant_tests[] = {
	{"questions", questions},
	{"setup", setup},
	{"map", map_and_write},
	{"read-only", map_read_only},
	{"map-by-pte", map_by_pte},
	{"bad-maps", bad_maps},
	{"changed-entry", changed_entry},
	{"many", many_maps},
	{"copy", copies},
	{"in-use", in_use},

	{NULL, NULL},
};
