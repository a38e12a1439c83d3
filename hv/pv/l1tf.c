/* SPDX-License-Identifier: MIT */
#include "pv/l1tf.h"
#include "cpu/percpu.h"
#include "pv/mm.h"

int l1tf_refuse(struct domain *d)
{
	struct vcpu *v = current->d == d ? current : d->vcpu[0];

	if (v)
		vcpu_set_hazard(v, VHAZ_L1TF);
	return -XEN_EINVAL;
}

int l1tf_check_table(struct domain *d, const u64 *table, unsigned int level, int *budget)
{
	if (!spec_site_on(SPEC_SITE_L1TF) || !d->pv.absent_hidden)
		return 0;
	if (pv_spent(budget, L1TF_TABLE_COST))
		return PV_AGAIN;
	for (unsigned int i = 0; i < 512; i++) {
		if ((table[i] & PTE_P) || (level == 4 && pv_hv_slot(i)))
			continue;
		if (table[i] && l1tf_shows(table[i], level))
			return l1tf_refuse(d);
	}
	return 0;
}
