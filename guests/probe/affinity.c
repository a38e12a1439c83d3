/* SPDX-License-Identifier: MIT */
/* The probe as its own toolstack: where its vcpus run. */
#define __XEN_TOOLS__
#include "hypercall.h"
#include <xen/domctl.h>

long cpu_pin(unsigned int id, u64 cpu)
{
	static struct xen_domctl op;
	static u8 map[32];

	memset(&op, 0, sizeof(op));
	memset(map, cpu == ~0UL ? 0xff : 0, sizeof(map));
	if (cpu < sizeof(map) * 8)
		map[cpu / 8] = (u8)(1u << (cpu % 8));
	op.cmd = XEN_DOMCTL_setvcpuaffinity;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.u.vcpuaffinity.vcpu = id;
	op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
	op.u.vcpuaffinity.cpumap_hard.nr_bits = sizeof(map) * 8;
	set_xen_guest_handle(op.u.vcpuaffinity.cpumap_hard.bitmap, map);
	return hcall(__HYPERVISOR_domctl, &op);
}
