/* SPDX-License-Identifier: MIT */
/* The log: levels, long lines, and the limit on what guests may print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "lib/errno.h"
#include "lib/log.h"

static char out[65536];
static size_t out_len;
static s64 now;

static void sink(const char *s, size_t n)
{
	assert_true(out_len + n < sizeof(out));
	memcpy(out + out_len, s, n);
	out_len += n;
	out[out_len] = '\0';
}

static s64 fake_clock(void)
{
	return now;
}

static int setup(void **state)
{
	log_sink = sink;
	log_clock = fake_clock;
	now += 3600 * 1000000000LL;
	assert_int_equal(log_set_level("info"), 0);
	assert_int_equal(log_set_guest_level("warning"), 0);
	glog_err("x"); /* collects what an earlier test left suppressed */
	now += 3600 * 1000000000LL;
	out_len = 0;
	out[0] = '\0';
	return 0;
}

static unsigned int lines(const char *text)
{
	unsigned int n = 0;

	for (const char *p = out; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

static void levels(void **state)
{
	pr_err("e\n");
	pr_debug("d\n");
	assert_string_equal(out, "e\n");
	assert_int_equal(log_set_level("all"), 0);
	pr_debug("%s%d\n", "d", 2);
	assert_string_equal(out, "e\nd2\n");
	assert_int_equal(log_set_level("none"), 0);
	pr_err("no\n");
	assert_string_equal(out, "e\nd2\n");
	assert_int_equal(log_set_level("error/warning"), 0);
	pr_warn("w\n");
	pr_info("i\n");
	assert_string_equal(out, "e\nd2\nw\n");
}

static void bad_levels(void **state)
{
	static const char *const bad[] = {"", "loud", "info/", "/info", "infos", "inf", "info/x"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(log_set_level(bad[i]), -XEN_EINVAL);
	pr_info("still\n");
	assert_string_equal(out, "still\n");
}

static void long_line(void **state)
{
	char big[2000];

	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	pr_info("%s\n", big);
	assert_true(out_len < 600);
	assert_int_equal(out[out_len - 1], '\n');
}

static void no_sink(void **state)
{
	log_sink = NULL;
	pr_err("x\n");
	glog_err("x\n");
}

static void guests_are_limited(void **state)
{
	for (unsigned int i = 0; i < 1000; i++)
		glog_warn("bad %u\n", i);
	assert_int_equal(lines("bad"), 10);
	now += 500000000;
	glog_warn("bad again\n");
	glog_warn("bad too\n");
	assert_int_equal(lines("bad"), 11);
	assert_int_equal(lines("990 messages"), 1);
	now += 3600 * 1000000000LL; /* a long pause gives no more than one burst */
	for (unsigned int i = 0; i < 1000; i++)
		glog_err("bad\n");
	assert_int_equal(lines("bad"), 21);
	pr_info("mine\n"); /* ours is not limited */
	assert_int_equal(lines("mine"), 1);
}

static void guest_levels(void **state)
{
	glog_info("quiet\n");
	assert_int_equal(out_len, 0);
	assert_int_equal(log_set_guest_level("none/info"), 0);
	glog_info("loud\n");
	assert_string_equal(out, "loud\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(levels, setup),
		cmocka_unit_test_setup(bad_levels, setup),
		cmocka_unit_test_setup(long_line, setup),
		cmocka_unit_test_setup(no_sink, setup),
		cmocka_unit_test_setup(guests_are_limited, setup),
		cmocka_unit_test_setup(guest_levels, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
