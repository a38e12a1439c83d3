/* SPDX-License-Identifier: MIT */
/* What loaders hand over: both multiboot protocols, UEFI's memory map, and what is wrong with them. */
#include "fake/fake.h"
#include <stdlib.h>
#include <string.h>
#include "boot/boot.h"
#include "boot/efi/mbi.h"
#include "boot/mb2.h"
#include "mm/e820.h"
#include "plat/efi.h"

#define INFO	0x10000
#define TEXTS	0x20000
#define KERNEL	0x30000
#define EFI_TAG 17

struct boot_e820 boot_e820;
struct efi_region efi_regions[EFI_MAX_REGIONS];
unsigned int efi_nr_regions;

static char *at(paddr_t pa)
{
	return test_directmap + pa;
}

static int setup(void **state)
{
	fake_ram_reset();
	memset(&boot_info, 0, sizeof(boot_info));
	memset(&boot_e820, 0, sizeof(boot_e820));
	efi_nr_regions = 0;
	return 0;
}

static struct efi_memory_desc desc(u32 type, u64 start, u64 pages)
{
	return (struct efi_memory_desc){type, 0, start, 0, pages, EFI_MEMORY_WB};
}

static void check_e820(unsigned int i, u64 start, u64 end, u32 type)
{
	assert_true(i < boot_e820.nr);
	assert_int_equal(boot_e820.e[i].addr, start);
	assert_int_equal(boot_e820.e[i].addr + boot_e820.e[i].size, end);
	assert_int_equal(boot_e820.e[i].type, type);
}

/* --- UEFI's map --- */

static void test_map_is_sorted_and_joined(void **state)
{
	struct efi_memory_desc map[] = {
		desc(EFI_BOOT_SERVICES_DATA, 0x100000, 0x100), desc(EFI_CONVENTIONAL, 0x0, 0xa0),
		desc(EFI_RUNTIME_DATA, 0x300000, 0x10),	       desc(EFI_LOADER_CODE, 0x200000, 0x100),
		desc(EFI_ACPI_RECLAIM, 0x310000, 1),	       desc(EFI_ACPI_NVS, 0x311000, 1),
		desc(EFI_UNUSABLE, 0x312000, 1),
	};

	efi_map_parse(map, sizeof(map), sizeof(map[0]));
	assert_int_equal(boot_e820.nr, 6);
	check_e820(0, 0, 0xa0000, E820_RAM);
	check_e820(1, 0x100000, 0x300000, E820_RAM);
	check_e820(2, 0x300000, 0x310000, E820_RESERVED);
	check_e820(3, 0x310000, 0x311000, E820_ACPI);
	check_e820(4, 0x311000, 0x312000, E820_NVS);
	check_e820(5, 0x312000, 0x313000, E820_UNUSABLE);
	assert_int_equal(boot_info.nr_ram, 2);
	assert_int_equal(efi_nr_regions, 4);
	assert_int_equal(efi_regions[0].start, 0x300000);
	assert_int_equal(efi_regions[0].type, EFI_RUNTIME_DATA);
}

static void test_map_uncached_memory_is_no_ram(void **state)
{
	struct efi_memory_desc map[] = {desc(EFI_CONVENTIONAL, 0x100000, 16)};

	map[0].attr = 1;
	efi_map_parse(map, sizeof(map), sizeof(map[0]));
	assert_int_equal(boot_info.nr_ram, 0);
	check_e820(0, 0x100000, 0x110000, E820_RESERVED);
}

static void test_map_overlap_belongs_to_the_first(void **state)
{
	struct efi_memory_desc map[] = {
		desc(EFI_RESERVED, 0x100000, 0x10),
		desc(EFI_CONVENTIONAL, 0x108000, 0x10),
		desc(EFI_CONVENTIONAL, 0x101000, 2),
	};

	efi_map_parse(map, sizeof(map), sizeof(map[0]));
	check_e820(0, 0x100000, 0x110000, E820_RESERVED);
	check_e820(1, 0x110000, 0x118000, E820_RAM);
	assert_int_equal(boot_e820.nr, 2);
}

static void test_map_claimed_memory_is_no_ram(void **state)
{
	struct efi_memory_desc map[] = {
		desc(EFI_CONVENTIONAL, 0x100000, 0x10), desc(EFI_RUNTIME_DATA, 0x108000, 2),
		desc(EFI_CONVENTIONAL, 0x200000, 1),	desc(EFI_RUNTIME_CODE, 0x200000, 1),
	};

	efi_map_parse(map, sizeof(map), sizeof(map[0]));
	assert_int_equal(boot_info.nr_ram, 1);
	check_e820(0, 0x100000, 0x108000, E820_RAM);
	check_e820(1, 0x108000, 0x10a000, E820_RESERVED);
	check_e820(2, 0x200000, 0x201000, E820_RESERVED);
}

