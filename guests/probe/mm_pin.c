/* SPDX-License-Identifier: MIT */
/* Pinning: whole tables checked at once, types and counts, lists with a bad element. */
#include "hypercall.h"
#include "topics.h"
#include "tables.h"

static void pin_each_level(void)
{
	struct tree t;

	REQUIRE(tree_make(&t));
	for (int l = 1; l <= 4; l++) {
		CHECK_OK(pin(l, va_mfn(t.page[l])));
		for (int other = 1; other <= 4; other++)
			if (other != l)
				CHECK_REFUSED(pin(other, va_mfn(t.page[l])));
		CHECK_RC(pin(l, va_mfn(t.page[l])), -XEN_EINVAL);
		CHECK_OK(unpin(va_mfn(t.page[l])));
		CHECK_RC(unpin(va_mfn(t.page[l])), -XEN_EINVAL);
	}
	tree_free(&t, false);
}

static void writable_refused(void)
{
	u64 *page = page_alloc();

	REQUIRE(page);
	for (int l = 1; l <= 4; l++)
		CHECK_REFUSED(pin(l, va_mfn(page)));
	REQUIRE_OK(page_ro(page));
	for (int l = 1; l <= 4; l++) {
		CHECK_OK(pin(l, va_mfn(page)));
		CHECK_REFUSED(page_rw(page));
		CHECK_REFUSED(win_map(0, mk_pte(va_mfn(page), PTE_KERNEL)));
		CHECK_OK(win_map(0, mk_pte(va_mfn(page), PTE_RO)));
		CHECK_EQ(try_read(win(0)), -1);
		win_clear();
		CHECK_OK(unpin(va_mfn(page)));
		CHECK_OK(page_rw(page));
		page[3] = 1;
		page[3] = 0;
		CHECK_OK(page_ro(page));
	}
	page_free(page);
}

/* Another writable mapping is found, wherever it is. */
static void second_mapping(void)
{
	u64 *page = page_alloc();

	REQUIRE(page);
	REQUIRE_OK(win_map(3, mk_pte(va_mfn(page), PTE_KERNEL)));
	REQUIRE_OK(page_ro(page));
	CHECK_REFUSED(pin(1, va_mfn(page)));
	REQUIRE_OK(win_map(3, mk_pte(va_mfn(page), PTE_RO)));
	CHECK_OK(pin(1, va_mfn(page)));
	CHECK_OK(unpin(va_mfn(page)));
	win_clear();
	page_free(page);
}

/* A table that maps itself, or its own tables, writable. */
static void maps_itself_writable(void)
{
	struct tree t;

	for (int l = 1; l <= 4; l++) {
		REQUIRE(tree_make(&t));
		REQUIRE_OK(page_rw(t.page[1]));
		t.page[1][9] = mk_pte(va_mfn(t.page[l]), PTE_KERNEL);
		REQUIRE_OK(page_ro(t.page[1]));
		CHECK_REFUSED(pin(4, va_mfn(t.page[4])));
		tree_free(&t, false);
	}
}

/* Contents that a table of a level must not have. */
static const struct {
	const char *name;
	int level;
	u64 entry; /* the frame number 0 stands for the tree's page of the level `to` */
	int to;
} bad_contents[] = {
	{"L1 to hypervisor's LAPIC", 1, 0xfee00000 | PTE_KERNEL, -1},
	{"L1 beyond RAM", 1, 0xffffffffff000 | PTE_KERNEL, -1},
	{"L2 large page", 2, PTE_TABLE | PTE_PSE, 0},
	{"L2 to a data page", 2, PTE_TABLE, 3},
	{"L2 to itself", 2, PTE_TABLE, 2},
	{"L3 large page", 3, PTE_TABLE | PTE_PSE, 0},
	{"L3 to an L1", 3, PTE_TABLE, 1},
	{"L3 to itself", 3, PTE_TABLE, 3},
	{"L4 with PSE", 4, PTE_TABLE | PTE_PSE, 3},
	{"L4 to an L2", 4, PTE_TABLE, 2},
	{"L4 to itself, writable", 4, PTE_TABLE, 4},
};

