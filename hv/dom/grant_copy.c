/* SPDX-License-Identifier: MIT */
#include "dom/grant_priv.h"
#include "lib/string.h"

static int open_own(struct domain *d, const struct gnttab_copy_ptr *p, struct grant_copy_side *s)
{
	if (p->domid != DOMID_SELF && p->domid != d->id)
		return GNTST_permission_denied;
	s->f = s->write ? get_frame_and_writable(p->u.gmfn, d->id) : get_frame(p->u.gmfn, d->id);
	return s->f ? GNTST_okay : GNTST_bad_page;
}

static int open_grant(struct domain *d, const struct gnttab_copy_ptr *p, struct grant_copy_side *s)
{
	struct domain *rd = grant_domain(d, p->domid);
	int rc;

	if (!rd)
		return GNTST_bad_domain;
	rc = grant_pin(rd, d->id, p->u.ref, s->write, &s->f);
	if (rc)
		domain_put(rd);
	else
		s->rd = rd;
	return rc;
}

static void close_side(struct grant_copy_side *s)
{
	if (!s->f)
		return;
	grant_put(s->f, s->write);
	if (s->rd) {
		grant_unpin(s->rd, (grant_ref_t)s->name, s->write);
		domain_put(s->rd);
	}
	*s = (struct grant_copy_side){};
}

static int open_side(struct domain *d, const struct gnttab_copy_ptr *p, bool gref, bool write,
		     struct grant_copy_side *s)
{
	u64 name = gref ? p->u.ref : p->u.gmfn;
	int rc;

	if (s->f && s->name == name && s->domid == p->domid && s->gref == gref)
		return GNTST_okay;
	close_side(s);
	*s = (struct grant_copy_side){
		.name = name, .domid = p->domid, .gref = gref, .write = write};
	rc = gref ? open_grant(d, p, s) : open_own(d, p, s);
	if (rc)
		s->f = NULL;
	return rc;
}

static void *at(const struct grant_copy_side *s, const struct gnttab_copy_ptr *p)
{
	return (char *)frame_to_virt(s->f) + p->offset;
}

static int do_copy(struct domain *d, const struct gnttab_copy *op, struct grant_copies *open)
{
	int rc;

	if (op->source.offset + (u32)op->len > PAGE_SIZE ||
	    op->dest.offset + (u32)op->len > PAGE_SIZE)
		return GNTST_bad_copy_arg;
	rc = open_side(d, &op->source, op->flags & GNTCOPY_source_gref, false, &open->source);
	if (rc)
		return rc;
	rc = open_side(d, &op->dest, op->flags & GNTCOPY_dest_gref, true, &open->dest);
	if (rc)
		return rc;
	/* The two may be one frame. */
	memmove(at(&open->dest, &op->dest), at(&open->source, &op->source), op->len);
	return GNTST_okay;
}

void grant_copy(struct domain *d, struct gnttab_copy *op, struct grant_copies *open)
{
	op->status = (s16)do_copy(d, op, open);
}

void grant_copy_end(struct grant_copies *open)
{
	close_side(&open->dest);
	close_side(&open->source);
}
