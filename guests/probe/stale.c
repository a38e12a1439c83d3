/* SPDX-License-Identifier: MIT */
/*
 * Stale translations: vcpu 1 writes through a mapping that vcpu 0 takes away without a flush. When the
 * frame changes its kind or its owner, the hypervisor must have flushed by itself.
 */
#include "hypercall.h"
#include "topics.h"

#define ROUNDS 20
#define FAR_VA ((u64)win(0) + 512 * PAGE_SIZE) /* of a table of its own, beside the window's */
#define LOOK   2000

static volatile u64 *volatile target;
static volatile u64 written;
static volatile int writer_trap;

static void write_on(void *arg)
{
	/* Never a present entry. */
	for (u64 n = 2;; n += 2) {
		*target = n;
		written = n;
	}
}

static void writer(void *arg)
{
	writer_trap = catch_trap(write_on, NULL);
}

static bool start_writer(u64 va)
{
	u64 end = now_ns() + 5000000000UL;

	target = (volatile u64 *)va;
	written = 0;
	writer_trap = -2;
	cpu_run(1, writer, NULL);
	while (written < 20 && now_ns() < end)
		cpu_relax();
	return written >= 20;
}

/* Nothing is written through the old mapping any more, and the writer has noticed. */
static void check_stopped(const volatile u64 *word)
{
	u64 seen = *word, now = seen;

	for (unsigned int i = 0; i < LOOK && now == seen; i++) {
		cpu_relax();
		now = *word;
	}
	CHECK_EQ(now, seen);
}

static void check_ended(void)
{
	/* Whatever has happened: now it must fault. */
	mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0);
	REQUIRE(cpu_wait(1));
	CHECK_EQ(writer_trap, 14);
}

/* Writable, then a table. */
static void becomes_table(void)
{
	u64 *page = page_alloc();

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	REQUIRE(page);
	REQUIRE_OK(cpu_up(1));
	REQUIRE_OK(page_ro(page));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		REQUIRE_OK(win_map(203, mk_pte(va_mfn(page), PTE_KERNEL)));
		REQUIRE(start_writer((u64)win(203)));
		REQUIRE_OK(update_va_mapping(win(203), 0, UVMF_NONE));
		CHECK_OK(pin(1, va_mfn(page)));
		check_stopped(&page[0]);
		check_ended();
		CHECK_OK(unpin(va_mfn(page)));
	}
	win_clear();
	page_free(page);
}

/* A table, then writable: what it mapped must be out of reach. */
static void table_becomes_writable(void)
{
	u64 *table = page_alloc(), *page = page_alloc(), ma;

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	REQUIRE(table && page);
	REQUIRE_OK(cpu_up(1));
	pte_get(FAR_VA, 2, &ma);
	table[0] = mk_pte(va_mfn(page), PTE_KERNEL);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		REQUIRE_OK(page_ro(table));
		REQUIRE_OK(pt_write(ma, mk_pte(va_mfn(table), PTE_TABLE)));
		REQUIRE(start_writer(FAR_VA));
		REQUIRE_OK(pt_write(ma, 0));
		CHECK_OK(page_rw(table));
		check_stopped(&page[0]);
		check_ended();
	}
	table[0] = 0;
	page_free(table);
	page_free(page);
}

/* Given back, and got again: the next owner is alone with it. */
static void given_back(void)
{
	struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
	u64 *page = page_alloc(), pfn;
	static xen_pfn_t mfn;

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	REQUIRE(page);
	REQUIRE_OK(cpu_up(1));
	pfn = va_pfn(page);
	set_xen_guest_handle(r.extent_start, &mfn);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		u64 old = va_mfn(page);

		REQUIRE_OK(win_map(203, mk_pte(old, PTE_KERNEL)));
		REQUIRE(start_writer((u64)win(203)));
		REQUIRE_OK(update_va_mapping(win(203), 0, UVMF_NONE));
		REQUIRE_OK(update_va_mapping(page, 0, UVMF_NONE));
		mfn = old;
		REQUIRE(memory_op(XENMEM_decrease_reservation, &r) == 1);
		mfn = pfn;
		REQUIRE(memory_op(XENMEM_populate_physmap, &r) == 1);
		p2m[pfn] = mfn;
		REQUIRE_OK(page_set(page, mk_pte(mfn, PTE_KERNEL)));
		if (mfn == old) {
			check_stopped(&page[0]);
			CHECK_EQ(page[0], 0);
		}
		check_ended();
	}
	win_clear();
	page_free(page);
}

const struct test stale_tests[] = {
	{"pin", becomes_table},
	{"table", table_becomes_writable},
	{"given-back", given_back},
	{NULL, NULL},
};
