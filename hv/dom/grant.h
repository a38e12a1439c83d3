/* SPDX-License-Identifier: MIT */
/* Grant tables, version 1 (<xen/grant_table.h>). Fields belong to dom/grant*.c. */
#ifndef DOM_GRANT_H
#define DOM_GRANT_H

#include "lib/types.h"
#include "lib/spinlock.h"

struct domain;
struct grant_active;
struct grant_maptrack;

#define GRANT_MAX_FRAMES_DEFAULT 64

struct grant_table {
	spinlock_t lock;
	unsigned int nr_frames, max_frames;
	void **frames;		       /* [max_frames] hypervisor pages shared with the guest */
	struct grant_active **active;  /* one page of active entries a frame */
	struct grant_maptrack **track; /* what this domain has mapped of others */
	unsigned int nr_track_frames, max_track_frames;
	u32 track_free;
};

int grant_init_domain(struct domain *d, unsigned int max_frames);
void grant_destroy_domain(struct domain *d);
/* Machine frame of grant table frame idx, growing the table up to it; for acquire_resource. */
int grant_get_frame(struct domain *d, unsigned int idx, unsigned long *mfn);

/*
 * What dom/grant needs of the PV floor above (registered once at start, see pv/grant_map.c):
 * map/unmap one frame at a host address of the current domain.
 * flags are GNTMAP_*; returns 0 or a GNTST_* code. The caller already holds the references and
 * type counts that the mapping needs; replace puts a PTE of the guest (new_addr's) in its place.
 */
struct grant_map_ops {
	int (*create)(u64 host_addr, unsigned long mfn, unsigned int flags);
	int (*destroy)(u64 host_addr, u64 new_addr, unsigned long mfn, unsigned int flags);
};
extern const struct grant_map_ops *grant_map_ops;

#endif
