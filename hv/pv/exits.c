/* SPDX-License-Identifier: MIT */
/* Exceptions and interrupts: from a guest, and from the hypervisor itself. */
#include "pv/pv.h"
#include "pv/entry.h"
#include "pv/exits.h"
#include "cpu/apic.h"
#include "cpu/cpu.h"
#include "cpu/extable.h"
#include "cpu/mcheck.h"
#include "cpu/panic.h"
#include "dom/vtime.h"
#include "irq/irq.h"
#include "lib/log.h"
#include "mm/guest_copy.h"
#include "mm/tlb.h"

#define PFEC_P	  1u
#define PFEC_W	  2u
#define PFEC_U	  4u
#define PFEC_RSVD 8u

static __attribute__((noinline)) void unusual_pf(struct vcpu *v, struct cpu_user_regs *regs,
						 unsigned long addr, u32 ec, bool table)
{
	if (table && pv_ptwr(v, regs, addr))
		return;
	/* The processor looked at a descriptor of the LDT on the guest's behalf. */
	if (!(ec & PFEC_U) && (pv_map_ldt_page(v, addr) || pv_emulate_far_return(regs)))
		return;
	if (unlikely(ec & PFEC_RSVD)) {
		domain_crash(v->d, "reserved bits in a page-table entry");
		return;
	}
	pv_inject_pf(v, regs, addr, ec & ~PFEC_RSVD);
}

/* Most are the guest's own affair, and then nothing is kept over a call. */
static inline void guest_pf(struct vcpu *v, struct cpu_user_regs *regs)
{
	unsigned long addr = read_cr2();
	u32 ec = regs->error_code;
	/* The kernel writes where it may only read: perhaps to a page table. */
	bool table = (ec & (PFEC_P | PFEC_W)) == (PFEC_P | PFEC_W) && v->pv.kernel_mode;

	if (table || unlikely(!(ec & PFEC_U)) || unlikely(ec & PFEC_RSVD))
		unusual_pf(v, regs, addr, ec, table);
	else
		pv_inject_pf(v, regs, addr, ec);
}

/*
 * INT n without a gate of ours. The vector is read from the instruction, because emulators disagree on
 * how the error code names it.
 */
static bool software_interrupt(struct vcpu *v, struct cpu_user_regs *regs)
{
	const struct trap_info *t;
	u8 b[2];

	if (copy_from_guest(b, (void *)regs->rip, 2) || b[0] != 0xcd)
		return false;
	t = &v->pv.traps[b[1]];
	if (!t->address || (t->flags & 3) < (v->pv.kernel_mode ? 1 : 3))
		return false;
	regs->rip += 2;
	pv_bounce(v, regs, t->address, t->flags & 4, false, 0);
	return true;
}

static void guest_gp(struct vcpu *v, struct cpu_user_regs *regs)
{
	if (regs->error_code & 2) {
		if (software_interrupt(v, regs))
			return;
	} else if (!regs->error_code && pv_emulate_privileged(v, regs)) {
		return;
	}
	pv_inject_trap(v, regs, TRAP_GP, regs->error_code);
}

static void guest_db(struct vcpu *v, struct cpu_user_regs *regs)
{
	unsigned long dr6;

	__asm__ __volatile__("mov %%dr6, %0" : "=r"(dr6));
	__asm__ __volatile__("mov %0, %%dr6" ::"r"(0xffff0ff0UL));
	v->pv.dr[6] |= dr6 & 0xe00f;
	pv_inject_trap(v, regs, TRAP_DB, 0);
}

void pv_exception(struct cpu_user_regs *regs, unsigned int vec)
{
	struct vcpu *v = current;

	if (likely(vec == TRAP_PF)) {
		guest_pf(v, regs);
		return;
	}
	switch (vec) {
	case TRAP_GP:
		guest_gp(v, regs);
		break;
	case TRAP_UD:
		if (!v->pv.kernel_mode || !pv_emulate_forced(v, regs))
			pv_inject_trap(v, regs, vec, 0);
		break;
	case TRAP_NM:
		pv_set_ts(v, false);
		pv_inject_trap(v, regs, vec, 0);
		break;
	case TRAP_DB:
		guest_db(v, regs);
		break;
	default:
		pv_inject_trap(v, regs, vec, regs->error_code);
		break;
	}
}

