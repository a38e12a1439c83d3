/* SPDX-License-Identifier: MIT */
/* What a loader or firmware hands over and should not: each bound of the parsers, one by one. */
#include "fake/fake.h"
#include <stdlib.h>
#include <string.h>
#include "boot/boot.h"
#include "boot/efi/mbi.h"
#include "boot/mb2.h"
#include "mm/e820.h"
#include "plat/efi.h"

#define INFO  0x10000
#define TEXTS 0x20000

struct boot_e820 boot_e820;
struct efi_region efi_regions[EFI_MAX_REGIONS];
unsigned int efi_nr_regions;
static u64 info;
static u32 used;

static char *at(paddr_t pa)
{
	return test_directmap + pa;
}

static void put32(paddr_t pa, unsigned int field, u32 v)
{
	memcpy(at(pa) + 4 * field, &v, 4);
}

static void begin_at(u64 pa)
{
	fake_ram_reset();
	memset(&boot_info, 0, sizeof(boot_info));
	memset(&boot_e820, 0, sizeof(boot_e820));
	efi_nr_regions = 0;
	info = pa;
	used = 8;
}

static int setup(void **state)
{
	begin_at(INFO);
	return 0;
}

/* --- multiboot2 --- */

/* One more tag; room for its words even when it says that it has none. */
static u32 *tag(u32 type, u32 size)
{
	u32 *t = (u32 *)at(info + used);

	t[0] = type;
	t[1] = size;
	used += ROUND_UP(max(size, 8u), 8u);
	return t + 2;
}

static void text_tag(u32 type, const char *s)
{
	strcpy((char *)tag(type, 8 + (u32)strlen(s) + 1), s);
}

static void parse_total(u32 total)
{
	put32(info, 0, total);
	mb2_parse(info);
}

static void parse(void)
{
	tag(TAG_END, 8);
	parse_total(used);
}

static void test_short_tags(void **state)
{
	u32 *t = tag(TAG_MODULE, 12);

	t[0] = 0x1000;
	t[1] = 0x2000; /* behind its end */
	t = tag(TAG_FB, 16);
	t[0] = 0x80000000;
	t = tag(TAG_EFI64, 8);
	tag(99, 16);
	parse();
	assert_int_equal(boot_info.nr_modules, 0);
	assert_int_equal(boot_info.fb.addr, 0);
	assert_true(boot_info.efi);
	assert_int_equal(boot_info.efi_systab, 0);
}

static void test_framebuffer_without_colours(void **state)
{
	u32 *t = tag(TAG_FB, 32);

	t[0] = 0x80000000;
	((u8 *)t)[21] = SCREEN_FB_RGB;
	parse();
	assert_int_equal(boot_info.fb.addr, 0x80000000);
	assert_int_equal(boot_info.fb.type, 0);
}

static void map_tag(u32 size, u32 entry_size)
{
	u32 *t = tag(TAG_MMAP, size);

	t[0] = entry_size;
	memcpy(t + 2, (u64[]){0, 0xa0000, E820_RAM, 0x100000, 0x10000, E820_RAM}, 48);
}

static void test_map_entries(void **state)
{
	map_tag(16 + 48, 8); /* too small to be entries */
	parse();
	assert_int_equal(boot_e820.nr, 0);
	setup(NULL);
	map_tag(16 + 24 + 16, 24); /* one and a part */
	parse();
	assert_int_equal(boot_e820.nr, 1);
	setup(NULL);
	map_tag(16 + 48, 24);
	parse();
	assert_int_equal(boot_e820.nr, 2);
}

static void test_rsdp(void **state)
{
	memset(tag(TAG_ACPI_NEW, 8 + 64), 'N', 64);
	memset(tag(TAG_ACPI_OLD, 8 + 20), 'O', 20);
	parse();
	assert_int_equal(boot_info.rsdp[0], 'N');
	assert_int_equal(boot_info.rsdp[35], 'N');
	assert_int_equal(boot_info.fb.addr, 0);
	assert_int_equal(boot_info.fb.type, 0);
}

static void test_sizes_of_tags(void **state)
{
	tag(99, 0); /* would be looked at for ever */
	text_tag(TAG_CMDLINE, "x");
	parse();
	assert_string_equal(boot_info.cmdline, "");
	setup(NULL);
	text_tag(TAG_LOADER, "whole");
	text_tag(TAG_CMDLINE, "longer than all");
	parse_total(used - 8);
	assert_string_equal(boot_info.loader, "whole");
	assert_string_equal(boot_info.cmdline, "");
	setup(NULL);
	tag(99, 9);
	text_tag(TAG_CMDLINE, "aligned");
	parse();
	assert_string_equal(boot_info.cmdline, "aligned");
}

static void test_not_endless(void **state)
{
	tag(99, (16u << 20) - 8);
	text_tag(TAG_CMDLINE, "far away");
	parse();
	assert_string_equal(boot_info.cmdline, "");
}

