/* SPDX-License-Identifier: MIT */
/* Who gets which I/O port; PCI configuration by 0xcf8; the emulated timer channel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "cpu/percpu.h"
#include "dom/domain.h"
#include "irq/msi.h"
#include "lib/log.h"
#include "mm/pgtable.h"
#include "plat/acpi.h"
#include "plat/plat.h"
#include "pv/ioport.h"
#include "pv/pit2.h"

#define PV_FRAMES 8

struct acpi_info acpi;
struct frame *frame_table;
mfn_t max_mfn, frames_whole;

bool mfn_valid_beyond(mfn_t mfn)
{
	return false;
}

static char ram[PV_FRAMES * PAGE_SIZE] __aligned(PAGE_SIZE);
static struct frame frames[PV_FRAMES];
char *test_directmap = ram;

static nsec_t now;
static u16 com = 0x3f8;
static u32 last_cf8, last_val;
static unsigned int last_off, last_size, filter_calls;
static bool filter_answer;

nsec_t clock_now(void)
{
	return now;
}

u16 console_port(void)
{
	return com;
}

u32 pci_cf8_read(u32 cf8, unsigned int off, unsigned int size)
{
	last_cf8 = cf8;
	last_off = off;
	last_size = size;
	return 0xa5;
}

void pci_cf8_write(u32 cf8, unsigned int off, unsigned int size, u32 val)
{
	last_cf8 = cf8;
	last_off = off;
	last_size = size;
	last_val = val;
}

static struct pci_addr filter_addr;
static u16 filter_reg;

bool msi_filter_write(const struct pci_addr *a, u16 reg, unsigned int size, u32 *val)
{
	(void)size;
	(void)val;
	filter_addr = *a;
	filter_reg = reg;
	filter_calls++;
	return filter_answer;
}

struct frame *get_frame(mfn_t mfn, u16 domid)
{
	return mfn < PV_FRAMES && frames[mfn].owner == domid ? &frames[mfn] : NULL;
}

void put_frame(struct frame *f)
{
	(void)f;
}

void spin_lock_slow(spinlock_t *l)
{
	(void)l;
	fail();
}

static struct domain d;
static struct vcpu v;

static int setup(void **state)
{
	(void)state;
	memset(&d, 0, sizeof(d));
	memset(&v, 0, sizeof(v));
	memset(ram, 0, sizeof(ram));
	d.privileged = true;
	v.d = &d;
	v.pv.kernel_mode = true;
	v.pv.iopl = 1;
	frame_table = frames;
	max_mfn = frames_whole = PV_FRAMES;
	for (unsigned int i = 0; i < PV_FRAMES; i++)
		frames[i].owner = 0;
	last_cf8 = last_val = 0;
	last_off = last_size = 99;
	filter_calls = 0;
	filter_answer = true;
	now = 1000;
	return 0;
}

/* --- policy --- */