static void test_map_nonsense(void **state)
{
	struct efi_memory_desc map[] = {
		desc(EFI_CONVENTIONAL, 0x100000, 0),	      desc(EFI_CONVENTIONAL, 0x100800, 1),
		desc(EFI_CONVENTIONAL, 0x100000, ~0ull),      desc(EFI_CONVENTIONAL, -0x1000ull, 1),
		desc(EFI_CONVENTIONAL, 0x100000, 1ull << 51), desc(EFI_CONVENTIONAL, 0x2000, 1),
	};

	efi_map_parse(map, sizeof(map), sizeof(map[0]));
	assert_int_equal(boot_info.nr_ram, 2);
	check_e820(0, 0x2000, 0x3000, E820_RAM);
	setup(NULL);
	efi_map_parse(map, sizeof(map), sizeof(map[0]) - 8);
	efi_map_parse(map, sizeof(map), 0);
	efi_map_parse(map, sizeof(map), sizeof(map[0]) + 1);
	assert_int_equal(boot_e820.nr, 0);
}

/* A part of a descriptor at the end is not read: the sanitizer watches. */
static void test_map_truncated(void **state)
{
	for (size_t n = 0; n < 3 * sizeof(struct efi_memory_desc); n++) {
		struct efi_memory_desc *map = malloc(n ? n : 1);

		for (size_t i = 0; i < n / sizeof(*map); i++)
			map[i] = desc(EFI_CONVENTIONAL, 0x100000 * (i + 1), 1);
		setup(NULL);
		efi_map_parse(map, n, sizeof(*map));
		assert_int_equal(boot_info.nr_ram, n / sizeof(*map));
		free(map);
	}
}

static void test_map_of_many(void **state)
{
	static struct efi_memory_desc map[600];

	for (unsigned int i = 0; i < ARRAY_SIZE(map); i++)
		map[i] = desc(i % 2 ? EFI_RESERVED : EFI_CONVENTIONAL, 0x1000ull * i, 1);
	efi_map_parse(map, sizeof(map), sizeof(map[0]));
	assert_int_equal(boot_e820.nr, E820_MAX);
	assert_int_equal(boot_info.nr_ram, E820_MAX / 2);
	assert_int_equal(boot_info.nr_lost, ARRAY_SIZE(map) - E820_MAX);
	assert_int_equal(efi_nr_regions, EFI_MAX_REGIONS);
}

/* --- what our own loader writes, read by the hypervisor --- */

static void write_info(struct mbi *m, size_t size)
{
	static const struct screen_fb fb = {.addr = 0x80000000,
					    .pitch = 5120,
					    .width = 1280,
					    .height = 800,
					    .bpp = 32,
					    .type = SCREEN_FB_RGB,
					    .red = {16, 8},
					    .green = {8, 8},
					    .blue = {0, 8}};

	mbi_begin(m, at(INFO), size);
	mbi_text(m, TAG_CMDLINE, "console=com1");
	mbi_text(m, TAG_LOADER, "UEFI firmware");
	mbi_module(m, KERNEL, KERNEL + 100, "quiet");
	mbi_module(m, KERNEL + 0x1000, KERNEL + 0x1200, "");
	mbi_fb(m, &fb);
	mbi_systab(m, 0x12345678);
}

static void test_own_loader(void **state)
{
	struct efi_memory_desc *map;
	struct mbi m;
	size_t size;

	write_info(&m, 4096);
	map = mbi_map_room(&m, &size);
	assert_non_null(map);
	assert_true((unsigned long)map % 8 == 0 && size >= 3 * sizeof(*map));
	map[0] = desc(EFI_CONVENTIONAL, 0, 0xa0);
	map[1] = desc(EFI_LOADER_DATA, 0x100000, 0x100);
	mbi_map_end(&m, 2 * sizeof(*map), sizeof(*map), 1);
	assert_false(m.full);
	mb2_parse(INFO);
	assert_string_equal(boot_info.cmdline, "console=com1");
	assert_string_equal(boot_info.loader, "UEFI firmware");
	assert_int_equal(boot_info.nr_modules, 2);
	assert_int_equal(boot_info.module[0].end, KERNEL + 100);
	assert_string_equal(boot_info.module[0].args, "quiet");
	assert_string_equal(boot_info.module[1].args, "");
	assert_int_equal(boot_info.fb.type, SCREEN_FB_RGB);
	assert_int_equal(boot_info.fb.width, 1280);
	assert_int_equal(boot_info.fb.red[0], 16);
	assert_int_equal(boot_info.fb.blue[1], 8);
	assert_true(boot_info.efi);
	assert_int_equal(boot_info.efi_systab, 0x12345678);
	check_e820(1, 0x100000, 0x200000, E820_RAM);
}

