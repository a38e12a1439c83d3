/* SPDX-License-Identifier: MIT */
/* increase_reservation, decrease_reservation, populate_physmap: a domain gets frames, or gives some. */
#include "call/memory.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/guest_words.h"
#include "mm/m2p.h"

#define KNOWN_FLAGS \
	(0xffu | 0xff00u | XENMEMF_exact_node_request | XENMEMF_vnode | XENMEMF_populate_on_demand)

struct batch {
	unsigned int cmd, order, memflags;
	struct domain *d;
	struct xen_memory_reservation r;
};

static xen_pfn_t *extent_ptr(const struct batch *b, unsigned long i)
{
	return b->r.extent_start.p + i;
}

static inline bool read_extent(const xen_pfn_t *at, xen_pfn_t *value)
{
	if (!guest_words_begin(at, 1))
		return false;
	guest_read(*value, at, fault);
	guest_words_end();
	return true;
fault:
	return !guest_words_fault();
}

static bool write_extent(xen_pfn_t *at, xen_pfn_t value)
{
	if (!guest_words_begin(at, 1))
		return false;
	guest_write(at, value, fault);
	guest_words_end();
	return true;
fault:
	return !guest_words_fault();
}

static unsigned int alloc_flags(unsigned int mem_flags)
{
	return DMF_ADDR_BITS(XENMEMF_get_address_bits(mem_flags));
}

/* A new extent; gpfn is how the domain shall know it, only with populate. True when it is there. */
static bool add_extent(const struct batch *b, unsigned long i)
{
	xen_pfn_t gpfn = 0, mfn;
	struct frame *f;

	if (b->cmd == XENMEM_populate_physmap && !read_extent(extent_ptr(b, i), &gpfn))
		return false;
	f = domain_alloc_frames(b->d, b->order, b->memflags);
	if (!f)
		return false;
	mfn = frame_to_mfn(f);
	for (unsigned long k = 0; b->cmd == XENMEM_populate_physmap && k < 1UL << b->order; k++)
		m2p_set(mfn + k, gpfn + k);
	/* increase_reservation may leave out the list: who does not want to know has the frames anyway. */
	if (b->cmd == XENMEM_increase_reservation && !b->r.extent_start.p)
		return true;
	return write_extent(extent_ptr(b, i), mfn);
}

/*
 * The domain's own reference goes; what it still maps stays its own until it is unmapped. Frames of
 * the hypervisor that are only shared with it do not have that flag.
 */
static bool release_frame(struct domain *d, mfn_t mfn)
{
	struct frame *f = get_frame(mfn, d->id);
	bool own;

	if (!f)
		return false;
	own = atomic_and(&f->refs, ~FR_ALLOCATED) & FR_ALLOCATED;
	if (own) {
		m2p_set(mfn, M2P_INVALID);
		put_frame(f);
	}
	put_frame(f);
	return own;
}

static bool remove_extent(const struct batch *b, unsigned long i)
{
	xen_pfn_t mfn;

	if (!read_extent(extent_ptr(b, i), &mfn))
		return false;
	for (unsigned long k = 0; k < 1UL << b->order; k++)
		if (!release_frame(b->d, mfn + k))
			return false;
	return true;
}

/* Number of extents done, or CALL_RESTART. */
static long run_batch(const struct batch *b, unsigned long start, const void *arg)
{
	unsigned int work = 0;
	unsigned long i;

	for (i = start; i < b->r.nr_extents; i++) {
		/* Work is counted in frames; an extent as large as the budget ends the turn. */
		if (i > start) {
			work += (1u << b->order) - 1;
			if (call_preempt(&work))
				return memory_restart(b->cmd, i, arg);
		}
		if (b->cmd == XENMEM_decrease_reservation ? !remove_extent(b, i)
							  : !add_extent(b, i))
			break;
	}
	return (long)i;
}

static long decode(struct batch *b, unsigned long start)
{
	long err;

	if (b->r.mem_flags & ~KNOWN_FLAGS)
		return -XEN_EINVAL;
	/* What has been done must fit into the result and into the command. */
	if (b->r.nr_extents > LONG_MAX >> MEMOP_EXTENT_SHIFT || start > b->r.nr_extents)
		return -XEN_EINVAL;
	if (b->r.extent_order > MEMOP_MAX_ORDER)
		return (long)start;
	b->order = b->r.extent_order;
	b->memflags = alloc_flags(b->r.mem_flags);
	b->d = memory_target(b->r.domid, &err);
	return b->d ? 0 : err;
}

long memory_reservation(unsigned int cmd, unsigned long start, const void *arg)
{
	struct batch b = {.cmd = cmd};
	long rc;

	if (copy_from_guest(&b.r, arg, sizeof(b.r)))
		return -XEN_EFAULT;
	rc = decode(&b, start);
	if (!b.d)
		return rc;
	rc = run_batch(&b, start, arg);
	domain_put(b.d);
	return rc;
}
