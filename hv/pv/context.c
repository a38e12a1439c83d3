/* SPDX-License-Identifier: MIT */
/* struct vcpu_guest_context (<xen/arch-x86/xen.h>) into a vcpu that is down. */
#include "pv/pv.h"
#include "pv/mm.h"
#include "cpu/cpu.h"
#include "lib/string.h"

static bool addresses_ok(const struct vcpu_guest_context *c)
{
	return is_canonical(c->fs_base) && is_canonical(c->gs_base_kernel) &&
	       is_canonical(c->gs_base_user) && is_canonical(c->event_callback_eip) &&
	       is_canonical(c->failsafe_callback_eip) && is_canonical(c->syscall_callback_eip) &&
	       is_canonical(c->user_regs.rip);
}

/* mm_lock held. All or nothing. */
static int take_tables(struct vcpu *v, const struct vcpu_guest_context *c, mfn_t *kernel,
		       mfn_t *user)
{
	int budget = PV_BUDGET, rc = pv_drain(v->d, &budget);
	mfn_t frames[14] = {0};

	if (rc)
		return rc;
	*kernel = c->ctrlreg[3] >> PAGE_SHIFT;
	*user = c->ctrlreg[1] >> PAGE_SHIFT;
	rc = pv_get_table(v->d, *kernel, 4, &budget);
	if (rc)
		return rc;
	rc = *user ? pv_get_table(v->d, *user, 4, &budget) : 0;
	if (rc)
		goto put_kernel;
	if (c->gdt_ents > FIRST_RESERVED_GDT_ENTRY) {
		rc = -XEN_EINVAL;
		goto put_user;
	}
	for (unsigned int i = 0; i < 14; i++)
		frames[i] = c->gdt_frames[i];
	rc = pv_set_gdt(v, frames, (unsigned int)c->gdt_ents);
	if (!rc)
		return 0;
put_user:
	if (*user)
		pv_put_table(v->d, mfn_to_frame(*user), 4, &budget);
put_kernel:
	/* One demotion at a time: this path is rare enough to finish the first without a limit. */
	budget = INT_MAX;
	if (!pv_drain(v->d, &budget))
		pv_put_table(v->d, mfn_to_frame(*kernel), 4, &budget);
	return rc;
}

static void set_callbacks(struct vcpu *v, const struct vcpu_guest_context *c)
{
	v->pv.event = (struct pv_callback){c->event_callback_eip, true};
	v->pv.failsafe = (struct pv_callback){c->failsafe_callback_eip,
					      c->flags & VGCF_failsafe_disables_events};
	v->pv.syscall = (struct pv_callback){c->syscall_callback_eip,
					     c->flags & VGCF_syscall_disables_events};
	v->pv.kernel_sp = c->kernel_sp;
	v->pv.kernel_ss = c->kernel_ss | 3;
	for (unsigned int i = 0; i < PV_TRAPS; i++) {
		const struct trap_info *t = &c->trap_ctxt[i];

		if (!is_canonical(t->address))
			continue;
		v->pv.traps[i] = *t;
		v->pv.traps[i].cs |= 3;
	}
}

static void set_registers(struct vcpu *v, const struct vcpu_guest_context *c)
{
	const struct cpu_user_regs *r = &c->user_regs;

	v->regs = *r;
	v->regs.cs |= 3;
	v->regs.ss |= 3;
	v->regs.entry_vector = 0;
	v->regs.rflags =
		(r->rflags & ~(RFLAGS_IOPL | RFLAGS_VM | RFLAGS_NT | RFLAGS_TF)) | RFLAGS_IF | 2;
	v->pv.iopl = (u8)(r->rflags >> 12 & 3);
	v->pv.ds = r->ds;
	v->pv.es = r->es;
	v->pv.fs = r->fs;
	v->pv.gs = r->gs;
	v->pv.fs_base = c->fs_base;
	v->pv.gs_base_kernel = c->gs_base_kernel;
	v->pv.gs_base_user = c->gs_base_user;
	v->pv.kernel_mode = c->flags & VGCF_in_kernel || !v->pv.user_cr3_mfn;
	if (c->flags & VGCF_i387_valid)
		pv_set_fpu_image(v, &c->fpu_ctxt);
}

int pv_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
	mfn_t kernel, user;
	int rc;

	if (!addresses_ok(c) || c->ldt_ents > 8192 || (c->ldt_base & ~PAGE_MASK))
		return -XEN_EINVAL;
	if (v->pv.cr3_mfn)
		return -XEN_EBUSY;
	spin_lock(&v->d->mm_lock);
	rc = take_tables(v, c, &kernel, &user);
	if (!rc) {
		if (user)
			pv_show_m2p(user, false);
		pv_show_m2p(kernel, true);
		v->pv.cr3_mfn = kernel;
		v->pv.user_cr3_mfn = user;
		v->pv.ldt_base = c->ldt_base;
		v->pv.ldt_ents = (unsigned int)c->ldt_ents;
	}
	spin_unlock(&v->d->mm_lock);
	if (rc)
		return rc;
	set_callbacks(v, c);
	set_registers(v, c);
	return 0;
}
