/* SPDX-License-Identifier: MIT */
/*
 * A call of mmu_update with a single request has a way of its own (pv/mmu_update.c). Thousands of
 * requests, good and bad, are carried out twice from the same state, that way and the general one: the
 * result, the tables and the counts of all frames must be the same.
 */
#include <stdlib.h>
#include <string.h>
#include "mm_fakes.h"
#include "dom/handlers.h"
#include "pv/flush.h"
#include "pv/grant_map.h"
#include "pv/mm.h"

enum {
	TABLE, /* an L1 table of d0, pinned */
	UPPER, /* an L2 table of d0, pinned */
	PLAIN, /* two pages of d0 */
	PLAIN2,
	OTHERS, /* a page of d1 */
	OTHER_TABLE,
	NR_PAGES
};

struct cpu_features cpu_features = {.phys_bits = 40};
static unsigned long m2p[16384];
unsigned long *test_m2p = m2p;
static struct domain *d0, *d1;
static u64 gdt_ptes[32];
static struct frame *page[NR_PAGES], *before, *after;
static char *ram[2];

u32 tlb_clock_now(void)
{
	return 7;
}

int pv_uvm_flush(struct vcpu *v, unsigned long va, unsigned long flags)
{
	return 0;
}

struct domain *domain_get_from(domid_t from)
{
	return from > 1 ? NULL : domain_get(from);
}

static struct domain *make(domid_t id)
{
	struct domain *d = peer_make(id, 1, id == 0);

	d->pv.demoting = FRAME_NIL;
	d->vcpu[0]->pv.gdt_ptes = gdt_ptes;
	return d;
}

static void pin(struct domain *d, unsigned int i, unsigned int level)
{
	int budget = PV_BUDGET;

	memset(frame_to_virt(page[i]), 0, PAGE_SIZE);
	assert_int_equal(pv_pin(d, frame_to_mfn(page[i]), level, &budget), 0);
}

static int setup(void **state)
{
	peer_setup(state);
	type_flush_hook = no_flush;
	pv_grant_init();
	d0 = make(0);
	d1 = make(1);
	for (unsigned int i = 0; i < NR_PAGES; i++)
		page[i] = peer_frame(i < OTHERS ? d0 : d1);
	pin(d0, TABLE, 1);
	pin(d0, UPPER, 2);
	pin(d1, OTHER_TABLE, 1);
	before = malloc(max_mfn * sizeof(*before));
	after = malloc(max_mfn * sizeof(*after));
	for (unsigned int i = 0; i < 2; i++)
		ram[i] = malloc(NR_PAGES * PAGE_SIZE);
	assert_true(max_mfn <= ARRAY_SIZE(m2p));
	act(d0->vcpu[0]);
	return 0;
}

static void unpin(struct domain *d, unsigned int i)
{
	int budget = PV_BUDGET;

	assert_int_equal(pv_unpin(d, frame_to_mfn(page[i]), &budget), 0);
	assert_int_equal(pv_drain(d, &budget), 0);
}

static int teardown(void **state)
{
	unpin(d1, OTHER_TABLE);
	unpin(d0, UPPER);
	unpin(d0, TABLE);
	free(before);
	free(after);
	free(ram[0]);
	free(ram[1]);
	peer_kill(d1);
	peer_kill(d0);
	return peer_teardown(state);
}

static mfn_t some_frame(void)
{
	static const mfn_t odd[] = {0, 1, (1UL << 28) - 1, 1UL << 28, (1UL << 40) - 1};
	unsigned int i = fake_below(16);

	if (i < 12)
		return frame_to_mfn(page[i % NR_PAGES]);
	if (i == 12)
		return max_mfn - fake_below(2);
	return odd[fake_below(ARRAY_SIZE(odd))];
}

/* Mostly for an entry of the caller's own table. */
static struct mmu_update some_request(const struct domain *d)
{
	struct frame *own = page[d == d0 ? TABLE : OTHER_TABLE];
	mfn_t at = fake_below(4) ? frame_to_mfn(own) : some_frame();
	struct mmu_update r;

