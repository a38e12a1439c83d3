/* SPDX-License-Identifier: MIT */
#include "call/call.h"
#include <xen/version.h>
#include <xen/features.h>
#include "call/inject.h"
#include "call/version.h"
#include "lib/string.h"
#include "mm/layout.h"

char hv_command_line[1024];

#define VMASST_pae_cr3 3

#define FEATURES_PV                                                                      \
	(1u << XENFEAT_mmu_pt_update_preserve_ad | 1u << XENFEAT_highmem_assist |        \
	 1u << XENFEAT_gnttab_map_avail_bits | 1u << XENFEAT_memory_op_vnode_supported | \
	 1u << XENFEAT_direct_mapped)

union version_out {
	xen_extraversion_t extra;
	struct xen_compile_info compile;
	xen_capabilities_info_t caps;
	xen_changeset_info_t changeset;
	struct xen_platform_parameters platform;
	struct xen_feature_info features;
	xen_domain_handle_t handle;
	xen_commandline_t cmdline;
	struct inject_request inject;
};

static void compile_info(struct xen_compile_info *c)
{
	strlcpy(c->compiler, "gcc " __VERSION__, sizeof(c->compiler));
	strlcpy(c->compile_by, "domus", sizeof(c->compile_by));
	strlcpy(c->compile_domain, "localhost", sizeof(c->compile_domain));
	/* The build sets SOURCE_DATE_EPOCH, which the compiler obeys here. */
	strlcpy(c->compile_date, __DATE__ " " __TIME__, sizeof(c->compile_date));
}

static int get_features(struct xen_feature_info *f, const void *arg)
{
	const struct domain *d = current->d;

	if (copy_from_guest(f, arg, sizeof(*f)))
		return -XEN_EFAULT;
	f->submap = 0;
	if (f->submap_idx >= XENFEAT_NR_SUBMAPS)
		return -XEN_EINVAL;
	f->submap = FEATURES_PV;
	if (d->vm_assist >> VMASST_pae_cr3 & 1)
		f->submap |= 1u << XENFEAT_pae_pgdir_above_4gb;
	if (d->privileged)
		f->submap |= 1u << XENFEAT_dom0;
	return 0;
}

/* Fills the answer; its size, or -XEN_E*. */
static long make_answer(unsigned long cmd, union version_out *o, const void *arg)
{
	switch (cmd) {
	case XENVER_extraversion:
		strlcpy(o->extra, HV_EXTRAVERSION, sizeof(o->extra));
		return sizeof(o->extra);
	case XENVER_compile_info:
		compile_info(&o->compile);
		return sizeof(o->compile);
	case XENVER_capabilities:
		strlcpy(o->caps, "xen-3.0-x86_64 ", sizeof(o->caps));
		return sizeof(o->caps);
	case XENVER_changeset:
		strlcpy(o->changeset, HV_CHANGESET, sizeof(o->changeset));
		return sizeof(o->changeset);
	case XENVER_platform_parameters:
		o->platform.virt_start = HV_VA_START;
		return sizeof(o->platform);
	case XENVER_get_features:
		return get_features(&o->features, arg) ?: (long)sizeof(o->features);
	case XENVER_guest_handle:
		memcpy(o->handle, current->d->handle, sizeof(o->handle));
		return sizeof(o->handle);
	case XENVER_commandline:
		if (!current->d->privileged)
			return (long)strlcpy(o->cmdline, "<denied>", sizeof(o->cmdline)) + 1;
		memcpy(o->cmdline, hv_command_line, sizeof(o->cmdline));
		return sizeof(o->cmdline);
	case XENVER_build_id:
		return -XEN_ENODATA;
	default:
		return inject_version(cmd, &o->inject, arg);
	}
}

long do_xen_version(unsigned long cmd, unsigned long arg, unsigned long a3, unsigned long a4,
		    unsigned long a5)
{
	union version_out o;
	long n;

	/* Linux's "take pending events now": the way out does that. */
	if (likely((u32)cmd == XENVER_version))
		return HV_VERSION_MAJOR << 16 | HV_VERSION_MINOR;
	if ((u32)cmd == XENVER_pagesize)
		return PAGE_SIZE;
	memset(&o, 0, sizeof(o));
	n = make_answer((u32)cmd, &o, (const void *)arg);
	if (n < 0)
		return n;
	return copy_to_guest((void *)arg, &o, (size_t)n);
}
