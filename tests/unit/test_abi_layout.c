/* SPDX-License-Identifier: MIT */
/* Sizes and offsets that guests and tools rely on, beside the calls' numbers in the table. */
#include "fake/fake.h"
#include <string.h>
#include <xen/xen.h>
#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/memory.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include "mm/e820.h"

#define SIZE(t, n)	assert_int_equal(sizeof(t), n)
#define OFFSET(t, m, n) assert_int_equal(offsetof(t, m), n)

static void guest_structures(void **state)
{
	(void)state;
	SIZE(struct start_info, 1168);
	OFFSET(struct start_info, nr_pages, 32);
	OFFSET(struct start_info, shared_info, 40);
	OFFSET(struct start_info, flags, 48);
	OFFSET(struct start_info, store_mfn, 56);
	OFFSET(struct start_info, store_evtchn, 64);
	OFFSET(struct start_info, console, 72);
	OFFSET(struct start_info, pt_base, 88);
	OFFSET(struct start_info, nr_pt_frames, 96);
	OFFSET(struct start_info, mfn_list, 104);
	OFFSET(struct start_info, mod_start, 112);
	OFFSET(struct start_info, mod_len, 120);
	OFFSET(struct start_info, cmd_line, 128);
	OFFSET(struct start_info, first_p2m_pfn, 1152);
	OFFSET(struct start_info, nr_p2m_frames, 1160);
	SIZE(struct dom0_vga_console_info, 40);
	SIZE(struct vcpu_info, 64);
	OFFSET(struct vcpu_info, evtchn_upcall_mask, 1);
	OFFSET(struct vcpu_info, evtchn_pending_sel, 8);
	OFFSET(struct vcpu_info, arch.cr2, 16);
	OFFSET(struct vcpu_info, time, 32);
	SIZE(struct vcpu_time_info, 32);
	OFFSET(struct vcpu_time_info, tsc_to_system_mul, 24);
	OFFSET(struct vcpu_time_info, flags, 29);
	SIZE(struct shared_info, 3136);
	OFFSET(struct shared_info, evtchn_pending, 2048);
	OFFSET(struct shared_info, evtchn_mask, 2560);
	OFFSET(struct shared_info, wc_version, 3072);
	OFFSET(struct shared_info, wc_sec_hi, 3084);
	OFFSET(struct shared_info, arch, 3088);
	OFFSET(struct shared_info, arch.p2m_cr3, 3088 + 24);
	OFFSET(struct shared_info, arch.p2m_vaddr, 3088 + 32);
	OFFSET(struct shared_info, arch.p2m_generation, 3088 + 40);
	SIZE(struct vcpu_runstate_info, 48);
}

static void vcpu_context(void **state)
{
	(void)state;
	SIZE(struct vcpu_guest_context, 5168);
	OFFSET(struct vcpu_guest_context, flags, 512);
	OFFSET(struct vcpu_guest_context, user_regs, 520);
	SIZE(struct cpu_user_regs, 200);
	OFFSET(struct vcpu_guest_context, trap_ctxt, 720);
	OFFSET(struct vcpu_guest_context, ldt_base, 4816);
	OFFSET(struct vcpu_guest_context, gdt_frames, 4832);
	OFFSET(struct vcpu_guest_context, gdt_ents, 4960);
	OFFSET(struct vcpu_guest_context, kernel_ss, 4968);
	OFFSET(struct vcpu_guest_context, ctrlreg, 4984);
	OFFSET(struct vcpu_guest_context, debugreg, 5048);
	OFFSET(struct vcpu_guest_context, event_callback_eip, 5112);
	OFFSET(struct vcpu_guest_context, syscall_callback_eip, 5128);
	OFFSET(struct vcpu_guest_context, vm_assist, 5136);
	OFFSET(struct vcpu_guest_context, fs_base, 5144);
	SIZE(struct trap_info, 16);
	SIZE(struct iret_context, 72);
}

static void call_arguments(void **state)
{
	(void)state;
	SIZE(struct multicall_entry, 64);
	SIZE(struct mmuext_op, 24);
	SIZE(struct mmu_update, 16);
	SIZE(struct callback_register, 16);
	SIZE(struct vcpu_set_singleshot_timer, 16);
	SIZE(struct sched_poll, 24);
	SIZE(struct xen_memory_reservation, 32);
	SIZE(struct xen_memory_exchange, 72);
	SIZE(struct xen_mem_acquire_resource, 32);
	SIZE(struct xen_platform_op, 136);
	SIZE(struct e820_entry, 20);
	SIZE(struct xen_compile_info, 144);
}

static void tool_structures(void **state)
{
	(void)state;
	assert_int_equal(XEN_DOMCTL_INTERFACE_VERSION, 0x15);
	assert_int_equal(XEN_SYSCTL_INTERFACE_VERSION, 0x15);
	SIZE(struct xen_sysctl, 136);
	OFFSET(struct xen_sysctl, u, 8);
	SIZE(struct xen_domctl, 144);
	OFFSET(struct xen_domctl, domain, 8);
	OFFSET(struct xen_domctl, u, 16);
	SIZE(struct xen_domctl_getdomaininfo, 112);
	OFFSET(struct xen_domctl_getdomaininfo, flags, 4);
	OFFSET(struct xen_domctl_getdomaininfo, shared_info_frame, 48);
	OFFSET(struct xen_domctl_getdomaininfo, cpu_time, 56);
	OFFSET(struct xen_domctl_getdomaininfo, handle, 76);
	OFFSET(struct xen_domctl_getdomaininfo, cpupool, 92);
	OFFSET(struct xen_domctl_getdomaininfo, gpaddr_bits, 96);
	OFFSET(struct xen_domctl_getdomaininfo, arch_config, 104);
	OFFSET(struct xen_domctl_createdomain, flags, 20);
	OFFSET(struct xen_domctl_createdomain, max_vcpus, 28);
	SIZE(xen_cpuid_leaf_t, 24);
	SIZE(xen_msr_entry_t, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest_structures),
		cmocka_unit_test(vcpu_context),
		cmocka_unit_test(call_arguments),
		cmocka_unit_test(tool_structures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
