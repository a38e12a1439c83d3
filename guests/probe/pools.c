/* SPDX-License-Identifier: MIT */
/* cpupools, by dom0 as its own toolstack: what each operation says, and that vcpus leave a CPU that goes. */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "topics.h"
#include <xen/domctl.h>
#include <xen/sysctl.h>

#define ANY	XEN_SYSCTL_CPUPOOL_PAR_ANY
#define CREDIT2 6
#define NOBODY	0x7000
#define POOL	7 /* a number that nobody has */
#define NEEDS(n)                                      \
	do {                                          \
		if (!is_dom0())                       \
			SKIP_TEST("only dom0 may");   \
		if (count(cpus_of(0)) < (n))          \
			SKIP_TEST("needs more CPUs"); \
	} while (0)

static struct xen_sysctl op;
static u64 map;

/* One operation; what it says about CPUs is in map then. */
static long pool_op(u32 what, u32 pool, u32 cpu_or_domain)
{
	struct xen_sysctl_cpupool_op *p = &op.u.cpupool_op;

	memset(&op, 0, sizeof(op));
	map = 0;
	op.cmd = XEN_SYSCTL_cpupool_op;
	op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	p->op = what;
	p->cpupool_id = pool;
	p->sched_id = CREDIT2;
	p->domid = p->cpu = cpu_or_domain;
	p->cpumap.nr_bits = 64;
	set_xen_guest_handle(p->cpumap.bitmap, (u8 *)&map);
	return hcall(__HYPERVISOR_sysctl, &op);
}

static u64 cpus_of(u32 pool)
{
	if (pool == ANY)
		return pool_op(XEN_SYSCTL_CPUPOOL_OP_FREEINFO, 0, 0) ? ~0UL : map;
	return pool_op(XEN_SYSCTL_CPUPOOL_OP_INFO, pool, 0) ? 0 : map;
}

static unsigned int count(u64 cpus)
{
	unsigned int n = 0;

	for (; cpus; cpus &= cpus - 1)
		n++;
	return n;
}

/* The CPU that a vcpu is on, or was last. */
static u32 cpu_of(u32 vcpu)
{
	static struct xen_domctl d;

	memset(&d, 0, sizeof(d));
	d.cmd = XEN_DOMCTL_getvcpuinfo;
	d.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	d.u.getvcpuinfo.vcpu = vcpu;
	return hcall(__HYPERVISOR_domctl, &d) ? ~0u : d.u.getvcpuinfo.cpu;
}

static void start(void)
{
	NEEDS(1);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_INFO, 0, 0), 0);
	CHECK(op.u.cpupool_op.cpupool_id == 0 && op.u.cpupool_op.n_dom == 1);
	CHECK(op.u.cpupool_op.sched_id == CREDIT2);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_INFO, 1, 0), -XEN_ENOENT);
	CHECK(cpus_of(ANY) == 0);
}

static void errors(void)
{
	NEEDS(2);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_CREATE, 0, 0), -XEN_EEXIST);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_DESTROY, 0, 0), -XEN_EBUSY);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_DESTROY, POOL, 0), -XEN_ENOENT);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, POOL, 0), -XEN_ENOENT);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_RMCPU, POOL, 0), -XEN_ENOENT);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, 0), -XEN_ENODEV);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, 5000), -XEN_EINVAL);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, 5000), -XEN_EINVAL);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, 0, NOBODY), -XEN_EINVAL);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_CREATE, POOL, 0), 0);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_CREATE, POOL, 0), -XEN_EEXIST);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_RMCPU, POOL, 1), -XEN_ENODEV);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_INFO, 1, 0), 0);
	CHECK(op.u.cpupool_op.cpupool_id == POOL && !map && !op.u.cpupool_op.n_dom);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_DESTROY, POOL, 0), 0);
}

/* Where a domain may not be. */
static void moves(void)
{
	NEEDS(2);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_CREATE, POOL, 0), 0);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, 1), 0);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, POOL, 1), 0);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, POOL, 0), -XEN_EINVAL);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_DESTROY, POOL, 0), -XEN_EBUSY);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_RMCPU, POOL, 1), 0);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_DESTROY, POOL, 0), 0);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, 1), 0);
}

static volatile bool stop;

static void busy(void *arg)
{
	while (!stop)
		barrier();
}

/* Until both vcpus are on one CPU, or on two; false: they never are. */
static bool wait_together(bool together)
{
	u64 end = now_ns() + 10000000000UL;

	while (now_ns() < end)
		if ((cpu_of(0) == cpu_of(1)) == together)
			return true;
	return false;
}

/* Both vcpus are busy when the second CPU goes, and when it comes back. */
static void leave(void)
{
	u64 all;

	NEEDS(2);
	if (nr_vcpus() < 2)
		SKIP_TEST("needs two vcpus");
	all = cpus_of(0);
	CHECK_RC(cpu_up(1), 0);
	stop = false;
	cpu_run(1, busy, NULL);
	for (unsigned int cpu = 1; all >> cpu; cpu++)
		CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, cpu), 0);
	CHECK(cpus_of(0) == 1 && cpus_of(ANY) == (all & ~1UL));
	CHECK(wait_together(true));
	CHECK(cpu_of(0) == 0 && cpu_of(1) == 0);
	CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_RMCPU, 0, 0), -XEN_EBUSY);
	for (unsigned int cpu = 1; all >> cpu; cpu++)
		CHECK_RC(pool_op(XEN_SYSCTL_CPUPOOL_OP_ADDCPU, 0, cpu), 0);
	CHECK(cpus_of(0) == all);
	CHECK(wait_together(false));
	stop = true;
	CHECK(cpu_wait(1));
	cpu_down(1);
}

const struct test pool_tests[] = {
	{"start", start}, {"errors", errors}, {"moves", moves}, {"leave", leave}, {NULL, NULL},
};