/* With too little room it says so, and writes nothing beyond. */
static void test_own_loader_without_room(void **state)
{
	struct mbi m;
	size_t room;

	for (size_t size = 0; size < 400; size += 8) {
		setup(NULL);
		memset(at(INFO), 0xee, 4096);
		write_info(&m, size);
		if (mbi_map_room(&m, &room)) {
			assert_true(room < size);
			mbi_map_end(&m, room, sizeof(struct efi_memory_desc), 1);
		}
		assert_true(m.used <= size || m.full);
		for (size_t i = max(size, 16ul); i < 4096; i++)
			assert_int_equal((u8)at(INFO)[i], 0xee);
	}
}

/* UEFI's map counts, not what a loader has made of it. */
static void test_two_maps(void **state)
{
	struct {
		u32 total, zero;
		struct mb2_mmap mmap;
		struct mb2_mmap_entry e;
		struct mb2_efi_mmap efi;
		struct efi_memory_desc d;
		struct mb2_tag end;
	} *i = (void *)at(INFO);

	i->total = sizeof(*i);
	i->mmap = (struct mb2_mmap){TAG_MMAP, sizeof(i->mmap) + sizeof(i->e), sizeof(i->e), 0};
	i->e = (struct mb2_mmap_entry){0, 0xa0000, 1, 0};
	i->efi = (struct mb2_efi_mmap){EFI_TAG, sizeof(i->efi) + sizeof(i->d), sizeof(i->d), 1};
	i->d = desc(EFI_CONVENTIONAL, 0x100000, 1);
	i->end = (struct mb2_tag){TAG_END, 8};
	mb2_parse(INFO);
	assert_int_equal(boot_e820.nr, 1);
	check_e820(0, 0x100000, 0x101000, E820_RAM);
	setup(NULL);
	i = (void *)at(INFO);
	i->total = sizeof(*i);
	i->mmap = (struct mb2_mmap){TAG_MMAP, sizeof(i->mmap) + sizeof(i->e), sizeof(i->e), 0};
	i->e = (struct mb2_mmap_entry){0, 0xa0000, 1, 0};
	i->efi = (struct mb2_efi_mmap){EFI_TAG, sizeof(i->efi), sizeof(i->d), 1};
	mb2_parse(INFO);
	check_e820(0, 0, 0xa0000, E820_RAM);
}

/* --- multiboot1 --- */

static void put32(paddr_t pa, unsigned int field, u32 v)
{
	memcpy(at(pa) + 4 * field, &v, 4);
}

