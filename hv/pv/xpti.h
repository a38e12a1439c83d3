/* SPDX-License-Identifier: MIT */
/*
 * Page-table isolation (docs/speculation.md): while a guest runs, CR3 does not name the guest's own root
 * but a copy that each CPU keeps of it, one for the guest's kernel and one for its user mode, without our
 * half but for what the ways in and out need.
 *
 * A copy is made when the root is loaded, and follows what is written to the root from then on, on
 * whichever CPU, under the mm_lock of the domain (root_entry_hook).
 */
#ifndef PV_XPTI_H
#define PV_XPTI_H

#include "cpu/spec.h"
#include "dom/domain.h"
#include "mm/tlb.h"

extern const unsigned long xpti_entries[256];
extern const char stub_xpti_syscall[], stub_xpti_syscall_jump[], stub_xpti_syscall32[],
	stub_xpti_syscall32_jump[];

/* Boot CPU, when spec_xpti(), before the first xpti_prepare_cpu(): what all CPUs have in common. */
void xpti_init(void);
/* A CPU's page, its tables and copies; its stack area at stack_va is there. Panics without memory. */
void xpti_prepare_cpu(unsigned int cpu, unsigned long stack_va);

/* pv_load_root() where some domain is isolated. */
void xpti_load_root(struct vcpu *v, mfn_t root);
/* This CPU's copies are of no use any more: of one mode, or of the vcpu that leaves. */
void xpti_forget(bool kernel);
void xpti_leave(void);
/* Another domain's registers may lie in this CPU's page. */
void xpti_scrub(void);

/*
 * CR3 := a root of v, the current vcpu or next, for the mode that v is in; all but global translations are
 * flushed.
 */
static inline void pv_load_root(struct vcpu *v, mfn_t root)
{
	if (spec_site_on(SPEC_SITE_XPTI))
		xpti_load_root(v, root);
	else
		tlb_load_cr3((unsigned long)root << PAGE_SHIFT);
}

#endif
