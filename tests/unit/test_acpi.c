/* SPDX-License-Identifier: MIT */
/* ACPI tables: MADT, FADT, HPET, MCFG, the _S5_ package; whole, cut short and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/errno.h"
#include "plat/acpi.h"

static u8 table[4096];
static size_t table_len;
static struct acpi_info info;

static void begin(const char *sig, size_t header)
{
	memset(table, 0, sizeof(table));
	memset(&info, 0, sizeof(info));
	memcpy(table, sig, 4);
	table_len = header;
}

static void put(size_t at, u64 v, size_t size)
{
	memcpy(table + at, &v, size);
}

static void add(u64 v, size_t size)
{
	put(table_len, v, size);
	table_len += size;
}

static void add_lapic(u8 acpi_id, u8 apic_id, u32 flags)
{
	add(0, 1);
	add(8, 1);
	add(acpi_id, 1);
	add(apic_id, 1);
	add(flags, 4);
}

static void add_x2apic(u32 acpi_id, u32 apic_id, u32 flags)
{
	add(9, 1);
	add(16, 1);
	add(0, 2);
	add(apic_id, 4);
	add(flags, 4);
	add(acpi_id, 4);
}

static void add_ioapic(u8 id, u32 addr, u32 base)
{
	add(1, 1);
	add(12, 1);
	add(id, 2);
	add(addr, 4);
	add(base, 4);
}

static void add_override(u8 bus, u8 irq, u32 gsi, u16 flags)
{
	add(2, 1);
	add(10, 1);
	add(bus, 1);
	add(irq, 1);
	add(gsi, 4);
	add(flags, 2);
}

static void begin_madt(void)
{
	begin("APIC", 44);
	put(36, 0xfee00000, 4);
	put(40, 1, 4);
}

/* Parses from memory of exactly that size, so that the sanitizer sees a read behind it. */
static int parse_exact(int (*parse)(const void *, size_t, struct acpi_info *), size_t len)
{
	u8 *copy = malloc(len ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, table, len);
	rc = parse(copy, len, &info);
	free(copy);
	return rc;
}

static void madt_of_a_pc(void **state)
{
	begin_madt();
	add_lapic(0, 0, 1);
	add_lapic(1, 1, 1);
	add_lapic(2, 2, 0); /* disabled */
	add_lapic(3, 3, 2); /* could be plugged in later */
	add_lapic(4, 0xff, 1);
	add_ioapic(0, 0xfec00000, 0);
	add_ioapic(1, 0xfec10000, 24);
	add_override(0, 0, 2, 0);
	add_override(0, 9, 9, 0xd); /* level, high */
	assert_int_equal(parse_exact(acpi_parse_madt, table_len), 0);
	assert_int_equal(info.nr_cpus, 2);
	assert_int_equal(info.cpu[1].apic_id, 1);
	assert_int_equal(info.lapic_addr, 0xfee00000);
	assert_true(info.pcat_compat);
	assert_int_equal(info.nr_ioapics, 2);
	assert_int_equal(info.ioapic[1].gsi_base, 24);
	assert_int_equal(info.ioapic[1].addr, 0xfec10000);
	assert_true(info.isa[0].present && !info.isa[0].level && !info.isa[0].low);
	assert_int_equal(info.isa[0].gsi, 2);
	assert_true(info.isa[9].present && info.isa[9].level && !info.isa[9].low);
	assert_false(info.isa[1].present);
}

static void madt_x2apic(void **state)
{
	begin_madt();
	add_lapic(0, 0, 1);
	add_x2apic(0, 0, 1); /* the same CPU again */
	add_x2apic(300, 0x1234, 1);
	add_x2apic(301, 0x1235, 0);
	add_x2apic(302, ~0u, 1);
	add(5, 1); /* 64-bit address of the local APIC */
	add(12, 1);
	add(0, 2);
	add(0x1fee00000, 8);
	assert_int_equal(parse_exact(acpi_parse_madt, table_len), 0);
	assert_int_equal(info.nr_cpus, 2);
	assert_int_equal(info.cpu[1].apic_id, 0x1234);
	assert_int_equal(info.cpu[1].acpi_id, 300);
	assert_int_equal(info.lapic_addr, 0x1fee00000);
}

/* The SCI is level and low where nobody says otherwise. */
static void madt_sci(void **state)
{
	begin_madt();
	info.sci_irq = 9;
	assert_int_equal(parse_exact(acpi_parse_madt, table_len), 0);
	assert_true(info.isa[9].present && info.isa[9].level && info.isa[9].low);
	assert_int_equal(info.isa[9].gsi, 9);

	add_override(0, 9, 20, 0);
	assert_int_equal(parse_exact(acpi_parse_madt, table_len), 0);
	assert_true(info.isa[9].level && info.isa[9].low);
	assert_int_equal(info.isa[9].gsi, 20);
}

