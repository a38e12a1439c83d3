/* SPDX-License-Identifier: MIT */
/* domctl and sysctl of the probe as dom0, and what it asks by them. */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "child.h"
#include <xen/domctl.h>
#include <xen/sysctl.h>

static struct xen_domctl domctl;
static struct xen_sysctl sysctl;

struct xen_domctl *domctl_new(u32 cmd, domid_t id)
{
	memset(&domctl, 0, sizeof(domctl));
	domctl.cmd = cmd;
	domctl.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	domctl.domain = id;
	return &domctl;
}

long domctl_do(void)
{
	return hcall(__HYPERVISOR_domctl, &domctl);
}

struct xen_sysctl *sysctl_new(u32 cmd)
{
	memset(&sysctl, 0, sizeof(sysctl));
	sysctl.cmd = cmd;
	sysctl.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return &sysctl;
}

long sysctl_do(void)
{
	return hcall(__HYPERVISOR_sysctl, &sysctl);
}

u64 free_frames(void)
{
	sysctl_new(XEN_SYSCTL_physinfo);
	return sysctl_do() ? 0 : sysctl.u.physinfo.free_pages;
}

u32 log_read(char *buf, u32 size, u32 *pos)
{
	struct xen_sysctl_readconsole *r = &sysctl_new(XEN_SYSCTL_readconsole)->u.readconsole;

	r->incremental = 1;
	r->index = *pos;
	r->count = size;
	set_xen_guest_handle(r->buffer, buf);
	if (sysctl_do())
		return 0;
	*pos = r->index;
	return r->count;
}
