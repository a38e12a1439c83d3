/* SPDX-License-Identifier: MIT */
/*
 * sysctl's operations. Each gets the whole structure, copied in and zeroed beyond what the caller
 * gave, works on its part, and returns 0 or -XEN_E*, or -XEN_ERESTART to be called again; do_sysctl()
 * copies it out for those marked so.
 * Only a privileged domain gets here. What a number in the structure makes long is capped per call.
 */
#ifndef CALL_SYSCTL_H
#define CALL_SYSCTL_H

#include "dom/hypercall.h"
#include <xen/sysctl.h>

typedef int sysctl_fn(struct xen_sysctl *op);

/* sysctl_info.c: the machine */
sysctl_fn sysctl_physinfo, sysctl_getcpuinfo, sysctl_availheap;
sysctl_fn sysctl_cputopoinfo, sysctl_numainfo, sysctl_pcitopoinfo, sysctl_cpu_hotplug;
/* sysctl_pool.c */
sysctl_fn sysctl_cpupool_op;

#endif
