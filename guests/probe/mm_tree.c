/* SPDX-License-Identifier: MIT */
/* Big trees, which take longer than one hypercall may, and roots that are loaded and dropped. */
#include "hypercall.h"
#include "topics.h"
#include "tables.h"

#define NR_L1 320

struct forest {
	struct tree t;
	u64 *l1[NR_L1];
};

static struct forest f;

/* Entry by entry the data page, every 16th writable; bad is what the very last one becomes. */
static bool forest_make(u64 bad)
{
	memset(&f, 0, sizeof(f));
	if (!tree_make(&f.t) || page_rw(f.t.page[2]))
		return false;
	for (unsigned int i = 0; i < NR_L1; i++) {
		u64 mfn = va_mfn(f.t.page[0]);

		f.l1[i] = page_alloc();
		if (!f.l1[i])
			return false;
		for (unsigned int k = 0; k < 512; k++)
			f.l1[i][k] = mk_pte(mfn, k % 16 ? PTE_RO : PTE_KERNEL);
		if (i == NR_L1 - 1 && bad)
			f.l1[i][511] = bad;
		if (page_ro(f.l1[i]))
			return false;
		f.t.page[2][i + 1] = mk_pte(va_mfn(f.l1[i]), PTE_TABLE);
	}
	return !page_ro(f.t.page[2]);
}

static void forest_free(bool pinned)
{
	if (pinned)
		CHECK_OK(unpin(va_mfn(f.t.page[4])));
	for (unsigned int i = 0; i < NR_L1; i++)
		page_free(f.l1[i]);
	tree_free(&f.t, false);
}

static void big(void)
{
	REQUIRE(forest_make(0));
	for (int round = 0; round < 2; round++) {
		CHECK_OK(pin(4, va_mfn(f.t.page[4])));
		CHECK_REFUSED(page_rw(f.l1[NR_L1 / 2]));
		CHECK_RC(pin(4, va_mfn(f.t.page[4])), -XEN_EINVAL);
		CHECK_OK(unpin(va_mfn(f.t.page[4])));
		CHECK_RC(unpin(va_mfn(f.t.page[4])), -XEN_EINVAL);
	}
	forest_free(false);
}

/* The last of 160,000 entries is bad: all that was counted before it must be given back. */
static void big_bad(void)
{
	REQUIRE(forest_make(0xfee00000 | PTE_KERNEL));
	for (int l = 2; l <= 4; l++)
		CHECK_REFUSED(pin(l, va_mfn(f.t.page[l])));
	CHECK_RC(unpin(va_mfn(f.t.page[4])), -XEN_EINVAL);
	forest_free(false);
}

/* Hung in and taken out by one entry. */
static void big_by_entry(void)
{
	struct tree t;

	REQUIRE(forest_make(0));
	REQUIRE(tree_make_pinned(&t));
	for (int level = 3; level <= 4; level++) {
		u64 e = mk_pte(va_mfn(f.t.page[level - 1]), PTE_TABLE);

		CHECK_OK(pt_write(slot_ma(t.page[level], 7), e));
		CHECK_REFUSED(page_rw(f.l1[5]));
		CHECK_OK(pt_write(slot_ma(t.page[level], 8), e));
		CHECK_OK(pt_write(slot_ma(t.page[level], 7), 0));
		CHECK_REFUSED(page_rw(f.l1[5]));
		CHECK_OK(pt_write(slot_ma(t.page[level], 8), 0));
		CHECK_OK(page_rw(f.l1[5]));
		CHECK_OK(page_ro(f.l1[5]));
	}
	forest_free(false);
	tree_free(&t, true);
}

/* In the middle of a list: the other requests are done once. */
static void big_in_batch(void)
{
	struct mmuext_op op[4];
	unsigned int done = 0;
	struct tree t;

	REQUIRE(forest_make(0));
	REQUIRE(tree_make(&t));
	memset(op, 0, sizeof(op));
	op[0].cmd = MMUEXT_PIN_L4_TABLE;
	op[0].arg1.mfn = va_mfn(t.page[4]);
	op[1].cmd = MMUEXT_PIN_L4_TABLE;
	op[1].arg1.mfn = va_mfn(f.t.page[4]);
	op[2].cmd = MMUEXT_UNPIN_TABLE;
	op[2].arg1.mfn = va_mfn(f.t.page[4]);
	op[3].cmd = MMUEXT_UNPIN_TABLE;
	op[3].arg1.mfn = va_mfn(t.page[4]);
	CHECK_OK(mmuext_op(op, 4, &done, DOMID_SELF));
	CHECK_EQ(done, 4);
	forest_free(false);
	tree_free(&t, false);
}

