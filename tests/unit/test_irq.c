/* SPDX-License-Identifier: MIT */
/* Lines and vectors, IO-APIC pins, MSI and MSI-X capabilities, pirqs of a domain. */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "irq_fakes.h"
#include "cpu/apic.h"
#include "dom/domain.h"
#include "irq/irq.h"
#include "irq/msi.h"
#include "irq/pci_regs.h"
#include "plat/acpi.h"

#define DEVFN(n) ((u8)((n) << 3))

static unsigned int handled;
static u32 pending_port;

static void handler(struct irq_line *l)
{
	(void)l;
	handled++;
}

static const struct irq_user user = {handler, NULL, 7};

/* What pirq.c needs of its neighbours. */
void evtchn_pirq_pending(struct domain *d, u32 port)
{
	(void)d;
	pending_port = port;
}

static unsigned long eoi_page[512];
static struct frame eoi_frame;
static int eoi_frame_held;
char *test_directmap = (char *)eoi_page;

struct frame *get_frame_and_writable(mfn_t mfn, u16 domid)
{
	(void)domid;
	eoi_frame_held += mfn == 0;
	return mfn == 0 ? &eoi_frame : NULL;
}

void put_frame_and_writable(struct frame *f)
{
	assert_ptr_equal(f, &eoi_frame);
	eoi_frame_held--;
}

extern struct frame *frame_table;

/* Lines and functions with MSI live as long as the machine: once for all tests. */
static int setup_board(void **state)
{
	(void)state;
	acpi.isa[9] = (struct acpi_override){true, true, false, 9};
	acpi.isa[0] = (struct acpi_override){true, false, false, 2};
	frame_table = &eoi_frame;
	irq_init();
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fake_board_reset();
	handled = 0;
	pending_port = 0;
	return 0;
}

/* --- vectors --- */

static void test_every_vector_once(void **state)
{
	static struct irq_line *got[256];
	unsigned int n = 0;
	struct irq_line *l;

	(void)state;
	while ((l = irq_line_alloc(IRQ_IOAPIC, &user)) != NULL) {
		assert_in_range(l->vector, VEC_DEV_FIRST, VEC_DEV_LAST);
		assert_int_not_equal(l->vector, 0x80);
		assert_int_not_equal(l->vector, 0x82);
		assert_null(got[l->vector]);
		got[l->vector] = l;
		n++;
	}
	assert_int_equal(n, VEC_DEV_LAST - VEC_DEV_FIRST + 1 - 2);
	for (unsigned int v = 0; v < 256; v++)
		if (got[v])
			irq_line_put(got[v]);
}

static void test_freed_vector_rests(void **state)
{
	struct irq_line *a = irq_line_alloc(IRQ_IOAPIC, &user), *b;

	(void)state;
	irq_line_put(a);
	b = irq_line_alloc(IRQ_IOAPIC, &user);
	assert_ptr_not_equal(a, b);
	irq_line_put(b);
}

static void test_spurious(void **state)
{
	u64 before = irq_spurious_count();

	(void)state;
	for (unsigned int v = 0; v < 256; v++)
		do_irq(v);
	do_irq(100000);
	assert_int_equal(irq_spurious_count() - before, 257);
	assert_int_equal(fake_eois, 257);
	assert_int_equal(handled, 0);
}

static void test_destination(void **state)
{
	(void)state;
	assert_int_equal(irq_dest(1), 2);
	assert_int_equal(irq_dest(3), 0); /* 300 does not fit */
	assert_int_equal(irq_dest(CONFIG_NR_CPUS + 5), 0);
}

/* --- pins --- */

static void test_level_pin(void **state)
{
	int err = 0;
	struct irq_line *l = gsi_line_get(20, &user, &err);

	(void)state;
	assert_non_null(l);
	assert_true(fake_pin[20].level && fake_pin[20].low && fake_pin[20].masked);
	do_irq(l->vector); /* a straggler before the start */
	assert_int_equal(handled, 0);
	irq_start(l, 1);
	assert_false(fake_pin[20].masked);
	assert_int_equal(fake_pin[20].dest, 2);
	do_irq(l->vector);
	assert_int_equal(handled, 1);
	assert_true(fake_pin[20].masked);
	irq_set_cpu(l, 2); /* still waits for its EOI */
	assert_true(fake_pin[20].masked);
	assert_int_equal(fake_pin[20].dest, 4);
	irq_eoi(l);
	assert_false(fake_pin[20].masked);
	do_irq(l->vector);
	irq_stop(l);
	irq_eoi(l); /* too late: the line is off */
	assert_true(fake_pin[20].masked);
	irq_line_put(l);
	assert_null(gsi_line(20));
}

