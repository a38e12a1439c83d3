/* SPDX-License-Identifier: MIT */
/*
 * The whole UEFI loader over a firmware of our own, from its start to the jump into the hypervisor, with
 * every allocation failing once.
 */
#define _GNU_SOURCE
#include "efi_machine.h"

/* --- tests --- */

static void test_start(void **state)
{
	map_changes = 2;
	start();
	assert_true(result->entered);
	assert_string_equal(result->info.cmdline, "console=vga x");
	assert_string_equal(result->info.loader, "UEFI firmware");
	assert_int_equal(result->info.nr_modules, 2);
	assert_string_equal(result->info.module[0].args, " a b");
	assert_string_equal(result->kernel, "the kernel");
	assert_string_equal(result->ramdisk, "the ramdisk");
	assert_int_equal(result->entry % (2 << 20), 0x30);
	assert_int_equal(result->image, 0x0020000000200000); /* its header has come along */
	assert_int_equal(result->info.nr_ram, 2);
	assert_true(result->info.efi && result->info.efi_systab == (u64)&table);
	assert_int_equal(result->info.fb.bpp, 32);
	assert_true(result->info.fb.red[0] == 16 && result->info.fb.blue[0] == 0);
}

static void test_choices(void **state)
{
	/* A program's name in front, options that are not known, a section. */
	options = "fs0:\\x.EFI -what two";
	start();
	assert_true(result->entered);
	assert_int_equal(result->info.nr_modules, 1);
	assert_string_equal(result->kernel, "another");
	options = "-cfg=\\other";
	expect_failure("\\other: line 1 is neither");
	/* A boot manager's bytes are no words. */
	options = "two\x01";
	start();
	assert_string_equal(result->kernel, "the kernel");
	options = "three";
	expect_failure("there is no section [three]");
	/* Not at the place that it wants: at another multiple of 2 MiB. */
	setup(NULL);
	no_place = true;
	start();
	assert_true(result->entered);
	assert_int_equal(result->entry % (2 << 20), 0x30);
	setup(NULL);
	read_limit = 3;
	start();
	assert_string_equal(result->ramdisk, "the ramdisk");
}

static void test_screens(void **state)
{
	format = EFI_PIXEL_RGB;
	start();
	assert_true(result->info.fb.red[0] == 0 && result->info.fb.blue[0] == 16);
	format = EFI_PIXEL_MASKS;
	start();
	assert_true(result->info.fb.red[0] == 10 && result->info.fb.red[1] == 5);
	format = EFI_PIXEL_BLT_ONLY;
	start();
	assert_true(result->entered && !result->info.fb.type);
	no_screen = true;
	start();
	assert_true(result->entered && !result->info.fb.type);
}

