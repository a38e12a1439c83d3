/* SPDX-License-Identifier: MIT */
#include "pv/mm.h"

#define DESC_S	  (1ULL << 44)
#define DESC_P	  (1ULL << 47)
#define DESC_A	  (1ULL << 40)
#define DESC_DPL3 (3ULL << 45)

/*
 * Code and data segments are harmless in ring 3. The accessed bit is set beforehand, so that the
 * processor never has to write to the table. System descriptors (gates, TSS, LDT) are refused.
 */
bool pv_fix_descriptor(u64 *desc)
{
	if (!(*desc & DESC_P))
		return true;
	if (!(*desc & DESC_S))
		return false;
	*desc |= DESC_DPL3 | DESC_A;
	return true;
}

static bool fix_page(struct frame *f)
{
	u64 *d = frame_to_virt(f);

	for (unsigned int i = 0; i < 512; i++) {
		u64 e = d[i];

		if (!pv_fix_descriptor(&e))
			return false;
		if (e != d[i])
			d[i] = e;
	}
	return true;
}

int pv_get_segdesc(struct domain *d, mfn_t mfn)
{
	struct frame *f;
	u32 old, stamp;

	if (pv_mfn_is_io(mfn))
		return -XEN_EINVAL;
	f = get_frame(mfn, d->id);
	if (!f)
		return -XEN_EINVAL;
	old = READ_ONCE(f->type);
	if ((old & (FT_KIND | FT_VALIDATED)) == (FT_SEGDESC | FT_VALIDATED)) {
		f->type++;
		return 0;
	}
	do {
		if (old & (FT_COUNT | FT_PINNED)) {
			put_frame(f);
			return -XEN_EINVAL;
		}
		stamp = READ_ONCE(f->stamp);
	} while (!atomic_cmpxchg(&f->type, &old, FT_SEGDESC | 1));
	if ((old & FT_KIND) != FT_NONE && (old & FT_KIND) != FT_SEGDESC)
		type_flush_hook(f, stamp);
	if (fix_page(f)) {
		f->type |= FT_VALIDATED;
		return 0;
	}
	f->stamp = frame_clock_hook();
	atomic_store(&f->type, FT_SEGDESC);
	put_frame(f);
	return -XEN_EINVAL;
}

void pv_put_segdesc(struct frame *f)
{
	if ((f->type & FT_COUNT) > 1) {
		f->type--;
	} else {
		f->stamp = frame_clock_hook();
		atomic_store(&f->type, FT_SEGDESC);
	}
	put_frame(f);
}
