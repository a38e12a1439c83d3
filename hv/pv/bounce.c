/* SPDX-License-Identifier: MIT */
/* Into the guest's kernel: the frames of traps, events and system calls (abi.md 2.8). */
#include "pv/pv.h"
#include "pv/entry.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "lib/log.h"
#include "mm/guest_copy.h"
#include "mm/tlb.h"

void pv_toggle_mode(struct vcpu *v)
{
	mfn_t root;
	u64 t;

	v->pv.kernel_mode = !v->pv.kernel_mode;
	root = v->pv.kernel_mode ? v->pv.cr3_mfn : v->pv.user_cr3_mfn;
	__asm__ __volatile__("swapgs");
	t = tlb_flush_begin();
	write_cr3((unsigned long)root << PAGE_SHIFT);
	tlb_flush_end(t);
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

struct frame_extra {
	const u64 *words; /* pushed between r11 and rip: an error code, or the data selectors */
	unsigned int nr;
};

static void bounce(struct vcpu *v, struct cpu_user_regs *regs, unsigned long handler, bool mask,
		   const struct frame_extra *x)
{
	bool was_kernel = v->pv.kernel_mode;
	u8 saved = v->info->evtchn_upcall_mask;
	unsigned long sp = regs->rsp, n = 0;
	u64 f[12];

	if (!was_kernel) {
		pv_toggle_mode(v);
		sp = v->pv.kernel_sp;
	}
	f[n++] = regs->rcx;
	f[n++] = regs->r11;
	for (unsigned int i = 0; i < x->nr; i++)
		f[n++] = x->words[i];
	f[n++] = regs->rip;
	f[n++] = cs_slot(v, regs, was_kernel, saved);
	f[n++] = (regs->rflags & ~(RFLAGS_IF | RFLAGS_IOPL)) | (saved ? 0 : RFLAGS_IF) |
		 (u64)v->pv.iopl << 12;
	f[n++] = regs->rsp;
	f[n++] = regs->ss;
	sp = (sp & ~15UL) - n * 8;
	if (!handler || copy_to_guest((void *)sp, f, n * 8)) {
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
	struct frame_extra x = {&word, has_error ? 1 : 0};

	bounce(v, regs, handler, mask, &x);
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
	struct frame_extra x;
	u64 sel[4];

	pv_save_segments(v);
	sel[0] = v->pv.ds;
	sel[1] = v->pv.es;
	sel[2] = v->pv.fs;
	sel[3] = v->pv.gs;
	x.words = sel;
	x.nr = 4;
	bounce(v, regs, v->pv.failsafe.addr, v->pv.failsafe.mask_events, &x);
}