static void test_complaints(void **state)
{
	static const struct {
		const char *config, *text;
	} bad[] = {
		{"", "there is no section to start"},
		{"[one]\nkernel\n", "domus.cfg: line 2 is neither"},
		{"[one]\noptions=x\n", "section [one] names no kernel="},
		{"[one]\nkernel=absent\n", "absent: not found"},
		{"[one]\nkernel=empty\n", "empty: it ends too early"},
		{"[one]\nkernel=broken\n", "broken: the firmware cannot read it"},
		{"[one]\nkernel=vmlinuz\nramdisk=absent\n", "absent: not found"},
		{"[global]\ndefault=x\n[one]\nkernel=vmlinuz\n", "there is no section [x]"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct file now[] = {{HERE "domus.cfg", bad[i].config},
				     {HERE "vmlinuz", "k"},
				     {HERE "empty", ""},
				     {HERE "broken", "x"},
				     {}};

		files = now;
		/* An empty file is one that ends too early. */
		expect_failure(*bad[i].config ? bad[i].text : "domus.cfg: it ends too early");
	}
}

static void test_long(void **state)
{
	static const char *const keys[] = {"options", "kernel", "ramdisk"};
	static char config[4000];

	for (unsigned int i = 0; i < 3; i++) {
		struct file now[] = {{HERE "domus.cfg", config}, {HERE "vmlinuz", "k"}, {}};

		strcpy(config, i == 1 ? "[one]\n" : "[one]\nkernel=vmlinuz\n");
		strcat(strcat(config, keys[i]), "=");
		memset(config + strlen(config), 'x', 3000);
		files = now;
		expect_failure("is longer than");
		memset(config, 0, sizeof(config));
	}
}

static void test_no_configuration(void **state)
{
	static const struct file empty[] = {{}};
	static const struct file xen[] = {
		{"xen.cfg", CONFIG}, {"vmlinuz", "k"}, {"\\initrd", "r"}, {}};
	static const struct file named[] = {
		{"\\boot.cfg", CONFIG}, {"\\vmlinuz", "k"}, {"\\initrd", "r"}, {}};

	files = empty;
	expect_failure("neither boot.cfg nor domus.cfg nor xen.cfg is in \\EFI\\domus\\");
	no_volume = true;
	expect_failure("boot.cfg: the firmware cannot read it");
	setup(NULL);
	/* The firmware does not say where we come from: the root of its volume. */
	path_a = path_b = NULL;
	files = xen;
	start();
	assert_true(result->entered);
	path_a = "/boot.efi";
	files = named;
	start();
	assert_true(result->entered);
}

/* The file system says more than it then gives. */
static void test_cut_file(void **state)
{
	cut_reads = 2;
	expect_failure("vmlinuz: it ends too early");
}

static void test_firmware_stays(void **state)
{
	no_exit = true;
	start();
	assert_non_null(
		strstr(result->said, "the firmware does not let go: status 0x8000000000000002"));
	assert_non_null(strstr(result->said, "Halted"));
	assert_true(result->halted);
	/* Nothing of the firmware's after that. */
	assert_false(result->entered || result->stalled);
}

/* Each allocation fails once: said, and nothing is started. */
static void test_no_memory(void **state)
{
	for (fail_at = 1; fail_at < 20; fail_at++) {
		start();
		if (result->entered)
			break;
		assert_true(result->stalled);
		assert_non_null(strstr(result->said, "no memory below 4 GiB"));
	}
	/* Configuration, kernel, ramdisk, code, information; for the image there is a second try. */
	assert_int_equal(fail_at, 6);
	no_place = true;
	fail_at = 7;
	start();
	assert_false(result->entered);
}

/* --- our own image with sections --- */

static _Alignas(8) u8 pe[0x1000];

static void put_section(unsigned int i, const char *name, const char *text)
{
	u8 *s = pe + 0x80 + 24 + 40 * i, *data = pe + 0x400 + 0x100 * i;

	memcpy(s, name, strlen(name));
	memcpy(s + 8, &(u32){(u32)strlen(text)}, 4);
	memcpy(s + 12, &(u32){(u32)(data - pe)}, 4);
	memcpy(s + 16, &(u32){0x100}, 4);
	memcpy(data, text, strlen(text));
	pe[0x86] = (u8)(i + 1);
}

static void test_unified(void **state)
{
	static const struct file empty[] = {{}};

	files = empty;
	memcpy(pe, "MZ", 2);
	pe[0x3c] = 0x80;
	memcpy(pe + 0x80, "PE\0", 4);
	own_base = pe;
	own_size = sizeof(pe);
	put_section(0, ".config", "[one]\noptions=y\nkernel=-  quiet\n");
	put_section(1, ".kernel", "inside");
	put_section(2, ".ramdisk", "also inside");
	start();
	assert_true(result->entered);
	assert_string_equal(result->kernel, "inside");
	assert_string_equal(result->ramdisk, "also inside");
	assert_string_equal(result->info.cmdline, "y");
	fail_at = 1;
	expect_failure(".kernel: no memory below 4 GiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_start, setup),
		cmocka_unit_test_setup(test_choices, setup),
		cmocka_unit_test_setup(test_screens, setup),
		cmocka_unit_test_setup(test_complaints, setup),
		cmocka_unit_test_setup(test_long, setup),
		cmocka_unit_test_setup(test_no_configuration, setup),
		cmocka_unit_test_setup(test_cut_file, setup),
		cmocka_unit_test_setup(test_firmware_stays, setup),
		cmocka_unit_test_setup(test_no_memory, setup),
		cmocka_unit_test_setup(test_unified, setup),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
