/* SPDX-License-Identifier: MIT */
/* Ours beside the C library's. */
#include "fake/fake.h"
#include <string.h>
#include "lib/printf.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-overflow"
#pragma GCC diagnostic ignored "-Wformat-zero-length"
#pragma GCC diagnostic ignored "-Wformat-truncation"

static char ours[8192], theirs[8192];

#define BOTH(...)                                                      \
	do {                                                           \
		int a = hv_snprintf(ours, sizeof(ours), __VA_ARGS__);  \
		int b = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
		assert_string_equal(ours, theirs);                     \
		assert_int_equal(a, b);                                \
	} while (0)

static void test_plain(void **state)
{
	BOTH("");
	BOTH("text");
	BOTH("100%%");
	BOTH("%c%c", 'a', 'b');
	BOTH("%5c|%-5c|", 'a', 'b');
	BOTH("%s|%10s|%-10s|%.2s|%10.3s|%.0s|%.*s", "abc", "abc", "abc", "abc", "abcdef", "abc", 2,
	     "xyz");
	BOTH("%s", "");
	assert_int_equal(hv_snprintf(ours, sizeof(ours), "%s", (char *)NULL), 6);
	assert_string_equal(ours, "(null)");
}

/* Every flag, width, precision and length with every conversion, over numbers that matter. */
static void test_numbers(void **state)
{
	static const char *const flags[] = {"",	  "-",	"+",  " ",  "0",  "#",
					    "-0", "+0", "#0", "-#", "+ ", "0 "};
	static const char *const widths[] = {"", "1", "7", "30"};
	static const char *const precs[] = {"", ".", ".0", ".1", ".5", ".25"};
	static const char *const lengths[] = {"hh", "h", "", "l", "ll", "z", "j", "t"};
	static const u64 values[] = {
		0,	   1,	  9,	 10,	     127,	 128,	     255,
		32767,	   32768, 65535, 0x7fffffff, 0x80000000, 0xffffffff, 0x123456789abcdef0,
		1UL << 63, ~0UL};
	char fmt[32];

	for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
		for (size_t w = 0; w < ARRAY_SIZE(widths) * ARRAY_SIZE(precs); w++)
			for (size_t l = 0; l < ARRAY_SIZE(lengths) * 6; l++) {
				snprintf(fmt, sizeof(fmt), "[%%%s%s%s%s%c]", flags[f],
					 widths[w / ARRAY_SIZE(precs)],
					 precs[w % ARRAY_SIZE(precs)], lengths[l / 6],
					 "diuxXo"[l % 6]);
				for (size_t v = 0; v < ARRAY_SIZE(values); v++)
					BOTH(fmt, values[v]);
			}
}

static void test_stars(void **state)
{
	BOTH("%*d|%-*d|%*d|%.*d|%.*d|%*.*x", 8, 5, 8, 5, -8, 5, 4, 5, -4, 5, 10, 6, 0xabc);
	BOTH("%*s|%.*s", 4, "a", -1, "abc");
}

static void test_size(void **state)
{
	char buf[8];

	memset(buf, 'x', sizeof(buf));
	assert_int_equal(hv_snprintf(buf, 4, "abcdef"), 6);
	assert_memory_equal(buf, "abc\0xxxx", 8);
	assert_int_equal(hv_snprintf(buf, 1, "%d", 12345), 5);
	assert_memory_equal(buf, "\0bc", 3);
	assert_int_equal(hv_snprintf(NULL, 0, "%d", 12345), 5);
	assert_int_equal(hv_snprintf(buf, 6, "%5d", 1), 5);
	assert_string_equal(buf, "    1");
	/* Widths and precisions are bounded. */
	assert_int_equal(hv_snprintf(buf, sizeof(buf), "%999999999999d", 1), 4096);
	assert_int_equal(hv_snprintf(buf, sizeof(buf), "%*d", INT_MIN, 1), 4096);
	assert_int_equal(hv_snprintf(buf, sizeof(buf), "%.99999d", 1), 4096);
}

static int symbol(char *buf, size_t size, unsigned long addr)
{
	return addr == 0x1234 ? snprintf(buf, size, "main+0x4/0x10") : 0;
}

static void test_pointer(void **state)
{
	hv_snprintf(ours, sizeof(ours), "%p", (void *)0x1234);
	assert_string_equal(ours, "0000000000001234");
	hv_snprintf(ours, sizeof(ours), "%pS.", (void *)0x1234);
	assert_string_equal(ours, "0000000000001234.");
	printf_symbol_hook = symbol;
	hv_snprintf(ours, sizeof(ours), "<%pS> <%p> <%pS>", (void *)0x1234, (void *)0x1234,
		    (void *)5);
	assert_string_equal(ours, "<main+0x4/0x10> <0000000000001234> <0000000000000005>");
	printf_symbol_hook = NULL;
}

static void test_odd(void **state)
{
	assert_int_equal(hv_snprintf(ours, sizeof(ours), "abc%"), 3);
	assert_int_equal(hv_snprintf(ours, sizeof(ours), "%l"), 0);
	assert_int_equal(hv_snprintf(ours, sizeof(ours), "%y|"), 3);
	assert_string_equal(ours, "%y|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_stars),	cmocka_unit_test(test_size),
		cmocka_unit_test(test_pointer), cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests_name("printf", tests, NULL, NULL);
}
