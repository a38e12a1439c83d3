/* SPDX-License-Identifier: MIT */
/* What only dom0 may do, tried by another domain: refused, and with the error that the tools know. */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "topics.h"
#include <xen/domctl.h>
#include <xen/platform.h>
#include <xen/sysctl.h>

#define NOT_FOR_DOM0()                                 \
	do {                                           \
		if (is_dom0())                         \
			SKIP_TEST("dom0 may do that"); \
	} while (0)

static void expect_eperm(const char *what, unsigned int nr, long rc)
{
	if (rc != -XEN_EPERM)
		outcome_set(FAILURE, __FILE__, __LINE__, "%s %u = %ld, want -1", what, nr, rc);
}

static void domctl(void)
{
	static struct xen_domctl op;
	domid_t whom[] = {0, own_domid()};

	NOT_FOR_DOM0();
	for (unsigned int i = 0; i < ARRAY_SIZE(whom); i++)
		for (u32 cmd = 0; cmd < 100; cmd++) {
			memset(&op, 0, sizeof(op));
			op.cmd = cmd;
			op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
			op.domain = whom[i];
			expect_eperm("domctl", cmd, hcall(__HYPERVISOR_domctl, &op));
		}
}

static void sysctl(void)
{
	static struct xen_sysctl op;

	NOT_FOR_DOM0();
	for (u32 cmd = 0; cmd < 40; cmd++) {
		memset(&op, 0, sizeof(op));
		op.cmd = cmd;
		op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
		expect_eperm("sysctl", cmd, hcall(__HYPERVISOR_sysctl, &op));
	}
}

static void platform(void)
{
	static struct xen_platform_op op;

	NOT_FOR_DOM0();
	for (u32 cmd = 0; cmd < 70; cmd++) {
		memset(&op, 0, sizeof(op));
		op.cmd = cmd;
		op.interface_version = XENPF_INTERFACE_VERSION;
		expect_eperm("platform_op", cmd, hcall(__HYPERVISOR_platform_op, &op));
	}
}

/* Of the devices a guest has none; eoi, irq_status_query, set_iopl and set_iobitmap are its own. */
static void devices(void)
{
	static const u8 cmds[] = {
		PHYSDEVOP_apic_read,	   PHYSDEVOP_apic_write,
		PHYSDEVOP_manage_pci_add,  PHYSDEVOP_manage_pci_remove,
		PHYSDEVOP_restore_msi,	   PHYSDEVOP_manage_pci_add_ext,
		PHYSDEVOP_setup_gsi,	   PHYSDEVOP_pci_mmcfg_reserved,
		PHYSDEVOP_pci_device_add,  PHYSDEVOP_pci_device_remove,
		PHYSDEVOP_restore_msi_ext, PHYSDEVOP_prepare_msix,
		PHYSDEVOP_release_msix,
	};
	static u64 arg[16];
	struct physdev_map_pirq map = {
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 4, .pirq = 4};
	struct physdev_unmap_pirq unmap = {.domid = 0, .pirq = 4};
	struct evtchn_bind_pirq bind = {.pirq = 4};

	NOT_FOR_DOM0();
	for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
		memset(arg, 0, sizeof(arg));
		expect_eperm("physdev_op", cmds[i], physdev_op(cmds[i], arg));
	}
	CHECK_REFUSED(physdev_op(PHYSDEVOP_map_pirq, &map));
	map.domid = 0;
	CHECK_REFUSED(physdev_op(PHYSDEVOP_map_pirq, &map));
	CHECK_REFUSED(physdev_op(PHYSDEVOP_unmap_pirq, &unmap));
	CHECK_REFUSED(evtchn_op(EVTCHNOP_bind_pirq, &bind));
}

static const domid_t others[] = {0,	    0x1234,	   DOMID_IO,  DOMID_XEN,
				 DOMID_COW, DOMID_INVALID, DOMID_IDLE};

/* Memory of others: nothing is given, taken or told. */
static void memory(void)
{
	static u64 buffer[16];
	static xen_pfn_t pfn;
	domid_t self = DOMID_SELF;
	long before = memory_op(XENMEM_current_reservation, &self);

	NOT_FOR_DOM0();
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		struct xen_memory_reservation r = {.nr_extents = 1, .domid = others[i]};
		struct xen_add_to_physmap a = {.domid = others[i]};
		domid_t other = others[i];

		set_xen_guest_handle(r.extent_start, &pfn);
		/* The number of extents done: none. */
		pfn = 0x100;
		CHECK(memory_op(XENMEM_populate_physmap, &r) <= 0);
		pfn = p2m[nr_pages - 1];
		CHECK(memory_op(XENMEM_decrease_reservation, &r) <= 0);
		CHECK(memory_op(XENMEM_increase_reservation, &r) <= 0);
		CHECK_REFUSED(memory_op(XENMEM_current_reservation, &other));
		CHECK_REFUSED(memory_op(XENMEM_maximum_reservation, &other));
		CHECK_REFUSED(memory_op(XENMEM_maximum_gpfn, &other));
		CHECK_REFUSED(memory_op(XENMEM_add_to_physmap, &a));
		CHECK_REFUSED(memory_op(XENMEM_remove_from_physmap, &a));
	}
	CHECK_RC(memory_op(XENMEM_machine_memory_map, buffer), -XEN_EPERM);
	CHECK_REFUSED(memory_op(XENMEM_claim_pages, buffer));
	CHECK_REFUSED(memory_op(XENMEM_set_pod_target, buffer));
	CHECK_EQ(memory_op(XENMEM_current_reservation, &self), before);
}

