/* SPDX-License-Identifier: MIT */
/* Bit maps beside an array of bool; lists. */
#include "fake/fake.h"
#include <string.h>
#include "lib/bits.h"
#include "lib/list.h"

#define BITS 300

static DECLARE_BITMAP(map, BITS);
static bool model[BITS];

static unsigned int model_next(bool value, unsigned int from, unsigned int size)
{
	while (from < size && model[from] != value)
		from++;
	return from < size ? from : size;
}

static void test_map(void **state)
{
	memset(map, 0, sizeof(map));
	memset(model, 0, sizeof(model));
	for (int round = 0; round < 20000; round++) {
		unsigned int i = fake_below(BITS), size = fake_below(BITS) + 1;
		unsigned int from = fake_below(size + 5);

		switch (fake_below(4)) {
		case 0:
			set_bit(i, map);
			model[i] = true;
			break;
		case 1:
			clear_bit(i, map);
			model[i] = false;
			break;
		case 2:
			assert_int_equal(test_and_set_bit_atomic(i, map), model[i]);
			model[i] = true;
			break;
		default:
			assert_int_equal(test_and_clear_bit_atomic(i, map), model[i]);
			model[i] = false;
		}
		assert_int_equal(test_bit(i, map), model[i]);
		assert_int_equal(find_first_bit(map, size), model_next(true, 0, size));
		if (from < size) {
			assert_int_equal(find_next_bit(map, size, from),
					 model_next(true, from, size));
			assert_int_equal(find_next_zero_bit(map, size, from),
					 model_next(false, from, size));
		} else {
			assert_int_equal(find_next_bit(map, size, from), size);
		}
	}
}

static void test_for_each(void **state)
{
	unsigned int i, n = 0, last = 0;

	memset(map, 0, sizeof(map));
	for (i = 0; i < BITS; i += 7)
		set_bit(i, map);
	for_each_set_bit(i, map, 299u)
	{
		assert_int_equal(i % 7, 0);
		last = i;
		n++;
	}
	assert_int_equal(n, 43);
	assert_int_equal(last, 294);
}

static void test_words(void **state)
{
	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(ffs_long(1UL << i), i);
		assert_int_equal(fls_long(1UL << i), i);
		assert_int_equal(ffs_long(~0UL << i), i);
		assert_int_equal(fls_long(~0UL >> i), 63 - i);
	}
	assert_int_equal(BITS_TO_LONGS(1), 1);
	assert_int_equal(BITS_TO_LONGS(64), 1);
	assert_int_equal(BITS_TO_LONGS(65), 2);
}

struct item {
	int value;
	struct list_head node;
};

static int sum(struct list_head *h)
{
	struct item *i;
	int v = 0;

	list_for_each_entry (i, h, node)
		v = v * 10 + i->value;
	return v;
}

static void test_list(void **state)
{
	struct list_head h = LIST_HEAD_INIT(h);
	struct item items[5], *i, *tmp;

	assert_true(list_empty(&h));
	for (int n = 0; n < 5; n++) {
		items[n].value = n + 1;
		if (n % 2)
			list_add(&items[n].node, &h);
		else
			list_add_tail(&items[n].node, &h);
	}
	assert_int_equal(sum(&h), 42135);
	assert_int_equal(list_first_entry(&h, struct item, node)->value, 4);
	list_del(&items[1].node);
	list_del(&items[1].node); /* harmless */
	assert_int_equal(sum(&h), 4135);
	list_for_each_entry_safe (i, tmp, &h, node)
		if (i->value % 2)
			list_del(&i->node);
	assert_int_equal(sum(&h), 4);
	list_del(&items[3].node);
	assert_true(list_empty(&h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_for_each),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests_name("bits", tests, NULL, NULL);
}
