/* SPDX-License-Identifier: MIT */
/*
 * XENMEM_exchange: some frames of the caller for others, in extents of another size or below an
 * address. Chunk by chunk: take the old ones away so that nobody can find them, get the new ones, then
 * nothing can fail any more. A chunk is the smallest number of whole extents of both sizes.
 */
#include "call/memory.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/m2p.h"

#define CHUNK_ORDER  MEMOP_MAX_ORDER
#define CHUNK_FRAMES (1u << CHUNK_ORDER)

struct exchange {
	struct domain *d;
	struct xen_memory_exchange x;
	unsigned int in_shift, out_shift; /* extents of a chunk, as powers of two */
	unsigned int frames;		  /* of a chunk */
	mfn_t limit;
};

/* The frames of one chunk: a word each, or the stack would not hold them. */
struct chunk {
	u32 in[CHUNK_FRAMES];
	u32 out[CHUNK_FRAMES]; /* first frame of each new extent */
};

static long decode(struct exchange *e)
{
	const struct xen_memory_reservation *in = &e->x.in, *out = &e->x.out;
	unsigned int bits = XENMEMF_get_address_bits(out->mem_flags), order;

	if (in->domid != out->domid || (in->domid != DOMID_SELF && in->domid != e->d->id))
		return -XEN_EPERM;
	if (in->extent_order > CHUNK_ORDER || out->extent_order > CHUNK_ORDER)
		return -XEN_EPERM;
	if (in->nr_extents > 1UL << 40 || out->nr_extents > 1UL << 40 ||
	    in->nr_extents << in->extent_order != out->nr_extents << out->extent_order)
		return -XEN_EINVAL;
	order = max(in->extent_order, out->extent_order);
	e->in_shift = order - in->extent_order;
	e->out_shift = order - out->extent_order;
	e->frames = 1u << order;
	if ((in->nr_extents | e->x.nr_exchanged) & ((1UL << e->in_shift) - 1) ||
	    e->x.nr_exchanged > in->nr_extents)
		return -XEN_EINVAL;
	if (bits && bits < PAGE_SHIFT)
		return -XEN_ENOMEM;
	e->limit = bits && bits < 52 ? 1UL << (bits - PAGE_SHIFT) : INVALID_MFN;
	return 0;
}

/*
 * Makes the frame unfindable: no count, so no get_frame(). Only when the owner's reference is the only
 * one, which also means that nothing maps it and it has no type.
 */
static int steal(struct domain *d, mfn_t mfn)
{
	struct frame *f = get_frame(mfn, d->id);
	u32 expected;

	if (!f)
		return -XEN_EINVAL;
	expected = FR_ALLOCATED | 2u | (READ_ONCE(f->refs) & FR_FOREIGN);
	if (!atomic_cmpxchg(&f->refs, &expected, 0u)) {
		put_frame(f);
		return -XEN_EINVAL;
	}
	return 0;
}

static void unsteal(const struct chunk *c, unsigned int nr)
{
	/* Whether it was FR_FOREIGN is forgotten: say yes. */
	while (nr--)
		atomic_store(&mfn_to_frame(c->in[nr])->refs, FR_ALLOCATED | FR_FOREIGN | 1u);
}

static long steal_chunk(const struct exchange *e, struct chunk *c)
{
	const xen_pfn_t *list = e->x.in.extent_start.p + e->x.nr_exchanged;
	unsigned int n = 0, per = 1u << e->x.in.extent_order;

	for (unsigned long i = 0; i < 1UL << e->in_shift; i++) {
		xen_pfn_t mfn;
		int rc = copy_from_guest(&mfn, list + i, sizeof(mfn));

		for (unsigned int k = 0; !rc && k < per; k++) {
			rc = steal(e->d, mfn + k);
			if (!rc)
				c->in[n++] = (u32)(mfn + k);
		}
		if (rc) {
			unsteal(c, n);
			return rc;
		}
	}
	return 0;
}

