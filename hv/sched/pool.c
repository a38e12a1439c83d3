/* SPDX-License-Identifier: MIT */
#include "sched/pool.h"
#include "cpu/percpu.h"
#include "lib/string.h"

#define NR_POOLS CONFIG_NR_CPUS

u8 pool_of_cpu[CONFIG_NR_CPUS];
static bool exists[NR_POOLS];

_Static_assert(NR_POOLS < POOL_FREE, "a pool's number fits its byte");

void pool_init(void)
{
	memset(pool_of_cpu, 0, sizeof(pool_of_cpu));
	memset(exists, 0, sizeof(exists));
	exists[0] = true;
}

/* --- what there is --- */

void pool_cpus(unsigned int pool, unsigned long *cpus)
{
	unsigned int wanted = pool == POOL_ANY ? POOL_FREE : pool;

	memset(cpus, 0, BITS_TO_LONGS(CONFIG_NR_CPUS) * sizeof(*cpus));
	for (unsigned int cpu = 0; cpu < CONFIG_NR_CPUS; cpu++)
		if (READ_ONCE(pool_of_cpu[cpu]) == wanted)
			set_bit(cpu, cpus);
}

bool pool_exists(unsigned int pool)
{
	return pool < NR_POOLS && exists[pool];
}

static unsigned int count_cpus(unsigned int pool)
{
	unsigned int cpu, n = 0;

	for_each_online_cpu (cpu)
		n += pool_of_cpu[cpu] == pool;
	return n;
}

bool pool_usable(unsigned int pool)
{
	return pool_exists(pool) && count_cpus(pool);
}

unsigned int pool_next(unsigned int first)
{
	for (unsigned int pool = first; pool < NR_POOLS; pool++)
		if (exists[pool])
			return pool;
	return POOL_ANY;
}

/* fn() for each domain of the pool that is not dying; NULL: only counts them. */
static unsigned int for_domains(unsigned int pool, void (*fn)(struct domain *d))
{
	unsigned int n = 0;
	struct domain *d;
	u32 next = 0;

	while (next < DOMID_FIRST_RESERVED && (d = domain_get_from((domid_t)next)) != NULL) {
		next = d->id + 1u;
		if (d->cpupool == pool && !READ_ONCE(d->dying)) {
			n++;
			if (fn)
				fn(d);
		}
		domain_put(d);
	}
	return n;
}

unsigned int pool_domains(unsigned int pool)
{
	return for_domains(pool, NULL);
}

/* --- changes --- */

static void use_pool(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu (d, v)
		sched_pool_changed(v);
}

int pool_create(unsigned int *pool)
{
	unsigned int n = *pool;

	if (n == POOL_ANY)
		for (n = 0; n < NR_POOLS && exists[n]; n++)
			;
	else if (pool_exists(n))
		return -XEN_EEXIST;
	if (n >= NR_POOLS)
		return -XEN_ENOSPC;
	exists[n] = true;
	*pool = n;
	return 0;
}

int pool_destroy(unsigned int pool)
{
	if (!pool_exists(pool))
		return -XEN_ENOENT;
	if (!pool || count_cpus(pool) || pool_domains(pool))
		return -XEN_EBUSY;
	exists[pool] = false;
	return 0;
}

/* An online CPU of that pool (POOL_FREE: a free one): the one asked for, or any. */
static int choose(unsigned int pool, unsigned int *cpu)
{
	unsigned int any;

	if (*cpu != POOL_ANY) {
		if (*cpu >= CONFIG_NR_CPUS || !test_bit(*cpu, cpu_online_map))
			return -XEN_EINVAL;
		return pool_of_cpu[*cpu] == pool ? 0 : -XEN_ENODEV;
	}
	for_each_online_cpu (any) {
		if (pool_of_cpu[any] == pool) {
			*cpu = any;
			return 0;
		}
	}
	return -XEN_ENODEV;
}

int pool_add_cpu(unsigned int pool, unsigned int cpu)
{
	int rc = pool_exists(pool) ? choose(POOL_FREE, &cpu) : -XEN_ENOENT;

	if (rc)
		return rc;
	WRITE_ONCE(pool_of_cpu[cpu], (u8)pool);
	for_domains(pool, use_pool);
	return 0;
}

static bool somebody_pinned(unsigned int pool, unsigned int cpu)
{
	bool found = false;
	struct domain *d;
	struct vcpu *v;
	u32 next = 0;

	while (next < DOMID_FIRST_RESERVED && (d = domain_get_from((domid_t)next)) != NULL) {
		next = d->id + 1u;
		if (d->cpupool == pool && !READ_ONCE(d->dying))
			for_each_vcpu (d, v)
				found |= v->sched.pinned && test_bit(cpu, v->sched.hard);
		domain_put(d);
	}
	return found;
}

int pool_remove_cpu(unsigned int pool, unsigned int cpu)
{
	int rc = pool_exists(pool) ? choose(pool, &cpu) : -XEN_ENOENT;

	if (rc)
		return rc;
	if (count_cpus(pool) == 1 && pool_domains(pool))
		return -XEN_EBUSY;
	if (somebody_pinned(pool, cpu))
		return -XEN_EADDRINUSE;
	WRITE_ONCE(pool_of_cpu[cpu], (u8)POOL_FREE);
	for_domains(pool, use_pool);
	return 0;
}

int pool_move_domain(struct domain *d, unsigned int pool)
{
	if (!pool_exists(pool))
		return -XEN_ENOENT;
	if (d->privileged || d->dying)
		return -XEN_EINVAL;
	if (pool == d->cpupool)
		return 0;
	if (!pool_usable(pool))
		return -XEN_EBUSY;
	d->cpupool = pool;
	use_pool(d);
	return 0;
}
