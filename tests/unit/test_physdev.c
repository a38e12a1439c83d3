/* SPDX-License-Identifier: MIT */
/* physdev_op and platform_op: who may call what, Linux's order of calls, and nonsense. */
#include <stdlib.h>
#include <string.h>
#include "lib/types.h"
#include <xen/xen.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include "fake/fake.h"
#include "irq_fakes.h"
#include "call/call.h"
#include "cpu/symbols.h"
#include "dom/vtime.h"
#include "irq/irq.h"
#include "irq/pci_regs.h"
#include "plat/efi.h"
#include "plat/acpi.h"
#include "plat/plat.h"

unsigned int nr_cpus = 3;
u32 cpu_acpi_id[CONFIG_NR_CPUS] = {10, 11, 12};
unsigned long cpu_online_map[BITS_TO_LONGS(CONFIG_NR_CPUS)] = {5};
static unsigned long eoi_page[512];
char *test_directmap = (char *)eoi_page;
static struct frame eoi_frame;
static u32 unmasked, pending;
static u64 wall_sec;
static unsigned int wall_changed, slept;

int copy_from_guest(void *dst, const void *src, size_t n)
{
	if (!src)
		return -XEN_EFAULT;
	memcpy(dst, src, n);
	return 0;
}

int copy_to_guest(void *dst, const void *src, size_t n)
{
	if (!dst)
		return -XEN_EFAULT;
	memcpy(dst, src, n);
	return 0;
}

struct frame *get_frame_and_writable(mfn_t mfn, u16 domid)
{
	(void)domid;
	return mfn == 0 ? &eoi_frame : NULL;
}

void put_frame_and_writable(struct frame *f)
{
	(void)f;
}

void evtchn_pirq_pending(struct domain *d, u32 port)
{
	(void)d;
	pending = port;
}

int evtchn_op_unmask(struct domain *d, u32 port)
{
	(void)d;
	unmasked = port;
	return 0;
}

struct domain *domain_get(domid_t id)
{
	static struct domain other;

	return id == 5 ? &other : NULL;
}

void domain_put(struct domain *d)
{
	(void)d;
}

int ioapic_read_reg(paddr_t base, u32 reg, u32 *val)
{
	*val = reg == 1 ? 0x170020 : 0;
	return base == 0xfec00000 ? 0 : -XEN_ENODEV;
}

void clock_set_wall(u64 sec, u32 nsec, nsec_t system_time)
{
	(void)nsec;
	(void)system_time;
	wall_sec = sec;
}

void vtime_wallclock_changed(void)
{
	wall_changed++;
}

int machine_enter_sleep(u16 a, u16 b)
{
	slept = (unsigned int)a << 16 | b;
	return -XEN_EIO;
}

const char *symbol_by_number(u32 n, unsigned long *addr)
{
	*addr = 0x1000 + n;
	return n < 2 ? "name" : NULL;
}

const void *(*plat_map_firmware)(paddr_t pa, size_t size);
void (*plat_unmap_firmware)(const void *va, size_t size);
volatile void *(*plat_map_mmio)(paddr_t pa, size_t size);

static struct vcpu v;
static struct vcpu *vcpus[1] = {&v};
static struct domain d;

static int setup_board(void **state)
{
	(void)state;
	frame_table = &eoi_frame;
	acpi.isa[9] = (struct acpi_override){true, true, false, 9};
	irq_init();
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fake_board_reset();
	memset(&d, 0, sizeof(d));
	memset(&v, 0, sizeof(v));
	memset(eoi_page, 0, sizeof(eoi_page));
	d.privileged = true;
	d.vcpu = vcpus;
	d.max_vcpus = 1;
	v.d = &d;
	test_cpu_info.curr = &v;
	pending = unmasked = 0;
	return pirq_init_domain(&d);
}

static int teardown(void **state)
{
	(void)state;
	pirq_destroy_domain(&d);
	return 0;
}

