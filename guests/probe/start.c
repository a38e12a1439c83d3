/* SPDX-License-Identifier: MIT */
/* Start of day: what the kernel finds when it begins (<xen/xen.h>, struct start_info). */
#include "hypercall.h"
#include "topics.h"

enum {
	RAX,
	RBX,
	RCX,
	RDX,
	RSI,
	RDI,
	RBP,
	RSP,
	R8,
	R15 = 15,
	RFLAGS,
	CS,
	SS,
	DS,
	ES,
	FS,
	GS
};

extern char _end[];

static void registers(void)
{
	CHECK_EQ(boot_regs[RSI], start_info);
	CHECK_EQ(boot_regs[CS], FLAT_KERNEL_CS);
	CHECK_EQ(boot_regs[SS], FLAT_KERNEL_SS);
	for (unsigned int i = DS; i <= GS; i++)
		CHECK_EQ(boot_regs[i] & 0xffff, 0);
	for (unsigned int i = RAX; i <= R15; i++)
		if (i != RSI && i != RSP)
			CHECK_EQ(boot_regs[i], 0);
	CHECK_EQ(boot_regs[RFLAGS] & ~RFLAGS_IF, 2);
	CHECK(boot_regs[RFLAGS] & RFLAGS_IF);
}

static void boot_stack(void)
{
	u64 top = boot_regs[RSP];

	CHECK(top > start_info->pt_base);
	CHECK_EQ(top & 15, 0);
	CHECK(pte_get(top - 8, 1, NULL) & PTE_RW);
	/* At least 512 KiB behind it are mapped, up to a boundary of 4 MiB. */
	for (u64 va = top; va < top + (512 << 10); va += PAGE_SIZE)
		if (!CHECK(pte_get(va, 1, NULL) & PTE_RW))
			break;
	CHECK_EQ(init_pfns % 1024, 0);
}

static void start_info_fields(void)
{
	const struct start_info *si = start_info;

	CHECK(!strncmp(si->magic, "xen-3.0-x86_64", 14));
	CHECK(si->nr_pages > init_pfns);
	CHECK_EQ(si->shared_info & 0xfff, 0);
	CHECK_EQ((u64)si & 0xfff, 0);
	CHECK((u64)si >= (u64)_end);
	CHECK(si->pt_base >= (u64)_end);
	CHECK(si->nr_pt_frames >= 4);
	CHECK_EQ(si->mfn_list & 7, 0);
	CHECK_EQ(si->mod_start, 0);
	CHECK_EQ(si->mod_len, 0);
	CHECK_EQ(si->nr_p2m_frames, 0);
	CHECK_EQ(si->cmd_line[MAX_GUEST_CMDLINE - 1], 0);
}

static void dom0_fields(void)
{
	const struct start_info *si = start_info;

	if (!is_dom0())
		SKIP_TEST("not dom0");
	CHECK(!strcmp(si->magic, "xen-3.0-x86_64p"));
	CHECK_EQ(si->flags & 0xff, SIF_PRIVILEGED | SIF_INITDOMAIN);
	CHECK_EQ(si->store_mfn, 0);
	CHECK_EQ(si->store_evtchn, 0);
	if (si->console.dom0.info_size) {
		CHECK(si->console.dom0.info_off >= sizeof(*si));
		CHECK(si->console.dom0.info_off + si->console.dom0.info_size <= PAGE_SIZE);
	}
}

static void upcall_masks(void)
{
	for (unsigned int i = 1; i < XEN_LEGACY_MAX_VCPUS; i++)
		if (!cpu_nr(i < MAX_CPUS ? i : 0)->up)
			CHECK_EQ(shared.vcpu_info[i].evtchn_upcall_mask, 1);
	CHECK_EQ(shared.vcpu_info[0].evtchn_upcall_mask, 1);
}

static void initial_tables(void)
{
	u64 first = (start_info->pt_base - VIRT_BASE) >> 12;

	for (u64 pfn = 0; pfn < init_pfns; pfn++) {
		u64 va = VIRT_BASE + (pfn << 12), e = pte_get(va, 1, NULL);
		bool table = pfn >= first && pfn < first + start_info->nr_pt_frames;

		if ((e & PTE_ADDR) >> 12 != p2m[pfn] && va != (u64)&shared_page) {
			CHECK_EQ((e & PTE_ADDR) >> 12, p2m[pfn]);
			break;
		}
		if (!CHECK(e & PTE_US))
			break;
		if (table && !CHECK(!(e & PTE_RW)))
			break;
	}
	for (int l = 2; l <= 4; l++)
		CHECK_EQ(pte_get(VIRT_BASE, l, NULL) & (PTE_P | PTE_RW | PTE_US | PTE_PSE),
			 PTE_P | PTE_RW | PTE_US);
}

/* Root first, and every table of the initial mapping within the frames that start_info names. */
static void tables_in_range(void)
{
	u64 first = (start_info->pt_base - VIRT_BASE) >> 12, pfn;

	for (u64 va = VIRT_BASE; va < VIRT_BASE + (init_pfns << 12); va += 512 * PAGE_SIZE)
		for (int l = 2; l <= 4; l++) {
			pfn = mfn_pfn((pte_get(va, l, NULL) & PTE_ADDR) >> 12);
			if (!CHECK(pfn >= first && pfn < first + start_info->nr_pt_frames))
				return;
		}
}