static void test_policy(void **state)
{
	static const struct {
		u32 port, size;
		enum io_action want;
	} rows[] = {
		{0x1f, 1, IO_REAL},	 {0x20, 1, IO_DENIED},	  {0x21, 1, IO_DENIED},
		{0x22, 1, IO_REAL},	 {0x1f, 2, IO_DENIED},	  {0x1d, 4, IO_DENIED},
		{0xa0, 1, IO_DENIED},	 {0xa1, 2, IO_DENIED},	  {0xa2, 1, IO_REAL},
		{0x40, 1, IO_DENIED},	 {0x41, 1, IO_DENIED},	  {0x42, 1, IO_PIT2},
		{0x43, 1, IO_PIT2},	 {0x42, 2, IO_DENIED},	  {0x3f, 2, IO_DENIED},
		{0x44, 1, IO_REAL},	 {0x61, 1, IO_PIT2},	  {0x60, 1, IO_REAL},
		{0x60, 2, IO_DENIED},	 {0x64, 1, IO_REAL},	  {0x70, 1, IO_REAL},
		{0x71, 1, IO_REAL},	 {0xcf8, 4, IO_PCI_ADDR}, {0xcf8, 1, IO_DENIED},
		{0xcf8, 2, IO_DENIED},	 {0xcf9, 1, IO_REAL},	  {0xcfb, 1, IO_DENIED},
		{0xcfa, 4, IO_DENIED},	 {0xcfc, 4, IO_PCI_DATA}, {0xcfc, 1, IO_PCI_DATA},
		{0xcfe, 2, IO_PCI_DATA}, {0xcff, 1, IO_PCI_DATA}, {0xcff, 2, IO_DENIED},
		{0xcfd, 4, IO_DENIED},	 {0xd00, 4, IO_REAL},	  {0xcf6, 4, IO_DENIED},
		{0x608, 4, IO_DENIED},	 {0x60b, 1, IO_DENIED},	  {0x60c, 4, IO_REAL},
		{0x604, 4, IO_REAL},	 {0x605, 4, IO_DENIED},	  {0x3f8, 1, IO_DENIED},
		{0x3ff, 1, IO_DENIED},	 {0x400, 1, IO_REAL},	  {0x2f8, 1, IO_REAL},
		{0xffff, 1, IO_REAL},	 {0xffff, 2, IO_DENIED},  {0xfffd, 4, IO_DENIED},
		{0x80, 3, IO_DENIED},	 {0x80, 8, IO_DENIED},	  {0x80, 0, IO_DENIED},
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		if (io_policy(true, (u16)rows[i].port, rows[i].size) != rows[i].want)
			fail_msg("port %#x size %u: %d", rows[i].port, rows[i].size,
				 io_policy(true, (u16)rows[i].port, rows[i].size));
	}
	com = 0;
	assert_int_equal(io_policy(true, 0x3f8, 1), IO_REAL);
	com = 0x3f8;
	for (unsigned int p = 0; p < 0x10000; p++)
		assert_int_equal(io_policy(false, (u16)p, 1), IO_DENIED);
}

static void test_denied_reads_ones(void **state)
{
	u32 val = 0;

	(void)state;
	assert_true(pv_io_in(&v, 0x20, 1, &val));
	assert_int_equal(val, 0xff);
	assert_true(pv_io_in(&v, 0x608, 4, &val));
	assert_int_equal(val, 0xffffffff);
	assert_true(pv_io_out(&v, 0x20, 1, 0x20)); /* would fault here if it were real */
	d.privileged = false;
	assert_true(pv_io_in(&v, 0x70, 2, &val));
	assert_int_equal(val, 0xffff);
	assert_true(pv_io_in(&v, 0xcf8, 4, &val));
	assert_int_equal(val, 0xffffffff);
}

/* --- permission --- */

static void test_iopl(void **state)
{
	u32 val;

	(void)state;
	v.pv.iopl = 0;
	assert_false(pv_io_in(&v, 0x20, 1, &val));
	assert_false(pv_io_out(&v, 0x20, 1, 0));
	v.pv.kernel_mode = false;
	v.pv.iopl = 1;
	assert_false(pv_io_in(&v, 0x20, 1, &val));
	v.pv.iopl = 3;
	assert_true(pv_io_in(&v, 0x20, 1, &val));
}

/* Frames 1 to 4 are the kernel's tables, 5 and 6 its I/O bitmap at the end of a page. */
static void map_bitmap(unsigned long va)
{
	u64 *t = mfn_to_virt(1);

	t[L4_INDEX(va)] = make_pte(2, PTE_P);
	t = mfn_to_virt(2);
	t[L3_INDEX(va)] = make_pte(3, PTE_P);
	t = mfn_to_virt(3);
	t[L2_INDEX(va)] = make_pte(4, PTE_P);
	t = mfn_to_virt(4);
	t[L1_INDEX(va)] = make_pte(5, PTE_P);
	t[L1_INDEX(va) + 1] = make_pte(6, PTE_P);
	memset(mfn_to_virt(5), 0xff, 2 * PAGE_SIZE);
	frames[4].type = FT_L1;
	v.pv.cr3_mfn = 1;
	v.pv.kernel_mode = false;
	v.pv.io_bitmap = va + PAGE_SIZE - 4;
	v.pv.io_bitmap_nr = 65536;
}