static long phys(unsigned int cmd, void *arg)
{
	return do_physdev_op(cmd, (unsigned long)arg, 0, 0, 0);
}

static long plat(struct xen_platform_op *op)
{
	op->interface_version = XENPF_INTERFACE_VERSION;
	return do_platform_op((unsigned long)op, 0, 0, 0, 0);
}

/* --- physdev_op --- */

static void test_who_may(void **state)
{
	static const u8 anybody[] = {PHYSDEVOP_irq_status_query, PHYSDEVOP_set_iopl,
				     PHYSDEVOP_set_iobitmap,	 PHYSDEVOP_eoi,
				     PHYSDEVOP_pirq_eoi_gmfn_v1, PHYSDEVOP_pirq_eoi_gmfn_v2};
	static const u8 unknown[] = {0, 1, 2, 3, 4, 18, 22, 29, 32, 33, 40, 255};
	char arg[64];

	(void)state;
	pirq_destroy_domain(&d);
	d.privileged = false;
	assert_int_equal(pirq_init_domain(&d), 0);
	for (unsigned int cmd = 0; cmd < 300; cmd++) {
		memset(arg, 0xff, sizeof(arg));
		long rc = phys(cmd, arg), want = -XEN_EPERM;

		if (cmd < 256 && memchr(anybody, (int)cmd, sizeof(anybody)))
			want = -XEN_EINVAL; /* of these arguments */
		else if (cmd > 31 || memchr(unknown, (int)cmd, sizeof(unknown)))
			want = -XEN_ENOSYS;
		if (rc != want)
			fail_msg("command %u: %ld, not %ld", cmd, rc, want);
	}
	assert_int_equal(phys(PHYSDEVOP_set_iopl, NULL), -XEN_EFAULT);
}

/* What Linux 6.1 does for a legacy interrupt of level kind, with the EOI page of either version. */
static void gsi_as_linux(unsigned int eoi_cmd)
{
	struct physdev_map_pirq map = {
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 9, .pirq = 9};
	struct physdev_irq irq = {.irq = 9};
	struct physdev_irq_status_query q = {.irq = 9};
	struct physdev_setup_gsi gsi = {9, 1, 0};
	struct physdev_pirq_eoi_gmfn page = {0};
	struct physdev_eoi eoi = {9};

	assert_int_equal(phys(PHYSDEVOP_map_pirq, &map), 0);
	assert_int_equal(map.pirq, 9);
	assert_int_equal(phys(PHYSDEVOP_alloc_irq_vector, &irq), 0);
	assert_int_equal(irq.vector, pirq_vector(&d, 9));
	assert_int_equal(phys(PHYSDEVOP_irq_status_query, &q), 0);
	assert_int_equal(q.flags, XENIRQSTAT_needs_eoi);
	assert_in_set(-phys(PHYSDEVOP_setup_gsi, &gsi), ((unsigned long[]){0, XEN_EEXIST}), 2);
	assert_int_equal(phys(PHYSDEVOP_setup_gsi, &gsi), -XEN_EEXIST);
	assert_int_equal(phys(eoi_cmd, &page), 0);
	assert_int_equal(eoi_page[0], 1 << 9);
	assert_int_equal(pirq_bind(&d, 9, 7, true), 0);
	assert_int_equal(phys(PHYSDEVOP_eoi, &eoi), 0);
	do_irq(fake_pin[9].vector);
	assert_int_equal(pending, 7);
	assert_true(fake_pin[9].masked);
	assert_int_equal(phys(PHYSDEVOP_eoi, &eoi), 0);
	assert_false(fake_pin[9].masked);
}

static void test_gsi(void **state)
{
	(void)state;
	gsi_as_linux(PHYSDEVOP_pirq_eoi_gmfn_v2);
	assert_int_equal(unmasked, 0);
}

static void test_gsi_v1(void **state)
{
	(void)state;
	gsi_as_linux(PHYSDEVOP_pirq_eoi_gmfn_v1);
	assert_int_equal(unmasked, 7);
}

