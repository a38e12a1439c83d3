/* SPDX-License-Identifier: MIT */
/* The board's devices behind I/O ports and registers: serial line, PCI, clock, timer, HPET, IO-APIC, screen. */
#include "fake/ports.h"
#include <stdlib.h>
#include <string.h>
#include "lib/errno.h"
#include "plat/acpi.h"
#include "plat/plat.h"
#include "plat/serial.h"
#include "plat/vga.h"

#define COM 0x3f8

struct acpi_info acpi;
void *(*plat_phys_to_virt)(paddr_t pa);
volatile void *(*plat_map_mmio)(paddr_t pa, size_t size);

static u8 regs[0x10000]; /* what was last written to a byte-wide port */
static char wire[256];	 /* what the serial line has sent */
static size_t wire_len;

static int setup(void **state)
{
	memset(regs, 0, sizeof(regs));
	memset(wire, 0, sizeof(wire));
	wire_len = 0;
	memset(&acpi, 0, sizeof(acpi));
	plat_map_mmio = NULL;
	plat_phys_to_virt = NULL;
	return 0;
}

/* --- serial line --- */

static u8 lsr, received[4];
static unsigned int nr_received, nr_reads;

static u32 uart_in(u16 port, unsigned int size)
{
	assert_int_equal(size, 1);
	nr_reads++;
	if (port == COM && nr_received)
		return received[--nr_received];
	if (port == COM + 5)
		return lsr | (nr_received ? 1u : 0);
	return regs[port];
}

static void uart_out(u16 port, unsigned int size, u32 v)
{
	bool latch = regs[COM + 3] & 0x80;

	assert_int_equal(size, 1);
	regs[port + (latch && port < COM + 2 ? 0x100 : 0)] = (u8)v;
	if (port == COM && !latch && wire_len < sizeof(wire))
		wire[wire_len++] = (char)v;
}

static void test_serial_parse(void **state)
{
	static const char *const bad[] = {"0",	     "9600,9n1",  "9600,8x1",	 "9600,8n3",   "9600,8n1,0",
					  "1,8n1",   "9600 8n1",  "9600,8n1,x",	 "9600,8n1,0x2f8,16",
					  "115201",  "autobaud",  ",,,,1",	 "9600,8n1,0x10000"};
	struct serial_config c = {COM, 115200, 3, 4}, old;

	assert_int_equal(serial_parse("", &c), 0);
	assert_int_equal(serial_parse("9600,7e2,0x2f8,3", &c), 0);
	assert_true(c.baud == 9600 && c.lcr == (2 | 4 | 3 << 3) && c.port == 0x2f8 && c.irq == 3);
	assert_int_equal(serial_parse("auto,,,0", &c), 0);
	assert_true(c.baud == 0 && c.port == 0x2f8 && c.irq == -1);
	old = c;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(serial_parse(bad[i], &c), -XEN_EINVAL);
		assert_memory_equal(&c, &old, sizeof(c));
	}
}

static void test_serial(void **state)
{
	struct serial_config c = {COM, 9600, 3, 4};

	fake_ports(uart_in, uart_out);
	lsr = 0x60;
	assert_true(serial_init(&c));
	assert_int_equal(regs[COM + 0x100] | regs[COM + 0x101] << 8, 12);
	assert_int_equal(regs[COM + 3], 3);
	wire_len = 0;
	serial_write("a\nb", 3);
	assert_memory_equal(wire, "a\r\nb", 4);
	serial_drain();
	serial_enable_irq();
	assert_int_equal(regs[COM + 1], 1);
	assert_int_equal(serial_getc(), -1);
	received[0] = 'y';
	received[1] = 'x';
	nr_received = 2;
	assert_int_equal(serial_getc(), 'x');
	assert_int_equal(serial_getc(), 'y');
}

/* A line that stands still costs time once; then each text asks it once, until it moves again. */
static void test_serial_stalls(void **state)
{
	struct serial_config c = {COM, 0, 3, 4};

	fake_ports(uart_in, uart_out);
	lsr = 0x60;
	assert_true(serial_init(&c));
	wire_len = 0;
	lsr = 0;
	serial_write("lost", 4);
	nr_reads = 0;
	serial_write("lost", 4);
	serial_drain();
	assert_int_equal(nr_reads, 1);
	assert_int_equal(wire_len, 0);
	lsr = 0x60;
	serial_write("back", 4);
	assert_memory_equal(wire, "back", 4);
}