static void test_bitmap(void **state)
{
	u8 *bitmap = (u8 *)mfn_to_virt(5) + PAGE_SIZE - 4;
	u32 val;

	(void)state;
	map_bitmap(0xffffffff82000000);
	assert_false(pv_io_in(&v, 0x20, 1, &val));
	bitmap[4] &= ~3;
	assert_true(pv_io_in(&v, 0x20, 1, &val));
	assert_true(pv_io_in(&v, 0x20, 2, &val));
	assert_false(pv_io_in(&v, 0x20, 4, &val));
	assert_false(pv_io_in(&v, 0x1f, 2, &val));
	v.pv.io_bitmap_nr = 0x21;
	assert_true(pv_io_in(&v, 0x20, 1, &val));
	assert_false(pv_io_in(&v, 0x20, 2, &val));
	v.pv.io_bitmap_nr = 65536;
	frames[6].owner = 5; /* not the guest's page */
	assert_false(pv_io_in(&v, 0x20, 1, &val));
	frames[6].owner = 0;
	((u64 *)mfn_to_virt(4))[L1_INDEX(v.pv.io_bitmap) + 1] = make_pte(1 << 20, PTE_P);
	assert_false(pv_io_in(&v, 0x20, 1, &val)); /* not RAM */
	((u64 *)mfn_to_virt(2))[L3_INDEX(v.pv.io_bitmap)] = 0;
	assert_false(pv_io_in(&v, 0x20, 1, &val));
}

static void test_bitmap_addresses(void **state)
{
	static const unsigned long bad[] = {0xffff800000000000, 0xffff87ffffffffff,
					    0x0000900000000000, 0xffff828000000000 - 4,
					    ~0ul - 3,		0};
	u32 val;

	(void)state;
	map_bitmap(0xffffffff82000000);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		v.pv.io_bitmap = bad[i];
		assert_false(pv_io_in(&v, 0x20, 1, &val));
	}
	/* Only the bits that no table translates differ. */
	memset(mfn_to_virt(6), 0, PAGE_SIZE);
	v.pv.io_bitmap = 0xffffffff82001000;
	assert_true(pv_io_in(&v, 0x20, 1, &val));
	for (unsigned int bit = 48; bit < 64; bit++) {
		v.pv.io_bitmap = 0xffffffff82001000 ^ 1ul << bit;
		assert_false(pv_io_in(&v, 0x20, 1, &val));
	}
}

/* --- PCI --- */

static void test_pci(void **state)
{
	u32 val;

	(void)state;
	assert_true(pv_io_out(&v, 0xcf8, 4, 0x00001854)); /* not enabled */
	assert_true(pv_io_in(&v, 0xcfc, 2, &val));
	assert_int_equal(val, 0xffff);
	assert_true(pv_io_out(&v, 0xcfc, 4, 1));
	assert_int_equal(last_size, 99);
	assert_true(pv_io_out(&v, 0xcf8, 4, 0x81021854));
	assert_true(pv_io_in(&v, 0xcf8, 4, &val));
	assert_int_equal(val, 0x81021854);
	assert_true(pv_io_in(&v, 0xcfd, 1, &val));
	assert_int_equal(val, 0xa5);
	assert_int_equal(last_cf8, 0x81021854);
	assert_int_equal(last_off, 1);
	assert_true(pv_io_out(&v, 0xcfe, 2, 0xffff1234));
	assert_int_equal(last_val, 0x1234);
	assert_int_equal(last_off, 2);
	assert_int_equal(filter_addr.bus, 2);
	assert_int_equal(filter_addr.devfn, 0x18);
	assert_int_equal(filter_reg, 0x156);
	filter_answer = false;
	assert_true(pv_io_out(&v, 0xcfc, 4, 77));
	assert_int_equal(filter_calls, 2);
	assert_int_equal(last_val, 0x1234);
}

