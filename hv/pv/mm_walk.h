/* SPDX-License-Identifier: MIT */
/* pv_walk_l1e() in place, for the paths that spend their time in it. */
#ifndef PV_MM_WALK_H
#define PV_MM_WALK_H

#include "pv/mm.h"
#include "lib/nospec.h"

static inline u64 *walk_l1e(struct vcpu *v, unsigned long va)
{
	const u64 *t = mfn_to_virt(v->pv.cr3_mfn);
	/* Counted from the first that is not ours: 0..495 are the guest's, clamped on wrong paths too. */
	unsigned long slot = (L4_INDEX(va) - (HV_SLOT_LAST + 1)) % 512;
	const unsigned long nr = 512 - (HV_SLOT_LAST + 1 - HV_SLOT_FIRST);
	u64 e;

	if (unlikely(slot >= nr) || unlikely(!v->pv.cr3_mfn))
		return NULL;
	e = t[(nospec_index(slot, nr) + HV_SLOT_LAST + 1) % 512];
	if (!(e & PTE_P))
		return NULL;
	/* Not through a self-map: the tables below would be of another level, or our own. */
	if (pte_mfn(e) == v->pv.cr3_mfn)
		return NULL;
	t = mfn_to_virt(pte_mfn(e));
	e = t[L3_INDEX(va)];
	if (!(e & PTE_P))
		return NULL;
	t = mfn_to_virt(pte_mfn(e));
	e = t[L2_INDEX(va)];
	if (!(e & PTE_P))
		return NULL;
	/* Through a self-map the last table may be of another level: not for changing this way. */
	if ((mfn_to_frame(pte_mfn(e))->type & FT_KIND) != FT_L1)
		return NULL;
	return (u64 *)mfn_to_virt(pte_mfn(e)) + L1_INDEX(va);
}

#endif
