/* SPDX-License-Identifier: MIT */
#include "call/call.h"
#include "call/sysctl.h"
#include "call/bitmap.h"
#include "call/cpu_policy.h"
#include "call/domain_info.h"
#include "call/keys.h"
#include "lib/string.h"
#include "sched/pool.h"
#include "plat/plat.h"

#define MAX_DEBUG_KEYS 64
#define MAX_DOMAINS    1024 /* of one getdomaininfolist; the tools ask again */

static int readconsole(struct xen_sysctl *op)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	u32 pos = r->incremental ? r->index : console_ring_start(), done = 0;
	char buf[256];

	while (done < r->count) {
		size_t n =
			console_ring_read(buf, min((size_t)(r->count - done), sizeof(buf)), &pos);

		if (!n)
			break;
		if (copy_to_guest(r->buffer.p + done, buf, n))
			return -XEN_EFAULT;
		done += (u32)n;
	}
	if (r->clear)
		console_ring_clear();
	r->count = done;
	r->index = pos;
	return 0;
}

static int sched_id(struct xen_sysctl *op)
{
	op->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2;
	return 0;
}

static int getdomaininfolist(struct xen_sysctl *op)
{
	struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
	u32 max_domains = min(l->max_domains, (u32)MAX_DOMAINS), n = 0, next = l->first_domain;
	struct domain *d;
	int rc = 0;

	while (!rc && n < max_domains && next < DOMID_FIRST_RESERVED &&
	       (d = domain_get_from((domid_t)next)) != NULL) {
		struct xen_domctl_getdomaininfo info;

		domain_info(d, &info);
		next = d->id + 1u;
		domain_put(d);
		if (copy_to_guest(l->buffer.p + n, &info, sizeof(info)))
			rc = -XEN_EFAULT;
		n++;
	}
	l->num_domains = n;
	return rc;
}

static int debug_keys(struct xen_sysctl *op)
{
	const struct xen_sysctl_debug_keys *k = &op->u.debug_keys;
	char keys[MAX_DEBUG_KEYS];

	if (k->nr_keys > MAX_DEBUG_KEYS)
		return -XEN_E2BIG;
	if (copy_from_guest(keys, k->keys.p, k->nr_keys))
		return -XEN_EFAULT;
	for (u32 i = 0; i < k->nr_keys; i++)
		debug_key_run(keys[i]);
	return 0;
}

/* --- pools --- */

static int set_ratelimit(unsigned int us)
{
	if (us && (us < XEN_SYSCTL_SCHED_RATELIMIT_MIN || us > XEN_SYSCTL_SCHED_RATELIMIT_MAX))
		return -XEN_EINVAL;
	sched_set_ratelimit((nsec_t)us * NSEC_PER_USEC);
	return 0;
}

static int scheduler_op(struct xen_sysctl *op)
{
	struct xen_sysctl_scheduler_op *s = &op->u.scheduler_op;

	if (!pool_exists(s->cpupool_id))
		return -XEN_ESRCH;
	if (s->sched_id != XEN_SCHEDULER_CREDIT2)
		return -XEN_EINVAL;
	if (s->cmd == XEN_SYSCTL_SCHEDOP_putinfo)
		return set_ratelimit(s->u.sched_credit2.ratelimit_us);
	if (s->cmd != XEN_SYSCTL_SCHEDOP_getinfo)
		return -XEN_EINVAL;
	s->u.sched_credit2.ratelimit_us = (unsigned int)(sched_get_ratelimit() / NSEC_PER_USEC);
	return 0;
}

/* --- */

static int levelling_caps(struct xen_sysctl *op)
{
	op->u.cpu_levelling_caps.caps = 0;
	return 0;
}

static int no_device(struct xen_sysctl *op)
{
	return -XEN_ENODEV;
}

static int not_supported(struct xen_sysctl *op)
{
	return -XEN_EOPNOTSUPP;
}

enum {
	IN_ONLY,
	OUT
};

/* Left out, -XEN_ENOSYS: tbuf_op, perfc_op, page_offline_op, lockprof_op, livepatch_op. */
static const struct {
	u8 cmd, flags;
	sysctl_fn *fn;
} ops[] = {
	{XEN_SYSCTL_readconsole, OUT, readconsole},
	{XEN_SYSCTL_physinfo, OUT, sysctl_physinfo},
	{XEN_SYSCTL_sched_id, OUT, sched_id},
	{XEN_SYSCTL_getdomaininfolist, OUT, getdomaininfolist},
	{XEN_SYSCTL_debug_keys, IN_ONLY, debug_keys},
	{XEN_SYSCTL_getcpuinfo, OUT, sysctl_getcpuinfo},
	{XEN_SYSCTL_availheap, OUT, sysctl_availheap},
	{XEN_SYSCTL_get_pmstat, IN_ONLY, no_device},
	{XEN_SYSCTL_cpu_hotplug, IN_ONLY, sysctl_cpu_hotplug},
	{XEN_SYSCTL_pm_op, IN_ONLY, no_device},
	{XEN_SYSCTL_cputopoinfo, OUT, sysctl_cputopoinfo},
	{XEN_SYSCTL_numainfo, OUT, sysctl_numainfo},
	{XEN_SYSCTL_cpupool_op, OUT, sysctl_cpupool_op},
	{XEN_SYSCTL_scheduler_op, OUT, scheduler_op},
	{XEN_SYSCTL_coverage_op, IN_ONLY, not_supported},
	{XEN_SYSCTL_psr_cmt_op, IN_ONLY, no_device},
	{XEN_SYSCTL_pcitopoinfo, OUT, sysctl_pcitopoinfo},
	{XEN_SYSCTL_psr_alloc, IN_ONLY, no_device},
	{XEN_SYSCTL_get_cpu_levelling_caps, OUT, levelling_caps},
	{XEN_SYSCTL_get_cpu_featureset, OUT, sysctl_cpu_featureset},
	{XEN_SYSCTL_get_cpu_policy, OUT, sysctl_cpu_policy},
};

long do_sysctl(unsigned long arg, unsigned long a2, unsigned long a3, unsigned long a4,
	       unsigned long a5)
{
	struct xen_sysctl op;
	int rc;

	if (!current->d->privileged)
		return -XEN_EPERM;
	if (copy_from_guest(&op, (const void *)arg, sizeof(op)))
		return -XEN_EFAULT;
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -XEN_EACCES;
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		if (ops[i].cmd != op.cmd)
			continue;
		rc = ops[i].fn(&op);
		if (rc == -XEN_ERESTART)
			return call_restart(arg, 0, 0, 0, 0);
		if (!rc && ops[i].flags == OUT && copy_to_guest((void *)arg, &op, sizeof(op)))
			rc = -XEN_EFAULT;
		return rc;
	}
	return -XEN_ENOSYS;
}