/* Machine frames of dom0, named as its own, as ours, as nobody's. */
static void foreign_tables(void)
{
	u64 *page = page_alloc(), ma;
	struct mmu_update u;
	struct mmuext_op op = {.cmd = MMUEXT_PIN_L1_TABLE};

	NOT_FOR_DOM0();
	REQUIRE(page);
	REQUIRE_OK(win_map(0, 0));
	pte_get((u64)win(0), 1, &ma);
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
		for (u64 mfn = 0x100; mfn < 0x40000; mfn = mfn * 2 + 1) {
			u64 p;

			op.arg1.mfn = mfn;
			CHECK_REFUSED(mmuext_op(&op, 1, NULL, others[i]));
			CHECK_REFUSED(hcall(__HYPERVISOR_update_va_mapping_otherdomain, win(0),
					    mk_pte(mfn, PTE_RO), UVMF_INVLPG, others[i]));
			if (try_read(&mfn_pfn(mfn)) >= 0)
				continue;
			p = mfn_pfn(mfn);
			if (p < nr_pages && p2m[p] == mfn)
				continue;
			u = (struct mmu_update){ma | MMU_NORMAL_PT_UPDATE, mk_pte(mfn, PTE_RO)};
			CHECK_REFUSED(mmu_update(&u, 1, NULL, others[i]));
			u.val = mk_pte(mfn, PTE_KERNEL);
			CHECK_REFUSED(mmu_update(&u, 1, NULL, others[i]));
			u = (struct mmu_update){mfn << 12 | MMU_MACHPHYS_UPDATE, 5};
			CHECK_REFUSED(mmu_update(&u, 1, NULL, others[i]));
			CHECK_REFUSED(mmu_update(&u, 1, NULL, DOMID_SELF));
			u = (struct mmu_update){mfn << 12 | MMU_NORMAL_PT_UPDATE, 0};
			CHECK_REFUSED(mmu_update(&u, 1, NULL, DOMID_SELF));
			CHECK_EQ(mfn_pfn(mfn), p);
		}
	CHECK_EQ(pte_get((u64)win(0), 1, NULL), 0);
	page_free(page);
}

static void channels(void)
{
	struct evtchn_alloc_unbound a = {.dom = 0, .remote_dom = DOMID_SELF};
	struct evtchn_reset r = {.dom = 0};
	unsigned int for_us = 0;

	NOT_FOR_DOM0();
	CHECK_RC(evtchn_op(EVTCHNOP_alloc_unbound, &a), -XEN_EPERM);
	CHECK_RC(evtchn_op(EVTCHNOP_reset, &r), -XEN_EPERM);
	for (u32 port = 0; port < 1100; port++) {
		struct evtchn_status s = {.dom = 0, .port = port};
		struct evtchn_bind_interdomain b = {.remote_dom = 0, .remote_port = port};

		CHECK_REFUSED(evtchn_op(EVTCHNOP_status, &s));
		if (!evtchn_op(EVTCHNOP_bind_interdomain, &b)) {
			struct evtchn_close c = {.port = b.local_port};

			for_us++;
			evtchn_op(EVTCHNOP_close, &c);
		}
	}
	/* xenstored has one for us, unbound since a reset of all (fifo.c). */
	CHECK(for_us <= 1);
}

static void grants(void)
{
	static xen_pfn_t frames[4];
	struct gnttab_setup_table t = {.dom = 0, .nr_frames = 1};
	struct gnttab_query_size q = {.dom = 0};
	struct gnttab_copy c = {.len = 8};
	u64 *page = page_alloc();

	NOT_FOR_DOM0();
	REQUIRE(page);
	set_xen_guest_handle(t.frame_list, frames);
	CHECK_OK(grant_op(GNTTABOP_setup_table, &t, 1));
	CHECK_EQ(t.status, GNTST_permission_denied);
	CHECK_OK(grant_op(GNTTABOP_query_size, &q, 1));
	CHECK_EQ(q.status, GNTST_permission_denied);
	for (u32 ref = 0; ref < 600; ref++) {
		struct gnttab_map_grant_ref m = {.host_addr = (u64)win(0),
						 .ref = ref,
						 .flags = GNTMAP_host_map | GNTMAP_readonly};

		CHECK_OK(grant_op(GNTTABOP_map_grant_ref, &m, 1));
		CHECK(m.status < 0);
	}
	c.source.domid = 0;
	c.dest.domid = DOMID_SELF;
	c.dest.u.gmfn = va_mfn(page);
	for (c.source.u.gmfn = 0x100; c.source.u.gmfn < 0x40000; c.source.u.gmfn *= 2) {
		CHECK_OK(grant_op(GNTTABOP_copy, &c, 1));
		CHECK_EQ(c.status, GNTST_permission_denied);
	}
	CHECK_EQ(page[0], 0);
	page_free(page);
}

static void scheduling(void)
{
	struct sched_remote_shutdown s = {.domain_id = 0, .reason = SHUTDOWN_crash};
	struct sched_pin_override pin_to = {.pcpu = 0};
	char c;

	NOT_FOR_DOM0();
	CHECK_RC(sched_op(SCHEDOP_remote_shutdown, &s), -XEN_EPERM);
	CHECK_RC(sched_op(SCHEDOP_pin_override, &pin_to), -XEN_EPERM);
	CHECK_RC(console_io(CONSOLEIO_read, 1, &c), -XEN_EPERM);
}

const struct test priv_tests[] = {
	{"domctl", domctl},	{"sysctl", sysctl}, {"platform", platform},
	{"devices", devices},	{"memory", memory}, {"tables", foreign_tables},
	{"channels", channels}, {"grants", grants}, {"scheduling", scheduling},
	{NULL, NULL},
};
