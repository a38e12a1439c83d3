/* SPDX-License-Identifier: MIT */
/*
 * PV vcpus: their two modes (kernel and user, both in ring 3), traps and events delivered to them,
 * descriptor tables, segment bases, and the switch of a CPU from one vcpu to another.
 */
#ifndef PV_PV_H
#define PV_PV_H

#include "dom/domain.h"

/* Per vcpu in the domain's slot: 16 pages of GDT, 16 of LDT. */
#define PV_GDT_VA(v) (PERDOMAIN_VA + (unsigned long)(v)->id * (32 * PAGE_SIZE))
#define PV_LDT_VA(v) (PV_GDT_VA(v) + 16 * PAGE_SIZE)

#define RFLAGS_TF   (1UL << 8)
#define RFLAGS_IF   (1UL << 9)
#define RFLAGS_DF   (1UL << 10)
#define RFLAGS_IOPL (3UL << 12)
#define RFLAGS_NT   (1UL << 14)
#define RFLAGS_RF   (1UL << 16)
#define RFLAGS_VM   (1UL << 17)
#define RFLAGS_AC   (1UL << 18)

#define TRAP_DE	 0
#define TRAP_DB	 1
#define TRAP_NMI 2
#define TRAP_BP	 3
#define TRAP_UD	 6
#define TRAP_NM	 7
#define TRAP_DF	 8
#define TRAP_TS	 10
#define TRAP_NP	 11
#define TRAP_SS	 12
#define TRAP_GP	 13
#define TRAP_PF	 14
#define TRAP_MC	 18

static inline bool pv_has_error_code(unsigned int vec)
{
	return vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21;
}

/* --- bounce.c: entering the guest's kernel --- */
/* Changes between the guest's kernel and user mode: address space, GS base. */
void pv_toggle_mode(struct vcpu *v);
/* For a panic: who runs on a CPU (show.c); see cpu/panic.h. */
void pv_show_running(unsigned int cpu, const struct cpu_user_regs *r, bool detailed);
/*
 * Makes the frame of ABI section "trap frame" on the guest's kernel stack and points regs at handler.
 * mask: events are masked on entry. error: pushed when has_error. Crashes the domain when it cannot.
 */
void pv_bounce(struct vcpu *v, struct cpu_user_regs *regs, unsigned long handler, bool mask,
	       bool has_error, u32 error);
/* Delivers an exception to the guest's handler; false when it has none (then the domain is crashed). */
void pv_inject_trap(struct vcpu *v, struct cpu_user_regs *regs, unsigned int vec, u32 error);
void pv_inject_pf(struct vcpu *v, struct cpu_user_regs *regs, unsigned long addr, u32 error);
bool pv_has_trap_handler(const struct vcpu *v, unsigned int vec);

/* --- emul.c: privileged instructions after #GP and #UD --- */
/* True when the instruction at regs->rip was carried out or a trap was delivered for it. */
bool pv_emulate_privileged(struct vcpu *v, struct cpu_user_regs *regs);
bool pv_emulate_forced(struct vcpu *v, struct cpu_user_regs *regs);

/* --- emul_ret.c --- */
/* A page fault of ring 3 that claims to be the supervisor's: true when a far return was carried out. */
bool pv_emulate_far_return(struct cpu_user_regs *regs);

/* --- ptwr.c --- */
/* A store to a read-only mapped L1 table at addr. True when it was carried out (or must be retried). */
bool pv_ptwr(struct vcpu *v, struct cpu_user_regs *regs, unsigned long addr);

/* --- segment.c --- */
int pv_set_gdt(struct vcpu *v, const mfn_t *frames, unsigned int entries);
void pv_drop_gdt(struct vcpu *v);
int pv_set_ldt(struct vcpu *v, unsigned long base, unsigned int entries);
void pv_drop_ldt(struct vcpu *v);
/* A descriptor of the LDT was not there: map its page. False: not an LDT matter, or a bad page. */
bool pv_map_ldt_page(struct vcpu *v, unsigned long fault_va);
void pv_load_ldt(struct vcpu *v);
/* Selectors from the vcpu into the CPU; a bad one becomes null. */
void pv_load_segments(struct vcpu *v);
void pv_save_segments(struct vcpu *v);

/* --- switch.c --- */
void pv_switch_init(void);
/* Loads GDT/LDT/TS etc. of a changed table for the current vcpu only when needed. */
void pv_load_fpu(struct vcpu *v);
void pv_save_fpu(struct vcpu *v);
void pv_set_ts(struct vcpu *v, bool ts);
/* The 512 bytes of FXSAVE that a guest gives; made harmless for FXRSTOR and XRSTOR. */
void pv_set_fpu_image(struct vcpu *v, const void *image);
u64 pv_read_gs_base(void);

/* --- domain.c --- */
void pv_domain_init_ops(void);
/* The whole state of a vcpu from the ABI's structure; v is not running. 0, -XEN_E*, PV_AGAIN. */
int pv_set_context(struct vcpu *v, const struct vcpu_guest_context *c);

/* --- hypercall_page.c --- */
/* Fills a page of the guest (our mapping of it) with the stubs of the ABI. */
void pv_fill_hypercall_page(void *page);

/* --- debugreg.c --- */
int pv_set_debugreg(struct vcpu *v, unsigned int reg, unsigned long val);
void pv_load_debugregs(struct vcpu *v);
void pv_save_debugregs(struct vcpu *v);

#endif
