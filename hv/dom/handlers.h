/* SPDX-License-Identifier: MIT */
/* Prototypes of the hypercall handlers, wherever they are; call/table.c puts them into its table. */
#ifndef DOM_HANDLERS_H
#define DOM_HANDLERS_H

#define CALL_DECL(n) \
	long n(unsigned long, unsigned long, unsigned long, unsigned long, unsigned long)
CALL_DECL(do_set_trap_table);
CALL_DECL(do_mmu_update);
CALL_DECL(do_set_gdt);
CALL_DECL(do_stack_switch);
CALL_DECL(do_fpu_taskswitch);
CALL_DECL(do_platform_op);
CALL_DECL(do_set_debugreg);
CALL_DECL(do_get_debugreg);
CALL_DECL(do_update_descriptor);
CALL_DECL(do_memory_op);
CALL_DECL(do_multicall);
CALL_DECL(do_update_va_mapping);
CALL_DECL(do_set_timer_op);
CALL_DECL(do_xen_version);
CALL_DECL(do_console_io);
CALL_DECL(do_grant_table_op);
CALL_DECL(do_vm_assist);
CALL_DECL(do_update_va_mapping_otherdomain);
CALL_DECL(do_iret);
CALL_DECL(do_vcpu_op);
CALL_DECL(do_set_segment_base);
CALL_DECL(do_mmuext_op);
CALL_DECL(do_nmi_op);
CALL_DECL(do_sched_op);
CALL_DECL(do_callback_op);
CALL_DECL(do_event_channel_op);
CALL_DECL(do_physdev_op);
CALL_DECL(do_sysctl);
CALL_DECL(do_domctl);

#endif
