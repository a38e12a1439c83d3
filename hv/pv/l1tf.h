/* SPDX-License-Identifier: MIT */
/*
 * L1 terminal fault: some processors (spec_choice) run ahead on a page-table entry that is not present,
 * as if it were, and read what the first-level cache has of the address in it, in whoever's name. A guest
 * that must not is kept from having such an entry in a table: the change is refused, and the guest
 * ends before it runs again. Kernels that know of the fault invert the address in absent entries, so that it is
 * beyond all memory (Linux since 4.19).
 *
 * Source: Intel, "L1 Terminal Fault", deep dive of 2018; Linux, Documentation/admin-guide/hw-vuln/l1tf.rst.
 */
#ifndef PV_L1TF_H
#define PV_L1TF_H

#include "cpu/features.h"
#include "cpu/spec.h"
#include "dom/domain.h"
#include "mm/pgtable.h"

/* Large pages name memory from their own start, so the end of it is taken in these. */
#define L1TF_ROUND (1UL << 30)

/*
 * Whether an absent entry names memory. Address bits beyond the processor's are not looked at. Frame 0
 * holds nobody's secrets, and entries with flags alone name it.
 */
static inline bool l1tf_shows(u64 e, unsigned int level)
{
	u64 addr = e & PTE_MFN_MASK & ((1UL << cpu_features.phys_bits) - 1);

	return e && addr < ROUND_UP((u64)max_mfn << PAGE_SHIFT, L1TF_ROUND) && (addr || level > 1);
}

/* d has tried to have such an entry: -XEN_EINVAL, and the end of d. mm_lock may be held. */
int l1tf_refuse(struct domain *d);

/* e, which is not present, is about to be an entry of d: 0 or an error. One NOP where nobody is checked. */
static inline __attribute__((always_inline)) int l1tf_check(struct domain *d, u64 e,
							    unsigned int level)
{
	if (!spec_site_on(SPEC_SITE_L1TF) || likely(!e) || !d->pv.absent_hidden ||
	    likely(!l1tf_shows(e, level)))
		return 0;
	return l1tf_refuse(d);
}

/* What a look at a whole table costs, in units of PV_BUDGET. */
#define L1TF_TABLE_COST 64

/* The same for all absent entries of a page that is to be a table. PV_AGAIN: too little budget is left. */
int l1tf_check_table(struct domain *d, const u64 *table, unsigned int level,
		     int *budget) __must_check;

#endif
