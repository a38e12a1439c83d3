/* SPDX-License-Identifier: MIT */
/*
 * Page tables as wholes (pv/mm_types.c) stopped at each entry, gone on with, or left for good; event
 * channels and grants when an allocation fails. Afterwards every count is as before and the recount of
 * all frames (pv/mm_audit.c) finds nothing.
 */
#include <stdlib.h>
#include <string.h>
#include "mm_fakes.h"
#include "dom/handlers.h"
#include "lib/inject.h"
#include "mm/buddy.h"
#include "pv/grant_map.h"
#include "pv/mm.h"

#define NR_PAGES 11 /* L4, L3, 2 L2, 4 L1, 3 data */
#define NR_SAVED 16384

struct cpu_features cpu_features = {.phys_bits = 48};
static struct domain *d0;
static u64 gdt_ptes[32];
static struct frame *page[NR_PAGES], saved[NR_SAVED];

u32 tlb_clock_now(void)
{
	return 1;
}

struct domain *domain_get_from(domid_t from)
{
	return from ? NULL : domain_get(0);
}

static u64 *entries(unsigned int i)
{
	return frame_to_virt(page[i]);
}

static void point(unsigned int table, unsigned int slot, unsigned int to, u64 flags)
{
	entries(table)[slot] = make_pte(frame_to_mfn(page[to]), PTE_P | PTE_US | flags);
}

static void make_tree(void)
{
	point(0, 3, 1, PTE_RW);
	point(0, 7, 1, PTE_RW);
	point(1, 0, 2, PTE_RW);
	point(1, 511, 3, PTE_RW);
	for (unsigned int i = 0; i < 4; i++) {
		point(2 + i / 2, i, 4 + i, PTE_RW);
		point(3, 100 + i, 4 + i, PTE_RW);
		point(4 + i, 0, 8, PTE_RW);
		point(4 + i, 200, 9, 0);
		point(4 + i, 511, 10, PTE_RW);
	}
}

static int setup(void **state)
{
	peer_setup(state);
	type_flush_hook = no_flush;
	pv_grant_init();
	d0 = peer_make(0, 1, true);
	d0->pv.demoting = FRAME_NIL;
	d0->vcpu[0]->pv.gdt_ptes = gdt_ptes;
	assert_int_equal(evtchn_init_domain(d0, 4095), 0);
	assert_int_equal(grant_init_domain(d0, 4), 0);
	for (unsigned int i = 0; i < NR_PAGES; i++)
		page[i] = peer_frame(d0);
	make_tree();
	act(d0->vcpu[0]);
	return 0;
}

static int teardown(void **state)
{
	inject_arm(INJECT_ALLOC, 0);
	inject_arm(INJECT_PREEMPT, 0);
	peer_kill(d0);
	return peer_teardown(state);
}

static void save(void)
{
	assert_true(max_mfn <= NR_SAVED);
	memcpy(saved, frame_table, max_mfn * sizeof(*saved));
}

/* A table that once was one keeps its kind: that is no count. */
static void check_as_saved(void)
{
	for (unsigned int i = 0; i < NR_PAGES; i++) {
		const struct frame *was = &saved[frame_to_mfn(page[i])];

		assert_int_equal(page[i]->refs, was->refs);
		assert_int_equal(page[i]->type & ~FT_KIND, was->type & ~FT_KIND);
	}
	assert_int_equal(d0->pv.demoting, FRAME_NIL);
	assert_int_equal(pv_audit_all(), 0);
}

/* Until it is done; the recount holds between any two rounds. */
static int finish(int (*fn)(struct domain *d, mfn_t mfn, unsigned int level, int *budget))
{
	int rc = PV_AGAIN;

	for (unsigned int rounds = 0; rc == PV_AGAIN; rounds++) {
		int budget = PV_BUDGET;

		assert_true(rounds < 100);
		assert_int_equal(pv_audit_all(), 0);
		rc = pv_drain(d0, &budget) ?: fn(d0, frame_to_mfn(page[0]), 4, &budget);
	}
	return rc;
}

static int unpin(struct domain *d, mfn_t mfn, unsigned int level, int *budget)
{
	return pv_unpin(d, mfn, budget);
}

static int drain(struct domain *d, mfn_t mfn, unsigned int level, int *budget)
{
	return 0;
}

