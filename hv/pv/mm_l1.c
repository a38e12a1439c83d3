/* SPDX-License-Identifier: MIT */
#include "pv/mm.h"
#include "cpu/features.h"

/* Changing only these bits touches neither the frame nor the rights class. */
#define L1_HARMLESS (PTE_A | PTE_D | PTE_AVAIL | PTE_NX | (0x7fUL << 52))
/* Protection-key bits, which a PV guest does not have. */
#define PTE_BAD	  (0xfUL << 59)
#define PTE_CACHE (PTE_PWT | PTE_PCD | PTE_PAT)

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

bool pv_mfn_is_io(mfn_t mfn)
{
	return !mfn_valid(mfn) || mfn_to_frame_nospec(mfn)->state == FS_NOTRAM;
}

static int io_get(struct domain *d, domid_t pg, mfn_t mfn)
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
	mfn_t mfn = pte_mfn(*e);
	struct frame *f;

	if (*e & PTE_BAD)
		return -XEN_EINVAL;
	*e = (*e | PTE_US) & ~PTE_G;
	if (unlikely(pv_mfn_is_io(mfn)))
		return io_get(d, pg, mfn);
	/* Memory that is not cached, at addresses that others cache: for drivers only. */
	if (!d->privileged && unlikely(*e & PTE_CACHE))
		return -XEN_EINVAL;
	f = get_frame(mfn, pg);
	if (unlikely(!f))
		return -XEN_EINVAL;
	if ((*e & PTE_RW) && unlikely(!get_frame_writable(f))) {
		put_frame(f);
		return -XEN_EINVAL;
	}
	if (unlikely(pg != d->id) && (*e & PTE_RW))
		frame_note_foreign(f);
	return 0;
}

void pv_l1e_put(struct domain *d, u64 e)
{
	struct frame *f;

	if (!(e & PTE_P) || unlikely(pv_mfn_is_io(pte_mfn(e))))
		return;
	f = mfn_to_frame(pte_mfn(e));
	if (e & PTE_RW)
		put_frame_writable(f);
	put_frame(f);
}

static void write_l1e(u64 *pl1e, u64 old, u64 new, bool preserve_ad)
{
	if (!preserve_ad) {
		WRITE_ONCE(*pl1e, new);
		return;
	}
	while (!atomic_cmpxchg(pl1e, &old, new | (old & (PTE_A | PTE_D))))
		continue;
}

int pv_l1e_set(struct domain *d, domid_t pg, u64 *pl1e, u64 new, bool preserve_ad)
{
	u64 old = READ_ONCE(*pl1e);
	int rc;

	if (!(new &PTE_P)) {
		WRITE_ONCE(*pl1e, new);
	} else {
		new = (new | PTE_US) & ~PTE_G;
		if ((old & PTE_P) && !((old ^ new) & ~L1_HARMLESS) && !(new &PTE_BAD)) {
			write_l1e(pl1e, old, new, preserve_ad);
			return 0;
		}
		rc = pv_l1e_get(d, pg, &new);
		if (unlikely(rc))
			return rc;
		write_l1e(pl1e, old, new, preserve_ad);
	}
	pv_l1e_put(d, old);
	return 0;
}

int pv_l1e_cmpxchg(struct domain *d, u64 *pl1e, u64 old, u64 new)
{
	bool counted = false;
	int rc;

	if (new &PTE_P) {
		new = (new | PTE_US) & ~PTE_G;
		if (((old ^ new) & ~L1_HARMLESS) || (new &PTE_BAD)) {
			rc = pv_l1e_get(d, d->id, &new);
			if (rc)
				return rc;
			counted = true;
		}
	}
	if (!atomic_cmpxchg(pl1e, &old, new)) {
		if (counted)
			pv_l1e_put(d, new);
		return -XEN_EAGAIN;
	}
	if (counted || !(new &PTE_P))
		pv_l1e_put(d, old);
	return 0;
}