static void test_end_of_what_is_mapped(void **state)
{
	begin_at(BOOT_MAPPED - 64);
	text_tag(TAG_LOADER, "inside");
	text_tag(TAG_CMDLINE, "a text that begins below four GiB, and ends above");
	parse();
	assert_string_equal(boot_info.loader, "inside");
	assert_string_equal(boot_info.cmdline, "");
}

/* --- multiboot1 --- */

static const u32 mmap[] = {24, 0, 0, 0xa0000, 0, 1, 0, 20, 0x100000, 0, 0x700000, 0, 1};

static void map_at(u64 pa, u32 length)
{
	put32(INFO, 0, 1 << 6);
	put32(INFO, 11, length);
	put32(INFO, 12, (u32)pa);
	memcpy(at(pa), mmap, sizeof(mmap));
}

static void test_mb1_map(void **state)
{
	map_at(TEXTS, sizeof(mmap));
	/* Sizes are for who has no map. */
	put32(INFO, 0, 1 << 6 | 1);
	put32(INFO, 1, 639);
	put32(INFO, 2, 1024);
	mb1_parse(INFO);
	assert_int_equal(boot_e820.nr, 2);
	assert_int_equal(boot_e820.e[1].addr, 0x100000);
	assert_int_equal(boot_e820.e[1].size, 0x700000);
	setup(NULL);
	map_at(TEXTS, sizeof(mmap) - 8);
	mb1_parse(INFO);
	assert_int_equal(boot_e820.nr, 1);
	setup(NULL);
	map_at(BOOT_MAPPED - 40, sizeof(mmap));
	mb1_parse(INFO);
	assert_int_equal(boot_e820.nr, 0);
}

static void test_mb1_end_of_what_is_mapped(void **state)
{
	begin_at(BOOT_MAPPED - 64);
	put32(info, 0, 1);
	put32(info, 1, 639);
	mb1_parse(info);
	assert_int_equal(boot_info.nr_ram, 0);
	setup(NULL);
	put32(INFO, 0, 1 << 2 | 1 << 9);
	put32(INFO, 4, (u32)(BOOT_MAPPED - 4));
	put32(INFO, 16, TEXTS);
	strcpy(at(TEXTS), "GRUB 2.06");
	strcpy(at(BOOT_MAPPED - 4), "abcdefgh");
	mb1_parse(INFO);
	assert_string_equal(boot_info.cmdline, "abcd");
}

/* Who does not say who he is is taken for one that begins with a file's name. */
static void test_mb1_without_loader(void **state)
{
	put32(INFO, 0, 1 << 2);
	put32(INFO, 4, TEXTS);
	strcpy(at(TEXTS), "/boot/domus noreboot");
	mb1_parse(INFO);
	assert_string_equal(boot_info.cmdline, "noreboot");
}

/* --- what both fill --- */

static void test_texts(void **state)
{
	char *small = malloc(8), *text = malloc(4);

	memcpy(text, "abcd", 4);
	boot_copy_text(small, 8, "0123456789", 10);
	assert_string_equal(small, "0123456");
	boot_copy_text(small, 8, text, 4); /* has no end: the sanitizer watches */
	assert_string_equal(small, "abcd");
	free(small);
	free(text);
}

static void test_too_many(void **state)
{
	for (unsigned int i = 0; i < BOOT_MAX_MODULES; i++)
		assert_non_null(boot_add_module(0x1000, 0x2000));
	assert_null(boot_add_module(0x1000, 0x2000));
	assert_int_equal(boot_info.nr_modules, BOOT_MAX_MODULES);
	boot_add_memory(-0x1000ull, 0x2000, E820_RAM);
	assert_int_equal(boot_info.nr_lost, 1);
	assert_int_equal(boot_info.nr_ram, 0);
}

static void test_map_of_firmware(void **state)
{
	struct efi_memory_desc d = {EFI_CONVENTIONAL, 0, 0x100000, 0, (1ull << 52) + 1, EFI_MEMORY_WB};

	efi_map_parse(&d, sizeof(d), sizeof(d));
	d.pages = 1;
	d.start = 0x100800;
	efi_map_parse(&d, sizeof(d), sizeof(d));
	assert_int_equal(boot_e820.nr, 0);
	d.start = 0x100000;
	efi_map_parse(&d, sizeof(d), sizeof(d));
	assert_int_equal(boot_e820.nr, 1);
}

/* The firmware's map has grown since its size was asked for: there is room for the end all the same. */
static void test_information_too_long(void **state)
{
	char *buf = malloc(256);
	struct mbi m;
	size_t room;

	mbi_begin(&m, buf, 256);
	assert_non_null(mbi_map_room(&m, &room));
	mbi_map_end(&m, room + 8, sizeof(struct efi_memory_desc), 1);
	assert_true(m.full);
	free(buf);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(test_short_tags),
		T(test_framebuffer_without_colours),
		T(test_map_entries),
		T(test_rsdp),
		T(test_sizes_of_tags),
		T(test_not_endless),
		T(test_end_of_what_is_mapped),
		T(test_mb1_map),
		T(test_mb1_end_of_what_is_mapped),
		T(test_mb1_without_loader),
		T(test_texts),
		T(test_too_many),
		T(test_map_of_firmware),
		T(test_information_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
