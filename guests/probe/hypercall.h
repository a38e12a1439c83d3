/* SPDX-License-Identifier: MIT */
/* Hypercalls by SYSCALL, and through the page of stubs. */
#ifndef PROBE_HYPERCALL_H
#define PROBE_HYPERCALL_H

#include "kit.h"
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

static inline long call5(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	register u64 r10 asm("r10") = d;
	register u64 r8 asm("r8") = e;
	long rc = (long)nr;

	asm volatile("syscall"
		     : "+a"(rc), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
		     :
		     : "rcx", "r11", "memory");
	return rc;
}

#define CALL_(nr, a, b, c, d, e, ...) call5(nr, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e))
#define hcall(nr, ...)		      CALL_(nr, ##__VA_ARGS__, 0, 0, 0, 0, 0)

/* The hypervisor's answer, not the processor's. */
static inline void xen_cpuid(u32 leaf, u32 sub, u32 r[4])
{
	asm volatile(XEN_EMULATE_PREFIX "cpuid"
		     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
		     : "0"(leaf), "2"(sub));
}

extern char hypercall_page[];

static inline long page_call2(u64 nr, u64 a, u64 b)
{
	long rc;

	asm volatile("call *%[stub]"
		     : "=a"(rc), "+D"(a), "+S"(b)
		     : [stub] "r"(hypercall_page + nr * 32)
		     : "rcx", "r11", "rdx", "r8", "r10", "memory");
	return rc;
}

#define xen_version(cmd, p)	    hcall(__HYPERVISOR_xen_version, cmd, p)
#define console_io(cmd, n, p)	    hcall(__HYPERVISOR_console_io, cmd, n, p)
#define sched_op(cmd, p)	    hcall(__HYPERVISOR_sched_op, cmd, p)
#define vcpu_op(cmd, id, p)	    hcall(__HYPERVISOR_vcpu_op, cmd, id, p)
#define memory_op(cmd, p)	    hcall(__HYPERVISOR_memory_op, cmd, p)
#define evtchn_op(cmd, p)	    hcall(__HYPERVISOR_event_channel_op, cmd, p)
#define physdev_op(cmd, p)	    hcall(__HYPERVISOR_physdev_op, cmd, p)
#define grant_op(cmd, p, n)	    hcall(__HYPERVISOR_grant_table_op, cmd, p, n)
#define callback_op(cmd, p)	    hcall(__HYPERVISOR_callback_op, cmd, p)
#define set_trap_table(p)	    hcall(__HYPERVISOR_set_trap_table, p)
#define set_gdt(p, n)		    hcall(__HYPERVISOR_set_gdt, p, n)
#define stack_switch(ss, sp)	    hcall(__HYPERVISOR_stack_switch, ss, sp)
#define fpu_taskswitch(set)	    hcall(__HYPERVISOR_fpu_taskswitch, set)
#define set_debugreg(nr, v)	    hcall(__HYPERVISOR_set_debugreg, nr, v)
#define get_debugreg(nr)	    hcall(__HYPERVISOR_get_debugreg, nr)
#define update_descriptor(ma, v)    hcall(__HYPERVISOR_update_descriptor, ma, v)
#define multicall(p, n)		    hcall(__HYPERVISOR_multicall, p, n)
#define update_va_mapping(va, v, f) hcall(__HYPERVISOR_update_va_mapping, va, v, f)
#define set_timer_op(t)		    hcall(__HYPERVISOR_set_timer_op, t)
#define vm_assist(cmd, type)	    hcall(__HYPERVISOR_vm_assist, cmd, type)
#define set_segment_base(w, b)	    hcall(__HYPERVISOR_set_segment_base, w, b)
#define mmu_update(p, n, done, d)   hcall(__HYPERVISOR_mmu_update, p, n, done, d)
#define mmuext_op(p, n, done, d)    hcall(__HYPERVISOR_mmuext_op, p, n, done, d)

/* One operation of mmuext_op; mfn or address, and the second argument as a number. */
static inline long mmuext(unsigned int cmd, u64 arg1, u64 arg2)
{
	struct mmuext_op op = {.cmd = cmd, .arg1.mfn = arg1};

	op.arg2.src_mfn = arg2;
	return mmuext_op(&op, 1, NULL, DOMID_SELF);
}

#endif
