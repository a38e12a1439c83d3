/* SPDX-License-Identifier: MIT */
/* Hypercalls with nonsense: unknown numbers and sub-operations, pointers that are not the guest's. */
#include "hypercall.h"
#include "topics.h"

#define UNMAPPED (WIN_BASE + 100 * PAGE_SIZE)

/* 49 is Xen's own business with itself. */
static const u8 unknown[] = {11, 27, 38, 43, 44, 45, 46, 47, 50, 51, 52,
			     53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

static void unknown_calls(void)
{
	static const u64 wild[] = {64,
				   65,
				   0x1000,
				   0x7fffffff,
				   0xffffffff,
				   0x80000000,
				   1UL << 32 | __HYPERVISOR_xen_version,
				   ~0UL,
				   1UL << 63};

	for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++) {
		long rc = hcall(unknown[i]);

		if (rc != -XEN_ENOSYS)
			outcome_set(FAILURE, __FILE__, __LINE__, "call %u = %ld", unknown[i], rc);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(wild); i++) {
		long rc = hcall(wild[i]);

		if (rc != -XEN_ENOSYS)
			outcome_set(FAILURE, __FILE__, __LINE__, "call 0x%lx = %ld", wild[i], rc);
	}
}

static const struct sub_op {
	const char *name;
	u8 nr;
	u64 a, b, c;
	long want;
} sub_ops[] = {
	{"xen_version", __HYPERVISOR_xen_version, 99, 0, 0, -XEN_ENOSYS},
	{"console_io", __HYPERVISOR_console_io, 99, 0, 0, -XEN_ENOSYS},
	{"grant_table_op", __HYPERVISOR_grant_table_op, 99, 0, 0, -XEN_ENOSYS},
	{"vcpu_op", __HYPERVISOR_vcpu_op, 99, 0, 0, -XEN_ENOSYS},
	{"vcpu_op no vcpu", __HYPERVISOR_vcpu_op, VCPUOP_is_up, 9999, 0, -XEN_ENOENT},
	{"vcpu_op vcpu -1", __HYPERVISOR_vcpu_op, VCPUOP_is_up, 0xffffffff, 0, -XEN_ENOENT},
	{"sched_op", __HYPERVISOR_sched_op, 99, 0, 0, -XEN_ENOSYS},
	{"callback_op", __HYPERVISOR_callback_op, 99, 0, 0, -XEN_ENOSYS},
	{"event_channel_op", __HYPERVISOR_event_channel_op, 99, 0, 0, -XEN_ENOSYS},
	{"physdev_op", __HYPERVISOR_physdev_op, 99, 0, 0, -XEN_ENOSYS},
	{"memory_op", __HYPERVISOR_memory_op, 63, 0, 0, -XEN_ENOSYS},
	{"vm_assist cmd", __HYPERVISOR_vm_assist, 99, 0, 0, -XEN_ENOSYS},
	{"vm_assist type", __HYPERVISOR_vm_assist, 0, 31, 0, -XEN_EINVAL},
	{"vm_assist type 64", __HYPERVISOR_vm_assist, 0, 64, 0, -XEN_EINVAL},
	{"set_segment_base", __HYPERVISOR_set_segment_base, 4, 0, 0, -XEN_EINVAL},
	{"set_debugreg", __HYPERVISOR_set_debugreg, 99, 0, 0, -XEN_ENODEV},
	{"get_debugreg", __HYPERVISOR_get_debugreg, 99, 0, 0, -XEN_ENODEV},
	{"nmi_op", __HYPERVISOR_nmi_op, 99, 0, 0, -XEN_ENOSYS},
	{"set_gdt too long", __HYPERVISOR_set_gdt, (u64)unknown, 7169, 0, -XEN_EINVAL},
	{"uvm flush type 3", __HYPERVISOR_update_va_mapping, DM_BASE, 0, 3, -XEN_EINVAL},
};

static void unknown_sub_ops(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sub_ops); i++) {
		const struct sub_op *s = &sub_ops[i];
		long rc;

		if (s->nr == __HYPERVISOR_update_va_mapping)
			continue;
		rc = hcall(s->nr, s->a, s->b, s->c);
		if (rc != s->want)
			outcome_set(FAILURE, __FILE__, __LINE__, "%s = %ld, want %ld", s->name, rc,
				    s->want);
	}
	CHECK_RC(mmuext(99, 0, 0), -XEN_ENOSYS);
	CHECK_RC(mmuext(14, 0, 0), -XEN_ENOSYS);
}

