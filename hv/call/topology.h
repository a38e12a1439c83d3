/* SPDX-License-Identifier: MIT */
/* How APIC ids split into socket, core and thread on this machine; one kind of processor assumed. */
#ifndef CALL_TOPOLOGY_H
#define CALL_TOPOLOGY_H

#include "lib/types.h"

struct cpu_topology {
	u32 smt_shift, pkg_shift; /* core = id >> smt_shift, socket = id >> pkg_shift */
	u32 threads_per_core, cores_per_socket;
};

/* Pure: from CPUID through read (leaf, subleaf, registers). */
void topology_read(void (*read)(u32 leaf, u32 sub, u32 r[4]), bool amd, struct cpu_topology *t);

#endif