static void test_edge_pin(void **state)
{
	int err = 0;
	struct irq_line *l = gsi_line_get(1, &user, &err);

	(void)state;
	irq_start(l, 0);
	do_irq(l->vector);
	do_irq(l->vector);
	assert_int_equal(handled, 2);
	assert_false(fake_pin[1].masked || fake_pin[1].level || fake_pin[1].low);
	assert_null(gsi_line_get(1, &user, &err));
	assert_int_equal(err, -XEN_EBUSY);
	assert_null(gsi_line_get(FAKE_PINS, &user, &err));
	assert_int_equal(err, -XEN_EINVAL);
	irq_line_put(l);
}

static void test_setup_gsi(void **state)
{
	int err = 0;
	struct irq_line *l = gsi_line_get(9, &user, &err);

	(void)state;
	assert_true(l->level);
	assert_false(l->low);
	assert_int_equal(gsi_setup(9, true, true), 0);
	assert_true(fake_pin[9].low);
	assert_int_equal(gsi_setup(9, true, true), -XEN_EEXIST);
	assert_int_equal(gsi_setup(FAKE_PINS, true, true), -XEN_EINVAL);
	irq_line_put(l);
}

/* --- MSI --- */

static void test_caps(void **state)
{
	struct pci_addr a = {0, 0, DEVFN(0)};
	struct msi_caps c;

	(void)state;
	assert_int_equal(msi_read_caps(&a, &c), 0);
	assert_int_equal(c.msi, 0x50);
	assert_true(c.msi_64 && c.msi_maskable);
	assert_int_equal(c.msix, 0x70);
	assert_int_equal(c.msix_entries, 64);
	assert_int_equal(c.msix_bir, 4);
	assert_int_equal(c.msix_offset, 0x2000);
	assert_int_equal(msi_bar_address(&a, 4), FAKE_BAR(0));
	assert_int_equal(msi_bar_address(&a, 6), 0);
	fake_cfg_set(0, PCI_BAR(0), 4, 0xc001);
	assert_int_equal(msi_bar_address(&a, 0), 0);
	fake_cfg_set(0, PCI_BAR(5), 4, 0xfebf0000 | PCI_BAR_TYPE_64);
	assert_int_equal(msi_bar_address(&a, 5), 0); /* upper half beyond the end */
	a.devfn = DEVFN(3);
	assert_int_equal(msi_read_caps(&a, &c), -XEN_ENODEV);
}

static void test_caps_hostile(void **state)
{
	struct pci_addr a = {0, 0, DEVFN(0)};
	struct msi_caps c;

	(void)state;
	fake_cfg_set(0, 0x70, 2, 0x5011); /* the list is a circle */
	assert_int_equal(msi_read_caps(&a, &c), 0);
	assert_int_equal(c.msix, 0x70);
	fake_cfg_set(0, PCI_CAP_LIST, 1, 0x10); /* points into the header */
	assert_int_equal(msi_read_caps(&a, &c), 0);
	assert_int_equal(c.msi | c.msix, 0);
	fake_cfg_set(0, PCI_STATUS, 2, 0);
	assert_int_equal(msi_read_caps(&a, &c), 0);
	assert_int_equal(c.msi | c.msix, 0);
}

