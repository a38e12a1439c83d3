/* SPDX-License-Identifier: MIT */
/* The buddy allocator, beside a model that only knows which frames are taken. */
#include "fake/buddy.h"
#include "mm/buddy.c"

#define FRAMES 4096u
#define MOST   600

struct held {
	mfn_t mfn;
	unsigned int order;
};

static bool taken[FAKE_MAX_MFN];

static int setup(void **state)
{
	memset(zones, 0, sizeof(zones));
	memset(taken, 0, sizeof(taken));
	spin_lock_init(&buddy_lock);
	frame_clock_hook = NULL;
	type_flush_hook = NULL;
	fake_ram_reset();
	return 0;
}

static void mark(mfn_t mfn, unsigned int order, bool value)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		assert_int_equal(taken[mfn + i], !value);
		taken[mfn + i] = value;
	}
}

static void test_empty(void **state)
{
	assert_null(buddy_alloc(0, 0));
	assert_int_equal(buddy_free_frames(), 0);
	assert_true(buddy_audit());
}

static void test_all_comes_back(void **state)
{
	unsigned long n = 0;

	fake_buddy_add(3, 1000);
	assert_int_equal(buddy_free_frames(), 1000);
	assert_true(buddy_audit());
	for (struct frame *f; (f = buddy_alloc(0, 0)); n++)
		mark(frame_to_mfn(f), 0, true);
	assert_int_equal(n, 1000);
	assert_int_equal(buddy_free_frames(), 0);
	assert_false(taken[2]);
	assert_true(taken[3] && taken[1002]);
	assert_false(taken[1003]);
	buddy_free_range(3, 1000);
	assert_int_equal(buddy_free_frames(), 1000);
	assert_true(buddy_audit());
}

static void test_what_comes_out(void **state)
{
	struct frame *f;

	fake_buddy_add(0, 64);
	memset(mfn_to_virt(0), 0xa5, 64 * PAGE_SIZE);
	f = buddy_alloc(2, BUDDY_ZERO);
	assert_non_null(f);
	assert_int_equal(frame_to_mfn(f) % 4, 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(f[i].state, FS_USED);
		assert_int_equal(f[i].owner, DOMID_INVALID);
		assert_int_equal(f[i].refs, 0);
		assert_int_equal(f[i].type, 0);
	}
	for (size_t i = 0; i < 4 * PAGE_SIZE; i++)
		assert_int_equal(((char *)frame_to_virt(f))[i], 0);
	assert_null(buddy_alloc(MAX_ORDER + 1, 0));
	assert_null(buddy_alloc(6, 0)); /* 64 frames, 4 taken */
	buddy_free(f, 2);
	f = buddy_alloc(6, 0);
	assert_non_null(f);
	buddy_free(f, 6);
}

static void test_random(void **state)
{
	static struct held held[MOST];
	unsigned int nr = 0;
	unsigned long used = 0;

	fake_buddy_add(5, FRAMES);
	for (int round = 0; round < 20000; round++) {
		if (nr < MOST && fake_below(2)) {
			unsigned int order = fake_below(fake_below(10) ? 4 : 9);
			struct frame *f = buddy_alloc(order, 0);

			if (!f)
				continue;
			assert_int_equal(frame_to_mfn(f) & ((1UL << order) - 1), 0);
			held[nr++] = (struct held){frame_to_mfn(f), order};
			mark(frame_to_mfn(f), order, true);
			used += 1UL << order;
		} else if (nr) {
			unsigned int i = fake_below(nr);

			mark(held[i].mfn, held[i].order, false);
			used -= 1UL << held[i].order;
			buddy_free(mfn_to_frame(held[i].mfn), held[i].order);
			held[i] = held[--nr];
		}
		assert_int_equal(buddy_free_frames(), FRAMES - used);
		if (!(round % 1000))
			assert_true(buddy_audit());
	}
	while (nr--)
		buddy_free(mfn_to_frame(held[nr].mfn), held[nr].order);
	assert_true(buddy_audit());
	assert_int_equal(buddy_free_frames(), FRAMES);
	/* All merged again: the largest aligned block inside 5..4100 is 2048 frames. */
	assert_non_null(buddy_alloc(11, 0));
}

static void test_free_in_parts(void **state)
{
	struct frame *f;

	fake_buddy_add(0, 512);
	f = buddy_alloc(9, 0);
	assert_non_null(f);
	for (int i = 511; i >= 0; i -= 2)
		buddy_free(f + i, 0);
	assert_null(buddy_alloc(1, 0));
	for (int i = 0; i < 512; i += 2)
		buddy_free(f + i, 0);
	assert_ptr_equal(buddy_alloc(9, 0), f);
}

static void test_zones(void **state)
{
	const mfn_t high = ZONE_LIMIT;
	struct frame *f;

	fake_buddy_add(high - 32, 64); /* across 4 GiB */
	assert_true(buddy_audit());
	f = buddy_alloc(5, 0);
	assert_int_equal(frame_to_mfn(f), high);
	assert_null(buddy_alloc(6, 0));
	f = buddy_alloc(3, 0); /* nothing left above */
	assert_true(frame_to_mfn(f) < high);
	f = buddy_alloc(4, BUDDY_LOW);
	assert_true(frame_to_mfn(f) < high);
	assert_null(buddy_alloc(4, BUDDY_LOW));
	buddy_free(mfn_to_frame(high), 5);
	assert_null(buddy_alloc(4, BUDDY_LOW));
	assert_true(buddy_audit());
}