static void madt_odd_overrides(void **state)
{
	begin_madt();
	add_override(1, 5, 5, 0xf); /* not ISA */
	add_override(0, 200, 5, 0xf);
	add_override(0, 15, 15, 0xf);
	assert_int_equal(parse_exact(acpi_parse_madt, table_len), 0);
	assert_false(info.isa[5].present);
	assert_false(info.isa[200 % 16].present);
	assert_true(info.isa[15].level && info.isa[15].low);
}

static void madt_damaged(void **state)
{
	begin_madt();
	assert_int_equal(parse_exact(acpi_parse_madt, 43), -XEN_EINVAL);
	add_lapic(0, 0, 1);
	add(1, 1); /* an IO-APIC of length 0 */
	add(0, 1);
	add(0, 8);
	assert_int_equal(parse_exact(acpi_parse_madt, table_len), -XEN_EINVAL);
	assert_int_equal(info.nr_cpus, 1); /* what came before holds */

	begin_madt();
	add(1, 1); /* shorter than its kind */
	add(6, 1);
	add(0, 4);
	assert_int_equal(parse_exact(acpi_parse_madt, table_len), -XEN_EINVAL);
	assert_int_equal(info.nr_ioapics, 0);

	begin_madt();
	add(0x80, 1); /* unknown kinds are skipped */
	add(5, 1);
	add(0, 3);
	add_lapic(0, 7, 1);
	assert_int_equal(parse_exact(acpi_parse_madt, table_len), 0);
	assert_int_equal(info.cpu[0].apic_id, 7);
}

static void madt_truncated_anywhere(void **state)
{
	begin_madt();
	add_lapic(0, 0, 1);
	add_ioapic(0, 0xfec00000, 0);
	add_override(0, 0, 2, 0);
	add_x2apic(300, 0x1234, 1);
	for (size_t len = 0; len <= table_len; len++) {
		memset(&info, 0, sizeof(info));
		(void)parse_exact(acpi_parse_madt, len);
		assert_true(info.nr_cpus <= 2 && info.nr_ioapics <= 1);
	}
}

static void madt_too_many(void **state)
{
	begin_madt();
	for (u32 i = 0; i < 100; i++)
		add_x2apic(i, i, 1);
	for (u32 i = 0; i < 30; i++)
		add_ioapic((u8)i, 0xfec00000 + i * 0x1000, i * 24);
	assert_int_equal(parse_exact(acpi_parse_madt, table_len), 0);
	assert_int_equal(info.nr_cpus, 100);
	assert_int_equal(info.nr_ioapics, ACPI_MAX_IOAPICS);
	for (u32 k = 0; k < 3; k++) {
		begin_madt();
		info.nr_cpus = ACPI_MAX_CPUS - 1;
		for (u32 i = 0; i < 10; i++)
			add_x2apic(i, 1000 + i, 1);
		(void)parse_exact(acpi_parse_madt, table_len);
		assert_int_equal(info.nr_cpus, ACPI_MAX_CPUS);
	}
}

static void random_bytes(void **state)
{
	srand(1);
	for (unsigned int i = 0; i < 20000; i++) {
		size_t len = (size_t)rand() % 300;

		for (size_t k = 0; k < len; k++)
			table[k] = (u8)(rand() % 4 ? rand() % 20 : rand());
		memset(&info, 0, sizeof(info));
		(void)parse_exact(acpi_parse_madt, len);
		(void)parse_exact(acpi_parse_fadt, len);
		(void)parse_exact(acpi_parse_hpet, len);
		(void)parse_exact(acpi_parse_mcfg, len);
		assert_true(info.nr_cpus <= ACPI_MAX_CPUS && info.nr_mcfg <= ACPI_MAX_MCFG);
	}
}

static void fadt(void **state)
{
	begin("FACP", 244);
	table[8] = 3;
	put(36, 0x7fe0000, 4);
	put(40, 0x7fe1000, 4);
	put(46, 9, 2);
	put(48, 0xb2, 4);
	put(52, 2, 1);
	put(56, 0x600, 4);
	put(64, 0x604, 4);
	put(76, 0x608, 4);
	put(88, 4, 1);
	put(108, 0x32, 1);
	put(112, 1u << 10, 4);
	put(116, 1, 1);
	put(120, 0xcf9, 8);
	put(128, 0xf, 1);
	assert_int_equal(parse_exact(acpi_parse_fadt, table_len), 0);
	assert_int_equal(info.facs, 0x7fe0000);
	assert_int_equal(info.dsdt, 0x7fe1000);
	assert_int_equal(info.sci_irq, 9);
	assert_int_equal(info.pm1a_cnt, 0x604);
	assert_int_equal(info.pm1b_cnt, 0);
	assert_int_equal(info.pm1a_evt, 0x600);
	assert_int_equal(info.pm_tmr, 0x608);
	assert_int_equal(info.rtc_century, 0x32);
	assert_true(info.has_reset_reg);
	assert_int_equal(info.reset_addr, 0xcf9);
	assert_int_equal(info.reset_value, 0xf);
	assert_true(info.no_8042);

	/* The 64-bit fields win. */
	put(140, 0x17fe1000, 8);
	put(172, 1, 1);
	put(176, 0x1804, 8);
	assert_int_equal(parse_exact(acpi_parse_fadt, table_len), 0);
	assert_int_equal(info.dsdt, 0x17fe1000);
	assert_int_equal(info.pm1a_cnt, 0x1804);

	for (size_t len = 0; len <= table_len; len++)
		assert_int_equal(parse_exact(acpi_parse_fadt, len), len < 116 ? -XEN_EINVAL : 0);
	memset(&info, 0, sizeof(info));
	assert_int_equal(parse_exact(acpi_parse_fadt, 116), 0);
	assert_false(info.has_reset_reg);
}

