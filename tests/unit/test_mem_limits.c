/* SPDX-License-Identifier: MIT */
#include "fake/fake.h"
#include "lib/errno.h"
#include "lib/mem_limits.h"

#define MB(n)	((n) * 256UL)
#define FALLBACK 77UL

static void test_pages(void **state)
{
	static const struct {
		const char *text;
		unsigned long avail, pages;
	} c[] = {
		{"", MB(1000), FALLBACK},
		{"512M", MB(1000), MB(512)},
		{"1G", MB(100), MB(1024)}, /* the caller says that there is not so much */
		{"1024", MB(100), MB(1)},
		{"-100M", MB(1000), MB(900)},
		{"-100M", MB(50), 0},
		{"50%", MB(1000), MB(500)},
		{"50%", 3, 1},
		{"100%", 12345, 12345},
		{"0%", MB(10), 0},
		{"-25%", MB(1000), MB(750)},
		{"100M+10%", MB(1000), MB(200)},
		{"-100M+10%", MB(1000), MB(800)},
		{"50%,max:512M", MB(2000), MB(512)},
		{"50%,max:512M", MB(480), MB(240)},
		{"max:512M,50%", MB(480), MB(240)},
		{"max:10%", MB(1), 25}, /* of 256 pages; below the fallback */
		{"max:512M", MB(1000), FALLBACK},
		{"min:1M", MB(1000), MB(1)},
		{"min:1M,max:3M,50%", MB(4), MB(2)},
		{"min:3M,max:2M,50%", MB(4), MB(2)},
		{"1M,2M", MB(4), MB(2)},
		{"1M,", MB(4), MB(1)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		struct mem_limits l = {0};

		assert_int_equal(mem_limits_parse(c[i].text, &l), 0);
		assert_int_equal(mem_limits_pages(&l, c[i].avail, FALLBACK), c[i].pages);
	}
}

static void test_bad(void **state)
{
	static const char *const bad[] = {"banana", "%",	  "-",	  "101%", "512M+",   "512M+5", "max:",
					  "max:x",  "512M;1G", "50%%", "--1M", "max:1M x", "min:",   ",",
					  "5X",	    "512M+5%%"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mem_limits l = {.size = {.bytes = 4096, .given = true}};

		assert_int_equal(mem_limits_parse(bad[i], &l), -XEN_EINVAL);
		assert_int_equal(mem_limits_pages(&l, 1000, 0), 1);
	}
}

static void test_extremes(void **state)
{
	struct mem_limits l = {0};

	assert_int_equal(mem_limits_parse("99999999999999999999T+100%", &l), 0);
	assert_true(mem_limits_pages(&l, 1UL << 40, 0) > 1UL << 40);
	assert_true(mem_limits_pages(&l, 1UL << 40, 0) < ~0UL / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
