/* SPDX-License-Identifier: MIT */
#include "pv/mm_l1.h"
#include "cpu/features.h"

#define MAX_DENIED 24
static struct {
	mfn_t first, last;
} denied[MAX_DENIED];
static unsigned int nr_denied;

void pv_deny_io(mfn_t first, mfn_t last)
{
	ASSERT(nr_denied < MAX_DENIED);
	denied[nr_denied].first = first;
	denied[nr_denied++].last = last;
}

int pv_io_get(const struct domain *d, domid_t pg, mfn_t mfn)
{
	if (!d->privileged || (pg != d->id && pg != DOMID_IO))
		return -XEN_EPERM;
	if (mfn >> (cpu_features.phys_bits - PAGE_SHIFT))
		return -XEN_EINVAL;
	for (unsigned int i = 0; i < nr_denied; i++)
		if (mfn >= denied[i].first && mfn <= denied[i].last)
			return -XEN_EPERM;
	return 0;
}

int pv_l1e_get(struct domain *d, domid_t pg, u64 *e)
{
	return l1e_get(d, pg, e);
}

void pv_l1e_put(struct domain *d, u64 e)
{
	l1e_put(e);
}

int pv_l1e_set(struct domain *d, domid_t pg, u64 *pl1e, u64 new, bool preserve_ad)
{
	return l1e_set(d, pg, pl1e, new, preserve_ad);
}

int pv_l1e_cmpxchg(struct domain *d, u64 *pl1e, u64 old, u64 new)
{
	enum l1e_held held = HELD_NOTHING;
	u64 now = old;
	int rc;

	if (new &PTE_P) {
		new = (new | PTE_US) & ~PTE_G;
		rc = l1e_prepare(d, d->id, old, &new, &held);
		if (unlikely(rc))
			return rc;
	} else {
		rc = l1tf_check(d, new, 1);
		if (unlikely(rc))
			return rc;
	}
	if (!atomic_cmpxchg(pl1e, &now, new)) {
		l1e_undo(new, held);
		return -XEN_EAGAIN;
	}
	l1e_finish(old, new, held);
	return 0;
}
