/* SPDX-License-Identifier: MIT */
/*
 * Grant tables, version 1 (<xen/grant_table.h>). Fields belong to dom/grant*.c.
 *
 * An entry in use is pinned: its frame was read once and is referenced as long as anybody uses it,
 * whatever the guest writes into the entry. Each mapping has references of its own: those of a host
 * mapping belong to the page-table entry (as of every entry, see pv/mm.h) and go with it, however
 * it goes; those of a device mapping belong to the handle. A handle also keeps the granting
 * domain's struct, so that a domain with the same id later is never taken for it.
 *
 * Locks: a table's lock and a domain's track_lock are never held together, nor with those of another
 * domain, nor while a page-table entry is written. Nothing that may print or free a frame is called
 * under them.
 */
#ifndef DOM_GRANT_H
#define DOM_GRANT_H

#include "lib/types.h"
#include "lib/spinlock.h"
#include <xen/grant_table.h>

struct domain;
struct grant_active;
struct grant_maptrack;

#define GRANT_MAX_FRAMES_DEFAULT 64
#define GRANT_MAX_FRAMES_LIMIT	 1024
#define GRANT_MAX_TRACK_FRAMES	 1024
#define GRANT_UNMAP_BATCH	 16

struct grant_table {
	spinlock_t lock;
	unsigned int nr_frames, max_frames;
	void **frames;		      /* [max_frames] hypervisor pages shared with the guest */
	struct grant_active **active; /* [max_frames] blocks of active entries, one a frame */

	spinlock_t track_lock;
	struct grant_maptrack **track; /* what this domain has mapped of others */
	unsigned int nr_track_frames;
	unsigned int nr_maps;	 /* handles in use */
	u32 track_free;		 /* first free handle */
	unsigned int track_next; /* where a restarted grant_relinquish() goes on */
};

/* 0 or -XEN_ENOMEM. */
int grant_init_domain(struct domain *d, unsigned int max_frames);
/*
 * Gives back what a dying domain has mapped of others, in portions: -XEN_ERESTART asks for another
 * call. Its page tables are gone, or go with their own references. Optional before
 * grant_destroy_domain().
 */
int grant_relinquish(struct domain *d);
/* The rest at once, and its own table; frames that others still map stay until they unmap them. */
void grant_destroy_domain(struct domain *d);
/*
 * Machine frame of grant table frame idx, growing the table up to it; for acquire_resource.
 * 0, -XEN_EINVAL or -XEN_ENOMEM.
 */
int grant_get_frame(struct domain *d, unsigned int idx, unsigned long *mfn);
void grant_dump(struct domain *d); /* debug key 'g' */
struct frame;
/*
 * For audits: each reference that stands neither in a page table nor in a hypercall under way; typed:
 * with a writable count. Pins of d's own frames, and device mappings that d has of anybody's.
 */
void grant_for_each_ref(struct domain *d, void (*fn)(struct frame *f, bool typed, void *arg),
			void *arg);

/* --- the operations, for call/: d is the calling (current) domain; results in the status fields --- */
struct grant_unmap {
	u64 host_addr;	  /* 0: not asked for */
	u64 new_addr;	  /* unmap_and_replace, else 0 */
	u64 dev_bus_addr; /* 0: not asked for */
	grant_handle_t handle;
	s16 status;
	/* inside: */
	u16 done; /* GNTMAP_device_map, GNTMAP_host_map */
	u32 mfn;
};

void grant_map(struct domain *d, struct gnttab_map_grant_ref *op);
/* n <= GRANT_UNMAP_BATCH. No TLB holds any of the mappings afterwards. */
void grant_unmap(struct domain *d, struct grant_unmap *ops, unsigned int n);
/* One end of a copy: a frame with a reference (and writable count), perhaps by a pinned grant. */
struct grant_copy_side {
	struct frame *f;   /* NULL: not open */
	struct domain *rd; /* referenced; NULL when the frame is the caller's own */
	u64 name;	   /* grant reference or frame number */
	domid_t domid;
	bool gref, write;
};

/*
 * What the copies of one hypercall have open, zeroed before the first one: an end that the next copy names
 * again stays open, because drivers cut what they send into many pieces of few pages. It stays as it was
 * checked, whatever the granting guest does to the entry meanwhile.
 */
struct grant_copies {
	struct grant_copy_side source, dest;
};

void grant_copy(struct domain *d, struct gnttab_copy *op, struct grant_copies *open);
/* After the last one, before the hypercall returns. */
void grant_copy_end(struct grant_copies *open);
/* GNTST_* */
int grant_swap(struct domain *d, grant_ref_t a, grant_ref_t b);

/*
 * What dom/grant needs of the PV floor above (registered once at start, see pv/grant_map.c):
 * map/unmap one frame at a host address of the current domain.
 * flags are GNTMAP_*; returns 0 or a GNTST_* code. The caller already holds the references and
 * type counts that the mapping needs; they are the entry's when create succeeds, and the caller's
 * again when destroy does. replace puts a PTE of the guest (new_addr's) in its place.
 */
struct grant_map_ops {
	int (*create)(u64 host_addr, unsigned long mfn, unsigned int flags);
	int (*destroy)(u64 host_addr, u64 new_addr, unsigned long mfn, unsigned int flags);
	/* After destroy, before references go: va, or everything (~0UL), out of all TLBs. */
	void (*flush)(unsigned long va);
};
extern const struct grant_map_ops *grant_map_ops;

#endif
