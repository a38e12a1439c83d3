/* SPDX-License-Identifier: MIT */
/*
 * cpupools: each CPU is in one pool or free, each domain is in one pool and runs on its CPUs only. Pool 0
 * is always there and has all CPUs at start. Changes are made one at a time: the caller holds the
 * domctl lock, under which domains and vcpus are created too.
 */
#ifndef SCHED_POOL_H
#define SCHED_POOL_H

#include "dom/domain.h"

#define POOL_ANY UINT_MAX /* create: the lowest free number; add, remove: any CPU that will do */

void pool_init(void); /* before the first domain */

/* May change at any time; a domain's pool has a CPU. POOL_ANY: the CPUs that are free. */
void pool_cpus(unsigned int pool, unsigned long *cpus);
bool pool_exists(unsigned int pool);
/* A domain may be created there: it exists and has an online CPU. */
bool pool_usable(unsigned int pool);
/* The existing pool with the lowest number >= first, or POOL_ANY. */
unsigned int pool_next(unsigned int first);
/* Domains that are not dying. */
unsigned int pool_domains(unsigned int pool);

/* 0 or -XEN_E*, as xen/sysctl.h says for cpupool operations. */
int pool_create(unsigned int *pool);
int pool_destroy(unsigned int pool);
int pool_add_cpu(unsigned int pool, unsigned int cpu);
/* When it returns, nothing of the pool will be scheduled there any more. */
int pool_remove_cpu(unsigned int pool, unsigned int cpu);
/* Its vcpus leave for the other pool's CPUs; temporary pins end. */
int pool_move_domain(struct domain *d, unsigned int pool);

extern u8 pool_of_cpu[CONFIG_NR_CPUS]; /* POOL_FREE: none */
#define POOL_FREE 0xffu

static inline bool pool_has(unsigned int pool, unsigned int cpu)
{
	return READ_ONCE(pool_of_cpu[cpu]) == pool;
}

static inline bool pool_same(unsigned int cpu, unsigned int other)
{
	return READ_ONCE(pool_of_cpu[cpu]) == READ_ONCE(pool_of_cpu[other]);
}

#endif
