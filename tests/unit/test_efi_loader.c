/* SPDX-License-Identifier: MIT */
/* The UEFI loader's pure parts: its configuration file, and the sections of its own image. */
#include "fake/fake.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "boot/efi/config.h"
#include "boot/efi/pe.h"

static const char text[] = "\xef\xbb\xbf# comment\r\n"
			   "[global]\r\n"
			   "default = two\r\n"
			   "\r\n"
			   "[one]\n"
			   "kernel=a\n"
			   "[ two ]\n"
			   "; comment\n"
			   "kern=no\n"
			   "options= console=com1,vga  dom0_mem=1G \n"
			   "kernel\t=\tvmlinuz quiet\n"
			   "kernel=second\n"
			   "empty=\n"
			   "ramdisk=initrd";

static const struct efi_config config = {text, sizeof(text)};

static void test_values(void **state)
{
	char out[64];
	unsigned int line;

	assert_int_equal(config_get(&config, "two", "options", out, sizeof(out), &line), CONFIG_FOUND);
	assert_string_equal(out, "console=com1,vga  dom0_mem=1G");
	assert_int_equal(line, 10);
	assert_int_equal(config_get(&config, "two", "kernel", out, sizeof(out), NULL), CONFIG_FOUND);
	assert_string_equal(out, "vmlinuz quiet");
	assert_int_equal(config_get(&config, "two", "ramdisk", out, sizeof(out), NULL), CONFIG_FOUND);
	assert_string_equal(out, "initrd");
	assert_int_equal(config_get(&config, "one", "kernel", out, sizeof(out), NULL), CONFIG_FOUND);
	assert_string_equal(out, "a");
	assert_int_equal(config_get(&config, "two", "empty", out, sizeof(out), NULL), CONFIG_ABSENT);
	assert_int_equal(config_get(&config, "one", "ramdisk", out, sizeof(out), NULL), CONFIG_ABSENT);
	assert_int_equal(config_get(&config, "two", "kernel", out, 13, NULL), CONFIG_TOO_LONG);
	assert_string_equal(out, "");
	assert_int_equal(config_get(&config, "two", "kernel", out, 14, NULL), CONFIG_FOUND);
}

static void test_sections(void **state)
{
	static const char plain[] = "x=1\n[global]\n[b]\n[c]\n";
	struct efi_config c = {plain, sizeof(plain)};
	char out[16];

	assert_true(config_section(&config, "", out, sizeof(out)));
	assert_string_equal(out, "two");
	assert_true(config_section(&config, "one", out, sizeof(out)));
	assert_string_equal(out, "one");
	assert_false(config_section(&config, "three", out, sizeof(out)));
	assert_string_equal(out, "three");
	assert_true(config_section(&c, "", out, sizeof(out)));
	assert_string_equal(out, "b");
	c = (struct efi_config){"[global]\ndefault=gone\n[b]\n", 26};
	assert_false(config_section(&c, "", out, sizeof(out)));
	assert_string_equal(out, "gone");
	c.size = 0;
	assert_false(config_section(&c, "", out, sizeof(out)));
	assert_string_equal(out, "");
}

