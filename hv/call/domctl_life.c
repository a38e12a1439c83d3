/* SPDX-License-Identifier: MIT */
#include "call/domctl.h"
#include "dom/vtime.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "pv/pv.h"
#include "sched/pool.h"

#define MAX_FRAME_INFO	1024
#define FRAME_INFO_STEP 64
#define PAGES_PER_KIB	4

/* A guest without vcpus, ports and grants of its own may still be asked about and destroyed. */
static int check_config(const struct xen_domctl_createdomain *c)
{
	/* oos_off is about shadow paging, which a PV guest here never has. */
	if (c->flags & (XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap))
		return -XEN_EOPNOTSUPP;
	if (c->flags & ~(u32)(XEN_DOMCTL_CDF_oos_off | XEN_DOMCTL_CDF_xs_domain))
		return -XEN_EOPNOTSUPP;
	if (!c->max_vcpus || c->max_vcpus > MAX_VCPUS || c->vmtrace_size ||
	    c->arch.emulation_flags || c->max_grant_frames > 4096)
		return -XEN_EINVAL;
	return pool_usable(c->cpupool_id) ? 0 : -XEN_EINVAL;
}

int domctl_createdomain(struct domain *none, struct xen_domctl *op)
{
	struct xen_domctl_createdomain *c = &op->u.createdomain;
	struct domain_config cfg = {.max_vcpus = c->max_vcpus, .cpupool = c->cpupool_id};
	domid_t id = op->domain;
	struct domain *d;
	int rc = check_config(c);

	if (rc)
		return rc;
	cfg.max_evtchn_port = min(c->max_evtchn_port, (u32)EVTCHN_MAX - 1);
	cfg.max_grant_frames = c->max_grant_frames < 0 ? GRANT_MAX_FRAMES_DEFAULT
						       : (unsigned int)c->max_grant_frames;
	d = domain_create_config(id && id < DOMID_FIRST_RESERVED ? id : DOMID_INVALID, &cfg, &rc);
	if (!d)
		return rc;
	memcpy(d->handle, c->handle, sizeof(d->handle));
	op->domain = d->id;
	domain_publish(d);
	return 0;
}

int domctl_destroydomain(struct domain *d, struct xen_domctl *op)
{
	return domain_kill(d);
}

int domctl_pause(struct domain *d, struct xen_domctl *op)
{
	return domain_pause_by_tool(d);
}

int domctl_unpause(struct domain *d, struct xen_domctl *op)
{
	return domain_unpause_by_tool(d);
}

int domctl_resume(struct domain *d, struct xen_domctl *op)
{
	if (!d->is_shut_down || d->dying)
		return -XEN_EINVAL;
	domain_resume(d);
	return 0;
}

/* The number was said at creation; now they come into being. Those there already stay. */
int domctl_max_vcpus(struct domain *d, struct xen_domctl *op)
{
	if (op->u.max_vcpus.max != d->max_vcpus || d->dying)
		return -XEN_EINVAL;
	for (unsigned int id = 0; id < d->max_vcpus; id++)
		if (!d->vcpu[id] && !vcpu_create(d, id))
			return -XEN_ENOMEM;
	return 0;
}

/* Below what it has is allowed: it then gets no more until it has given back. */
int domctl_max_mem(struct domain *d, struct xen_domctl *op)
{
	u64 pages = op->u.max_mem.max_memkb / PAGES_PER_KIB;

	spin_lock(&d->page_lock);
	d->max_pages = min(pages, (u64)LONG_MAX);
	spin_unlock(&d->page_lock);
	return 0;
}

int domctl_set_handle(struct domain *d, struct xen_domctl *op)
{
	memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
	return 0;
}

int domctl_set_time_offset(struct domain *d, struct xen_domctl *op)
{
	s64 off = op->u.settimeoffset.time_offset_seconds;

	if (off > INT32_MAX || off < INT32_MIN)
		return -XEN_EINVAL;
	d->time_offset = (s32)off;
	if (!d->dying)
		vtime_update_wallclock(d);
	return 0;
}

int domctl_hypercall_init(struct domain *d, struct xen_domctl *op)
{
	struct frame *f = get_frame_and_writable(op->u.hypercall_init.gmfn, d->id);

	if (!f)
		return -XEN_EACCES;
	pv_fill_hypercall_page(frame_to_virt(f));
	put_frame_and_writable(f);
	return 0;
}

/* --- getpageframeinfo3: what a frame is, for save --- */

static u32 frame_info(struct domain *d, u64 mfn)
{
	struct frame *f = get_frame(mfn, d->id);
	u32 type, info = XEN_DOMCTL_PFINFO_NOTAB;

	if (!f)
		return XEN_DOMCTL_PFINFO_XTAB;
	type = READ_ONCE(f->type);
	if ((type & FT_VALIDATED) && (type & FT_KIND) >= FT_L1 && (type & FT_KIND) <= FT_L4)
		info = (type >> 29) << XEN_DOMCTL_PFINFO_LTAB_SHIFT;
	if (info && (type & FT_PINNED))
		info |= XEN_DOMCTL_PFINFO_LPINTAB;
	put_frame(f);
	return info;
}

int domctl_pageframeinfo(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_getpageframeinfo3 *p = &op->u.getpageframeinfo3;
	xen_pfn_t part[FRAME_INFO_STEP];

	if (p->num > MAX_FRAME_INFO)
		return -XEN_E2BIG;
	for (u64 i = 0; i < p->num; i += FRAME_INFO_STEP) {
		u64 n = min(p->num - i, (u64)FRAME_INFO_STEP);

		if (copy_from_guest(part, p->array.p + i, n * sizeof(part[0])))
			return -XEN_EFAULT;
		for (u64 k = 0; k < n; k++)
			part[k] = frame_info(d, part[k]);
		if (copy_to_guest(p->array.p + i, part, n * sizeof(part[0])))
			return -XEN_EFAULT;
	}
	return 0;
}