static void test_no_serial(void **state)
{
	struct serial_config c = {COM, 9600, 3, 4};

	fake_ports(NULL, NULL);
	assert_false(serial_init(&c)); /* all ones: nobody there */
	fake_ports(uart_in, NULL);
	assert_false(serial_init(&c)); /* the scratch register keeps nothing */
	c.port = 0;
	assert_false(serial_init(&c));
	serial_write("x", 1);
	serial_enable_irq();
	assert_int_equal(serial_getc(), -1);
}

/* --- PCI configuration space --- */

static u32 cf8;
static u8 config[256];
static u8 *bus;

static u32 pci_in(u16 port, unsigned int size)
{
	u32 v = 0;

	memcpy(&v, config + (cf8 & 0xfc) + (port - 0xcfc), size);
	return v;
}

static void pci_out(u16 port, unsigned int size, u32 v)
{
	if (port == 0xcf8)
		cf8 = v;
	else
		memcpy(config + (cf8 & 0xfc) + (port - 0xcfc), &v, size);
}

static volatile void *map_bus(paddr_t pa, size_t size)
{
	assert_int_equal(size, 1 << 20);
	return pa == 0xb0000000 + (3UL << 20) ? bus : NULL;
}

static void test_pci_ports(void **state)
{
	fake_ports(pci_in, pci_out);
	pci_write(0, 2, 0x18, 0x10, 4, 0x12345678);
	assert_int_equal(cf8, 0x80021810);
	pci_write(0, 2, 0x18, 0x12, 2, 0xabcd);
	pci_write(0, 2, 0x18, 0x11, 1, 0xef);
	assert_int_equal(pci_read(0, 2, 0x18, 0x10, 4), 0xabcdef78);
	assert_int_equal(pci_read(0, 2, 0x18, 0x12, 2), 0xabcd);
	assert_int_equal(pci_read(0, 2, 0x18, 0x13, 1), 0xab);
	/* Not enabled: nothing is done. */
	pci_cf8_write(0x00021810, 0, 4, 0);
	assert_int_equal(pci_cf8_read(0x00021810, 0, 2), 0xffff);
	assert_int_equal(pci_cf8_read(0x80021810, 0, 4), 0xabcdef78);
}

static void test_pci_memory(void **state)
{
	bus = calloc(1, 1 << 20);
	acpi.nr_mcfg = 1;
	acpi.mcfg[0] = (struct acpi_mcfg){0xb0000000, 0, 2, 4};
	/* No mapping yet, or none at all: as if nobody were there. */
	assert_int_equal(pci_read(0, 3, 8, 0x100, 4), ~0u);
	plat_map_mmio = map_bus;
	pci_write(0, 3, 8, 0x104, 4, 0x11223344);
	pci_write(0, 3, 8, 0x104, 2, 0x5566);
	pci_write(0, 3, 8, 0x107, 1, 0x77);
	assert_int_equal(*(u32 *)(bus + (8 << 12) + 0x104), 0x77225566);
	assert_int_equal(pci_read(0, 3, 8, 0x104, 4), 0x77225566);
	assert_int_equal(pci_read(0, 3, 8, 0x106, 2), 0x7722);
	assert_int_equal(pci_read(0, 3, 8, 0x107, 1), 0x77);
	assert_int_equal(pci_read(0, 5, 8, 0x100, 1), 0xff);
	assert_int_equal(pci_read(1, 3, 8, 0x10, 2), 0xffff);
	assert_int_equal(pci_read(0, 2, 8, 0x100, 2), 0xffff);
	pci_write(1, 3, 8, 0x10, 2, 0);
	free(bus);
}

static void test_pci_insane(void **state)
{
	static const struct {
		u16 reg;
		unsigned int size;
	} bad[] = {{1, 2}, {2, 4}, {0, 3}, {0, 0}, {0, 8}, {0x1000, 4}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(pci_read(0, 0, 0, bad[i].reg, bad[i].size), ~0u);
		pci_write(0, 0, 0, bad[i].reg, bad[i].size, 0);
	}
}

/* --- the clock of the board --- */

