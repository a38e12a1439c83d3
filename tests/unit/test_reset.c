/* SPDX-License-Identifier: MIT */
/* The end of the machine: which ways to restart are tried, in which order, and how it is switched off. */
#include "fake/ports.h"
#include <stdlib.h>
#include <string.h>
#include "cpu/panic.h"
#include "lib/errno.h"
#include "plat/acpi.h"
#include "plat/plat.h"
#include "plat/serial.h"

struct acpi_info acpi;
bool opt_noreboot, plat_efi;
void *(*plat_phys_to_virt)(paddr_t pa);
volatile void *(*plat_map_mmio)(paddr_t pa, size_t size);

static char trace[512]; /* what was done, in words */
static u8 low_memory[0x1000], reset_register;
static u16 pm1;

static void note(const char *fmt, ...)
{
	size_t n = strlen(trace);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(trace + n, sizeof(trace) - n, fmt, ap);
	va_end(ap);
}

void serial_drain(void)
{
}

void plat_delay(unsigned int us)
{
}

void pci_write(u16 seg, u8 bus, u8 devfn, u16 reg, unsigned int size, u32 val)
{
	note("pci %x:%x.%x=%x/%u ", bus, devfn, reg, val, size);
}

static u32 port_in(u16 port, unsigned int size)
{
	return port == 0x64 ? 0 : pm1;
}

static void port_out(u16 port, unsigned int size, u32 v)
{
	note("%x=%x ", port, v);
	if (port == 0x404)
		pm1 = (u16)v;
	if (port == 0xb2)
		pm1 |= 1;
}

static void *to_virt(paddr_t pa)
{
	return low_memory + pa;
}

static volatile void *map_register(paddr_t pa, size_t size)
{
	return pa == 0xfed40000 ? &reset_register : NULL;
}

/* What the end is and what has been done before. */
static void check_end(void (*fn)(void), char how, const char *expected)
{
	trace[0] = '\0';
	fake_ports(port_in, port_out);
	assert_int_equal(fake_machine_end(fn), how);
	assert_string_equal(trace, expected);
}

static int setup(void **state)
{
	memset(&acpi, 0, sizeof(acpi));
	plat_phys_to_virt = to_virt;
	plat_map_mmio = map_register;
	plat_efi = false;
	pm1 = 0;
	return 0;
}

#define CHIPSET	 "cf9=2 cf9=6 "
#define KEYBOARD "64=fe "

/* ACPI's register, wherever it is, then the chipset's, the keyboard controller's, and a triple fault. */
static void test_in_turn(void **state)
{
	check_end(machine_restart, 'r', CHIPSET KEYBOARD);
	acpi.no_8042 = true;
	check_end(machine_restart, 'r', CHIPSET);
	acpi.has_reset_reg = true;
	acpi.reset_value = 0x0e;
	acpi.reset_space = 1;
	acpi.reset_addr = 0xb0;
	check_end(machine_restart, 'r', "b0=e " CHIPSET);
	acpi.reset_addr = 0x10000;
	check_end(machine_restart, 'r', CHIPSET);
	acpi.reset_space = 2;
	acpi.reset_addr = 31ull << 32 | 1 << 16 | 0xac;
	check_end(machine_restart, 'r', "pci 0:f9.ac=e/1 " CHIPSET);
	acpi.reset_space = 0;
	reset_register = 0;
	check_end(machine_restart, 'r', CHIPSET);
	assert_int_equal(reset_register, 0); /* not mapped */
	acpi.reset_addr = 0xfed40000;
	reset_prepare();
	check_end(machine_restart, 'r', CHIPSET);
	assert_int_equal(reset_register, 0x0e);
	acpi.reset_space = 7;
	check_end(machine_restart, 'r', CHIPSET);
}

static void test_option(void **state)
{
	static const char *const bad[] = {"", "x", "t,", "t,x", ",t"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(reboot_parse(bad[i]), -XEN_EINVAL);
	assert_int_equal(reboot_parse("warm,kbd"), 0);
	check_end(machine_restart, 'r', KEYBOARD CHIPSET KEYBOARD);
	assert_int_equal(*(u16 *)(low_memory + 0x472), 0x1234);
	assert_int_equal(reboot_parse("c,P"), 0);
	check_end(machine_restart, 'r', "cf9=2 cf9=e " CHIPSET KEYBOARD);
	assert_int_equal(*(u16 *)(low_memory + 0x472), 0);
	/* No BIOS, no BIOS data. */
	assert_int_equal(reboot_parse("warm,pci"), 0);
	plat_efi = true;
	check_end(machine_restart, 'r', CHIPSET CHIPSET KEYBOARD);
	assert_int_equal(*(u16 *)(low_memory + 0x472), 0);
	assert_int_equal(reboot_parse("acpi"), 0);
	check_end(machine_restart, 'r', CHIPSET KEYBOARD);
	assert_int_equal(reboot_parse("triple"), 0);
	check_end(machine_restart, 'r', "");
	assert_false(opt_noreboot);
	assert_int_equal(reboot_parse("no"), 0);
	assert_true(opt_noreboot);
}

/* First the type of sleep alone, then with the start bit; other bits of the register stay. */
static void test_poweroff(void **state)
{
	check_end(machine_poweroff, 'h', "");
	acpi.has_s5 = true;
	check_end(machine_poweroff, 'h', ""); /* no register */
	acpi.pm1a_cnt = 0x404;
	acpi.s5_a = 5;
	pm1 = 0x0203;
	check_end(machine_poweroff, 'h', "404=1603 404=3603 ");
	acpi.pm1b_cnt = 0x504;
	acpi.pm1a_evt = 0x400;
	acpi.s5_b = 7;
	pm1 = 1;
	check_end(machine_poweroff, 'h', "400=8000 404=1401 504=1c01 404=3401 504=3c01 ");
	check_end(machine_halt, 'h', "");
}

static void test_acpi_mode(void **state)
{
	acpi.pm1a_cnt = 0x404;
	fake_ports(port_in, port_out);
	trace[0] = '\0';
	acpi.smi_cmd = 0xb2;
	acpi.acpi_enable = 0xf1;
	assert_int_equal(machine_enter_sleep(3 << 10, 0), -XEN_EIO);
	assert_string_equal(trace, "b2=f1 404=c01 404=2c01 ");
	acpi.pm1a_cnt = 0;
	assert_int_equal(machine_enter_sleep(3 << 10, 0), -XEN_ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_in_turn, setup),
		cmocka_unit_test_setup(test_option, setup),
		cmocka_unit_test_setup(test_poweroff, setup),
		cmocka_unit_test_setup(test_acpi_mode, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