static void hpet_and_mcfg(void **state)
{
	begin("HPET", 56);
	put(44, 0xfed00000, 8);
	assert_int_equal(parse_exact(acpi_parse_hpet, 51), -XEN_EINVAL);
	assert_int_equal(parse_exact(acpi_parse_hpet, 56), 0);
	assert_int_equal(info.hpet_addr, 0xfed00000);

	begin("MCFG", 44);
	add(0xb0000000, 8);
	add(0, 2);
	add(0, 1);
	add(255, 1);
	add(0, 4);
	add(0xc0000123, 8); /* not aligned: left out */
	add(0, 8);
	add(0xd0000000, 8);
	add(1, 2);
	add(16, 1);
	add(31, 1);
	add(0, 4);
	assert_int_equal(parse_exact(acpi_parse_mcfg, table_len), 0);
	assert_int_equal(info.nr_mcfg, 2);
	assert_int_equal(info.mcfg[0].base, 0xb0000000);
	assert_int_equal(info.mcfg[0].bus_last, 255);
	assert_int_equal(info.mcfg[1].segment, 1);
	assert_int_equal(info.mcfg[1].bus_first, 16);
}

static bool s5_of(const u8 *aml, size_t len)
{
	u8 *copy = calloc(1, 36 + len);
	bool found;

	assert_non_null(copy);
	memcpy(copy + 36, aml, len);
	memset(&info, 0, sizeof(info));
	found = acpi_find_s5(copy, 36 + len, &info);
	free(copy);
	assert_int_equal(found, info.has_s5);
	return found;
}

static void s5(void **state)
{
	static const u8 qemu[] = {1, 2, 8, '_', 'S', '5', '_', 0x12, 6, 4, 0xa, 0, 0xa, 0, 0, 0, 0};
	static const u8 root[] = {8, '\\', '_', 'S', '5', '_', 0x12, 10, 4, 0xa, 5, 0xa, 3, 0, 0};
	static const u8 consts[] = {8, '_', 'S', '5', '_', 0x12, 6, 2, 1, 0};
	static const u8 long_len[] = {8, '_', 'S', '5', '_', 0x12, 0x46, 0, 2, 0xb, 7, 0, 0xa, 7};
	static const u8 call[] = {0x14, '_', 'S', '5', '_', 0x12, 6, 2, 0xa, 5, 0xa, 5};
	static const u8 wide[] = {8, '_', 'S', '5', '_', 0x12, 6, 2, 0xa, 9, 0xa, 5};

	assert_true(s5_of(qemu, sizeof(qemu)));
	assert_int_equal(info.s5_a, 0);
	assert_true(s5_of(root, sizeof(root)));
	assert_int_equal(info.s5_a, 5);
	assert_int_equal(info.s5_b, 3);
	assert_true(s5_of(consts, sizeof(consts)));
	assert_int_equal(info.s5_a, 1);
	assert_int_equal(info.s5_b, 0);
	assert_true(s5_of(long_len, sizeof(long_len)));
	assert_int_equal(info.s5_b, 7);
	assert_false(s5_of(call, sizeof(call)));
	assert_false(s5_of(wide, sizeof(wide)));
	for (size_t len = 0; len < sizeof(root); len++)
		s5_of(root, len);
	assert_false(s5_of(root, 12));
}

static void checksum(void **state)
{
	begin("TEST", 36);
	table[9] = (u8) - ('T' + 'E' + 'S' + 'T');
	assert_true(acpi_checksum_ok(table, 36));
	table[20] ^= 1;
	assert_false(acpi_checksum_ok(table, 36));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(madt_of_a_pc),
		cmocka_unit_test(madt_x2apic),
		cmocka_unit_test(madt_sci),
		cmocka_unit_test(madt_odd_overrides),
		cmocka_unit_test(madt_damaged),
		cmocka_unit_test(madt_truncated_anywhere),
		cmocka_unit_test(madt_too_many),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(fadt),
		cmocka_unit_test(hpet_and_mcfg),
		cmocka_unit_test(s5),
		cmocka_unit_test(checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