static u32 pin_and_unpin(u32 at_pin, u32 at_unpin, int want)
{
	u32 seen;

	inject_arm(INJECT_PREEMPT, at_pin);
	assert_int_equal(finish(pv_pin), want);
	seen = inject_arm(INJECT_PREEMPT, at_unpin);
	if (!want)
		assert_int_equal(finish(unpin), 0);
	assert_int_equal(finish(drain), 0);
	return at_pin ? seen : inject_arm(INJECT_PREEMPT, 0);
}

static void test_pin(void **state)
{
	u32 n = 0;

	save();
	do {
		assert_true(++n < 200);
		if (pin_and_unpin(n, 0, 0) < n)
			break;
		check_as_saved();
	} while (true);
	/* At least each entry of each table once. */
	assert_true(n > 2 + 2 + 8 + 12);
}

static void test_unpin(void **state)
{
	u32 n = 0;

	save();
	do {
		assert_true(++n < 200);
		if (pin_and_unpin(0, n, 0) < n)
			break;
		check_as_saved();
	} while (true);
	assert_true(n > 2 + 2 + 8);
}

/* The last entry is bad: what has been counted before it goes back, wherever that stops. */
static void test_bad(void **state)
{
	u32 n = 0;

	point(7, 511, 0, PTE_RW);
	save();
	do {
		assert_true(++n < 200);
		if (pin_and_unpin(n, 0, -XEN_EINVAL) < n)
			break;
		check_as_saved();
	} while (true);
	assert_true(n > 24);
}

/* Begun, stopped, and never gone on with: the domain's death takes it apart. */
static void test_abandoned(void **state)
{
	u32 n = 0;
	int rc;

	save();
	do {
		int budget = PV_BUDGET;

		assert_true(++n < 200);
		inject_arm(INJECT_PREEMPT, n);
		rc = pv_pin(d0, frame_to_mfn(page[0]), 4, &budget);
		inject_arm(INJECT_PREEMPT, 0);
		assert_int_equal(pv_audit_all(), 0);
		if (rc == PV_AGAIN)
			pv_abandon(d0, page[0], &budget);
		else
			assert_int_equal(finish(unpin), 0);
		assert_int_equal(finish(drain), 0);
		check_as_saved();
	} while (rc == PV_AGAIN);
	assert_true(n > 24);
}

/* --- allocations --- */

static long fifo(u32 mfn)
{
	struct evtchn_init_control c = {.control_gfn = mfn, .vcpu = 0};

	return peer_call(do_event_channel_op, EVTCHNOP_init_control, (unsigned long)&c, 0);
}

static long channel(u32 *port)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	long rc = peer_call(do_event_channel_op, EVTCHNOP_alloc_unbound, (unsigned long)&a, 0);

	*port = a.port;
	return rc;
}

static void test_events(void **state)
{
	struct frame *control = peer_frame(d0);
	unsigned int failures = 0;
	u32 port, first = 0;
	u32 refs = control->refs;

	for (u32 n = 1; n < 10; n++) {
		inject_arm(INJECT_ALLOC, n);
		if (fifo((u32)frame_to_mfn(control)) == 0)
			break;
		failures++;
		assert_int_equal(control->refs, refs);
		assert_int_equal(control->type & FT_COUNT, 0);
	}
	assert_true(failures >= 2 && failures < 9);
	inject_arm(INJECT_ALLOC, 0);
	/* Until a bucket is full; the next one is refused once, and then given. */
	for (unsigned int i = 0; i < 3 * EVTCHN_BUCKET; i++) {
		inject_arm(INJECT_ALLOC, 1);
		if (channel(&port)) {
			failures++;
			inject_arm(INJECT_ALLOC, 0);
			assert_int_equal(channel(&port), 0);
		}
		assert_true(port > first);
		first = port;
	}
	assert_true(failures >= 4);
}

static void test_grants(void **state)
{
	struct gnttab_setup_table t = {.dom = DOMID_SELF, .nr_frames = 4};
	u64 frames[4];
	unsigned int failures = 0;

	set_xen_guest_handle(t.frame_list, frames);
	for (u32 n = 1; n < 8; n++) {
		inject_arm(INJECT_ALLOC, n);
		assert_int_equal(
			peer_call(do_grant_table_op, GNTTABOP_setup_table, (unsigned long)&t, 1),
			0);
		inject_arm(INJECT_ALLOC, 0);
		if (!t.status)
			break;
		failures++;
	}
	assert_int_equal(t.status, 0);
	assert_true(failures > 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(mfn_to_frame(frames[i])->owner, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unpin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_abandoned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grants, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