static struct physdev_map_pirq msi_arg(int type, unsigned int dev)
{
	return (struct physdev_map_pirq){
		.domid = DOMID_SELF, .type = type, .index = -1, .pirq = -1, .devfn = (int)dev << 3};
}

static void test_msi(void **state)
{
	struct physdev_map_pirq map = msi_arg(MAP_PIRQ_TYPE_MSI_SEG, 0);
	struct physdev_unmap_pirq un = {.domid = DOMID_SELF};

	(void)state;
	assert_int_equal(phys(PHYSDEVOP_map_pirq, &map), 0);
	assert_int_equal(fake_cfg_get(0, 0x5c, 2), pirq_vector(&d, (u32)map.pirq));
	un.pirq = map.pirq;
	assert_int_equal(phys(PHYSDEVOP_unmap_pirq, &un), 0);
	map = msi_arg(MAP_PIRQ_TYPE_MULTI_MSI, 0);
	map.entry_nr = 4;
	assert_int_equal(phys(PHYSDEVOP_map_pirq, &map), -XEN_EOPNOTSUPP);
	map.entry_nr = 1;
	assert_int_equal(phys(PHYSDEVOP_map_pirq, &map), 0);
	map = msi_arg(MAP_PIRQ_TYPE_MSI, 1);
	map.bus = 0x10000;
	assert_int_equal(phys(PHYSDEVOP_map_pirq, &map), -XEN_EINVAL);
	map.bus = 0;
	map.domid = 5;
	assert_int_equal(phys(PHYSDEVOP_map_pirq, &map), -XEN_EOPNOTSUPP);
	map.domid = 6;
	assert_int_equal(phys(PHYSDEVOP_map_pirq, &map), -XEN_ESRCH);
}

static void test_msix(void **state)
{
	struct physdev_map_pirq map = msi_arg(MAP_PIRQ_TYPE_MSI_SEG, 2);

	(void)state;
	map.table_base = FAKE_BAR(2);
	for (map.entry_nr = 0; map.entry_nr < 8; map.entry_nr++) {
		map.pirq = -1;
		assert_int_equal(phys(PHYSDEVOP_map_pirq, &map), 0);
		assert_int_equal(fake_table[2][map.entry_nr * 4 + MSIX_DATA],
				 pirq_vector(&d, (u32)map.pirq));
	}
	map.pirq = -1;
	map.entry_nr = -1;
	assert_int_equal(phys(PHYSDEVOP_map_pirq, &map), -XEN_EINVAL);
}

static void test_devices(void **state)
{
	u32 buf[8] = {0};
	struct physdev_pci_device_add *add = (void *)buf;
	struct physdev_pci_device dev = {0, 0, 3 << 3};

	(void)state;
	assert_int_equal(phys(PHYSDEVOP_pci_device_add, add), 0);
	add->devfn = 3 << 3;
	assert_int_equal(phys(PHYSDEVOP_pci_device_add, add), -XEN_ENODEV);
	add->flags = XEN_PCI_DEV_VIRTFN;
	assert_int_equal(phys(PHYSDEVOP_pci_device_add, add), 0);
	assert_int_equal(phys(PHYSDEVOP_prepare_msix, &dev), -XEN_ENODEV);
	dev.devfn = 0;
	assert_int_equal(phys(PHYSDEVOP_prepare_msix, &dev), 0);
	assert_int_equal(phys(PHYSDEVOP_restore_msi_ext, &dev), -XEN_ENODEV);
	assert_int_equal(phys(PHYSDEVOP_pci_device_remove, &dev), 0);
}