/* Operations whose only argument structure is at a pointer; `at` says which argument that is. */
static const struct pointer_op {
	const char *name;
	u8 nr, at;
	u64 arg[3];
	u8 size;
	bool priv;
} pointer_ops[] = {
	{"set_trap_table", __HYPERVISOR_set_trap_table, 0, {0}, 16, false},
	{"mmu_update", __HYPERVISOR_mmu_update, 0, {0, 1, 0}, 16, false},
	{"set_gdt", __HYPERVISOR_set_gdt, 0, {0, 512}, 8, false},
	{"memory decrease", __HYPERVISOR_memory_op, 1, {XENMEM_decrease_reservation}, 32, false},
	{"memory populate", __HYPERVISOR_memory_op, 1, {XENMEM_populate_physmap}, 32, false},
	{"memory exchange", __HYPERVISOR_memory_op, 1, {XENMEM_exchange}, 72, false},
	{"machphys_mapping", __HYPERVISOR_memory_op, 1, {XENMEM_machphys_mapping}, 24, false},
	{"machphys list", __HYPERVISOR_memory_op, 1, {XENMEM_machphys_mfn_list}, 16, true},
	{"maximum_reservation", __HYPERVISOR_memory_op, 1, {XENMEM_maximum_reservation}, 2, false},
	{"memory_map", __HYPERVISOR_memory_op, 1, {XENMEM_memory_map}, 16, false},
	{"multicall", __HYPERVISOR_multicall, 0, {0, 1}, 48, false},
	{"extraversion", __HYPERVISOR_xen_version, 1, {XENVER_extraversion}, 16, false},
	{"get_features", __HYPERVISOR_xen_version, 1, {XENVER_get_features}, 8, false},
	{"capabilities", __HYPERVISOR_xen_version, 1, {XENVER_capabilities}, 255, false},
	{"query_size", __HYPERVISOR_grant_table_op, 1, {GNTTABOP_query_size, 0, 1}, 16, false},
	{"setup_table", __HYPERVISOR_grant_table_op, 1, {GNTTABOP_setup_table, 0, 1}, 24, false},
	{"get_runstate", __HYPERVISOR_vcpu_op, 2, {VCPUOP_get_runstate_info, 0}, 48, false},
	{"singleshot", __HYPERVISOR_vcpu_op, 2, {VCPUOP_set_singleshot_timer, 0}, 16, false},
	{"periodic", __HYPERVISOR_vcpu_op, 2, {VCPUOP_set_periodic_timer, 0}, 8, false},
	{"vcpu_info", __HYPERVISOR_vcpu_op, 2, {VCPUOP_register_vcpu_info, 0}, 16, false},
	{"shutdown", __HYPERVISOR_sched_op, 1, {SCHEDOP_shutdown}, 4, false},
	{"poll", __HYPERVISOR_sched_op, 1, {SCHEDOP_poll}, 24, false},
	{"callback register", __HYPERVISOR_callback_op, 1, {CALLBACKOP_register}, 16, false},
	{"alloc_unbound", __HYPERVISOR_event_channel_op, 1, {EVTCHNOP_alloc_unbound}, 8, false},
	{"bind_virq", __HYPERVISOR_event_channel_op, 1, {EVTCHNOP_bind_virq}, 12, false},
	{"bind_ipi", __HYPERVISOR_event_channel_op, 1, {EVTCHNOP_bind_ipi}, 8, false},
	{"send", __HYPERVISOR_event_channel_op, 1, {EVTCHNOP_send}, 4, false},
	{"close", __HYPERVISOR_event_channel_op, 1, {EVTCHNOP_close}, 4, false},
	{"status", __HYPERVISOR_event_channel_op, 1, {EVTCHNOP_status}, 24, false},
	{"unmask", __HYPERVISOR_event_channel_op, 1, {EVTCHNOP_unmask}, 4, false},
	{"init_control", __HYPERVISOR_event_channel_op, 1, {EVTCHNOP_init_control}, 24, false},
	{"set_iopl", __HYPERVISOR_physdev_op, 1, {PHYSDEVOP_set_iopl}, 4, false},
	{"mmuext_op", __HYPERVISOR_mmuext_op, 0, {0, 1, 0}, 24, false},
	{"sysctl", __HYPERVISOR_sysctl, 0, {0}, 128, true},
	{"domctl", __HYPERVISOR_domctl, 0, {0}, 128, true},
	{"platform_op", __HYPERVISOR_platform_op, 0, {0}, 128, true},
};

static const u64 bad_pointers[] = {
	0xffff818000000000, 0xffff828000000000,
	0xffff800000000000, 0xffff87ffffffffff,
	0x8000000000000000, 0x0000800000000000,
	0x00007fffffffffff, 0xfffffffffffffff8,
	UNMAPPED,	    0,
	0xffff7fffffffffff,
};