static void test_bad_lines(void **state)
{
	static const struct {
		const char *text;
		unsigned int bad;
	} t[] = {
		{"[a]\nk=v\n", 0}, {"[a]\nnonsense\n", 2}, {"\n\n[a\n", 3}, {"[]\n", 1},
		{"[ab\n", 1},	   {"[", 1},		   {"=v\n", 1},	   {"", 0},		   {"#x\n;y\n ", 0}, {"PNG\x89", 1},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(config_bad_line(&(struct efi_config){t[i].text, strlen(t[i].text)}),
				 t[i].bad);
	assert_int_equal(config_bad_line(&config), 0);
}

/* Cut anywhere, in memory that ends there: the sanitizer watches. */
static void test_config_cut(void **state)
{
	for (size_t n = 0; n < sizeof(text); n++) {
		char *cut = malloc(n ? n : 1), out[64];
		struct efi_config c = {cut, n};

		memcpy(cut, text, n);
		config_bad_line(&c);
		config_section(&c, "", out, sizeof(out));
		config_get(&c, "two", "ramdisk", out, sizeof(out), NULL);
		free(cut);
	}
}

/* --- sections --- */

#define PE	 0x80
#define OPTIONAL 0xf0
#define TABLE	 (PE + 24 + OPTIONAL)
#define SIZE	 0x3000

static void put(u8 *p, u32 v, unsigned int n)
{
	memcpy(p, &v, n);
}

static u8 *make_image(void)
{
	u8 *m = calloc(1, SIZE);
	static const char *const names[] = {".text", ".config", ".kernelx", ".kernel"};

	memcpy(m, "MZ", 2);
	put(m + 0x3c, PE, 4);
	memcpy(m + PE, "PE\0\0", 4);
	put(m + PE + 6, 4, 2);
	put(m + PE + 20, OPTIONAL, 2);
	for (unsigned int i = 0; i < 4; i++) {
		u8 *s = m + TABLE + 40 * i;

		memcpy(s, names[i], strlen(names[i]));
		put(s + 8, 0x10 * i, 4); /* none of the first: then the size in the file counts */
		put(s + 12, 0x1000 + 0x100 * i, 4);
		put(s + 16, 0x200, 4);
	}
	return m;
}

static void test_pe(void **state)
{
	u8 *m = make_image();
	size_t n;

	assert_ptr_equal(pe_section(m, SIZE, ".text", &n), m + 0x1000);
	assert_int_equal(n, 0x200);
	assert_ptr_equal(pe_section(m, SIZE, ".config", &n), m + 0x1100);
	assert_int_equal(n, 0x10);
	assert_ptr_equal(pe_section(m, SIZE, ".kernelx", &n), m + 0x1200);
	assert_ptr_equal(pe_section(m, SIZE, ".kernel", &n), m + 0x1300);
	assert_null(pe_section(m, SIZE, ".ramdisk", &n));
	assert_null(pe_section(m, SIZE, ".kernelxyz", &n));
	/* Longer than a name can be, and what follows the name in the table fits. */
	assert_null(pe_section(m, SIZE, ".kernelx ", &n));
	/* There are no more bytes than the file has. */
	put(m + TABLE + 40 + 8, 0x300, 4);
	assert_ptr_equal(pe_section(m, SIZE, ".config", &n), m + 0x1100);
	assert_int_equal(n, 0x200);
	m[0] = 'X';
	assert_null(pe_section(m, SIZE, ".text", &n));
	free(m);
}

static void test_pe_nonsense(void **state)
{
	u8 *m = make_image();
	size_t n;

	put(m + TABLE + 40 + 12, SIZE - 8, 4); /* ends outside */
	assert_null(pe_section(m, SIZE, ".config", &n));
	put(m + TABLE + 40 + 12, ~0u, 4);
	assert_null(pe_section(m, SIZE, ".config", &n));
	put(m + PE + 6, 0xffff, 2);
	assert_null(pe_section(m, SIZE, ".none", &n));
	put(m + PE + 20, 0xffff, 2);
	assert_null(pe_section(m, SIZE, ".text", &n));
	put(m + 0x3c, ~0u, 4);
	assert_null(pe_section(m, SIZE, ".text", &n));
	m[0] = 'X';
	assert_null(pe_section(m, SIZE, ".text", &n));
	free(m);
}

static void test_pe_cut(void **state)
{
	u8 *m = make_image();

	for (size_t size = 0; size < 0x1400; size++) {
		u8 *cut = malloc(size ? size : 1);
		size_t n = 0;
		const void *s;

		memcpy(cut, m, size);
		s = pe_section(cut, size, ".kernel", &n);
		assert_true(!s || size >= 0x1330);
		free(cut);
	}
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	    cmocka_unit_test(test_sections),
		cmocka_unit_test(test_bad_lines),   cmocka_unit_test(test_config_cut),
		cmocka_unit_test(test_pe),	    cmocka_unit_test(test_pe_nonsense),
		cmocka_unit_test(test_pe_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