static void contents(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(bad_contents); i++) {
		int l = bad_contents[i].level;
		u64 e = bad_contents[i].entry;
		struct tree t;
		long rc;

		REQUIRE(tree_make(&t));
		if (bad_contents[i].to >= 0)
			e |= va_mfn(t.page[bad_contents[i].to]) << 12;
		REQUIRE_OK(page_rw(t.page[l]));
		t.page[l][511] = e;
		REQUIRE_OK(page_ro(t.page[l]));
		for (int p = l; p <= 4; p++) {
			rc = pin(p, va_mfn(t.page[p]));
			if (rc >= 0)
				outcome_set(FAILURE, __FILE__, __LINE__, "%s: pinned as L%d (%ld)",
					    bad_contents[i].name, p, rc);
		}
		/* What has been checked before the bad entry was found is free again. */
		tree_free(&t, false);
	}
}

static void reserved_bits(void)
{
	struct tree t;

	for (int l = 1; l <= 4; l++)
		for (unsigned int bit = 44; bit < 52; bit++) {
			REQUIRE(tree_make(&t));
			REQUIRE_OK(page_rw(t.page[l]));
			t.page[l][0] |= 1UL << bit;
			REQUIRE_OK(page_ro(t.page[l]));
			CHECK_REFUSED(pin(4, va_mfn(t.page[4])));
			tree_free(&t, false);
		}
}

/* The root in use can be pinned and unpinned and stays in use. */
static void root_in_use(void)
{
	long rc = pin(4, root_mfn());

	CHECK(rc == 0 || rc == -XEN_EINVAL);
	CHECK_RC(pin(4, root_mfn()), -XEN_EINVAL);
	CHECK_OK(unpin(root_mfn()));
	CHECK_RC(unpin(root_mfn()), -XEN_EINVAL);
	CHECK_REFUSED(win_map(0, mk_pte(root_mfn(), PTE_KERNEL)));
	CHECK_OK(pin(4, root_mfn()));
	CHECK_REFUSED(pin(3, root_mfn()));
}

/* A table below a pinned root: its own pin is separate; the root keeps it alive. */
static void pin_inside(void)
{
	struct tree t;

	REQUIRE(tree_make_pinned(&t));
	CHECK_REFUSED(unpin(va_mfn(t.page[1]))); /* in use, but not pinned */
	for (int l = 1; l <= 3; l++) {
		CHECK_OK(pin(l, va_mfn(t.page[l])));
		CHECK_OK(unpin(va_mfn(t.page[l])));
		CHECK_RC(unpin(va_mfn(t.page[l])), -XEN_EINVAL);
		CHECK_REFUSED(page_rw(t.page[l]));
	}
	CHECK_OK(pin(1, va_mfn(t.page[1])));
	CHECK_OK(unpin(va_mfn(t.page[4])));
	CHECK_REFUSED(page_rw(t.page[1]));
	CHECK_OK(page_rw(t.page[2]));
	CHECK_OK(unpin(va_mfn(t.page[1])));
	tree_free(&t, false);
}

/* One L1 under many entries; every count must come back. */
static void shared_tables(void)
{
	struct tree t;

	REQUIRE(tree_make_pinned(&t));
	for (unsigned int i = 1; i < 512; i++)
		if (!CHECK_OK(pt_write(slot_ma(t.page[2], i), t.page[2][0])))
			break;
	for (unsigned int i = 1; i < 256; i++)
		CHECK_OK(pt_write(slot_ma(t.page[4], i), mk_pte(va_mfn(t.page[3]), PTE_TABLE)));
	for (unsigned int i = 1; i < 512; i += 2)
		CHECK_OK(pt_write(slot_ma(t.page[2], i), 0));
	tree_free(&t, true);
}