static long alloc_chunk(const struct exchange *e, struct chunk *c)
{
	unsigned int order = e->x.out.extent_order, n;

	for (n = 0; n < 1u << e->out_shift; n++) {
		struct frame *f = buddy_alloc_below(order, BUDDY_ZERO, e->limit);

		if (!f)
			break;
		c->out[n] = (u32)frame_to_mfn(f);
	}
	if (n == 1u << e->out_shift)
		return 0;
	while (n--)
		buddy_free(mfn_to_frame(c->out[n]), order);
	return -XEN_ENOMEM;
}

/* Not domain_assign_frame(): the old frames count until the end, a domain at its limit may exchange. */
static void give_frame(struct domain *d, mfn_t mfn)
{
	struct frame *f = mfn_to_frame(mfn);

	spin_lock(&d->page_lock);
	f->type = FT_NONE;
	f->owner = d->id;
	frame_list_add(&d->frames, f);
	d->tot_pages++;
	atomic_store(&f->refs, FR_ALLOCATED | 1u);
	spin_unlock(&d->page_lock);
}

/* Cannot fail, but for a list that the guest made unreadable meanwhile: it then does not learn all. */
static long commit_chunk(struct exchange *e, const struct chunk *c)
{
	xen_pfn_t *list =
		e->x.out.extent_start.p + (e->x.nr_exchanged >> e->in_shift << e->out_shift);
	unsigned long per = 1UL << e->x.out.extent_order;
	long rc = 0;

	for (unsigned int i = 0; i < 1u << e->out_shift; i++) {
		xen_pfn_t mfn = c->out[i], gpfn;

		if (copy_from_guest(&gpfn, list + i, sizeof(gpfn))) {
			gpfn = M2P_INVALID;
			rc = -XEN_EFAULT;
		}
		for (unsigned long k = 0; k < per; k++) {
			m2p_set(mfn + k, gpfn == M2P_INVALID ? M2P_INVALID : gpfn + k);
			give_frame(e->d, mfn + k);
		}
		if (copy_to_guest(list + i, &mfn, sizeof(mfn)))
			rc = -XEN_EFAULT;
	}
	for (unsigned int i = 0; i < e->frames; i++) {
		/* analyze-ok CallAndMessage: steal_chunk() has filled e->frames of them. */
		struct frame *f = mfn_to_frame(c->in[i]);

		m2p_set(c->in[i], M2P_INVALID);
		atomic_store(&f->refs, 1u);
		put_frame(f);
	}
	e->x.nr_exchanged += 1UL << e->in_shift;
	return rc;
}

static long exchange_chunk(struct exchange *e)
{
	struct chunk c;
	long rc = steal_chunk(e, &c);

	if (rc)
		return rc;
	rc = alloc_chunk(e, &c);
	if (rc) {
		unsteal(&c, e->frames);
		return rc;
	}
	return commit_chunk(e, &c);
}

/* 0 all done, CALL_RESTART, or an error. */
static long run(struct exchange *e)
{
	unsigned int work = 0;
	long rc = 0;

	while (!rc && e->x.nr_exchanged < e->x.in.nr_extents) {
		work += e->frames;
		if (work > max((unsigned int)CALL_BUDGET, e->frames))
			return CALL_RESTART;
		rc = exchange_chunk(e);
	}
	return rc;
}

long memory_exchange(const void *arg)
{
	struct exchange e = {.d = current->d};
	struct xen_memory_exchange *u = (struct xen_memory_exchange *)arg;
	long rc;

	if (copy_from_guest(&e.x, arg, sizeof(e.x)))
		return -XEN_EFAULT;
	rc = decode(&e);
	if (rc)
		return rc;
	rc = run(&e);
	if (copy_to_guest(&u->nr_exchanged, &e.x.nr_exchanged, sizeof(e.x.nr_exchanged)))
		return -XEN_EFAULT;
	return rc == CALL_RESTART ? memory_restart(XENMEM_exchange, 0, arg) : rc;
}
