/* SPDX-License-Identifier: MIT */
/* Into the guest's kernel: the frames of traps, events and system calls (abi.md 2.8). */
#include "pv/pv.h"
#include "pv/entry.h"
#include "pv/xpti.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "lib/log.h"
#include "mm/guest_words.h"

void pv_toggle_mode(struct vcpu *v)
{
	mfn_t root;

	v->pv.kernel_mode = !v->pv.kernel_mode;
	root = v->pv.kernel_mode ? v->pv.cr3_mfn : v->pv.user_cr3_mfn;
	__asm__ __volatile__("swapgs");
	pv_load_root(v, root);
}

/*
 * The code selector's slot: bits 32..39 carry the saved event mask; in kernel mode the guest sees ring
 * 0, as it would on the bare machine.
 */
static u64 cs_slot(const struct vcpu *v, const struct cpu_user_regs *regs, bool was_kernel, u8 mask)
{
	u64 cs = regs->cs;

	if (was_kernel)
		cs &= ~3ULL;
	return cs | (u64)mask << 32;
}

/*
 * The frame's words: rcx, r11, nr others (an error code, or four data selectors), rip, cs, rflags, rsp,
 * ss. nr is a constant where this is called.
 */
static inline __attribute__((always_inline)) int write_frame(u64 *sp,
							     const struct cpu_user_regs *regs,
							     const u64 *extra, unsigned int nr,
							     u64 cs, u64 rflags)
{
	if (unlikely(!guest_words_begin(sp, 7 + nr)))
		return -XEN_EFAULT;
	guest_write(sp++, regs->rcx, fault);
	guest_write(sp++, regs->r11, fault);
	if (nr)
		guest_write(sp++, extra[0], fault);
	if (nr == 4) {
		guest_write(sp++, extra[1], fault);
		guest_write(sp++, extra[2], fault);
		guest_write(sp++, extra[3], fault);
	}
	guest_write(sp++, regs->rip, fault);
	guest_write(sp++, cs, fault);
	guest_write(sp++, rflags, fault);
	guest_write(sp++, regs->rsp, fault);
	guest_write(sp, regs->ss, fault);
	guest_words_end();
	return 0;
fault:
	return guest_words_fault();
}

static inline __attribute__((always_inline)) void bounce(struct vcpu *v, struct cpu_user_regs *regs,
							 unsigned long handler, bool mask,
							 const u64 *extra, unsigned int nr)
{
	bool was_kernel = v->pv.kernel_mode;
	u8 saved = v->info->evtchn_upcall_mask;
	unsigned long sp = regs->rsp;
	u64 rflags;

	if (!was_kernel) {
		pv_toggle_mode(v);
		sp = v->pv.kernel_sp;
	}
	rflags = (regs->rflags & ~(RFLAGS_IF | RFLAGS_IOPL)) | (saved ? 0 : RFLAGS_IF) |
		 (u64)v->pv.iopl << 12;
	sp = (sp & ~15UL) - (7 + nr) * 8;
	if (unlikely(!handler) ||
	    unlikely(write_frame((u64 *)sp, regs, extra, nr, cs_slot(v, regs, was_kernel, saved),
				 rflags))) {
		domain_crash(v->d, handler ? "kernel stack not writable for a trap frame"
					   : "no handler for a trap or event");
		return;
	}
	if (mask)
		v->info->evtchn_upcall_mask = 1;
	regs->rip = handler;
	regs->cs = GUEST_CS;
	regs->ss = GUEST_SS;
	regs->rsp = sp;
	regs->rflags &= ~(RFLAGS_AC | RFLAGS_VM | RFLAGS_RF | RFLAGS_NT | RFLAGS_TF);
	regs->rflags |= RFLAGS_IF;
	regs->entry_vector = 0; /* rcx and r11 are live: no SYSRET */
}

void pv_bounce(struct vcpu *v, struct cpu_user_regs *regs, unsigned long handler, bool mask,
	       bool has_error, u32 error)
{
	u64 word = error;

	if (has_error)
		bounce(v, regs, handler, mask, &word, 1);
	else
		bounce(v, regs, handler, mask, NULL, 0);
}

bool pv_has_trap_handler(const struct vcpu *v, unsigned int vec)
{
	return v->pv.traps[vec].address != 0;
}

void pv_inject_trap(struct vcpu *v, struct cpu_user_regs *regs, unsigned int vec, u32 error)
{
	const struct trap_info *t = &v->pv.traps[vec];

	pv_bounce(v, regs, t->address, t->flags & 4, pv_has_error_code(vec), error);
}

void pv_inject_pf(struct vcpu *v, struct cpu_user_regs *regs, unsigned long addr, u32 error)
{
	/* The guest's kernel runs in ring 3 but expects to see itself as the supervisor. */
	if (v->pv.kernel_mode)
		error &= ~4u;
	else
		error |= 4u;
	/* What of our half is mapped is not the guest's to know. */
	if (addr >= HV_VA_START && addr < HV_VA_END)
		error &= ~1u;
	v->info->arch.cr2 = addr;
	pv_inject_trap(v, regs, TRAP_PF, error);
}

void pv_deliver_event(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;

	/* The ABI's event callback always masks further events. */
	pv_bounce(v, regs, v->pv.event.addr, true, false, 0);
}

/* SYSCALL from the guest's user mode, or from 32-bit code: its kernel's callback, no frame conversion. */
void pv_guest_syscall(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;
	const struct pv_callback *cb = &v->pv.syscall;

	if (regs->entry_vector == ENTRY_SYSCALL32) {
		regs->cs = GUEST_CS32;
		if (v->pv.kernel_mode || !v->pv.syscall32.addr) {
			regs->rip -= 2;
			pv_inject_trap(v, regs, TRAP_UD, 0);
			return;
		}
		cb = &v->pv.syscall32;
	}
	pv_bounce(v, regs, cb->addr, cb->mask_events, false, 0);
	regs->rflags &= ~RFLAGS_DF;
}

/*
 * IRET refused the frame. The failsafe callback gets it, with the data selectors as they are, which
 * tells the guest that the frame itself is bad.
 */
void pv_iret_fault(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;
	u64 sel[4];

	pv_save_segments(v);
	sel[0] = v->pv.ds;
	sel[1] = v->pv.es;
	sel[2] = v->pv.fs;
	sel[3] = v->pv.gs;
	bounce(v, regs, v->pv.failsafe.addr, v->pv.failsafe.mask_events, sel, 4);
}
