/* SPDX-License-Identifier: MIT */
/* Small hypercalls by which a PV kernel sets up its entry points and stack; iret. */
#include "pv/pv.h"
#include "pv/entry.h"
#include <xen/callback.h>
#include <xen/nmi.h>
#include "dom/handlers.h"
#include "dom/hypercall.h"
#include "mm/guest_words.h"
#include "cpu/cpu.h"
#include "cpu/features.h"

long do_set_trap_table(unsigned long traps, unsigned long a2, unsigned long a3, unsigned long a4,
		       unsigned long a5)
{
	struct vcpu *v = current;
	struct trap_info t;

	if (!traps) {
		memset(v->pv.traps, 0, PV_TRAPS * sizeof(*v->pv.traps));
		return 0;
	}
	/* At most one entry a vector makes sense; a longer list is cut off with an error. */
	for (unsigned int i = 0; i <= PV_TRAPS; i++) {
		if (copy_from_guest(&t, (struct trap_info *)traps + i, sizeof(t)))
			return -XEN_EFAULT;
		if (!t.address)
			return 0;
		if (!is_canonical(t.address))
			return -XEN_EINVAL;
		t.cs |= 3;
		v->pv.traps[t.vector] = t;
	}
	return -XEN_EINVAL;
}

long do_stack_switch(unsigned long ss, unsigned long sp, unsigned long a3, unsigned long a4,
		     unsigned long a5)
{
	struct vcpu *v = current;

	v->pv.kernel_ss = ss | 3;
	v->pv.kernel_sp = sp;
	return 0;
}

static struct pv_callback *callback_of(struct vcpu *v, u16 type)
{
	switch (type) {
	case CALLBACKTYPE_event:
		return &v->pv.event;
	case CALLBACKTYPE_failsafe:
		return &v->pv.failsafe;
	case CALLBACKTYPE_syscall:
		return &v->pv.syscall;
	case CALLBACKTYPE_syscall32:
		return cpu_features.syscall32 ? &v->pv.syscall32 : NULL;
	default:
		return NULL;
	}
}

static long callback_register(struct vcpu *v, unsigned long arg)
{
	struct callback_register reg;
	struct pv_callback *cb;

	if (copy_from_guest(&reg, (void *)arg, sizeof(reg)))
		return -XEN_EFAULT;
	if (!is_canonical(reg.address))
		return -XEN_EINVAL;
	if (reg.type == CALLBACKTYPE_nmi) {
		v->pv.traps[TRAP_NMI].address = reg.address;
		v->pv.traps[TRAP_NMI].vector = TRAP_NMI;
		v->pv.traps[TRAP_NMI].cs = GUEST_CS;
		return 0;
	}
	cb = callback_of(v, reg.type);
	if (!cb)
		return -XEN_ENOSYS;
	cb->addr = reg.address;
	cb->mask_events = reg.flags & CALLBACKF_mask_events;
	return 0;
}

long do_callback_op(unsigned long cmd, unsigned long arg, unsigned long a3, unsigned long a4,
		    unsigned long a5)
{
	struct callback_unregister un;

	switch (cmd) {
	case CALLBACKOP_register:
		return callback_register(current, arg);
	case CALLBACKOP_unregister:
		if (copy_from_guest(&un, (void *)arg, sizeof(un)))
			return -XEN_EFAULT;
		if (un.type != CALLBACKTYPE_nmi)
			return -XEN_EINVAL;
		current->pv.traps[TRAP_NMI].address = 0;
		return 0;
	default:
		return -XEN_ENOSYS;
	}
}

long do_nmi_op(unsigned long cmd, unsigned long arg, unsigned long a3, unsigned long a4,
	       unsigned long a5)
{
	struct xennmi_callback cb;

	switch (cmd) {
	case XENNMI_register_callback:
		if (copy_from_guest(&cb, (void *)arg, sizeof(cb)))
			return -XEN_EFAULT;
		if (!is_canonical(cb.handler_address))
			return -XEN_EINVAL;
		current->pv.traps[TRAP_NMI].address = cb.handler_address;
		current->pv.traps[TRAP_NMI].cs = GUEST_CS;
		return 0;
	case XENNMI_unregister_callback:
		current->pv.traps[TRAP_NMI].address = 0;
		return 0;
	default:
		return -XEN_ENOSYS;
	}
}

static inline __attribute__((always_inline)) int read_iret_frame(struct iret_context *f,
								 const struct iret_context *from)
{
	if (unlikely(!guest_words_begin(from, sizeof(*f) / 8)))
		return -XEN_EFAULT;
	guest_read(f->rax, &from->rax, fault);
	guest_read(f->r11, &from->r11, fault);
	guest_read(f->rcx, &from->rcx, fault);
	guest_read(f->flags, &from->flags, fault);
	guest_read(f->rip, &from->rip, fault);
	guest_read(f->cs, &from->cs, fault);
	guest_read(f->rflags, &from->rflags, fault);
	guest_read(f->rsp, &from->rsp, fault);
	guest_read(f->ss, &from->ss, fault);
	guest_words_end();
	return 0;
fault:
	return guest_words_fault();
}

/*
 * Return to the context on the kernel stack (<xen/arch-x86/xen-x86_64.h>, struct iret_context).
 */
long do_iret(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
	     unsigned long a5)
{
	struct cpu_user_regs *regs = guest_regs();
	struct vcpu *v = current;
	struct iret_context f;
	bool to_user;

	if (unlikely(read_iret_frame(&f, (const struct iret_context *)regs->rsp))) {
		domain_crash(v->d, "iret frame not readable");
		return call_done();
	}
	/* Ring 3 code to be returned to with RPL 3 is user mode, everything else kernel mode. */
	to_user = (f.cs & 3) == 3;
	if (to_user && unlikely(!v->pv.user_cr3_mfn)) {
		domain_crash(v->d, "iret to user mode without user page tables");
		return call_done();
	}
	regs->rip = f.rip;
	regs->cs = (u16)(f.cs | 3);
	regs->rflags = (f.rflags & ~(RFLAGS_IOPL | RFLAGS_VM | RFLAGS_NT)) | RFLAGS_IF | 2;
	regs->rsp = f.rsp;
	regs->ss = (u16)(f.ss | 3);
	if (f.flags & VGCF_in_syscall) {
		regs->entry_vector = ENTRY_SYSCALL;
	} else {
		regs->entry_vector = 0;
		regs->r11 = f.r11;
		regs->rcx = f.rcx;
	}
	v->info->evtchn_upcall_mask = !(f.rflags & RFLAGS_IF);
	if (to_user)
		pv_toggle_mode(v);
	if (likely(f.rax - (u64)CALL_DONE > CALL_RESTART - CALL_DONE))
		return (long)f.rax;
	/* By chance one of our own results: the long way. */
	regs->rax = f.rax;
	return call_done();
}

long do_fpu_taskswitch(unsigned long set, unsigned long a2, unsigned long a3, unsigned long a4,
		       unsigned long a5)
{
	pv_set_ts(current, set != 0);
	return 0;
}
