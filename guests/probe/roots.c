/* SPDX-License-Identifier: MIT */
/*
 * Roots that a processor has in use, and where a hypervisor with page-table isolation has copies of them
 * (xpti=1): a change must reach all copies, and a root that is taken apart and made anew has none.
 */
#include "hypercall.h"
#include "snippets.h"
#include "topics.h"

#define SLOT	300 /* of the root, which nobody else uses */
#define SLOT_VA ((volatile u64 *)(0xffff000000000000UL | (u64)SLOT << 39))

static volatile u64 rounds;
static volatile int reader_trap;

static void read_on(void *arg)
{
	for (;; rounds++)
		(void)*SLOT_VA;
}

static void reader(void *arg)
{
	reader_trap = catch_trap(read_on, NULL);
}

/* Four tables over one page; false: refused. */
static bool make_branch(u64 *t[4])
{
	for (int l = 0; l < 4; l++) {
		t[l] = page_alloc();
		if (!t[l])
			return false;
		if (l)
			t[l][0] = mk_pte(va_mfn(t[l - 1]), l == 1 ? PTE_KERNEL : PTE_TABLE);
	}
	return !page_ro(t[1]) && !page_ro(t[2]) && !page_ro(t[3]);
}

/* vcpu 1 reads by an entry of the root that both have loaded, and vcpu 0 takes it away. */
static void other_cpu(void)
{
	u64 ma = (root_mfn() << 12) + SLOT * 8, end;
	u64 *t[4];

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	REQUIRE(make_branch(t));
	REQUIRE_OK(cpu_up(1));
	for (unsigned int i = 0; i < 5; i++) {
		rounds = 0;
		reader_trap = -2;
		REQUIRE_OK(pt_write(ma, mk_pte(va_mfn(t[3]), PTE_TABLE)));
		cpu_run(1, reader, NULL);
		end = now_ns() + 5000000000UL;
		while (rounds < 20 && reader_trap == -2 && now_ns() < end)
			cpu_relax();
		/* The entry is there for the other, too. */
		CHECK(rounds >= 20);
		CHECK_OK(pt_write(ma, 0));
		CHECK_OK(mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0));
		REQUIRE(cpu_wait(1));
		CHECK_EQ(reader_trap, 14);
	}
	for (int l = 0; l < 4; l++)
		page_free(t[l]);
}

/* The user's root is taken apart, changed while it is none, and is the user's root again. */
static void made_anew(void)
{
	u64 *root, first, mfn;
	struct regs r;

	REQUIRE(user_init());
	root = mfn_va(user_root_mfn);
	mfn = user_root_mfn;
	user_regs(&r);
	CHECK_EQ(RUN_USER(u_ud, &r), 6);
	REQUIRE_OK(mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0));
	REQUIRE_OK(unpin(mfn));
	REQUIRE_OK(page_rw(root));
	first = root[0];
	root[0] = 0;
	REQUIRE_OK(page_ro(root));
	REQUIRE_OK(pin(4, mfn));
	REQUIRE_OK(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn, 0));
	user_regs(&r);
	/* There is no code any more. */
	CHECK_EQ(RUN_USER(u_ud, &r), 14);
	REQUIRE_OK(pt_write(mfn << 12, first));
	user_regs(&r);
	CHECK_EQ(RUN_USER(u_ud, &r), 6);
}

const struct test root_tests[] = {
	{"other-cpu", other_cpu},
	{"made-anew", made_anew},
	{NULL, NULL},
};
