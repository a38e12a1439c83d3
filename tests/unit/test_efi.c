/* SPDX-License-Identifier: MIT */
/* The firmware's system table: what is taken from it, and what is not when it makes no sense. */
#include "fake/fake.h"
#include <string.h>
#include "plat/efi.h"
#include "plat/plat.h"

#define SYSTAB	0x1000
#define VENDOR	0x2000
#define CONFIG	0x3000
#define RUNTIME 0x4000
#define LOST	0x100000 /* from here on it is RAM */

static _Alignas(8) u8 memory[0x5000];
static unsigned int mapped;

static const void *map_firmware(paddr_t pa, size_t size)
{
	if (pa >= sizeof(memory) || size > sizeof(memory) - pa)
		return NULL;
	mapped++;
	return memory + pa;
}

static void unmap(const void *va, size_t size)
{
	mapped--;
}

static volatile void *map_mmio(paddr_t pa, size_t size)
{
	return pa < sizeof(memory) && size <= sizeof(memory) - pa ? memory + pa : NULL;
}

const void *(*plat_map_firmware)(paddr_t pa, size_t size) = map_firmware;
void (*plat_unmap_firmware)(const void *va, size_t size) = unmap;
volatile void *(*plat_map_mmio)(paddr_t pa, size_t size) = map_mmio;

static bool is_ram(paddr_t pa)
{
	return pa >= LOST;
}

static void put(unsigned int at, u64 v)
{
	memcpy(memory + at, &v, 8);
}

static void put_config(unsigned int i, u8 first, u64 table)
{
	static const u8 acpi2[16] = {0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11,
				     0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81};

	memcpy(memory + CONFIG + 24 * i, acpi2, 16);
	memory[CONFIG + 24 * i] = first;
	put(CONFIG + 24 * i + 16, table);
}

static int setup(void **state)
{
	static const u16 name[] = {'E', 'D', 'K', 0};

	memset(memory, 0, sizeof(memory));
	memset(&efi_info, 0, sizeof(efi_info));
	efi_nr_regions = 0;
	mapped = 0;
	memcpy(memory + SYSTAB, "IBI SYST", 8);
	put(SYSTAB + 8, 2 << 16 | 70);
	put(SYSTAB + 24, VENDOR);
	put(SYSTAB + 32, 0x10000);
	put(SYSTAB + 88, RUNTIME);
	put(SYSTAB + 104, 4);
	put(SYSTAB + 112, CONFIG);
	memcpy(memory + VENDOR, name, sizeof(name));
	memcpy(memory + RUNTIME, "RUNTSERV", 8);
	put(RUNTIME + 8, 2 << 16 | 60);
	put_config(0, 1, LOST);
	put_config(1, 0x71, 0x4800);
	put_config(2, 2, LOST + 8);
	put_config(3, 3, 0x4900);
	return 0;
}

static void test_table(void **state)
{
	efi_init(SYSTAB, is_ram);
	assert_true(efi_info.found);
	assert_int_equal(efi_info.version, 2 << 16 | 70);
	assert_int_equal(efi_info.runtime_version, 2 << 16 | 60);
	assert_int_equal(efi_info.vendor_revision, 0x10000);
	assert_int_equal(efi_info.vendor[2], 'K');
	assert_int_equal(efi_info.rsdp, 0x4800);
	/* The two in RAM are gone from the firmware's own list. */
	assert_int_equal(efi_info.config, CONFIG);
	assert_int_equal(efi_info.nr_config, 2);
	assert_int_equal(memory[CONFIG], 0x71);
	assert_int_equal(memory[CONFIG + 24], 3);
	assert_int_equal(mapped, 0);
}

static void test_nonsense(void **state)
{
	efi_init(0, is_ram);
	efi_init(sizeof(memory) - 16, is_ram);
	put(SYSTAB + 104, 1 << 20);
	efi_init(SYSTAB, is_ram);
	setup(NULL);
	memory[SYSTAB] = 'X';
	efi_init(SYSTAB, is_ram);
	assert_false(efi_info.found);
	setup(NULL);
	put(SYSTAB + 24, ~0ull);
	put(SYSTAB + 88, ~0ull);
	put(SYSTAB + 112, LOST);
	efi_init(SYSTAB, is_ram);
	assert_true(efi_info.found);
	assert_int_equal(efi_info.vendor[0], 0);
	assert_int_equal(efi_info.runtime_version, 0);
	assert_int_equal(efi_info.nr_config, 0);
	assert_int_equal(efi_info.rsdp, 0);
	assert_int_equal(mapped, 0);
}

static void test_regions(void **state)
{
	efi_regions[0] = (struct efi_region){0x1000, 0x3000, 15, EFI_RUNTIME_DATA};
	efi_nr_regions = 1;
	assert_null(efi_region_at(0xfff));
	assert_ptr_equal(efi_region_at(0x1000), &efi_regions[0]);
	assert_ptr_equal(efi_region_at(0x2fff), &efi_regions[0]);
	assert_null(efi_region_at(0x3000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_table, setup),
		cmocka_unit_test_setup(test_nonsense, setup),
		cmocka_unit_test_setup(test_regions, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