static void test_msi(void **state)
{
	struct pci_addr a = {0, 0, DEVFN(0)};
	struct irq_line *l;
	int err;

	(void)state;
	l = msi_line_get(&a, &user, &err);
	assert_non_null(l);
	assert_int_equal(fake_cfg_get(0, 0x54, 4), 0xfee00000);
	assert_int_equal(fake_cfg_get(0, 0x5c, 2), l->vector);
	assert_int_equal(fake_cfg_get(0, 0x60, 4), 1); /* masked */
	assert_null(msi_line_get(&a, &user, &err));
	assert_int_equal(err, -XEN_EEXIST);
	assert_null(msix_line_get(&a, 0, 0, &user, &err));
	assert_int_equal(err, -XEN_EEXIST);
	irq_start(l, 1);
	assert_int_equal(fake_cfg_get(0, 0x54, 4), 0xfee02000);
	assert_int_equal(fake_cfg_get(0, 0x60, 4), 0);
	assert_true(fake_cfg_get(0, 0x52, 2) & PCI_MSI_CONTROL_ENABLE);
	do_irq(l->vector);
	assert_int_equal(handled, 1);
	irq_line_put(l);
	assert_false(fake_cfg_get(0, 0x52, 2) & PCI_MSI_CONTROL_ENABLE);
	l = msi_line_get(&a, &user, &err);
	assert_non_null(l);
	irq_line_put(l);
	a.devfn = DEVFN(3);
	assert_null(msi_line_get(&a, &user, &err));
	assert_int_equal(err, -XEN_ENODEV);
}

static void test_msi_32(void **state)
{
	struct pci_addr a = {0, 0, DEVFN(1)};
	struct irq_line *l;
	int err;

	(void)state;
	l = msi_line_get(&a, &user, &err);
	irq_start(l, 2);
	assert_int_equal(fake_cfg_get(1, 0x54, 4), 0xfee04000);
	assert_int_equal(fake_cfg_get(1, 0x58, 2), l->vector);
	assert_int_equal(fake_cfg_get(1, 0x5c, 4), 0); /* no mask register: untouched */
	irq_line_put(l);
}

static void test_msix(void **state)
{
	struct pci_addr a = {0, 0, DEVFN(2)};
	struct irq_line *l, *m;
	u32 *e = &fake_table[2][5 * 4];
	int err;

	(void)state;
	l = msix_line_get(&a, 5, FAKE_BAR(2), &user, &err);
	m = msix_line_get(&a, 6, FAKE_BAR(2), &user, &err);
	assert_non_null(l);
	assert_non_null(m);
	assert_int_equal(e[MSIX_DATA], l->vector);
	assert_int_equal(e[MSIX_CONTROL], 1);
	fake_cfg_set(2, 0x72, 2, 63 | PCI_MSIX_CONTROL_ENABLE | PCI_MSIX_CONTROL_MASKALL);
	irq_start(l, 1);
	assert_int_equal(e[MSIX_ADDRESS_LO], 0xfee02000);
	assert_int_equal(e[MSIX_CONTROL], 0);
	assert_int_equal(fake_cfg_get(2, 0x72, 2), 63 | PCI_MSIX_CONTROL_ENABLE);
	assert_null(msix_line_get(&a, 5, 0, &user, &err));
	assert_int_equal(err, -XEN_EEXIST);
	assert_null(msix_line_get(&a, 64, 0, &user, &err));
	assert_int_equal(err, -XEN_EINVAL);
	memset(fake_table, 0, sizeof(fake_table)); /* the function was reset */
	assert_int_equal(msi_restore(&a), 0);
	assert_int_equal(e[MSIX_DATA], l->vector);
	assert_int_equal(e[MSIX_CONTROL], 0);
	assert_int_equal(e[4 + MSIX_CONTROL], 1); /* never started */
	irq_line_put(l);
	irq_line_put(m);
	assert_int_equal(e[MSIX_CONTROL], 1);
	assert_int_equal(msi_restore(&a), -XEN_ENODEV);
}

static void test_msix_table_place(void **state)
{
	struct pci_addr a = {0, 0, DEVFN(0)};
	int err;

	(void)state;
	fake_cfg_set(0, PCI_COMMAND, 2, 0);
	assert_null(msix_line_get(&a, 0, 0, &user, &err));
	assert_int_equal(err, -XEN_ENXIO);
	fake_cfg_set(0, PCI_BAR(4), 4, PCI_BAR_TYPE_64);
	fake_cfg_set(0, PCI_BAR(5), 4, 0);
	assert_null(msix_line_get(&a, 0, 0, &user, &err));
	assert_int_equal(err, -XEN_EINVAL);
}