	r.ptr = (u64)at << PAGE_SHIFT | fake_below(4) * 8;
	if (!fake_below(8))
		r.ptr |= fake_below(8);
	r.val = make_pte(some_frame(), fake_below(4) ? PTE_P | PTE_US : 0);
	if (!fake_below(3))
		r.val |= PTE_RW;
	if (!fake_below(4))
		r.val |= 1UL << fake_below(64);
	return r;
}

/* Requests that nobody refuses are for one of them. */
static const struct frame *page_of(u64 ptr)
{
	unsigned int i = 0;

	while (i < NR_PAGES && frame_to_mfn(page[i]) != ptr >> PAGE_SHIFT)
		i++;
	assert_true(i < NR_PAGES);
	return page[i];
}

static void save(struct frame *frames, char *to)
{
	memcpy(frames, frame_table, max_mfn * sizeof(*frames));
	for (unsigned int i = 0; i < NR_PAGES; i++)
		memcpy(to + i * PAGE_SIZE, frame_to_virt(page[i]), PAGE_SIZE);
}

static void restore(const struct frame *frames, const char *from)
{
	memcpy(frame_table, frames, max_mfn * sizeof(*frames));
	for (unsigned int i = 0; i < NR_PAGES; i++)
		memcpy(frame_to_virt(page[i]), from + i * PAGE_SIZE, PAGE_SIZE);
}

static void check_same(const struct frame *frames, const char *from)
{
	assert_memory_equal(frame_table, frames, max_mfn * sizeof(*frames));
	for (unsigned int i = 0; i < NR_PAGES; i++)
		assert_memory_equal(frame_to_virt(page[i]), from + i * PAGE_SIZE, PAGE_SIZE);
}

/* With somewhere to write the count to, it is not the short way. */
static void test_single(void **state)
{
	unsigned int done = 0, fresh = 0;

	for (unsigned int i = 0; i < 20000; i++) {
		struct domain *d = fake_below(2) ? d0 : d1;
		struct mmu_update r = some_request(d);
		unsigned long req = (unsigned long)&r;
		u32 count = 0;
		long rc;

		act(d->vcpu[0]);
		save(before, ram[0]);
		rc = do_mmu_update(req, 1, (unsigned long)&count, DOMID_SELF, 0);
		assert_int_equal(count, rc ? 0 : 1);
		assert_true(rc || page_of(r.ptr)->owner == d->id);
		save(after, ram[1]);
		restore(before, ram[0]);
		assert_int_equal(do_mmu_update(req, 1, 0, DOMID_SELF, 0), rc);
		check_same(after, ram[1]);
		done += !rc;
		fresh += !rc && (r.val & (PTE_P | PTE_RW)) == PTE_P;
		if (i % 64 == 0)
			assert_int_equal(pv_audit_all(), 0);
	}
	/* Neither was nearly all refused nor nearly nothing. */
	assert_true(done > 5000 && done < 18000 && fresh > 1000);
	act(d0->vcpu[0]);
}

/* What has to be done first is done first, and a domain that dies changes nothing. */
static void test_not_now(void **state)
{
	struct mmu_update r = {.ptr = (u64)frame_to_mfn(page[TABLE]) << PAGE_SHIFT,
			       .val = make_pte(frame_to_mfn(page[PLAIN]), PTE_P | PTE_US)};

	d0->dying = true;
	save(before, ram[0]);
	assert_int_equal(do_mmu_update((unsigned long)&r, 1, 0, DOMID_SELF, 0), -XEN_EINVAL);
	check_same(before, ram[0]);
	d0->dying = false;
	assert_int_equal(do_mmu_update(0, 0, 0, DOMID_SELF, 0), 0);
	check_same(before, ram[0]);
	assert_int_equal(do_mmu_update((unsigned long)&r, 1, 0, DOMID_SELF, 0), 0);
	assert_int_equal(page[PLAIN]->refs & FR_COUNT, 2);
	assert_int_equal(pv_audit_all(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_single, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_now, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