void interrupt_dispatch(unsigned int vec)
{
	if (vec <= VEC_DEV_LAST) {
		do_irq(vec);
		return;
	}
	if (vec == VEC_SPURIOUS)
		return;
	apic_eoi();
	if (vec == VEC_TIMER)
		timer_interrupt();
	else if (vec == VEC_FLUSH)
		tlb_flush_service();
	else if (vec == VEC_APIC_ERROR)
		apic_error_interrupt();
	/* VEC_RESCHED needs nothing: the hazard word is looked at on the way out. */
}

void pv_interrupt(struct cpu_user_regs *regs, unsigned int vec)
{
	struct vcpu *v = current;

	if (unlikely(vec == 0x80)) {
		const struct trap_info *t = &v->pv.traps[vec];

		/* Our gate lets everybody in; the guest's own may not. */
		if (!t->address || (t->flags & 3) < (v->pv.kernel_mode ? 1 : 3)) {
			regs->rip -= 2;
			pv_inject_trap(v, regs, TRAP_GP, vec * 8 + 2);
			return;
		}
		pv_bounce(v, regs, t->address, t->flags & 4, false, 0);
		return;
	}
	interrupt_dispatch(vec);
}

/* An exception in our own code: expected ones have a place to go on. */
void hv_exception(struct cpu_user_regs *regs)
{
	unsigned int vec = regs->entry_vector;
	unsigned long fixup;

	if (vec >= 32) {
		/* Only the idle loop takes interrupts in here: first of all it is awake. */
		tlb_idle_exit();
		interrupt_dispatch(vec);
		return;
	}
	if (vec == TRAP_PF && !is_idle_vcpu(current) && pv_map_ldt_page(current, read_cr2()))
		return;
	fixup = extable_find(regs->rip);
	if (fixup && (vec == TRAP_PF || (vec >= TRAP_TS && vec <= TRAP_GP))) {
		regs->rip = fixup;
		return;
	}
	panic_regs(regs, "unexpected exception in the hypervisor");
}

/*
 * The same for IRET to an isolated guest, the one instruction that may fault with the guest's tables: regs
 * are the guest's, with the fault's vector. IRET is tried again when a page of the LDT was missing.
 */
void pv_iret_refused(struct cpu_user_regs *regs)
{
	unsigned int vec = regs->entry_vector;

	if (vec == TRAP_PF && pv_map_ldt_page(current, read_cr2()))
		return;
	if (vec != TRAP_PF && (vec < TRAP_TS || vec > TRAP_GP))
		panic_regs(regs, "unexpected exception on the way to a guest");
	pv_iret_fault(regs);
}

void ist_exception(struct cpu_user_regs *regs)
{
	switch (regs->entry_vector) {
	case TRAP_NMI:
		panic_nmi(regs);
		/* A real NMI here is the box's: dom0 hears of it when it next runs. */
		atomic_or(&get_cpu_info()->hazard, HAZ_VCPU);
		if (dom0 && dom0->vcpu && dom0->vcpu[0])
			atomic_or(&dom0->vcpu[0]->hazard, VHAZ_NMI);
		return;
	case TRAP_DF:
		panic_small_stack(regs, "double fault");
	default:
		panic_small_stack(regs, mcheck_reason());
	}
}

static void vcpu_hazards(struct vcpu *v)
{
	u32 h = atomic_xchg(&v->hazard, 0);

	if (unlikely(h & VHAZ_L1TF))
		domain_crash(v->d, "an absent page-table entry names memory (pv-l1tf)");
	if (h & VHAZ_TIME)
		vtime_update(v);
	if ((h & VHAZ_NMI) && pv_has_trap_handler(v, TRAP_NMI))
		pv_inject_trap(v, guest_regs(), TRAP_NMI, 0);
}

/* Everything that must happen before the guest runs again. The caller loops until the word is clear. */
void handle_hazards(void)
{
	u32 h = atomic_xchg(&get_cpu_info()->hazard, 0);

	if (h & HAZ_TIMER)
		timer_interrupt();
	if (h & HAZ_SCHED) {
		schedule();
		if (is_idle_vcpu(current))
			stack_reset_call(idle_loop);
	}
	if (READ_ONCE(current->hazard))
		vcpu_hazards(current);
}

void cpu_raise_hazard(unsigned int cpu, u32 haz)
{
	u32 old = atomic_or(&cpu_infos[cpu]->hazard, haz);

	if (cpu != smp_cpu_id() && (old & haz) != haz)
		apic_ipi(cpu_apic_id[cpu], VEC_RESCHED);
}
