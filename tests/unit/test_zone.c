/* SPDX-License-Identifier: MIT */
/* Free frames that wait to be cleared: which are given out first, and that blocks merge meanwhile. */
#include <string.h>
#include "fake/buddy.h"
#include "mm/zone.h"
#include <xen/xen.h>

#define FRAMES 64u

static int setup(void **state)
{
	memset(zones, 0, sizeof(zones));
	spin_lock_init(&buddy_lock);
	fake_ram_reset();
	return 0;
}

/* A guest has had these frames. */
static void make_wait(mfn_t start, unsigned long nr)
{
	struct frame *got[FRAMES + 1];
	unsigned int n = 0;

	while ((got[n] = buddy_alloc(0, 0)) != NULL)
		n++;
	while (n--) {
		mfn_t m = frame_to_mfn(got[n]);

		if (m >= start && m < start + nr)
			got[n]->owner = 1;
		buddy_free(got[n], 0);
	}
	assert_true(buddy_audit());
}

/* As a scrubber would. */
static void clear_one(void)
{
	unsigned int order = 0, cleared = 0;
	struct frame *f = buddy_scrub_take(&order);

	assert_true(f && order <= SCRUB_ORDER);
	for (unsigned int i = 0; i < 1u << order; i++)
		if (f[i].content == FC_WAITS) {
			memset(frame_to_virt(&f[i]), 0, PAGE_SIZE);
			f[i].content = FC_ZERO;
			cleared++;
		}
	assert_true(cleared);
	buddy_scrub_give(f, order, cleared);
	assert_true(buddy_audit());
}

static bool all_zero(const struct frame *f, unsigned int order)
{
	const u64 *p = frame_to_virt(f);

	for (size_t i = 0; i < PAGE_SIZE / 8 << order; i++)
		if (p[i])
			return false;
	return true;
}

/* Takes all there is: first those that need not wait; those that wait only when they are all gone. */
static void take_all(unsigned int order, const bool *waits)
{
	bool waited = false;

	for (unsigned int n = 0; n < 64u >> order; n++) {
		struct frame *f = buddy_alloc(order, BUDDY_ZERO);
		bool w = false;

		assert_non_null(f);
		for (unsigned int i = 0; i < 1u << order; i++)
			w |= waits[frame_to_mfn(&f[i])];
		assert_true(w || !waited);
		waited = w;
		assert_true(all_zero(f, order));
		assert_true(buddy_audit());
	}
	assert_null(buddy_alloc(0, 0));
	assert_int_equal(buddy_waiting(), 0);
}

static void test_ready_first(void **state)
{
	static const struct {
		mfn_t start, nr;
	} cases[] = {{0, 32}, {32, 32}, {0, 8}, {16, 32}, {5, 13}, {63, 1}, {0, 64}, {8, 8}};

	for (unsigned int order = 0; order < 3; order++)
		for (unsigned int c = 0; c < ARRAY_SIZE(cases); c++) {
			bool waits[64] = {false};

			setup(NULL);
			fake_buddy_add_dirty(0, 64);
			make_wait(cases[c].start, cases[c].nr);
			memset(&waits[cases[c].start], true, cases[c].nr);
			take_all(order, waits);
		}
}

static void test_every_second_first(void **state)
{
	bool waits[64];

	fake_buddy_add_dirty(0, 64);
	make_wait(0, 64);
	/* Every other frame becomes ours again, and free. */
	for (unsigned int i = 0; i < 64; i++)
		assert_non_null(buddy_alloc(0, 0));
	for (mfn_t m = 0; m < 64; m++) {
		waits[m] = m % 2;
		if (waits[m])
			mfn_to_frame(m)->owner = 1;
		buddy_free(mfn_to_frame(m), 0);
	}
	assert_true(buddy_audit());
	assert_int_equal(zones[ZONE_LOW].head[LIST_MIXED][6], 1);
	take_all(0, waits);
}

/* A limit goes before what waits, and memory above 4 GiB before memory below. */
static void test_limits_first(void **state)
{
	struct frame *f;

	fake_buddy_add_dirty(0, 64);
	make_wait(0, 16);
	f = buddy_alloc_below(3, BUDDY_ZERO, 16);
	assert_ptr_equal(f, mfn_to_frame(0));
	assert_true(all_zero(f, 3));
	f = buddy_alloc_below(3, BUDDY_ZERO, 16);
	assert_ptr_equal(f, mfn_to_frame(8));
	assert_null(buddy_alloc_below(0, 0, 16));
	fake_ram_add(ZONE_LIMIT, 8);
	buddy_add_range(ZONE_LIMIT, 8);
	for (unsigned int turn = 0; turn < 2; turn++) {
		f = buddy_alloc(3, 0);
		assert_int_equal(frame_to_mfn(f), ZONE_LIMIT);
		for (unsigned int i = 0; i < 8; i++)
			f[i].owner = 1;
		buddy_free(f, 3);
		assert_int_equal(buddy_waiting(), 8);
	}
}

static void test_mixed_merge(void **state)
{
	struct frame *f;

	fake_buddy_add_dirty(0, 64);
	make_wait(3, 30);
	f = buddy_alloc(6, 0);
	assert_ptr_equal(f, mfn_to_frame(0));
	assert_int_equal(buddy_waiting(), 0);
	buddy_free(f, 6);
	assert_int_equal(buddy_waiting(), 0);
	make_wait(3, 30);
	clear_one();
	f = buddy_alloc(6, BUDDY_ZERO);
	assert_ptr_equal(f, mfn_to_frame(0));
	assert_true(all_zero(f, 6));
	buddy_free(f, 6);
	make_wait(0, 64);
	assert_int_equal(zones[ZONE_LOW].head[LIST_WAITS][6], 1);
	while (buddy_waiting())
		clear_one();
	assert_int_equal(zones[ZONE_LOW].head[LIST_READY][6], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ready_first, setup),
		cmocka_unit_test_setup(test_every_second_first, setup),
		cmocka_unit_test_setup(test_limits_first, setup),
		cmocka_unit_test_setup(test_mixed_merge, setup),
	};

	return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