/* --- the timer --- */

static void pit_load(struct pit2 *p, u8 control, u16 v16)
{
	pit2_out(p, 0x61, 1, now);
	pit2_out(p, 0x43, control, now);
	pit2_out(p, 0x42, (u8)v16, now);
	pit2_out(p, 0x42, (u8)(v16 >> 8), now);
}

static u16 pit_count(struct pit2 *p)
{
	u8 lo = pit2_in(p, 0x42, now);

	return (u16)(lo | pit2_in(p, 0x42, now) << 8);
}

/* As Linux measures the TSC: mode 0, 50 ms, poll the output. */
static void test_pit_mode0(void **state)
{
	struct pit2 p = {0};

	(void)state;
	pit_load(&p, 0xb0, PIT_HZ / 20);
	assert_false(pit2_in(&p, 0x61, now) & 0x20);
	assert_int_equal(pit_count(&p), PIT_HZ / 20);
	now += 25 * NSEC_PER_MSEC;
	assert_false(pit2_in(&p, 0x61, now) & 0x20);
	assert_in_range(pit_count(&p), PIT_HZ / 40 - 2, PIT_HZ / 40 + 2);
	now += 26 * NSEC_PER_MSEC;
	assert_true(pit2_in(&p, 0x61, now) & 0x20);
	assert_int_not_equal((pit2_in(&p, 0x61, now) ^ pit2_in(&p, 0x61, now)) & 0x10, 0);
	assert_int_equal(pit2_in(&p, 0x43, now), 0xff);
}

static void test_pit_latch(void **state)
{
	struct pit2 p = {0};
	u16 c;

	(void)state;
	pit_load(&p, 0xb4, 0xffff);
	pit2_out(&p, 0x43, 0x80, now);
	now += NSEC_PER_MSEC;
	assert_int_equal(pit_count(&p), 0xffff);
	c = pit_count(&p);
	assert_in_range(c, 0xffff - 1200, 0xffff - 1190);
	pit2_out(&p, 0x43, 0x30, now); /* channel 0: not here */
	assert_int_equal(pit_count(&p), c);
	now += 3600 * NSEC_PER_SEC;
	assert_in_range(pit_count(&p), 1, 0xffff);
}

static void test_pit_hostile(void **state)
{
	struct pit2 p = {0};

	(void)state;
	for (unsigned int c = 0; c < 256; c++) {
		pit2_out(&p, 0x43, (u8)c, now);
		pit2_out(&p, 0x61, (u8)c, now);
		pit2_in(&p, 0x42, now);
		pit2_out(&p, 0x42, (u8)c, now);
		pit2_out(&p, 0x42, 0, now);
		now += 1ll << 40;
		pit2_in(&p, 0x42, now);
		pit2_in(&p, 0x42, now - (1ll << 41));
		assert_int_equal(pit2_in(&p, 0x61, now) & 0xcc, 0);
	}
}

static int setup_ports(void **state)
{
	(void)state;
	acpi.pm_tmr = 0x608;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_policy, setup),
		cmocka_unit_test_setup(test_denied_reads_ones, setup),
		cmocka_unit_test_setup(test_iopl, setup),
		cmocka_unit_test_setup(test_bitmap, setup),
		cmocka_unit_test_setup(test_bitmap_addresses, setup),
		cmocka_unit_test_setup(test_pci, setup),
		cmocka_unit_test_setup(test_pit_mode0, setup),
		cmocka_unit_test_setup(test_pit_latch, setup),
		cmocka_unit_test_setup(test_pit_hostile, setup),
	};

	return cmocka_run_group_tests_name("ioport", tests, setup_ports, NULL);
}