static void test_below(void **state)
{
	struct frame *f;

	fake_buddy_add(256, 1024);
	assert_null(buddy_alloc_below(0, 0, 256));
	f = buddy_alloc_below(0, 0, 257);
	assert_int_equal(frame_to_mfn(f), 256);
	assert_null(buddy_alloc_below(0, 0, 257));
	assert_null(buddy_alloc_below(4, 0, 8)); /* limit smaller than the block */
	f = buddy_alloc_below(3, 0, 272);
	assert_int_equal(frame_to_mfn(f), 264);
	assert_null(buddy_alloc_below(3, 0, 272));
	fake_buddy_add(ZONE_LIMIT, 64);
	f = buddy_alloc_below(0, 0, ZONE_LIMIT + 1);
	assert_int_equal(frame_to_mfn(f), ZONE_LIMIT);
	f = buddy_alloc_below(0, 0, ZONE_LIMIT + 1);
	assert_true(frame_to_mfn(f) < ZONE_LIMIT);
	assert_true(buddy_audit());
}

static void test_largest_order(void **state)
{
	struct frame *f;

	fake_buddy_add(0, 1UL << MAX_ORDER);
	f = buddy_alloc(MAX_ORDER, 0);
	assert_non_null(f);
	assert_null(buddy_alloc(0, 0));
	buddy_free(f, MAX_ORDER);
	assert_int_equal(buddy_free_frames(), 1UL << MAX_ORDER);
	assert_true(buddy_audit());
}

static void expect_panic(struct frame *f, unsigned int order)
{
	expect_assert_failure(buddy_free(f, order));
	spin_lock_init(&buddy_lock); /* the panic left it taken */
}

static void test_panics(void **state)
{
	struct frame *f;

	fake_buddy_add(0, 64);
	f = buddy_alloc(1, 0);
	buddy_free(f, 1);
	expect_panic(f, 1);
	expect_panic(f + 1, 0);
	f = buddy_alloc(3, 0);
	expect_panic(f + 1, 1); /* not aligned */
	expect_panic(mfn_to_frame(64), 0);
	f->refs = 1; /* somebody still maps it */
	expect_panic(f, 0);
	expect_assert_failure(buddy_add_range(0, 4)); /* was added before */
	spin_lock_init(&buddy_lock);
	expect_assert_failure(buddy_add_range(60, 5)); /* past the end */
}

static void test_audit_sees(void **state)
{
	struct frame *f;

	fake_buddy_add(0, 64);
	f = buddy_alloc(0, 0);
	assert_true(buddy_audit());
	mfn_to_frame(40)->refs = 1;
	assert_false(buddy_audit());
	mfn_to_frame(40)->refs = 0;
	mfn_to_frame(40)->state = FS_USED;
	assert_false(buddy_audit());
	mfn_to_frame(40)->state = FS_FREE_TAIL;
	assert_true(buddy_audit());
	zones[ZONE_LOW].free++;
	assert_false(buddy_audit());
	zones[ZONE_LOW].free--;
	f->state = FS_FREE_TAIL;
	assert_false(buddy_audit());
	f->state = FS_USED;
	zones[ZONE_LOW].waits++;
	assert_false(buddy_audit());
	zones[ZONE_LOW].waits--;
	zones[ZONE_LOW].taken++;
	assert_false(buddy_audit());
	zones[ZONE_LOW].taken--;
	mfn_to_frame(40)->content = FC_WAITS; /* nobody was told */
	assert_false(buddy_audit());
	zones[ZONE_LOW].waits++;
	assert_false(buddy_audit());
	zones[ZONE_LOW].waits--;
	mfn_to_frame(40)->content = FC_WAITS + 1;
	assert_false(buddy_audit());
	mfn_to_frame(40)->content = FC_ZERO;
	assert_true(buddy_audit());
	mfn_to_frame(40)->type |= FT_WRITABLE;
	assert_false(buddy_audit());
	mfn_to_frame(40)->type = FC_ZERO;
	mfn_to_frame(40)->mixed = 2;
	assert_false(buddy_audit());
	mfn_to_frame(40)->mixed = 0;
	assert_true(buddy_audit());
	mfn_to_frame(32)->next = 32; /* a circle */
	assert_false(buddy_audit());
}

static u32 now, flushed;

static u32 clock_hook(void)
{
	return now;
}

static void flush_hook(struct frame *f, u32 stamp)
{
	assert_int_equal(f->state, FS_USED);
	flushed = max(flushed, stamp);
}

/* Frames that a guest had carry the time they were freed to the next owner; our own do not. */
static void test_flush_before_reuse(void **state)
{
	struct frame *f;

	fake_buddy_add(0, 4);
	frame_clock_hook = clock_hook;
	type_flush_hook = flush_hook;
	now = 7;
	flushed = 0;
	f = buddy_alloc(2, 0);
	buddy_free(f, 2);
	f = buddy_alloc(2, 0);
	assert_int_equal(flushed, 0);
	f[2].type = FT_WRITABLE;
	now = 9;
	buddy_free(f, 2);
	f = buddy_alloc(2, 0);
	assert_int_equal(flushed, 9);
	f[0].owner = 1;
	now = 12;
	buddy_free(f, 2);
	f = buddy_alloc(2, 0);
	assert_int_equal(flushed, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_empty, setup),
		cmocka_unit_test_setup(test_all_comes_back, setup),
		cmocka_unit_test_setup(test_what_comes_out, setup),
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test_setup(test_free_in_parts, setup),
		cmocka_unit_test_setup(test_zones, setup),
		cmocka_unit_test_setup(test_below, setup),
		cmocka_unit_test_setup(test_largest_order, setup),
		cmocka_unit_test_setup(test_panics, setup),
		cmocka_unit_test_setup(test_audit_sees, setup),
		cmocka_unit_test_setup(test_flush_before_reuse, setup),
	};

	return cmocka_run_group_tests_name("buddy", tests, NULL, NULL);
}
