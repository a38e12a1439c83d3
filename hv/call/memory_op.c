/* SPDX-License-Identifier: MIT */
#include "call/call.h"
#include "call/memory.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/frame.h"

/* What is shown for "no limit": as many as 32 bits count, which tools can still convert to KiB. */
#define NO_LIMIT 0xffffffffUL

struct domain *memory_target(domid_t id, long *err)
{
	struct domain *d;

	if (id != DOMID_SELF && id != current->d->id && !current->d->privileged) {
		*err = -XEN_EPERM;
		return NULL;
	}
	*err = -XEN_ESRCH;
	d = domain_get(id);
	return d;
}

static long highest_gpfn(const struct domain *d)
{
	unsigned long max_pfn = READ_ONCE(d->shared->arch.max_pfn);

	/* The guest's own word, which it writes: it counts frames. */
	return max_pfn ? (long)(min(max_pfn, NO_LIMIT) - 1) : 0;
}

static long domain_query(unsigned int cmd, const void *arg)
{
	struct xen_memory_domain q;
	struct domain *d;
	long rc;

	if (copy_from_guest(&q, arg, sizeof(q)))
		return -XEN_EFAULT;
	d = memory_target(q.domid, &rc);
	if (!d)
		return rc;
	if (cmd == XENMEM_current_reservation)
		rc = (long)d->tot_pages;
	else if (cmd == XENMEM_maximum_reservation)
		rc = (long)min(d->max_pages, NO_LIMIT);
	else
		rc = highest_gpfn(d);
	domain_put(d);
	return rc;
}

/*
 * A promise of memory to a domain that is being built. It is looked at, not kept: what is free now is
 * there for the asking, and nothing else in the host competes for it at that moment.
 */
static long claim_pages(const void *arg)
{
	struct xen_memory_reservation r;
	struct domain *d;
	long rc;

	if (!current->d->privileged)
		return -XEN_EPERM;
	if (copy_from_guest(&r, arg, sizeof(r)))
		return -XEN_EFAULT;
	if (r.extent_start.p || r.extent_order || r.mem_flags)
		return -XEN_EINVAL;
	d = memory_target(r.domid, &rc);
	if (!d)
		return rc;
	rc = 0;
	if (d->dying || (r.nr_extents && r.nr_extents > d->max_pages))
		rc = -XEN_EINVAL;
	else if (r.nr_extents > d->tot_pages && r.nr_extents - d->tot_pages > buddy_free_frames())
		rc = -XEN_ENOMEM;
	domain_put(d);
	return rc;
}

/* --- acquire_resource --- */

static long grant_frames(struct domain *d, struct xen_mem_acquire_resource *r)
{
	unsigned int max = d->grants.max_frames;

	if (r->id != XENMEM_resource_grant_table_id_shared)
		return r->id == XENMEM_resource_grant_table_id_status ? -XEN_EOPNOTSUPP
								      : -XEN_EINVAL;
	if (!r->frame_list.p) {
		if (r->nr_frames)
			return -XEN_EINVAL;
		r->nr_frames = max;
		return 0;
	}
	if (r->frame >= max || r->nr_frames > max - r->frame)
		return -XEN_EINVAL;
	for (u32 i = 0; i < r->nr_frames; i++) {
		unsigned long mfn;
		int rc = grant_get_frame(d, (unsigned int)r->frame + i, &mfn);

		if (rc)
			return rc;
		if (copy_to_guest(r->frame_list.p + i, &mfn, sizeof(mfn)))
			return -XEN_EFAULT;
	}
	return 0;
}

static long acquire_resource(void *arg)
{
	struct xen_mem_acquire_resource r;
	struct domain *d;
	long rc;

	if (!current->d->privileged)
		return -XEN_EPERM;
	if (copy_from_guest(&r, arg, sizeof(r)))
		return -XEN_EFAULT;
	if (r.pad)
		return -XEN_EINVAL;
	if (r.type != XENMEM_resource_grant_table)
		return -XEN_EOPNOTSUPP;
	d = memory_target(r.domid, &rc);
	if (!d)
		return rc;
	rc = grant_frames(d, &r);
	domain_put(d);
	if (!rc && !r.frame_list.p && copy_to_guest(arg, &r, sizeof(r)))
		rc = -XEN_EFAULT;
	return rc;
}

long do_memory_op(unsigned long op, unsigned long arg, unsigned long a3, unsigned long a4,
		  unsigned long a5)
{
	unsigned long start = op >> MEMOP_EXTENT_SHIFT;
	unsigned int cmd = op & MEMOP_CMD_MASK;
	void *p = (void *)arg;

	switch (cmd) {
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
		return memory_reservation(cmd, start, p);
	case XENMEM_exchange:
		return memory_exchange(p);
	case XENMEM_maximum_ram_page:
		return (long)max_mfn;
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation:
	case XENMEM_maximum_gpfn:
		return domain_query(cmd, p);
	case XENMEM_machphys_mfn_list:
		return current->d->privileged ? memory_machphys_list(p) : -XEN_EPERM;
	case XENMEM_machphys_mapping:
		return memory_machphys_mapping(p);
	case XENMEM_memory_map:
		return memory_get_map(p);
	case XENMEM_set_memory_map:
		return memory_set_map(p);
	case XENMEM_machine_memory_map:
		return memory_machine_map(p);
	case XENMEM_claim_pages:
		return claim_pages(p);
	case XENMEM_acquire_resource:
		return acquire_resource(p);
	case XENMEM_get_sharing_freed_pages:
	case XENMEM_get_sharing_shared_pages:
		return 0;
	case XENMEM_get_vnumainfo:
		return -XEN_EOPNOTSUPP;
	default: /* add_to_physmap and the like are for translated guests */
		return -XEN_ENOSYS;
	}
}