static void test_iopl(void **state)
{
	struct physdev_set_iopl iopl = {1};
	struct physdev_set_iobitmap map = {.bitmap = {(u8 *)0x1234}, .nr_ports = 65536};
	struct physdev_apic apic = {.apic_physbase = 0xfec00000, .reg = 1};

	(void)state;
	assert_int_equal(phys(PHYSDEVOP_set_iopl, &iopl), 0);
	assert_int_equal(v.pv.iopl, 1);
	iopl.iopl = 4;
	assert_int_equal(phys(PHYSDEVOP_set_iopl, &iopl), -XEN_EINVAL);
	assert_int_equal(phys(PHYSDEVOP_set_iobitmap, &map), 0);
	assert_int_equal(v.pv.io_bitmap, 0x1234);
	map.nr_ports++;
	assert_int_equal(phys(PHYSDEVOP_set_iobitmap, &map), -XEN_EINVAL);
	assert_int_equal(phys(PHYSDEVOP_apic_read, &apic), 0);
	assert_int_equal(apic.value, 0x170020);
	apic.apic_physbase = 0;
	assert_int_equal(phys(PHYSDEVOP_apic_read, &apic), -XEN_ENODEV);
	assert_int_equal(phys(PHYSDEVOP_apic_write, &apic), -XEN_EPERM);
}

/* Small numbers, limits and noise; whatever it does, nothing may break and all can be given back. */
static void test_noise(void **state)
{
	static const u32 special[] = {0,  1,  2,      3,	  9,	      16,
				      23, 24, 0x7ff0, 0x7fffffff, 0x80000000, ~0u};
	u32 arg[16];

	(void)state;
	for (unsigned int i = 0; i < 300000; i++) {
		for (unsigned int k = 0; k < ARRAY_SIZE(arg); k++)
			arg[k] = fake_below(4) ? special[fake_below(ARRAY_SIZE(special))]
					       : fake_random();
		if (fake_below(2))
			arg[0] = DOMID_SELF;
		phys(fake_below(34), arg);
		do_irq(fake_below(256));
	}
}

/* --- platform_op --- */

static void test_platform(void **state)
{
	struct xen_platform_op op = {.cmd = XENPF_settime64};

	(void)state;
	op.u.settime64.secs = 1700000000;
	op.u.settime64.nsecs = 5;
	assert_int_equal(plat(&op), 0);
	assert_int_equal(wall_sec, 1700000000);
	assert_int_equal(wall_changed, 1);
	op.u.settime64.mbz = 1;
	assert_int_equal(plat(&op), -XEN_EINVAL);
	op = (struct xen_platform_op){.cmd = XENPF_settime32};
	op.u.settime32.nsecs = 1000000000;
	assert_int_equal(plat(&op), -XEN_EINVAL);
	op = (struct xen_platform_op){.cmd = XENPF_firmware_info};
	op.u.firmware_info.type = XEN_FW_KBD_SHIFT_FLAGS;
	assert_int_equal(plat(&op), 0);
	op.u.firmware_info.type = XEN_FW_DISK_INFO;
	assert_int_equal(plat(&op), -XEN_ESRCH);
	op.u.firmware_info.type = XEN_FW_EFI_INFO;
	assert_int_equal(plat(&op), -XEN_ENOSYS);
	op = (struct xen_platform_op){.cmd = XENPF_enter_acpi_sleep};
	op.u.enter_acpi_sleep.sleep_state = 3;
	assert_int_equal(plat(&op), -XEN_EOPNOTSUPP);
	op.u.enter_acpi_sleep.sleep_state = 5;
	op.u.enter_acpi_sleep.val_a = 0x2001;
	assert_int_equal(plat(&op), -XEN_EIO);
	assert_int_equal(slept, 0x20010000);
	op = (struct xen_platform_op){.cmd = XENPF_microcode_update};
	assert_int_equal(plat(&op), -XEN_ENOSYS);
	op.interface_version++;
	assert_int_equal(do_platform_op((unsigned long)&op, 0, 0, 0, 0), -XEN_EACCES);
	assert_int_equal(do_platform_op(0, 0, 0, 0, 0), -XEN_EFAULT);
	d.privileged = false;
	assert_int_equal(plat(&op), -XEN_EPERM);
	d.privileged = true;
}

