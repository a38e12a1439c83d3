/* SPDX-License-Identifier: MIT */
#include "call/bitmap.h"
#include "call/domctl.h"
#include "call/sysctl.h"
#include "cpu/percpu.h"
#include "sched/pool.h"

/* CPUs that are not there are in a pool too, or free. */
static int cpus_to_guest(unsigned int pool, const struct xenctl_bitmap *to)
{
	DECLARE_BITMAP(cpus, CONFIG_NR_CPUS);

	pool_cpus(pool, cpus);
	for (unsigned int w = 0; w < ARRAY_SIZE(cpus); w++)
		cpus[w] &= cpu_online_map[w];
	return bitmap_to_guest(to, cpus, CONFIG_NR_CPUS);
}

/* That pool, or the next one: the tools list all until there is none. */
static int info(struct xen_sysctl_cpupool_op *p)
{
	bool any = p->cpupool_id == XEN_SYSCTL_CPUPOOL_PAR_ANY;
	unsigned int pool = pool_next(any ? 0 : p->cpupool_id);

	if (pool == POOL_ANY)
		return -XEN_ENOENT;
	p->cpupool_id = pool;
	p->sched_id = XEN_SCHEDULER_CREDIT2;
	p->n_dom = pool_domains(pool);
	return cpus_to_guest(pool, &p->cpumap);
}

static int create(struct xen_sysctl_cpupool_op *p)
{
	if (p->sched_id != XEN_SCHEDULER_CREDIT2)
		return -XEN_EINVAL;
	return pool_create(&p->cpupool_id);
}

static int move(const struct xen_sysctl_cpupool_op *p)
{
	struct domain *d = p->domid < DOMID_FIRST_RESERVED ? domain_get((domid_t)p->domid) : NULL;
	int rc;

	if (!d)
		return -XEN_EINVAL;
	rc = pool_move_domain(d, p->cpupool_id);
	domain_put(d);
	return rc;
}

static int change(struct xen_sysctl_cpupool_op *p)
{
	switch (p->op) {
	case XEN_SYSCTL_CPUPOOL_OP_CREATE:
		return create(p);
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
		return pool_destroy(p->cpupool_id);
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
		return pool_add_cpu(p->cpupool_id, p->cpu);
	case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
		return pool_remove_cpu(p->cpupool_id, p->cpu);
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
		return move(p);
	default:
		return -XEN_ENOSYS;
	}
}

int sysctl_cpupool_op(struct xen_sysctl *op)
{
	struct xen_sysctl_cpupool_op *p = &op->u.cpupool_op;
	int rc;

	if (p->op == XEN_SYSCTL_CPUPOOL_OP_INFO)
		return info(p);
	if (p->op == XEN_SYSCTL_CPUPOOL_OP_FREEINFO)
		return cpus_to_guest(POOL_ANY, &p->cpumap);
	if (!domctl_trylock())
		return -XEN_ERESTART;
	rc = change(p);
	domctl_unlock();
	return rc;
}
