/* SPDX-License-Identifier: MIT */
#include "dom/grant_priv.h"
#include "lib/string.h"

/* One end of a copy: a frame with a reference (and writable count), perhaps by a pinned grant. */
struct side {
	struct domain *rd; /* referenced; NULL when the frame is the caller's own */
	grant_ref_t ref;
	bool write;
	struct frame *f;
};

static int open_own(struct domain *d, const struct gnttab_copy_ptr *p, struct side *s)
{
	if (p->domid != DOMID_SELF && p->domid != d->id)
		return GNTST_permission_denied;
	s->f = s->write ? get_frame_and_writable(p->u.gmfn, d->id) : get_frame(p->u.gmfn, d->id);
	return s->f ? GNTST_okay : GNTST_bad_page;
}

static int open_side(struct domain *d, const struct gnttab_copy_ptr *p, bool gref, struct side *s)
{
	int rc;

	if (!gref)
		return open_own(d, p, s);
	s->ref = p->u.ref;
	s->rd = grant_domain(d, p->domid);
	if (!s->rd)
		return GNTST_bad_domain;
	rc = grant_pin(s->rd, d->id, s->ref, s->write, &s->f);
	if (rc) {
		domain_put(s->rd);
		s->rd = NULL;
	}
	return rc;
}

static void close_side(struct side *s)
{
	grant_put(s->f, s->write);
	if (s->rd) {
		grant_unpin(s->rd, s->ref, s->write);
		domain_put(s->rd);
	}
}

static void *at(const struct side *s, const struct gnttab_copy_ptr *p)
{
	return (char *)frame_to_virt(s->f) + p->offset;
}

static int do_copy(struct domain *d, const struct gnttab_copy *op)
{
	struct side src = {.write = false}, dst = {.write = true};
	int rc;

	if (op->source.offset + (u32)op->len > PAGE_SIZE ||
	    op->dest.offset + (u32)op->len > PAGE_SIZE)
		return GNTST_bad_copy_arg;
	rc = open_side(d, &op->source, op->flags & GNTCOPY_source_gref, &src);
	if (rc)
		return rc;
	rc = open_side(d, &op->dest, op->flags & GNTCOPY_dest_gref, &dst);
	if (!rc) {
		/* The two may be one frame. */
		memmove(at(&dst, &op->dest), at(&src, &op->source), op->len);
		close_side(&dst);
	}
	close_side(&src);
	return rc;
}

void grant_copy(struct domain *d, struct gnttab_copy *op)
{
	op->status = (s16)do_copy(d, op);
}