/* mmu_update stops at the first bad request and says how far it came. */
static void batch(void)
{
	struct mmu_update u[7];
	unsigned int done;
	struct tree t;

	REQUIRE(tree_make_pinned(&t));
	for (unsigned int bad = 0; bad < 7; bad++) {
		for (unsigned int i = 0; i < 7; i++) {
			REQUIRE_OK(pt_write(slot_ma(t.page[1], 10 + i), 0));
			u[i].ptr = slot_ma(t.page[1], 10 + i);
			u[i].val = mk_pte(va_mfn(t.page[0]), i == bad ? PTE_KERNEL : PTE_RO);
			if (i == bad)
				u[i].val = mk_pte(va_mfn(t.page[4]), PTE_KERNEL);
		}
		done = 99;
		CHECK_REFUSED(mmu_update(u, 7, &done, DOMID_SELF));
		CHECK_EQ(done, bad);
		for (unsigned int i = 0; i < 7; i++)
			CHECK_EQ(t.page[1][10 + i] & PTE_P, i < bad);
	}
	done = 99;
	CHECK_OK(mmu_update(u, 0, &done, DOMID_SELF));
	CHECK_EQ(done, 0);
	tree_free(&t, true);
}

static void batch_ext(void)
{
	struct mmuext_op op[4];
	unsigned int done = 99;
	struct tree t;

	REQUIRE(tree_make(&t));
	memset(op, 0, sizeof(op));
	for (unsigned int i = 0; i < 4; i++)
		op[i].cmd = MMUEXT_TLB_FLUSH_LOCAL;
	op[0].cmd = MMUEXT_PIN_L1_TABLE;
	op[0].arg1.mfn = va_mfn(t.page[1]);
	op[1].cmd = MMUEXT_PIN_L3_TABLE;
	op[1].arg1.mfn = va_mfn(t.page[1]);
	op[2].cmd = MMUEXT_UNPIN_TABLE;
	op[2].arg1.mfn = va_mfn(t.page[1]);
	CHECK_REFUSED(mmuext_op(op, 4, &done, DOMID_SELF));
	CHECK_EQ(done, 1);
	CHECK_OK(unpin(va_mfn(t.page[1])));
	op[1].cmd = MMUEXT_TLB_FLUSH_ALL;
	CHECK_OK(mmuext_op(op, 4, &done, DOMID_SELF));
	CHECK_EQ(done, 4);
	tree_free(&t, false);
}

/* Entries of a table that is not the current one, accessed and dirty bits kept on request. */
static void preserve_ad(void)
{
	struct mmu_update u;
	u64 ma, *page = page_alloc();

	REQUIRE(page);
	REQUIRE_OK(win_map(0, mk_pte(va_mfn(page), PTE_P | PTE_RW)));
	pte_get((u64)win(0), 1, &ma);
	CHECK_EQ(try_write(win(0)), -1);
	CHECK_EQ(pte_get((u64)win(0), 1, NULL) & (PTE_A | PTE_D), PTE_A | PTE_D);
	u.ptr = ma | MMU_PT_UPDATE_PRESERVE_AD;
	u.val = mk_pte(va_mfn(page), PTE_P);
	CHECK_OK(mmu_update(&u, 1, NULL, DOMID_SELF));
	CHECK_EQ(pte_get((u64)win(0), 1, NULL) & (PTE_A | PTE_D | PTE_RW), PTE_A | PTE_D);
	u.ptr = ma | MMU_NORMAL_PT_UPDATE;
	CHECK_OK(mmu_update(&u, 1, NULL, DOMID_SELF));
	CHECK_EQ(pte_get((u64)win(0), 1, NULL) & (PTE_A | PTE_D | PTE_RW), 0);
	u.ptr = ma | MMU_PT_UPDATE_NO_TRANSLATE;
	CHECK_OK(mmu_update(&u, 1, NULL, DOMID_SELF));
	win_clear();
	page_free(page);
}

