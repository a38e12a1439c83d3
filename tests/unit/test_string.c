/* SPDX-License-Identifier: MIT */
/* Ours (under other names) beside the C library's, at every length and alignment that can matter. */
#include "fake/fake.h"
#include <string.h>
#include "lib/string.h"

void *hv_memcpy(void *dst, const void *src, size_t n);
void *hv_memmove(void *dst, const void *src, size_t n);
void *hv_memset(void *dst, int c, size_t n);
int hv_memcmp(const void *a, const void *b, size_t n);
void *hv_memchr(const void *s, int c, size_t n);
size_t hv_strlen(const char *s);
size_t hv_strnlen(const char *s, size_t n);
int hv_strcmp(const char *a, const char *b);
int hv_strncmp(const char *a, const char *b, size_t n);
char *hv_strchr(const char *s, int c);
char *hv_strstr(const char *s, const char *needle);

#define SIZE 512

static u8 a[SIZE], b[SIZE], c[SIZE];

static void fill(u8 *p)
{
	for (int i = 0; i < SIZE; i++)
		p[i] = (u8)fake_random();
}

static const size_t lengths[] = {0,  1,	 2,  3,	  4,   5,   6,	 7,   8,   9,	10, 15,
				 16, 17, 23, 24,  25,  31,  32,	 33,  47,  48,	55, 56,
				 57, 63, 64, 65,  66,  71,  72,	 73,  79,  80,	81, 95,
				 96, 97, 99, 127, 128, 129, 200, 255, 256, 257, 300};

static void test_copy(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		for (size_t to = 0; to < 17; to++)
			for (size_t from = 0; from < 17; from++) {
				fill(a);
				memcpy(b, a, SIZE);
				fill(c);
				assert_ptr_equal(hv_memcpy(a + to, c + from, lengths[i]), a + to);
				memcpy(b + to, c + from, lengths[i]);
				assert_memory_equal(a, b, SIZE);
			}
}

static void test_move(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		for (size_t to = 0; to < 100; to += to < 20 ? 1 : 13)
			for (size_t from = 0; from < 100; from += from < 20 ? 1 : 11) {
				fill(a);
				memcpy(b, a, SIZE);
				assert_ptr_equal(hv_memmove(a + to, a + from, lengths[i]), a + to);
				memmove(b + to, b + from, lengths[i]);
				assert_memory_equal(a, b, SIZE);
			}
}

static void test_set(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		for (size_t to = 0; to < 17; to++) {
			fill(a);
			memcpy(b, a, SIZE);
			assert_ptr_equal(hv_memset(a + to, 0x1a5, lengths[i]), a + to);
			memset(b + to, 0xa5, lengths[i]);
			assert_memory_equal(a, b, SIZE);
		}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void test_compare(void **state)
{
	for (int round = 0; round < 20000; round++) {
		size_t n = fake_below(60);

		fill(a);
		memcpy(b, a, SIZE);
		if (fake_below(4))
			b[fake_below(60)] ^= (u8)(1u << fake_below(8));
		assert_int_equal(sign(hv_memcmp(a, b, n)), sign(memcmp(a, b, n)));
	}
}

static void random_text(char *s, unsigned int most)
{
	unsigned int n = fake_below(most);

	for (unsigned int i = 0; i < n; i++)
		s[i] = "abc\xe9"[fake_below(4)];
	s[n] = '\0';
}

static void test_texts(void **state)
{
	char s[32], t[32];

	for (int round = 0; round < 50000; round++) {
		size_t n = fake_below(34);
		int ch = "abc\xe9z"[fake_below(5)];

		random_text(s, 30);
		random_text(t, fake_below(2) ? 4 : 30);
		assert_int_equal(hv_strlen(s), strlen(s));
		assert_int_equal(hv_strnlen(s, n), strnlen(s, n));
		assert_int_equal(sign(hv_strcmp(s, t)), sign(strcmp(s, t)));
		assert_int_equal(sign(hv_strncmp(s, t, n)), sign(strncmp(s, t, n)));
		assert_ptr_equal(hv_strchr(s, ch), strchr(s, ch));
		assert_ptr_equal(hv_strchr(s, 0), strchr(s, 0));
		assert_ptr_equal(hv_strstr(s, t), strstr(s, t));
		assert_ptr_equal(hv_memchr(s, ch, strlen(s)), memchr(s, ch, strlen(s)));
	}
}

static void test_strlcpy(void **state)
{
	char d[8];

	assert_int_equal(strlcpy(d, "abc", sizeof(d)), 3);
	assert_string_equal(d, "abc");
	assert_int_equal(strlcat(d, "defghi", sizeof(d)), 9);
	assert_string_equal(d, "abcdefg");
	assert_int_equal(strlcpy(d, "0123456789", sizeof(d)), 10);
	assert_string_equal(d, "0123456");
	assert_int_equal(strlcpy(d, "x", 0), 1);
	assert_string_equal(d, "0123456");
	assert_int_equal(strlcpy(d, "x", 1), 1);
	assert_string_equal(d, "");
	memset(d, 'y', sizeof(d));
	assert_int_equal(strlcat(d, "ab", sizeof(d)), 10);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *s;
		unsigned long v;
		const char *rest;
	} t[] = {
		{"0", 0, ""},
		{"123x", 123, "x"},
		{"0x1Fg", 31, "g"},
		{"0X", 0, "X"},
		{"0xg", 0, "xg"},
		{"0778", 63, "8"},
		{"", 0, ""},
		{"-5", 0, "-5"},
		{"abc", 0, "abc"},
		{"18446744073709551615", ~0UL, ""},
		{"18446744073709551616,", ~0UL, ","},
		{"0xfffffffffffffffff ", ~0UL, " "},
		{"0x8000000000000000", 1UL << 63, ""},
	};
	const char *end;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(strtoul(t[i].s, &end), t[i].v);
		assert_string_equal(end, t[i].rest);
		assert_int_equal(strtoul(t[i].s, NULL), t[i].v);
	}
}

static void test_clear(void **state)
{
	_Alignas(64) unsigned char page[64 * 9], want[sizeof(page)];

	for (size_t n = 0; n <= 7; n++) {
		memset(page, 0x5a, sizeof(page));
		memset(want, 0x5a, sizeof(want));
		memset(want + 64, 0, 64 * n);
		clear_lines(page + 64, 64 * n);
		assert_memory_equal(page, want, sizeof(page));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),	cmocka_unit_test(test_move),
		cmocka_unit_test(test_set),	cmocka_unit_test(test_compare),
		cmocka_unit_test(test_texts),	cmocka_unit_test(test_strlcpy),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}