static void one_pointer(const struct pointer_op *p, u64 va)
{
	u64 a[4] = {p->arg[0], p->arg[1], p->arg[2], 0};
	long rc;

	if (p->nr == __HYPERVISOR_mmu_update || p->nr == __HYPERVISOR_mmuext_op)
		a[3] = DOMID_SELF;
	a[p->at] = va;
	rc = hcall(p->nr, a[0], a[1], a[2], a[3]);
	/* Of a list of extents nothing was done: that is an answer, too. */
	if (!rc && p->nr == __HYPERVISOR_memory_op && a[0] != XENMEM_machphys_mapping)
		return;
	if (rc != -XEN_EFAULT && !(p->priv && !is_dom0() && rc == -XEN_EPERM))
		outcome_set(FAILURE, __FILE__, __LINE__, "%s at 0x%lx = %ld", p->name, va, rc);
}

static bool is_output(const struct pointer_op *p)
{
	return p->nr == __HYPERVISOR_xen_version || p->arg[0] == XENMEM_machphys_mapping;
}

static void bad_pointers_everywhere(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(pointer_ops); i++)
		for (unsigned int k = 0; k < ARRAY_SIZE(bad_pointers); k++) {
			const struct pointer_op *p = &pointer_ops[i];

			/* NULL means something to these. */
			if (!bad_pointers[k] && (p->nr == __HYPERVISOR_set_trap_table ||
						 p->nr == __HYPERVISOR_xen_version))
				continue;
			one_pointer(p, bad_pointers[k]);
		}
}

/* The structure's last byte is in a page that is not there. */
static void page_crossing(void)
{
	char *page = page_alloc();

	REQUIRE(page);
	memset(page, 0xff, PAGE_SIZE);
	REQUIRE_OK(win_map(0, mk_pte(va_mfn(page), PTE_KERNEL)));
	for (unsigned int i = 0; i < ARRAY_SIZE(pointer_ops); i++) {
		const struct pointer_op *p = &pointer_ops[i];

		if (p->size >= 4 && !is_output(p) && p->nr != __HYPERVISOR_set_trap_table)
			one_pointer(p, (u64)win(1) - p->size + 1);
	}
	memset(page, 0, PAGE_SIZE);
	one_pointer(&pointer_ops[0], (u64)win(1) - 15);
	win_clear();
	page_free(page);
}

/* Results are not written where the guest itself may not write. */
static void read_only_output(void)
{
	char *page = page_alloc();

	REQUIRE(page);
	REQUIRE_OK(win_map(0, mk_pte(va_mfn(page), PTE_RO)));
	CHECK_RC(xen_version(XENVER_extraversion, win(0)), -XEN_EFAULT);
	CHECK_RC(memory_op(XENMEM_machphys_mapping, win(0)), -XEN_EFAULT);
	CHECK_RC(vcpu_op(VCPUOP_get_runstate_info, 0, win(0)), -XEN_EFAULT);
	CHECK_RC(xen_version(XENVER_extraversion, MACH2PHYS_VIRT_START), -XEN_EFAULT);
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		if (!CHECK_EQ(page[i], 0))
			break;
	win_clear();
	page_free(page);
}

static void multicall_results(void)
{
	struct multicall_entry m[5];

	memset(m, 0, sizeof(m));
	m[0].op = __HYPERVISOR_xen_version;
	m[1].op = 60;
	m[2].op = __HYPERVISOR_vcpu_op;
	m[2].args[1] = 9999;
	m[2].args[0] = VCPUOP_is_up;
	m[3].op = 1UL << 32 | __HYPERVISOR_xen_version;
	m[4].op = __HYPERVISOR_xen_version;
	CHECK_OK(multicall(m, 5));
	CHECK_EQ(m[0].result, xen_version(XENVER_version, NULL));
	CHECK_EQ(m[1].result, -XEN_ENOSYS);
	CHECK_EQ(m[2].result, -XEN_ENOENT);
	CHECK_EQ(m[3].result, -XEN_ENOSYS);
	CHECK_EQ(m[4].result, m[0].result);
	CHECK_OK(multicall(m, 0));
	CHECK_OK(multicall(NULL, 0));
}

static void multicall_nested(void)
{
	struct multicall_entry m[2], inner = {.op = __HYPERVISOR_xen_version};

	memset(m, 0, sizeof(m));
	inner.result = 77;
	m[0].op = __HYPERVISOR_multicall;
	m[0].args[0] = (u64)&inner;
	m[0].args[1] = 1;
	m[1].op = __HYPERVISOR_xen_version;
	CHECK_OK(multicall(m, 2));
	CHECK((long)m[0].result == -XEN_EINVAL || (long)m[0].result == -XEN_ENOSYS);
	CHECK_EQ(inner.result, 77);
	CHECK_EQ(m[1].result, xen_version(XENVER_version, NULL));
}

