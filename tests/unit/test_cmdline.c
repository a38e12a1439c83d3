/* SPDX-License-Identifier: MIT */
#include "fake/fake.h"
#include <string.h>
#include "lib/cmdline.h"
#include "lib/errno.h"

static bool flag, noreboot;
static unsigned int number;
static u64 size;
static char text[8], custom[64], warnings[1024];

static int parse_custom(const char *v)
{
	snprintf(custom, sizeof(custom), "<%s>", v);
	return strcmp(v, "bad") ? 0 : -XEN_EINVAL;
}

static const struct cmdline_opt opts[] = {
	{"smap", OPT_BOOL, &flag, 0, NULL},
	{"noreboot", OPT_BOOL, &noreboot, 0, NULL},
	{"maxcpus", OPT_UINT, &number, 0, NULL},
	{"dom0_mem", OPT_SIZE, &size, 0, NULL},
	{"console", OPT_STRING, text, sizeof(text), NULL},
	{"com1", OPT_CUSTOM, NULL, 0, parse_custom},
};

static void warn(const char *what, const char *opt)
{
	snprintf(warnings + strlen(warnings), sizeof(warnings) - strlen(warnings), "%s;", opt);
}

static int parse(const char *line)
{
	flag = noreboot = false;
	number = 77;
	size = 78;
	strcpy(text, "old");
	strcpy(custom, "none");
	warnings[0] = '\0';
	return cmdline_parse(line, opts, ARRAY_SIZE(opts), warn);
}

static void test_empty(void **state)
{
	assert_int_equal(parse(""), 0);
	assert_int_equal(parse("  \t \n "), 0);
	assert_int_equal(number, 77);
}

static void test_bool(void **state)
{
	static const char *const yes[] = {"smap",      "smap=1",      "smap=yes",    "smap=on",
					  "smap=true", "smap=enable", "no-smap smap"};
	static const char *const no[] = {"smap no-smap",  "smap smap=0",     "smap smap=no",
					 "smap smap=off", "smap smap=false", "smap smap=disable"};

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		assert_int_equal(parse(yes[i]), 0);
		assert_true(flag);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		assert_int_equal(parse(no[i]), 0);
		assert_false(flag);
	}
	assert_int_equal(parse("noreboot"), 0);
	assert_true(noreboot);
	assert_int_equal(parse("noreboot no-noreboot"), 0);
	assert_false(noreboot);
	assert_int_equal(parse("smap=maybe"), 1);
	assert_string_equal(warnings, "smap=maybe;");
	assert_int_equal(parse("no-smap=1"), 1);
}

static void test_uint(void **state)
{
	assert_int_equal(parse("maxcpus=12"), 0);
	assert_int_equal(number, 12);
	assert_int_equal(parse("maxcpus=0x20"), 0);
	assert_int_equal(number, 32);
	assert_int_equal(parse("maxcpus=1 maxcpus=4294967295"), 0);
	assert_int_equal(number, 4294967295u);
	assert_int_equal(parse("maxcpus=4294967296 maxcpus=-1 maxcpus= maxcpus maxcpus=3x "
			       "no-maxcpus maxcpus=99999999999999999999999"),
			 7);
	assert_int_equal(number, 77);
}

static void test_size(void **state)
{
	static const struct {
		const char *s;
		u64 v;
	} good[] = {
		{"dom0_mem=512M", 512UL << 20}, {"dom0_mem=2g", 2UL << 30},
		{"dom0_mem=1T", 1UL << 40},	{"dom0_mem=100", 100UL << 10},
		{"dom0-mem=100k", 100UL << 10}, {"dom0_mem=4096b", 4096},
		{"dom0_mem=0x10M", 16UL << 20}, {"dom0_mem=99999999999999T", ~0UL},
	};
	const char *end;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse(good[i].s), 0);
		assert_int_equal(size, good[i].v);
	}
	assert_int_equal(parse("dom0_mem=M dom0_mem=-1M dom0_mem=5MM dom0_mem=5X dom0_mem"), 5);
	assert_int_equal(size, 78);
	assert_int_equal(cmdline_size("64M,max:128M", &end, 1), 64UL << 20);
	assert_string_equal(end, ",max:128M");
	assert_int_equal(cmdline_size("max:5", &end, 1), 0);
	assert_string_equal(end, "max:5");
}

static void test_string(void **state)
{
	assert_int_equal(parse("console=vga"), 0);
	assert_string_equal(text, "vga");
	assert_int_equal(parse("console=1234567"), 0);
	assert_string_equal(text, "1234567");
	assert_int_equal(parse("console=12345678 console no-console"), 3);
	assert_string_equal(text, "old");
	assert_int_equal(parse("console="), 0);
	assert_string_equal(text, "");
	assert_int_equal(parse("console=a=b"), 0);
	assert_string_equal(text, "a=b");
}

static void test_custom(void **state)
{
	assert_int_equal(parse("com1=115200,8n1"), 0);
	assert_string_equal(custom, "<115200,8n1>");
	assert_int_equal(parse("com1"), 0);
	assert_string_equal(custom, "<>");
	assert_int_equal(parse("no-com1"), 0);
	assert_string_equal(custom, "<no>");
	assert_int_equal(parse("com1=bad"), 1);
	assert_string_equal(warnings, "com1=bad;");
}

static void test_unknown(void **state)
{
	char line[2000];

	assert_int_equal(parse("  frob=1 smap -- maxcpus=2  no-frob\nsma smapp"), 5);
	assert_true(flag);
	assert_int_equal(number, 2);
	assert_string_equal(warnings, "frob=1;--;no-frob;sma;smapp;");
	memset(line, 'x', sizeof(line));
	strcpy(line + 1500, " maxcpus=3");
	assert_int_equal(parse(line), 1);
	assert_int_equal(number, 3);
	assert_int_equal(cmdline_parse("a b", opts, ARRAY_SIZE(opts), NULL), 2);
}

static void test_random(void **state)
{
	char line[200];

	for (int i = 0; i < 20000; i++) {
		unsigned int n = fake_below(sizeof(line) - 1);

		for (unsigned int k = 0; k < n; k++)
			line[k] = "smapcom1=-no 0x9M,\t"[fake_below(19)];
		line[n] = '\0';
		parse(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	cmocka_unit_test(test_bool),
		cmocka_unit_test(test_uint),	cmocka_unit_test(test_size),
		cmocka_unit_test(test_string),	cmocka_unit_test(test_custom),
		cmocka_unit_test(test_unknown), cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