static void test_cpuinfo(void **state)
{
	struct xen_platform_op op = {.cmd = XENPF_get_cpuinfo};
	char name[8];

	(void)state;
	op.u.pcpu_info.xen_cpuid = 2;
	assert_int_equal(plat(&op), 0);
	assert_int_equal(op.u.pcpu_info.flags, XEN_PCPU_FLAGS_ONLINE);
	assert_int_equal(op.u.pcpu_info.apic_id, 4);
	assert_int_equal(op.u.pcpu_info.acpi_id, 12);
	assert_int_equal(op.u.pcpu_info.max_present, 2);
	op.u.pcpu_info.xen_cpuid = 1;
	assert_int_equal(plat(&op), 0);
	assert_int_equal(op.u.pcpu_info.flags, 0);
	op.u.pcpu_info.xen_cpuid = ~0u;
	assert_int_equal(plat(&op), 0);
	assert_int_equal(op.u.pcpu_info.flags, XEN_PCPU_FLAGS_INVALID);
	op = (struct xen_platform_op){.cmd = XENPF_get_symbol};
	op.u.symdata.name.p = name;
	op.u.symdata.namelen = 3;
	assert_int_equal(plat(&op), 0);
	assert_int_equal(op.u.symdata.namelen, 4);
	assert_memory_equal(name, "nam", 3);
	assert_int_equal(op.u.symdata.symnum, 1);
	op.u.symdata.namelen = 8;
	assert_int_equal(plat(&op), 0);
	assert_string_equal(name, "name");
	assert_int_equal(plat(&op), 0);
	assert_int_equal(op.u.symdata.symnum, 2); /* the end */
}

/* Processors neither come nor go; dom0's kernel asks all the same. */
static void test_processors(void **state)
{
	struct xen_platform_op op = {.cmd = XENPF_get_cpu_version};
	struct xenpf_pcpu_version *ver = &op.u.pcpu_version;

	assert_int_equal(plat(&op), 0);
	assert_int_equal(ver->max_present, 2);
	assert_true(ver->vendor_id[0] >= 'A' && ver->family >= 6); /* of the build machine */
	ver->xen_cpuid = 1; /* off */
	assert_int_equal(plat(&op), 0);
	assert_int_equal(ver->xen_cpuid, 1);
	assert_int_equal(ver->vendor_id[0] | ver->family, 0);
	op = (struct xen_platform_op){.cmd = XENPF_cpu_online};
	assert_int_equal(plat(&op), 0);
	op.u.cpu_ol.cpuid = 1;
	assert_int_equal(plat(&op), -XEN_EOPNOTSUPP);
	op.u.cpu_ol.cpuid = 3;
	assert_int_equal(plat(&op), -XEN_EINVAL);
	op = (struct xen_platform_op){.cmd = XENPF_cpu_offline};
	assert_int_equal(plat(&op), -XEN_EOPNOTSUPP);
	op = (struct xen_platform_op){.cmd = XENPF_core_parking};
	op.u.core_parking.idle_nums = 7;
	op.u.core_parking.type = XEN_CORE_PARKING_SET;
	assert_int_equal(plat(&op), -XEN_EOPNOTSUPP);
	op.u.core_parking.type = XEN_CORE_PARKING_GET;
	assert_int_equal(plat(&op), 0);
	assert_int_equal(op.u.core_parking.idle_nums, 0);
	op.u.core_parking.type = XEN_CORE_PARKING_SET;
	assert_int_equal(plat(&op), 0);
	op.u.core_parking.type = 99;
	assert_int_equal(plat(&op), -XEN_EINVAL);
	op = (struct xen_platform_op){.cmd = XENPF_get_symbol};
	op.u.symdata.namelen = 3;
	assert_int_equal(plat(&op), -XEN_EFAULT);
	op = (struct xen_platform_op){.cmd = XENPF_enter_acpi_sleep};
	op.u.enter_acpi_sleep.flags = 2;
	assert_int_equal(plat(&op), -XEN_EINVAL);
	op.u.enter_acpi_sleep.flags = XENPF_ACPI_SLEEP_EXTENDED;
	op.u.enter_acpi_sleep.sleep_state = 5;
	assert_int_equal(plat(&op), -XEN_EOPNOTSUPP);
}

