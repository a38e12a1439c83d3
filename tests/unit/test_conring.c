/* SPDX-License-Identifier: MIT */
#include "fake/fake.h"
#include <stdio.h>
#include <string.h>
#include "plat/conring.h"

#define TEXT 16384u

static _Alignas(8) char mem[2][CONRING_BYTES(TEXT)];

static void write_lines(unsigned int from, unsigned int to)
{
	char line[32];

	for (unsigned int i = from; i < to; i++) {
		int n = snprintf(line, sizeof(line), "line %06u\n", i);

		conring_write(line, (size_t)n);
	}
}

/* All that a reader gets from the start, as a string. */
static char *all(void)
{
	static char buf[TEXT + 1];
	u32 pos = conring_start();
	size_t n = conring_read_new(buf, TEXT, &pos);

	assert_int_equal(pos, conring_end());
	buf[n] = 0;
	return buf;
}

/* One after the other: the ring is one object. */
static void test_life(void **state)
{
	char buf[256];
	u32 pos = conring_end();
	size_t n;

	write_lines(0, 10);
	assert_string_equal(all() + 9 * 12, "line 000009\n");
	conring_move(mem[0], TEXT);
	assert_string_equal(all() + 9 * 12, "line 000009\n");
	assert_memory_equal(all(), "line 000000\n", 12);
	write_lines(10, 20);
	assert_int_equal(conring_read(buf, 24, &pos), 24);
	assert_memory_equal(buf, "line 000000\nline 000001\n", 24);
	assert_int_equal(conring_read(buf, sizeof(buf), &pos), 18 * 12);
	pos = conring_tail(3);
	assert_int_equal(conring_read(buf, sizeof(buf), &pos), 36);
	assert_memory_equal(buf, "line 000017\n", 12);
	pos = conring_tail(100);
	assert_int_equal(pos, conring_start());
	/* What a reader has cleared stays for the report of a crash and for the next boot. */
	conring_clear();
	assert_string_equal(all(), "");
	pos = conring_tail(3);
	assert_int_equal(conring_read(buf, sizeof(buf), &pos), 36);
	assert_memory_equal(buf, "line 000017\n", 12);
	pos = conring_tail(3);
	assert_int_equal(conring_read_new(buf, sizeof(buf), &pos), 0);
	n = conring_previous(mem[0], TEXT, buf, 40);
	assert_int_equal(n, 36);
	assert_memory_equal(buf, "line 000017\nline 000018\nline 000019\n", 36);
}

static void test_overflow(void **state)
{
	static char buf[TEXT];
	u32 pos = conring_start();
	size_t n;

	write_lines(20, 5000);
	assert_int_equal(strlen(all()), TEXT);
	/* A reader that was left behind goes on with the oldest. */
	assert_int_equal(conring_read(buf, 12, &pos), 12);
	assert_int_equal(conring_end() - pos, TEXT - 12);
	n = conring_previous(mem[0], TEXT, buf, sizeof(buf));
	assert_true(n > TEXT - 12 && n <= TEXT);
	assert_memory_equal(buf, "line ", 5);
	assert_memory_equal(buf + n - 12, "line 004999\n", 12);
}

static void test_damage(void **state)
{
	char buf[64];

	assert_true(conring_previous(mem[0], TEXT, buf, sizeof(buf)) > 0);
	for (size_t i = 0; i < sizeof(mem[0]); i++) {
		/* Of the head everything but the padding matters, and each byte of text. */
		if (i >= 28 && i < 60)
			continue;
		mem[0][i] ^= 0x10;
		assert_int_equal(conring_previous(mem[0], TEXT, buf, sizeof(buf)), 0);
		mem[0][i] ^= 0x10;
		if (i > 200)
			i += 97;
	}
	/* Two bytes changed places. */
	mem[0][100] = 'x';
	assert_int_equal(conring_previous(mem[0], TEXT, buf, sizeof(buf)), 0);
	/* A crash stopped the writer there: what the ring has now is shown. */
	conring_repair();
	assert_true(conring_previous(mem[0], TEXT, buf, sizeof(buf)) > 0);
	assert_int_equal(conring_previous(mem[0], TEXT / 2, buf, sizeof(buf)), 0);
	assert_int_equal(conring_previous(mem[1], TEXT, buf, sizeof(buf)), 0);
	memset(mem[1], 0xff, sizeof(mem[1]));
	assert_int_equal(conring_previous(mem[1], TEXT, buf, sizeof(buf)), 0);
}

static void test_in_order(void **state)
{
	char buf[64];

	conring_move(mem[1], TEXT);
	write_lines(0, 1);
	assert_true(conring_previous(mem[1], TEXT, buf, sizeof(buf)) > 0);
	conring_end_in_order();
	assert_int_equal(conring_previous(mem[1], TEXT, buf, sizeof(buf)), 0);
	assert_string_equal(all() + strlen(all()) - 12, "line 000000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
