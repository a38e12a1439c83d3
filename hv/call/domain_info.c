/* SPDX-License-Identifier: MIT */
#include "call/domain_info.h"
#include "cpu/features.h"
#include "lib/string.h"

/* dom0 has no limit; tools count in 32 bits. */
#define NO_LIMIT 0xffffffffUL
/* Reason 0 is poweroff: one that has not shut down has another. */
#define NO_REASON ((u32)XEN_DOMINF_shutdownmask)

static void vcpu_part(struct domain *d, struct xen_domctl_getdomaininfo *i)
{
	u32 flags = XEN_DOMINF_blocked;
	struct vcpu *v;

	i->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	for_each_vcpu (d, v) {
		u32 why = READ_ONCE(v->sched.pause_flags);

		i->cpu_time += vcpu_cpu_time(v);
		i->max_vcpu_id = v->id;
		if (why & VPF_DOWN)
			continue;
		i->nr_online_vcpus++;
		if (!(why & VPF_BLOCKED))
			flags &= ~XEN_DOMINF_blocked;
		if (READ_ONCE(v->sched.running))
			flags |= XEN_DOMINF_running;
	}
	/* One that is about to go to sleep may still be on its CPU. */
	if (flags & XEN_DOMINF_running)
		flags &= ~XEN_DOMINF_blocked;
	i->flags |= flags;
}

void domain_info(struct domain *d, struct xen_domctl_getdomaininfo *i)
{
	memset(i, 0, sizeof(*i));
	i->domain = d->id;
	vcpu_part(d, i);
	i->flags |= d->dying ? XEN_DOMINF_dying : 0;
	i->flags |= d->is_shut_down ? XEN_DOMINF_shutdown : 0;
	i->flags |= d->tool_pauses ? XEN_DOMINF_paused : 0;
	i->flags |= (d->is_shut_down ? d->shutdown_code : NO_REASON) << XEN_DOMINF_shutdownshift;
	i->tot_pages = d->tot_pages;
	i->max_pages = min(d->max_pages, NO_LIMIT);
	i->shared_info_frame = d->dying ? ~0ULL : virt_to_mfn(d->shared);
	/* ssidref stays 0: without security modules the label of createdomain means nothing. */
	memcpy(i->handle, d->handle, sizeof(i->handle));
	i->cpupool = d->cpupool;
	i->gpaddr_bits = (u8)cpu_features.phys_bits;
}