static u8 cmos[128];
static unsigned int updating;

static u32 cmos_in(u16 port, unsigned int size)
{
	u8 reg = regs[0x70];

	if (reg == 10 && updating)
		return updating--, 0x80;
	return cmos[reg];
}

static void port_out(u16 port, unsigned int size, u32 v)
{
	regs[port] = (u8)v;
}

static void set_cmos(const char *hex, u8 b)
{
	static const u8 at[] = {0x32, 9, 8, 7, 4, 2, 0};

	for (unsigned int i = 0; i < sizeof(at); i++)
		sscanf(hex + 2 * i, "%2hhx", &cmos[at[i]]);
	cmos[11] = b;
	fake_ports(cmos_in, port_out);
}

static void test_rtc(void **state)
{
	acpi.rtc_century = 0x32;
	set_cmos("20260228235958", 2); /* BCD, 24 hours */
	updating = 5;
	assert_int_equal(rtc_read_unix(), 1772323198);
	set_cmos("20000229120000", 2);
	assert_int_equal(rtc_read_unix(), 951825600);
	set_cmos("13640c1f173b3b", 6); /* binary: 1900 + 100, which is no year */
	assert_int_equal(rtc_read_unix(), 0);
	set_cmos("13630c1f173b3b", 6); /* 1999-12-31 23:59:59 */
	assert_int_equal(rtc_read_unix(), 946684799);
	set_cmos("20240301920000", 0); /* twelve hours: noon */
	assert_int_equal(rtc_read_unix(), 1709294400);
	set_cmos("20240301120000", 0); /* midnight */
	assert_int_equal(rtc_read_unix(), 1709251200);
	acpi.rtc_century = 0;
	set_cmos("99240301010000", 2);
	assert_int_equal(rtc_read_unix(), 1709254800);
}

static void test_rtc_nonsense(void **state)
{
	static const char *const bad[] = {"20240001000000", "20241301000000", "20240100000000",
					  "20240132000000", "20240101240000", "20240101006000",
					  "20240101000060", "20a00101000000"};

	acpi.rtc_century = 0x32;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set_cmos(bad[i], 2);
		assert_int_equal(rtc_read_unix(), 0);
	}
}

/* --- timers --- */

static u32 pit_in(u16 port, unsigned int size)
{
	static u8 next = 0x34;

	if (port != 0x42)
		return 0xfe;
	next ^= 0x34 ^ 0x12;
	return next;
}

static void test_pit(void **state)
{
	fake_ports(pit_in, port_out);
	pit_start();
	assert_int_equal(regs[0x61], 0xfd); /* the gate is open, the speaker off */
	assert_int_equal(regs[0x43], 0xb0);
	assert_int_equal(pit_read(), 0x3412);
	assert_int_equal(regs[0x43], 0x80);
}

static void test_pic(void **state)
{
	fake_ports(NULL, port_out);
	pic_disable();
	assert_int_equal(regs[0x21], 0xff);
	assert_int_equal(regs[0xa1], 0xff);
}

static u32 hpet_regs[256];

static volatile void *map_hpet(paddr_t pa, size_t size)
{
	return hpet_regs;
}

static void test_no_hpet(void **state)
{
	assert_false(hpet_init());
	acpi.hpet_addr = 0xfed00000;
	assert_false(hpet_init());
	plat_map_mmio = map_hpet;
	hpet_regs[1] = 99999; /* faster than anything */
	assert_false(hpet_init());
	hpet_regs[1] = 100000001;
	assert_false(hpet_init());
	hpet_regs[1] = 10000000; /* sensible, but the counter stands still */
	assert_false(hpet_init());
	assert_int_equal(hpet_regs[4] & 3, 1);
}

/* --- IO-APIC --- */

static u32 *io_regs;


/* Index and window are memory: the window is what was written last, so only the writes of one pin are looked at. */
static volatile void *map_ioapic(paddr_t pa, size_t size)
{
	return pa == 0xfec00000 ? io_regs : NULL;
}

