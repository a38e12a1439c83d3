/* SPDX-License-Identifier: MIT */
#include "call/topology.h"

/* Bits needed to number n things. */
static u32 bits_for(u32 n)
{
	return n > 1 ? 32u - (u32)__builtin_clz(n - 1) : 0;
}

/* SDM vol. 3, 9.9.4: leaf 0xb. */
static bool from_leaf_b(void (*read)(u32, u32, u32 *), struct cpu_topology *t)
{
	u32 r[4], threads;

	read(0, 0, r);
	if (r[0] < 0xb)
		return false;
	read(0xb, 0, r);
	threads = r[1] & 0xffff;
	if (!threads)
		return false;
	t->smt_shift = r[0] & 31;
	read(0xb, 1, r);
	t->pkg_shift = max(r[0] & 31, t->smt_shift);
	t->threads_per_core = threads;
	t->cores_per_socket = max((r[1] & 0xffff) / threads, 1u);
	return true;
}

static u32 cores_amd(void (*read)(u32, u32, u32 *))
{
	u32 r[4];

	read(0x80000000u, 0, r);
	if (r[0] < 0x80000008u)
		return 1;
	read(0x80000008u, 0, r);
	return (r[2] & 0xff) + 1;
}

static u32 cores_intel(void (*read)(u32, u32, u32 *))
{
	u32 r[4];

	read(0, 0, r);
	if (r[0] < 4)
		return 1;
	read(4, 0, r);
	return r[0] & 0x1f ? (r[0] >> 26) + 1 : 1;
}

void topology_read(void (*read)(u32, u32, u32 *), bool amd, struct cpu_topology *t)
{
	u32 r[4], logical, cores;

	*t = (struct cpu_topology){.threads_per_core = 1, .cores_per_socket = 1};
	if (from_leaf_b(read, t))
		return;
	read(1, 0, r);
	if (!(r[3] >> 28 & 1))
		return;
	logical = max(r[1] >> 16 & 0xff, 1u);
	cores = amd ? cores_amd(read) : cores_intel(read);
	cores = max(min(cores, logical), 1u);
	t->cores_per_socket = cores;
	t->threads_per_core = max(logical / cores, 1u);
	t->smt_shift = bits_for(t->threads_per_core);
	t->pkg_shift = t->smt_shift + bits_for(cores);
}
