/* SPDX-License-Identifier: MIT */
/* The scan for present entries beside one that looks at each. */
#include "fake/fake.h"
#include <string.h>
#include "mm/pgtable.h"

static u64 tbl[512];

static unsigned int slow_next(unsigned int i)
{
	while (i < 512 && !(tbl[i] & PTE_P))
		i++;
	return i;
}

static unsigned int slow_below(unsigned int n)
{
	while (n && !(tbl[n - 1] & PTE_P))
		n--;
	return n;
}

static void compare(void)
{
	for (unsigned int i = 0; i <= 512; i++) {
		assert_int_equal(pte_next(tbl, i), slow_next(i));
		assert_int_equal(pte_below(tbl, i, 0), slow_below(i));
		for (unsigned int low = 0; low <= i; low += 32)
			assert_int_equal(pte_below(tbl, i, low), max(slow_below(i), low));
	}
}

/* All bits but the present one: none of them makes an entry present. */
static void fill_absent(void)
{
	for (unsigned int i = 0; i < 512; i++)
		tbl[i] = ~PTE_P;
}

static void test_one(void **state)
{
	fill_absent();
	compare();
	for (unsigned int i = 0; i < 512; i++) {
		tbl[i] = PTE_P;
		compare();
		tbl[i] = 0;
	}
}

static void test_many(void **state)
{
	for (unsigned int round = 0; round < 200; round++) {
		unsigned int nr = fake_below(1 + round * 4);

		fill_absent();
		while (nr--)
			tbl[fake_below(512)] |= PTE_P;
		compare();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