static void test_filter(void **state)
{
	struct pci_addr a = {0, 0, DEVFN(0)};
	struct irq_line *l;
	u32 v = 0x00b1;
	int err;

	(void)state;
	assert_true(msi_filter_write(&a, 0x54, 4, &v)); /* not in use: dom0's own affair */
	l = msi_line_get(&a, &user, &err);
	for (u16 reg = 0x54; reg < 0x64; reg++)
		assert_false(msi_filter_write(&a, reg, 1, &v));
	assert_true(msi_filter_write(&a, 0x64, 4, &v));
	assert_true(msi_filter_write(&a, 0x4c, 4, &v));
	assert_int_equal(v, 0x00b1);
	assert_true(msi_filter_write(&a, 0x52, 2, &v)); /* enable passes, more messages do not */
	assert_int_equal(v, 0x0081);
	v = 0x00b17005;
	assert_true(msi_filter_write(&a, 0x50, 4, &v));
	assert_int_equal(v, 0x00817005);
	irq_line_put(l);
}

/* --- pirqs --- */

static struct vcpu vcpu0;
static struct vcpu *vcpus[1] = {&vcpu0};
static struct domain dom;

static void make_domain(bool privileged)
{
	memset(&dom, 0, sizeof(dom));
	memset(eoi_page, 0, sizeof(eoi_page));
	dom.privileged = privileged;
	dom.vcpu = vcpus;
	dom.max_vcpus = 1;
	vcpu0.sched.cpu = 1;
	assert_int_equal(pirq_init_domain(&dom), 0);
}

static void test_pirq_gsi(void **state)
{
	int n = 9, other = 12, any = -1;
	bool needs = true;

	(void)state;
	make_domain(true);
	assert_int_equal(pirq_set_eoi_page(&dom, 1, false), -XEN_EINVAL);
	assert_int_equal(pirq_set_eoi_page(&dom, 0, false), 0);
	assert_int_equal(pirq_set_eoi_page(&dom, 0, false), -XEN_EBUSY);
	assert_int_equal(pirq_map_gsi(&dom, 9, &n), 0);
	assert_int_equal(pirq_map_gsi(&dom, 9, &any), 0); /* the same again */
	assert_int_equal(any, 9);
	assert_int_equal(pirq_map_gsi(&dom, 9, &other), -XEN_EEXIST);
	assert_int_equal(eoi_page[0], 1 << 9);
	assert_int_equal(pirq_bind(&dom, 10, 3, true), -XEN_EINVAL);
	assert_int_equal(pirq_bind(&dom, 9, 3, true), 0);
	assert_int_equal(pirq_bind(&dom, 9, 4, true), -XEN_EEXIST);
	assert_int_equal(fake_pin[9].dest, 2);
	do_irq(fake_pin[9].vector);
	assert_int_equal(pending_port, 3);
	assert_true(fake_pin[9].masked);
	assert_int_equal(pirq_eoi(&dom, 9), 0);
	assert_false(fake_pin[9].masked);
	pirq_set_affinity(&dom, 9, 2);
	assert_int_equal(fake_pin[9].dest, 4);
	assert_int_equal(pirq_needs_eoi(&dom, 9, &needs), 0);
	assert_true(needs);
	assert_int_equal(pirq_needs_eoi(&dom, MAX_PIRQS, &needs), -XEN_EINVAL);
	pirq_unbind(&dom, 9);
	assert_true(fake_pin[9].masked);
	assert_int_equal(pirq_unmap(&dom, 9), 0);
	assert_int_equal(pirq_unmap(&dom, 9), -XEN_EINVAL);
	assert_int_equal(eoi_page[0], 0);
	assert_int_equal(pirq_eoi(&dom, 9), -XEN_EINVAL);
	assert_int_equal(eoi_frame_held, 1);
	pirq_destroy_domain(&dom);
	assert_int_equal(eoi_frame_held, 0);
}

static void test_pirq_trigger_comes_later(void **state)
{
	int n = 5;

	(void)state;
	make_domain(true);
	assert_int_equal(pirq_set_eoi_page(&dom, 0, false), 0);
	assert_int_equal(pirq_map_gsi(&dom, 5, &n), 0);
	assert_int_equal(eoi_page[0], 0);
	assert_int_equal(gsi_setup(5, true, true), 0);
	pirq_gsi_changed(&dom, 5);
	assert_int_equal(eoi_page[0], 1 << 5);
	pirq_destroy_domain(&dom);
}