static void machphys_update(void)
{
	struct mmu_update u;
	u64 *page = page_alloc(), mfn, pfn;

	REQUIRE(page);
	mfn = va_mfn(page);
	pfn = va_pfn(page);
	u.ptr = mfn << 12 | MMU_MACHPHYS_UPDATE;
	u.val = 0x12345;
	CHECK_OK(mmu_update(&u, 1, NULL, DOMID_SELF));
	CHECK_EQ(mfn_pfn(mfn), 0x12345);
	u.val = pfn;
	CHECK_OK(mmu_update(&u, 1, NULL, DOMID_SELF));
	CHECK_EQ(mfn_pfn(mfn), pfn);
	u.ptr = 0xffffffffff000 | MMU_MACHPHYS_UPDATE;
	CHECK_REFUSED(mmu_update(&u, 1, NULL, DOMID_SELF));
	u.ptr = 0x200000 | MMU_MACHPHYS_UPDATE;
	if (mfn_pfn(0x200) >= nr_pages || p2m[mfn_pfn(0x200)] != 0x200)
		CHECK_REFUSED(mmu_update(&u, 1, NULL, DOMID_SELF));
	page_free(page);
}

static void clear_and_copy(void)
{
	u64 *a = page_alloc(), *b = page_alloc();

	REQUIRE(a && b);
	a[0] = 11;
	a[511] = 22;
	CHECK_OK(mmuext(MMUEXT_COPY_PAGE, va_mfn(b), va_mfn(a)));
	CHECK_EQ(b[511], 22);
	CHECK_OK(mmuext(MMUEXT_CLEAR_PAGE, va_mfn(a), 0));
	CHECK_EQ(a[0] | a[511], 0);
	CHECK_REFUSED(mmuext(MMUEXT_CLEAR_PAGE, root_mfn(), 0));
	CHECK_REFUSED(mmuext(MMUEXT_COPY_PAGE, root_mfn(), va_mfn(a)));
	CHECK_REFUSED(mmuext(MMUEXT_CLEAR_PAGE, 0xffffffffff, 0));
	CHECK_REFUSED(mmuext(MMUEXT_COPY_PAGE, va_mfn(a), 0xffffffffff));
	page_free(a);
	page_free(b);
}

static void flushes(void)
{
	u64 mask[2] = {~0UL, ~0UL};

	CHECK_OK(mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0));
	CHECK_OK(mmuext(MMUEXT_INVLPG_LOCAL, (u64)win(0), 0));
	CHECK_OK(mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0));
	CHECK_OK(mmuext(MMUEXT_INVLPG_ALL, (u64)win(0), 0));
	CHECK_OK(mmuext(MMUEXT_INVLPG_ALL, 0xffff828000000000, 0));
	CHECK_OK(mmuext(MMUEXT_INVLPG_LOCAL, 0x800000000000, 0));
	CHECK_OK(mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, (u64)mask));
	CHECK_OK(mmuext(MMUEXT_INVLPG_MULTI, (u64)win(0), (u64)mask));
	CHECK_REFUSED(mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, (u64)win(80)));
	CHECK_REFUSED(mmuext(MMUEXT_INVLPG_MULTI, 0, 0xffff828000000000));
}

const struct test mm_pin_tests[] = {
	{"levels", pin_each_level},
	{"writable", writable_refused},
	{"second-mapping", second_mapping},
	{"maps-itself", maps_itself_writable},
	{"contents", contents},
	{"reserved-bits", reserved_bits},
	{"root-in-use", root_in_use},
	{"inside", pin_inside},
	{"shared-tables", shared_tables},
	{"batch", batch},
	{"batch-ext", batch_ext},
	{"preserve-ad", preserve_ad},
	{"machphys", machphys_update},
	{"clear-copy", clear_and_copy},
	{"flushes", flushes},
	{NULL, NULL},
};