/* The array runs into a hole: what comes before it is done. */
static void multicall_array(void)
{
	struct multicall_entry *m;
	char *page = page_alloc();

	REQUIRE(page);
	REQUIRE_OK(win_map(0, mk_pte(va_mfn(page), PTE_KERNEL)));
	m = (struct multicall_entry *)(win(1) - 64);
	m->op = __HYPERVISOR_xen_version;
	CHECK_RC(multicall(m, 2), -XEN_EFAULT);
	CHECK_EQ(m->result, xen_version(XENVER_version, NULL));
	CHECK_REFUSED(multicall(m, 0xffffffff));
	CHECK_RC(multicall(0xffff7ffffffff000, 1000), -XEN_EFAULT);
	REQUIRE_OK(win_map(0, mk_pte(va_mfn(page), PTE_RO)));
	CHECK_RC(multicall(m, 1), -XEN_EFAULT);
	win_clear();
	page_free(page);
}

static void multicall_long(void)
{
	static struct multicall_entry m[2048];

	memset(m, 0, sizeof(m));
	for (unsigned int i = 0; i < ARRAY_SIZE(m); i++) {
		m[i].op = __HYPERVISOR_xen_version;
		m[i].args[0] = i & 1 ? XENVER_pagesize : XENVER_version;
	}
	CHECK_OK(multicall(m, ARRAY_SIZE(m)));
	for (unsigned int i = 0; i < ARRAY_SIZE(m); i++)
		if (!CHECK_EQ(m[i].result, i & 1 ? PAGE_SIZE : 0x40011))
			break;
}

static void huge_counts(void)
{
	static u64 buffer[64];
	unsigned int done = 77;

	CHECK_REFUSED(mmu_update(buffer, 0x7fffffff, &done, DOMID_SELF));
	CHECK_REFUSED(mmuext_op(buffer, 0x7fffffff, NULL, 0x1234));
	CHECK_REFUSED(grant_op(GNTTABOP_query_size, buffer, 0xffffffff));
	CHECK_REFUSED(grant_op(GNTTABOP_map_grant_ref, buffer, 0x80000000));
	CHECK_RC(console_io(CONSOLEIO_write, 0x7fffffff, UNMAPPED), -XEN_EFAULT);
	CHECK_REFUSED(mmu_update(buffer, 1, NULL, 0x4321));
	CHECK_REFUSED(mmuext_op(buffer, 1, NULL, 0x4321));
}

static void versions_of_control_calls(void)
{
	static u32 op[64] = {3, 1};
	static const u8 calls[] = {__HYPERVISOR_sysctl, __HYPERVISOR_domctl,
				   __HYPERVISOR_platform_op};

	/* Who may not call at all need not be told of versions. */
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		long rc = hcall(calls[i], op);

		if (is_dom0() || rc != -XEN_EPERM)
			CHECK_EQ(rc, -XEN_EACCES);
	}
}

static void assists(void)
{
	CHECK_OK(vm_assist(VMASST_CMD_enable, VMASST_TYPE_4gb_segments));
	CHECK_OK(vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
	CHECK_OK(vm_assist(VMASST_CMD_enable, VMASST_TYPE_pae_extended_cr3));
	CHECK_OK(vm_assist(VMASST_CMD_disable, VMASST_TYPE_pae_extended_cr3));
	CHECK_OK(vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag));
	CHECK_OK(vm_assist(VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag));
}

static void callbacks(void)
{
	struct callback_register r = {.type = 99, .address = 0x1000};

	CHECK_RC(callback_op(CALLBACKOP_register, &r), -XEN_ENOSYS);
	r.type = CALLBACKTYPE_event;
	r.address = 0x800000000000;
	CHECK_RC(callback_op(CALLBACKOP_register, &r), -XEN_EINVAL);
	r.type = CALLBACKTYPE_syscall;
	CHECK_RC(callback_op(CALLBACKOP_register, &r), -XEN_EINVAL);
}

const struct test call_tests[] = {
	{"unknown", unknown_calls},
	{"sub-ops", unknown_sub_ops},
	{"bad-pointers", bad_pointers_everywhere},
	{"page-crossing", page_crossing},
	{"read-only-output", read_only_output},
	{"multicall", multicall_results},
	{"multicall-nested", multicall_nested},
	{"multicall-array", multicall_array},
	{"multicall-long", multicall_long},
	{"huge-counts", huge_counts},
	{"versions", versions_of_control_calls},
	{"vm-assist", assists},
	{"callbacks", callbacks},
	{NULL, NULL},
};