/* Without UEFI there is no such call; with it, what the firmware's table says. */
static void test_efi(void **state)
{
	struct xen_platform_op op = {.cmd = XENPF_firmware_info};
	struct xenpf_firmware_info *f = &op.u.firmware_info;
	u16 name[4] = {0};

	f->type = XEN_FW_EFI_INFO;
	f->index = XEN_FW_EFI_CONFIG_TABLE;
	assert_int_equal(plat(&op), -XEN_ENOSYS);
	efi_info = (struct efi_info){.found = true, .version = 0x20046, .config = 0x5000,
				     .nr_config = 7, .vendor = {'a', 'b', 'c', 'd', 0}};
	assert_int_equal(plat(&op), 0);
	assert_int_equal(f->u.efi_info.cfg.addr, 0x5000);
	assert_int_equal(f->u.efi_info.cfg.nent, 7);
	f->index = XEN_FW_EFI_VERSION;
	assert_int_equal(plat(&op), 0);
	assert_int_equal(f->u.efi_info.version, 0x20046);
	f->index = XEN_FW_EFI_RT_VERSION;
	assert_int_equal(plat(&op), -XEN_EOPNOTSUPP);
	f->index = XEN_FW_EFI_VENDOR;
	f->u.efi_info.vendor.name.p = name;
	f->u.efi_info.vendor.bufsz = 7; /* three whole characters, the last of them the end */
	name[3] = 'x';
	assert_int_equal(plat(&op), 0);
	assert_memory_equal(name, ((u16[]){'a', 'b', 0, 'x'}), sizeof(name));
	f->u.efi_info.vendor.bufsz = 8;
	f->u.efi_info.vendor.name.p = NULL;
	assert_int_equal(plat(&op), -XEN_EFAULT);
	f->u.efi_info.vendor.bufsz = 1;
	assert_int_equal(plat(&op), 0);
	efi_regions[0] = (struct efi_region){0x4000, 0x8000, 15, EFI_RUNTIME_DATA};
	efi_nr_regions = 1;
	f->index = XEN_FW_EFI_MEM_INFO;
	f->u.efi_info.mem.addr = 0x5000;
	f->u.efi_info.mem.size = ~0ull;
	assert_int_equal(plat(&op), 0);
	assert_int_equal(f->u.efi_info.mem.size, 0x3000);
	assert_int_equal(f->u.efi_info.mem.type, EFI_RUNTIME_DATA);
	assert_int_equal(f->u.efi_info.mem.attr, 15);
	f->u.efi_info.mem.addr = 0x8000;
	assert_int_equal(plat(&op), -XEN_ESRCH);
	f->index = XEN_FW_EFI_PCI_ROM;
	assert_int_equal(plat(&op), -XEN_ENOENT);
	f->index = 99;
	assert_int_equal(plat(&op), -XEN_EINVAL);
	efi_info.runtime_version = 0x20032;
	f->index = XEN_FW_EFI_RT_VERSION;
	assert_int_equal(plat(&op), 0);
	assert_int_equal(f->u.efi_info.version, 0x20032);
	f->type = 99;
	assert_int_equal(plat(&op), -XEN_EINVAL);
	f->type = XEN_FW_KBD_SHIFT_FLAGS;
	f->index = 1;
	assert_int_equal(plat(&op), -XEN_ESRCH);
	efi_info.found = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_may, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gsi, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gsi_v1, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msi, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_iopl, setup, teardown),
		cmocka_unit_test_setup_teardown(test_platform, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cpuinfo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_processors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_efi, setup, teardown),
		cmocka_unit_test_setup_teardown(test_noise, setup, teardown),
	};

	return cmocka_run_group_tests_name("physdev", tests, setup_board, NULL);
}
