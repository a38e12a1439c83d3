/* SPDX-License-Identifier: MIT */
#include "fake/fake.h"
#include <string.h>
#include "mm/heap.c"

#define FRAMES 512
#define MOST   400

static int setup(void **state)
{
	fake_ram_reset();
	fake_ram_add(16, FRAMES);
	buddy_add_range(16, FRAMES);
	return 0;
}

static bool all(const u8 *p, size_t n, u8 value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return false;
	return true;
}

static void test_sizes(void **state)
{
	for (size_t n = 0; n <= 9000; n += n < 70 ? 1 : 61) {
		u8 *p = hv_alloc(n);

		assert_non_null(p);
		assert_true(all(p, n, 0));
		memset(p, 0xee, n);
		hv_free(p);
	}
	hv_free(NULL);
	assert_int_equal(heap_frames(), 0);
	assert_int_equal(buddy_free_frames(), FRAMES);
}

static void test_random(void **state)
{
	static struct {
		u8 *p;
		size_t n;
		u8 fill;
	} held[MOST];
	unsigned int nr = 0;

	for (int round = 0; round < 30000; round++) {
		if (nr < MOST && fake_below(2)) {
			size_t n = fake_below(fake_below(20) ? 2100 : 20000) + 1;
			u8 *p = hv_alloc(n);

			if (!p)
				continue;
			assert_true(all(p, n, 0));
			held[nr].p = p;
			held[nr].n = n;
			held[nr].fill = (u8)(round | 1);
			memset(p, held[nr++].fill, n);
		} else if (nr) {
			unsigned int i = fake_below(nr);

			assert_true(all(held[i].p, held[i].n, held[i].fill));
			hv_free(held[i].p);
			held[i] = held[--nr];
		}
		if (!(round % 5000))
			assert_true(buddy_audit());
	}
	while (nr--)
		hv_free(held[nr].p);
	assert_int_equal(heap_frames(), 0);
	assert_int_equal(buddy_free_frames(), FRAMES);
	assert_true(buddy_audit());
}

static void test_exhaustion(void **state)
{
	static void *held[FRAMES * 2 + 1];
	unsigned int n = 0;

	while ((held[n] = hv_alloc(2048)))
		n++;
	assert_int_equal(n, FRAMES * 2);
	assert_null(hv_alloc(1));
	assert_null(hv_alloc(100000));
	assert_null(hv_alloc_pages(0));
	assert_int_equal(heap_frames(), FRAMES);
	while (n--)
		hv_free(held[n]);
	assert_int_equal(heap_frames(), 0);
	assert_null(hv_alloc(~0UL));
}

static void test_pages(void **state)
{
	u8 *p = hv_alloc_pages(3), *q = hv_alloc(5 * PAGE_SIZE);

	assert_int_equal((uintptr_t)p % (8 * PAGE_SIZE),
			 (uintptr_t)test_directmap % (8 * PAGE_SIZE));
	assert_true(all(p, 8 * PAGE_SIZE, 0));
	assert_int_equal(heap_frames(), 16);
	hv_free_pages(p, 3);
	hv_free(q);
	hv_free_pages(NULL, 0);
	assert_int_equal(heap_frames(), 0);
}

static void expect_panic(void *p)
{
	expect_assert_failure(hv_free(p));
	spin_lock_init(&lock);
}

static void test_panics(void **state)
{
	char *p = hv_alloc(100), *keep = hv_alloc(100), *q = hv_alloc(4096);
	u64 *data;

	hv_free(p);
	expect_panic(p);
	expect_panic(keep + 8);
	expect_panic(&setup);
	expect_panic(mfn_to_virt(16 + FRAMES - 1)); /* free memory */
	expect_panic(mfn_to_virt(FAKE_MAX_MFN - 1));
	expect_panic(q + 32);
	expect_assert_failure(hv_free_pages(q, 1));
	expect_assert_failure(hv_free_pages(keep, 0));
	hv_free(q);
	expect_panic(q);
	/* Data that looks like a free object is not a double free. */
	data = (u64 *)keep;
	data[0] = NO_OBJECT;
	data[1] = mark_of((struct free_object *)keep);
	hv_free(keep);
	assert_int_equal(heap_frames(), 0);
}

static void test_write_after_free(void **state)
{
	u64 *keep = hv_alloc(64), *p = hv_alloc(64);

	hv_free(p);
	p[1] = 5;
	expect_assert_failure((void)!hv_alloc(64));
	spin_lock_init(&lock);
	p[1] = mark_of((struct free_object *)p);
	hv_free(keep);
	assert_int_equal(heap_frames(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),	   cmocka_unit_test(test_random),
		cmocka_unit_test(test_exhaustion), cmocka_unit_test(test_pages),
		cmocka_unit_test(test_panics),	   cmocka_unit_test(test_write_after_free),
	};

	return cmocka_run_group_tests_name("heap", tests, setup, NULL);
}