static void test_ioapic(void **state)
{
	u32 v;

	io_regs = calloc(1, PAGE_SIZE);
	plat_map_mmio = map_ioapic;
	acpi.nr_ioapics = 3;
	acpi.ioapic[0] = (struct acpi_ioapic){0, 0xfec00000, 0};
	acpi.ioapic[1] = (struct acpi_ioapic){1, 0xfec01000, 24};   /* is not there */
	acpi.ioapic[2] = (struct acpi_ioapic){2, 0xfec00000, 1 << 16}; /* makes no sense */
	io_regs[4] = 23 << 16;
	ioapic_init();
	assert_int_equal(ioapic_nr_gsis(), 24);
	assert_true(ioapic_gsi_valid(23));
	assert_false(ioapic_gsi_valid(24));
	ioapic_set(5, 0x30, 7, true, true, false);
	assert_int_equal(io_regs[0], 0x10 + 2 * 5);
	assert_int_equal(io_regs[4], 0x30 | 1 << 15 | 1 << 13);
	ioapic_mask(5, true);
	assert_int_equal(io_regs[4], 0x30 | 1 << 15 | 1 << 13 | 1 << 16);
	io_regs[4] = 0;
	ioapic_mask(5, true); /* it is: nothing is written */
	assert_int_equal(io_regs[4], 0);
	ioapic_set_dest(5, 9);
	assert_int_equal(io_regs[0], 0x11 + 2 * 5);
	assert_int_equal(io_regs[4], 9u << 24);
	ioapic_set(6, 0x31, 7, false, false, true);
	assert_int_equal(io_regs[4], 7u << 24); /* stays masked: the destination was the last word */
	assert_int_equal(ioapic_read_reg(0xfec00000, 0x101, &v), 0);
	assert_int_equal(io_regs[0], 1);
	assert_int_equal(ioapic_read_reg(0xfec01000, 0, &v), -XEN_ENODEV);
	ioapic_set(24, 0, 0, false, false, false);
	ioapic_mask(24, true);
	ioapic_set_dest(24, 0);
	assert_int_equal(io_regs[0], 1);
	free(io_regs);
}

/* --- VGA text --- */

static u8 low_memory[0xc0000];

static void *to_virt(paddr_t pa)
{
	return low_memory + pa;
}

static u32 gfx_in(u16 port, unsigned int size)
{
	return regs[0x3ce] == 6 ? regs[0] : 0;
}

static void test_vga(void **state)
{
	u16 *screen = (u16 *)(low_memory + 0xb8000), cols, rows, x, y, font;

	vga_init();
	vga_write("lost", 4);
	plat_phys_to_virt = to_virt;
	fake_ports(gfx_in, port_out);
	low_memory[0x485] = 14;
	vga_init();
	vga_write("a\nbc", 4);
	assert_int_equal(screen[0], 0x0700 | 'a');
	assert_int_equal(screen[81], 0x0700 | 'c');
	assert_int_equal(screen[82], 0x0720);
	assert_int_equal(regs[0x3d5], 82);
	vga_get_text_info(&cols, &rows, &x, &y, &font);
	assert_true(cols == 80 && rows == 25 && x == 2 && y == 1 && font == 14);
	vga_release();
	vga_write("x", 1);
	assert_int_equal(screen[82], 0x0720);
	/* dom0 has switched to graphics: it stays dark. */
	regs[0] = 1;
	vga_reclaim();
	vga_write("x", 1);
	assert_int_equal(screen[0], 0x0700 | 'a');
	regs[0] = 0;
	vga_reclaim();
	vga_reclaim();
	vga_write("P", 1);
	assert_int_equal(screen[0], 0x0700 | 'P');
	assert_int_equal(screen[81], 0x0720);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_no_serial, setup),
		cmocka_unit_test_setup(test_serial_parse, setup),
		cmocka_unit_test_setup(test_serial, setup),
		cmocka_unit_test_setup(test_serial_stalls, setup),
		cmocka_unit_test_setup(test_pci_ports, setup),
		cmocka_unit_test_setup(test_pci_memory, setup),
		cmocka_unit_test_setup(test_pci_insane, setup),
		cmocka_unit_test_setup(test_rtc, setup),
		cmocka_unit_test_setup(test_rtc_nonsense, setup),
		cmocka_unit_test_setup(test_pit, setup),
		cmocka_unit_test_setup(test_pic, setup),
		cmocka_unit_test_setup(test_no_hpet, setup),
		cmocka_unit_test_setup(test_ioapic, setup),
		cmocka_unit_test_setup(test_vga, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