static void big_in_multicall(void)
{
	struct mmuext_op op[2];
	struct multicall_entry m[3];

	REQUIRE(forest_make(0));
	memset(op, 0, sizeof(op));
	memset(m, 0, sizeof(m));
	op[0].cmd = MMUEXT_PIN_L4_TABLE;
	op[0].arg1.mfn = va_mfn(f.t.page[4]);
	op[1].cmd = MMUEXT_UNPIN_TABLE;
	op[1].arg1.mfn = va_mfn(f.t.page[4]);
	for (unsigned int i = 0; i < 2; i++) {
		m[i * 2].op = __HYPERVISOR_mmuext_op;
		m[i * 2].args[0] = (u64)&op[i];
		m[i * 2].args[1] = 1;
		m[i * 2].args[3] = DOMID_SELF;
	}
	m[1].op = __HYPERVISOR_xen_version;
	CHECK_OK(multicall(m, 3));
	CHECK_EQ(m[0].result, 0);
	CHECK_EQ(m[1].result, 0x40011);
	CHECK_EQ(m[2].result, 0);
	forest_free(false);
}

/* A second root with the kernel's entries. */
static u64 *make_root(void)
{
	u64 *l4 = page_alloc(), *now = mfn_va(root_mfn());

	if (!l4)
		return NULL;
	for (unsigned int i = 0; i < 512; i++)
		if (i < 256 || i >= 272)
			l4[i] = now[i];
	return page_ro(l4) ? NULL : l4;
}

static void switch_root(void)
{
	u64 *l4 = make_root(), cr3;

	REQUIRE(l4);
	REQUIRE_OK(pin(4, va_mfn(l4)));
	CHECK_OK(mmuext(MMUEXT_NEW_BASEPTR, va_mfn(l4), 0));
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	CHECK_EQ(cr3 >> 12, va_mfn(l4));
	CHECK_OK(unpin(va_mfn(l4)));
	CHECK_REFUSED(page_rw(l4));
	/* It is the one in use; now the last use of it ends. */
	CHECK_OK(mmuext(MMUEXT_NEW_BASEPTR, root_mfn(), 0));
	page_free(l4);
}

/* Not pinned before: it is checked as it is loaded. */
static void switch_to_unpinned(void)
{
	u64 *l4 = make_root();

	REQUIRE(l4);
	CHECK_OK(mmuext(MMUEXT_NEW_BASEPTR, va_mfn(l4), 0));
	CHECK_REFUSED(page_rw(l4));
	CHECK_OK(mmuext(MMUEXT_NEW_BASEPTR, root_mfn(), 0));
	page_free(l4);
}

/* The tree below a loaded root goes with it. */
static void drop_big_root(void)
{
	u64 *l4 = make_root();

	REQUIRE(l4 && forest_make(0));
	REQUIRE_OK(page_rw(l4));
	l4[3] = mk_pte(va_mfn(f.t.page[3]), PTE_TABLE);
	REQUIRE_OK(page_ro(l4));
	CHECK_OK(mmuext(MMUEXT_NEW_BASEPTR, va_mfn(l4), 0));
	CHECK_REFUSED(page_rw(f.l1[0]));
	CHECK_OK(mmuext(MMUEXT_NEW_BASEPTR, root_mfn(), 0));
	page_free(l4);
	forest_free(false);
}

/* The same as the user's root. */
static void user_root(void)
{
	u64 *l4 = make_root();

	REQUIRE(l4);
	CHECK_OK(mmuext(MMUEXT_NEW_USER_BASEPTR, va_mfn(l4), 0));
	CHECK_REFUSED(page_rw(l4));
	CHECK_OK(mmuext(MMUEXT_NEW_BASEPTR, va_mfn(l4), 0));
	CHECK_OK(mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0));
	CHECK_REFUSED(page_rw(l4));
	CHECK_OK(mmuext(MMUEXT_NEW_BASEPTR, root_mfn(), 0));
	page_free(l4);
	if (user_root_mfn)
		mmuext(MMUEXT_NEW_USER_BASEPTR, user_root_mfn, 0);
}

/* Many roots, one after the other, as fork and exit do it. */
static void many_roots(void)
{
	for (unsigned int i = 0; i < 200; i++) {
		u64 *l4 = make_root();

		REQUIRE(l4);
		REQUIRE_OK(pin(4, va_mfn(l4)));
		REQUIRE_OK(mmuext(MMUEXT_NEW_BASEPTR, va_mfn(l4), 0));
		REQUIRE_OK(mmuext(MMUEXT_NEW_BASEPTR, root_mfn(), 0));
		REQUIRE_OK(unpin(va_mfn(l4)));
		page_free(l4);
	}
}

const struct test mm_tree_tests[] = {
	{"big", big},
	{"big-bad", big_bad},
	{"big-by-entry", big_by_entry},
	{"big-in-batch", big_in_batch},
	{"big-in-multicall", big_in_multicall},
	{"switch-root", switch_root},
	{"switch-unpinned", switch_to_unpinned},
	{"drop-big-root", drop_big_root},
	{"user-root", user_root},
	{"many-roots", many_roots},
	{NULL, NULL},
};