static void mb1_full(const char *loader)
{
	static const u32 mmap[] = {20, 0, 0, 0xa0000, 0, 1, 24, 0x100000, 0, 0x700000, 0, 1, 0};

	memset(at(INFO), 0, 0x100);
	put32(INFO, 0, 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
	put32(INFO, 4, TEXTS);
	put32(INFO, 5, 2);
	put32(INFO, 6, TEXTS + 0x800);
	put32(INFO, 11, sizeof(mmap));
	put32(INFO, 12, TEXTS + 0x900);
	put32(INFO, 16, TEXTS + 0x100);
	strcpy(at(TEXTS), "/boot/domus  console=com1 x");
	strcpy(at(TEXTS + 0x100), loader);
	strcpy(at(TEXTS + 0x200), "vmlinuz quiet");
	strcpy(at(TEXTS + 0x300), "initrd");
	put32(TEXTS + 0x800, 0, KERNEL);
	put32(TEXTS + 0x800, 1, KERNEL + 100);
	put32(TEXTS + 0x800, 2, TEXTS + 0x200);
	put32(TEXTS + 0x800, 4, KERNEL + 0x1000);
	put32(TEXTS + 0x800, 5, KERNEL + 0x1100);
	put32(TEXTS + 0x800, 6, TEXTS + 0x300);
	memcpy(at(TEXTS + 0x900), mmap, sizeof(mmap));
}

static void test_mb1(void **state)
{
	mb1_full("SYSLINUX 6.04");
	mb1_parse(INFO);
	assert_string_equal(boot_info.loader, "SYSLINUX 6.04");
	assert_string_equal(boot_info.cmdline, "console=com1 x");
	assert_int_equal(boot_info.nr_modules, 2);
	assert_string_equal(boot_info.module[0].args, "quiet");
	assert_string_equal(boot_info.module[1].args, "");
	assert_int_equal(boot_info.module[1].start, KERNEL + 0x1000);
	assert_int_equal(boot_e820.nr, 2);
	check_e820(0, 0, 0xa0000, E820_RAM);
	check_e820(1, 0x100000, 0x800000, E820_RAM);
	assert_false(boot_info.efi);
}

/* GRUB 2 leaves the names of the files out; GRUB Legacy does not. */
static void test_mb1_names(void **state)
{
	mb1_full("GRUB 2.06-13+deb12u2");
	mb1_parse(INFO);
	assert_string_equal(boot_info.cmdline, "/boot/domus  console=com1 x");
	assert_string_equal(boot_info.module[0].args, "vmlinuz quiet");
	setup(NULL);
	mb1_full("GNU GRUB 0.97");
	mb1_parse(INFO);
	assert_string_equal(boot_info.module[0].args, "quiet");
}

static void test_mb1_sizes_only(void **state)
{
	put32(INFO, 0, 1);
	put32(INFO, 1, 639);
	put32(INFO, 2, 64 << 10);
	mb1_parse(INFO);
	check_e820(0, 0, 639 << 10, E820_RAM);
	check_e820(1, 1 << 20, 65 << 20, E820_RAM);
}

static void test_mb1_nonsense(void **state)
{
	mb1_full("x");
	put32(INFO, 5, ~0u); /* modules: many, at the end of everything */
	put32(INFO, 6, 0xfffffff8);
	put32(INFO, 12, 0xfffffff0); /* a map that ends beyond 4 GiB */
	mb1_parse(INFO);
	assert_int_equal(boot_info.nr_modules, 0);
	assert_int_equal(boot_e820.nr, 0);
	setup(NULL);
	mb1_full("x");
	put32(TEXTS + 0x900, 6, 4);    /* the second entry is too short to be one */
	put32(TEXTS + 0x800, 1, 0x10); /* a module that ends before it begins */
	mb1_parse(INFO);
	assert_int_equal(boot_e820.nr, 1);
	assert_int_equal(boot_info.nr_modules, 1);
}

/* Any bytes: nothing outside of the memory that there is may be read, and nothing must grow beyond its size. */
static void test_mb1_random(void **state)
{
	for (unsigned int seed = 0; seed < 3000; seed++) {
		setup(NULL);
		mb1_full("x");
		srand(seed);
		for (unsigned int k = 0; k < 6; k++)
			at(rand() % 2 ? TEXTS : INFO)[rand() % 0xa00] = (char)rand();
		/* What is mapped here is less than 4 GiB: addresses stay below. */
		for (unsigned int f = 4; f < 17; f += f == 4 ? 2 : f == 6 ? 6 : f == 12 ? 4 : 1)
			at(INFO)[4 * f + 3] = at(INFO)[4 * f + 2] = 0;
		for (unsigned int m = 0; m < BOOT_MAX_MODULES; m++)
			at(TEXTS + 0x800)[16 * m + 11] = at(TEXTS + 0x800)[16 * m + 10] = 0;
		mb1_parse(INFO);
		assert_true(boot_info.nr_modules <= BOOT_MAX_MODULES);
		assert_true(boot_e820.nr <= E820_MAX && boot_info.nr_ram <= PLAN_MAX_RAM);
	}
}

/* --- the page that processors start in --- */

static void test_low_page(void **state)
{
	boot_add_memory(0, 0x9f000, E820_RAM);
	assert_int_equal(boot_low_page(), 0x8000);
	boot_add_module(0x8800, 0x9000);
	assert_int_equal(boot_low_page(), 0x9e000);
	setup(NULL);
	boot_add_memory(0, 0x1000, E820_RAM);
	boot_add_memory(0x100000, 0x1000, E820_RAM);
	assert_int_equal(boot_low_page(), 0);
	boot_add_memory(0x1000, 0x1fff, E820_RAM);
	assert_int_equal(boot_low_page(), 0x1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_map_is_sorted_and_joined, setup),
		cmocka_unit_test_setup(test_map_uncached_memory_is_no_ram, setup),
		cmocka_unit_test_setup(test_map_overlap_belongs_to_the_first, setup),
		cmocka_unit_test_setup(test_map_claimed_memory_is_no_ram, setup),
		cmocka_unit_test_setup(test_map_nonsense, setup),
		cmocka_unit_test_setup(test_map_truncated, setup),
		cmocka_unit_test_setup(test_map_of_many, setup),
		cmocka_unit_test_setup(test_own_loader, setup),
		cmocka_unit_test_setup(test_own_loader_without_room, setup),
		cmocka_unit_test_setup(test_two_maps, setup),
		cmocka_unit_test_setup(test_mb1, setup),
		cmocka_unit_test_setup(test_mb1_names, setup),
		cmocka_unit_test_setup(test_mb1_sizes_only, setup),
		cmocka_unit_test_setup(test_mb1_nonsense, setup),
		cmocka_unit_test_setup(test_mb1_random, setup),
		cmocka_unit_test_setup(test_low_page, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
