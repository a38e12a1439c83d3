/* SPDX-License-Identifier: MIT */
/* Offsets for assembly; compiled to text only, see hv/Makefile. The one file that looks upward. */
#include "cpu/percpu.h"
#include "cpu/desc.h"
#include "cpu/xpti.h"
#include "dom/domain.h"
#include "call/call.h"

#define DEFINE(sym, val)    __asm__ volatile("\n.ascii \"->" #sym " %0 " #val "\"" : : "i"(val))
#define OFFSET(sym, str, m) DEFINE(sym, offsetof(struct str, m))

void asm_offsets(void);

void asm_offsets(void)
{
	BUILD_BUG_ON(sizeof(struct cpu_info) != 232);
	BUILD_BUG_ON(offsetof(struct cpu_info, guest_regs) != 0);
	BUILD_BUG_ON(sizeof(struct frame) != 24);
	OFFSET(REGS_r15, cpu_user_regs, r15);
	OFFSET(REGS_rax, cpu_user_regs, rax);
	OFFSET(REGS_rcx, cpu_user_regs, rcx);
	OFFSET(REGS_r11, cpu_user_regs, r11);
	OFFSET(REGS_r10, cpu_user_regs, r10);
	OFFSET(REGS_error_code, cpu_user_regs, error_code);
	OFFSET(REGS_entry_vector, cpu_user_regs, entry_vector);
	OFFSET(REGS_rip, cpu_user_regs, rip);
	OFFSET(REGS_cs, cpu_user_regs, cs);
	OFFSET(REGS_rflags, cpu_user_regs, rflags);
	OFFSET(REGS_rsp, cpu_user_regs, rsp);
	OFFSET(REGS_ss, cpu_user_regs, ss);
	OFFSET(REGS_es, cpu_user_regs, es);
	DEFINE(REGS_sizeof, sizeof(struct cpu_user_regs));
	OFFSET(INFO_scratch, cpu_info, scratch);
	OFFSET(INFO_current, cpu_info, curr);
	OFFSET(INFO_hazard, cpu_info, hazard);
	DEFINE(INFO_sizeof, sizeof(struct cpu_info));
	OFFSET(VCPU_info, vcpu, info);
	OFFSET(VCPU_kernel_mode, vcpu, pv.kernel_mode);
	OFFSET(VCPU_spec_ctrl, vcpu, pv.spec_ctrl);
	OFFSET(XPTI_hv_cr3, xpti_page, hv_cr3);
	OFFSET(XPTI_guest_cr3, xpti_page, guest_cr3);
	OFFSET(XPTI_scratch, xpti_page, scratch);
	OFFSET(XPTI_rip, xpti_page, rip);
	OFFSET(XPTI_rflags, xpti_page, rflags);
	DEFINE(STACK_PAGE_DFMC_, STACK_PAGE_DFMC);
	DEFINE(STACK_PAGE_NMI_, STACK_PAGE_NMI);
	DEFINE(HV_DS_, HV_DS);
	DEFINE(STACK_SIZE_, STACK_SIZE);
	DEFINE(NR_CALLS_, NR_CALLS);
}