static void tables_are_typed(void)
{
	u64 l1 = (pte_get(VIRT_BASE, 2, NULL) & PTE_ADDR) >> 12;

	CHECK_REFUSED(win_map(0, mk_pte(root_mfn(), PTE_KERNEL)));
	CHECK_REFUSED(win_map(0, mk_pte(l1, PTE_KERNEL)));
	CHECK_OK(win_map(0, mk_pte(l1, PTE_RO)));
	CHECK_EQ(try_read(win(0)), -1);
}

static void m2p_agrees(void)
{
	for (u64 pfn = 0; pfn < nr_pages; pfn++)
		if (mfn_pfn(p2m[pfn]) != pfn) {
			CHECK_EQ(mfn_pfn(p2m[pfn]), pfn);
			return;
		}
}

static void m2p_is_read_only(void)
{
	void *m2p = (void *)MACH2PHYS_VIRT_START;

	CHECK_EQ(try_read(m2p), -1);
	CHECK_EQ(try_write((char *)m2p + p2m[0] * 8), 14);
	CHECK_EQ(this_cpu()->cr2, (u64)m2p + p2m[0] * 8);
}

static void hypervisor_memory_is_closed(void)
{
	static const u64 va[] = {
		0xffff808000000000, 0xffff810000000000, 0xffff818000000000, 0xffff820000000000,
		0xffff828000000000, 0xffff830000000000, 0xffff840000000000, 0xffff87fffffff000,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(va); i++) {
		CHECK_EQ(try_read((void *)va[i]), 14);
		CHECK_EQ(this_cpu()->cr2, va[i]);
		CHECK_EQ(try_write((void *)va[i]), 14);
	}
}

static void features(void)
{
	struct xen_feature_info f = {.submap_idx = 0};
	bool dom0 = is_dom0();
	u32 zero = 1u << XENFEAT_writable_page_tables | 1u << XENFEAT_auto_translated_physmap |
		   1u << XENFEAT_supervisor_mode_kernel | 1u << XENFEAT_hvm_callback_vector;

	REQUIRE_OK(xen_version(XENVER_get_features, &f));
	CHECK_EQ(f.submap & zero, 0);
	CHECK(f.submap >> XENFEAT_mmu_pt_update_preserve_ad & 1);
	CHECK(f.submap >> XENFEAT_gnttab_map_avail_bits & 1);
	CHECK_EQ(f.submap >> XENFEAT_dom0 & 1, dom0);
	f.submap_idx = 1;
	f.submap = 0x55;
	CHECK_RC(xen_version(XENVER_get_features, &f), -XEN_EINVAL);
}

static void versions(void)
{
	struct xen_platform_parameters p = {0};
	char text[1024];

	CHECK_EQ(xen_version(XENVER_version, NULL), 0x40011);
	CHECK_OK(xen_version(XENVER_extraversion, text));
	CHECK_OK(xen_version(XENVER_capabilities, text));
	CHECK(!strncmp(text, "xen-3.0-x86_64", 14));
	CHECK_OK(xen_version(XENVER_platform_parameters, &p));
	CHECK_EQ(p.virt_start, HYPERVISOR_VIRT_START);
	CHECK_EQ(xen_version(XENVER_pagesize, NULL), PAGE_SIZE);
	CHECK_OK(xen_version(XENVER_guest_handle, text));
	CHECK_OK(xen_version(XENVER_commandline, text));
	CHECK_OK(xen_version(XENVER_compile_info, text));
	CHECK_OK(xen_version(XENVER_changeset, text));
	CHECK_RC(xen_version(11, text), -XEN_ENOSYS);
}

static void hypercall_stubs(void)
{
	CHECK_EQ(page_call2(__HYPERVISOR_xen_version, XENVER_version, 0),
		 xen_version(XENVER_version, NULL));
	CHECK_EQ(page_call2(60, 0, 0), (u64)-XEN_ENOSYS);
}

static void machphys(void)
{
	struct xen_machphys_mapping m = {0};

	REQUIRE_OK(memory_op(XENMEM_machphys_mapping, &m));
	CHECK_EQ(m.v_start, MACH2PHYS_VIRT_START);
	CHECK(m.v_end <= MACH2PHYS_VIRT_END && m.v_end > m.v_start);
	CHECK(m.max_mfn > 0);
	for (u64 pfn = 0; pfn < nr_pages; pfn += 97)
		if (!CHECK(p2m[pfn] <= m.max_mfn))
			break;
}

const struct test start_tests[] = {
	{"registers", registers},
	{"boot-stack", boot_stack},
	{"start-info", start_info_fields},
	{"dom0", dom0_fields},
	{"upcall-masks", upcall_masks},
	{"tables", initial_tables},
	{"tables-in-range", tables_in_range},
	{"tables-typed", tables_are_typed},
	{"m2p-p2m", m2p_agrees},
	{"m2p-read-only", m2p_is_read_only},
	{"hypervisor-closed", hypervisor_memory_is_closed},
	{"features", features},
	{"versions", versions},
	{"hypercall-page", hypercall_stubs},
	{"machphys", machphys},
	{NULL, NULL},
};