/* The hypervisor's serial line: dom0 sees the pin and gets nothing from it. */
static void test_pirq_gsi_taken(void **state)
{
	int n = 4, err = 0;
	struct irq_line *l = gsi_line_get(4, &user, &err);

	(void)state;
	make_domain(true);
	assert_int_equal(pirq_map_gsi(&dom, 4, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(pirq_map_gsi(&dom, 4, &n), 0);
	assert_int_equal(pirq_bind(&dom, 4, 2, false), -XEN_EINVAL);
	pirq_unbind(&dom, 4);
	irq_start(l, 0);
	do_irq(l->vector);
	assert_int_equal(handled, 1);
	assert_int_equal(pirq_unmap(&dom, 4), 0);
	pirq_destroy_domain(&dom);
	irq_line_put(l);
}

static void test_pirq_msi(void **state)
{
	struct pci_addr a = {0, 0, DEVFN(2)};
	int n = -1, m = -1, gone = 2000, bad = -2;
	u32 reserved = 0;
	bool needs = true;

	(void)state;
	make_domain(true);
	assert_int_equal(pirq_get_free(&dom, &reserved), 0);
	assert_int_equal(pirq_map_msix(&dom, &a, 0, FAKE_BAR(2), &n), 0);
	assert_int_equal(pirq_map_msix(&dom, &a, 1, FAKE_BAR(2), &m), 0);
	assert_true(n >= FAKE_PINS && m >= FAKE_PINS && n != m);
	assert_int_not_equal(n, reserved);
	assert_int_equal(pirq_map_msix(&dom, &a, 2, FAKE_BAR(2), &gone), -XEN_EINVAL);
	assert_int_equal(pirq_map_msix(&dom, &a, 2, FAKE_BAR(2), &bad), -XEN_EINVAL);
	assert_int_equal(pirq_needs_eoi(&dom, (u32)n, &needs), 0);
	assert_false(needs);
	assert_int_equal(pirq_bind(&dom, (u32)n, 40, false), 0);
	do_irq(pirq_vector(&dom, (u32)n));
	assert_int_equal(pending_port, 40);
	assert_int_equal(pirq_unmap(&dom, (int)reserved), 0);
	pirq_destroy_domain(&dom); /* the bound one too */
	assert_int_equal(fake_table[2][MSIX_CONTROL], 1);
	pending_port = 0;
	for (unsigned int v = VEC_DEV_FIRST; v <= VEC_DEV_LAST; v++)
		do_irq(v);
	assert_int_equal(pending_port, 0);
}

static void test_pirq_domu(void **state)
{
	int n = 9;

	(void)state;
	make_domain(false);
	assert_int_equal(pirq_map_gsi(&dom, 9, &n), -XEN_EINVAL);
	assert_int_equal(pirq_bind(&dom, 9, 1, false), -XEN_EINVAL);
	assert_int_equal(pirq_eoi(&dom, 9), -XEN_EINVAL);
	assert_int_equal(pirq_unmap(&dom, 9), -XEN_EINVAL);
	assert_int_equal(pirq_set_eoi_page(&dom, 0, false), 0);
	pirq_unbind(&dom, 9);
	pirq_destroy_domain(&dom);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_vector_once, setup),
		cmocka_unit_test_setup(test_freed_vector_rests, setup),
		cmocka_unit_test_setup(test_spurious, setup),
		cmocka_unit_test_setup(test_destination, setup),
		cmocka_unit_test_setup(test_level_pin, setup),
		cmocka_unit_test_setup(test_edge_pin, setup),
		cmocka_unit_test_setup(test_setup_gsi, setup),
		cmocka_unit_test_setup(test_caps, setup),
		cmocka_unit_test_setup(test_caps_hostile, setup),
		cmocka_unit_test_setup(test_msi, setup),
		cmocka_unit_test_setup(test_msi_32, setup),
		cmocka_unit_test_setup(test_msix, setup),
		cmocka_unit_test_setup(test_msix_table_place, setup),
		cmocka_unit_test_setup(test_filter, setup),
		cmocka_unit_test_setup(test_pirq_gsi, setup),
		cmocka_unit_test_setup(test_pirq_trigger_comes_later, setup),
		cmocka_unit_test_setup(test_pirq_gsi_taken, setup),
		cmocka_unit_test_setup(test_pirq_msi, setup),
		cmocka_unit_test_setup(test_pirq_domu, setup),
	};

	return cmocka_run_group_tests_name("irq", tests, setup_board, NULL);
}
