/* SPDX-License-Identifier: MIT */
/*
 * All hypercalls: number, name, handler, arguments it looks at, who may call it. PRIV calls check the
 * caller themselves, so that they answer -XEN_EPERM and not "no such call". docs/abi.md says what of
 * each is there; scripts/check-abi-table compares the two.
 */
#include "call/call.h"
#include "call/table.h"

#define CALLS                                                                              \
	CALL(0, set_trap_table, do_set_trap_table, 1, ANY)                                 \
	CALL(1, mmu_update, do_mmu_update, 4, ANY)                                         \
	CALL(2, set_gdt, do_set_gdt, 2, ANY)                                               \
	CALL(3, stack_switch, do_stack_switch, 2, ANY)                                     \
	CALL(5, fpu_taskswitch, do_fpu_taskswitch, 1, ANY)                                 \
	CALL(7, platform_op, do_platform_op, 1, PRIV)                                      \
	CALL(8, set_debugreg, do_set_debugreg, 2, ANY)                                     \
	CALL(9, get_debugreg, do_get_debugreg, 1, ANY)                                     \
	CALL(10, update_descriptor, do_update_descriptor, 2, ANY)                          \
	CALL(12, memory_op, do_memory_op, 2, ANY)                                          \
	CALL(13, multicall, do_multicall, 2, ANY)                                          \
	CALL(14, update_va_mapping, do_update_va_mapping, 3, ANY)                          \
	CALL(15, set_timer_op, do_set_timer_op, 1, ANY)                                    \
	CALL(17, xen_version, do_xen_version, 2, ANY)                                      \
	CALL(18, console_io, do_console_io, 3, ANY)                                        \
	CALL(20, grant_table_op, do_grant_table_op, 3, ANY)                                \
	CALL(21, vm_assist, do_vm_assist, 2, ANY)                                          \
	CALL(22, update_va_mapping_otherdomain, do_update_va_mapping_otherdomain, 4, PRIV) \
	CALL(23, iret, do_iret, 0, ANY)                                                    \
	CALL(24, vcpu_op, do_vcpu_op, 3, ANY)                                              \
	CALL(25, set_segment_base, do_set_segment_base, 2, ANY)                            \
	CALL(26, mmuext_op, do_mmuext_op, 4, ANY)                                          \
	CALL(28, nmi_op, do_nmi_op, 2, ANY)                                                \
	CALL(29, sched_op, do_sched_op, 2, ANY)                                            \
	CALL(30, callback_op, do_callback_op, 2, ANY)                                      \
	CALL(32, event_channel_op, do_event_channel_op, 2, ANY)                            \
	CALL(33, physdev_op, do_physdev_op, 2, ANY)                                        \
	CALL(35, sysctl, do_sysctl, 1, PRIV)                                               \
	CALL(36, domctl, do_domctl, 1, PRIV)

/* Numbers without a handler have this one, so that nobody need ask whether there is one. */
static long do_nothing(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		       unsigned long a5)
{
	return -XEN_ENOSYS;
}

#pragma GCC diagnostic ignored "-Woverride-init"
call_fn *const call_table[NR_CALLS] = {[0 ... NR_CALLS - 1] = do_nothing,
#define CALL(nr, name, fn, nargs, who) [nr] = fn,
				       CALLS
#undef CALL
};

const struct call_info call_info[NR_CALLS] = {
#define CALL(nr, name, fn, nargs, who) [nr] = {#name, nargs, CALLER_##who},
	CALLS
#undef CALL
};
