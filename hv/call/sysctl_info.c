/* SPDX-License-Identifier: MIT */
#include "call/sysctl.h"
#include "call/topology.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/setup.h"
#include "pv/cpuid.h"

#define MAX_PCI_BATCH 64
#define NODE_DISTANCE 10

static void topology(struct cpu_topology *t)
{
	topology_read(cpuid_host.read, cpuid_host.amd, t);
}

static unsigned int cpus_online(void)
{
	unsigned int cpu, n = 0;

	for_each_online_cpu (cpu)
		n++;
	return n;
}

int sysctl_physinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_physinfo *p = &op->u.physinfo;
	struct cpu_topology t;

	topology(&t);
	memset(p, 0, sizeof(*p));
	p->threads_per_core = t.threads_per_core;
	p->cores_per_socket = t.cores_per_socket;
	p->nr_cpus = cpus_online();
	p->max_cpu_id = nr_cpus - 1;
	p->nr_nodes = 1;
	p->cpu_khz = (u32)(clock_tsc_hz() / 1000);
	p->capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1;
	p->total_pages = mm_total_frames();
	/* Those that wait to be cleared included. scrub_pages stays 0: libxl adds the two. */
	p->free_pages = buddy_free_frames();
	p->max_mfn = max_mfn - 1;
	memcpy(p->hw_cap, cpuid_featureset(CPU_POLICY_HOST), sizeof(p->hw_cap));
	return 0;
}

int sysctl_getcpuinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_getcpuinfo *g = &op->u.getcpuinfo;
	u32 n = min(g->max_cpus, nr_cpus);

	for (u32 cpu = 0; cpu < n; cpu++) {
		struct xen_sysctl_cpuinfo info = {0};

		if (test_bit(cpu, cpu_online_map))
			info.idletime = sched_idle_time(cpu);
		if (copy_to_guest(g->info.p + cpu, &info, sizeof(info)))
			return -XEN_EFAULT;
	}
	g->nr_cpus = n;
	return 0;
}

int sysctl_availheap(struct xen_sysctl *op)
{
	struct xen_sysctl_availheap *h = &op->u.availheap;

	if (h->node > 0 || h->node < -1)
		return -XEN_EINVAL;
	h->avail_bytes = (u64)buddy_free_frames() << PAGE_SHIFT;
	return 0;
}

int sysctl_cputopoinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_cputopoinfo *c = &op->u.cputopoinfo;
	struct cpu_topology t;
	u32 n = min(c->num_cpus, nr_cpus);

	topology(&t);
	c->num_cpus = nr_cpus;
	if (!c->cputopo.p)
		return 0;
	for (u32 cpu = 0; cpu < n; cpu++) {
		struct xen_sysctl_cputopo e = {XEN_INVALID_CORE_ID, XEN_INVALID_SOCKET_ID,
					       XEN_INVALID_NODE_ID};
		u32 id = cpu_apic_id[cpu];

		if (test_bit(cpu, cpu_online_map)) {
			e.core = (id & ((1u << t.pkg_shift) - 1)) >> t.smt_shift;
			e.socket = id >> t.pkg_shift;
			e.node = 0;
		}
		if (copy_to_guest(c->cputopo.p + cpu, &e, sizeof(e)))
			return -XEN_EFAULT;
	}
	c->num_cpus = n;
	return 0;
}

/* One node: memory is taken to be equally far from everywhere. */
int sysctl_numainfo(struct xen_sysctl *op)
{
	struct xen_sysctl_numainfo *n = &op->u.numainfo;
	struct xen_sysctl_meminfo mem = {.memsize = (u64)mm_total_frames() << PAGE_SHIFT,
					 .memfree = (u64)buddy_free_frames() << PAGE_SHIFT};
	u32 distance = NODE_DISTANCE;

	if (n->num_nodes) {
		if (n->meminfo.p && copy_to_guest(n->meminfo.p, &mem, sizeof(mem)))
			return -XEN_EFAULT;
		if (n->distance.p && copy_to_guest(n->distance.p, &distance, sizeof(distance)))
			return -XEN_EFAULT;
	}
	n->num_nodes = 1;
	return 0;
}

/* Where a device is, nothing here knows. The tool asks again for those beyond num_devs. */
int sysctl_pcitopoinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_pcitopoinfo *p = &op->u.pcitopoinfo;
	u32 node = XEN_INVALID_NODE_ID;

	if (!p->devs.p || !p->nodes.p)
		return -XEN_EINVAL;
	p->num_devs = min(p->num_devs, (u32)MAX_PCI_BATCH);
	for (u32 i = 0; i < p->num_devs; i++)
		if (copy_to_guest(p->nodes.p + i, &node, sizeof(node)))
			return -XEN_EFAULT;
	return 0;
}

/* Processors stay as they are found at boot. */
int sysctl_cpu_hotplug(struct xen_sysctl *op)
{
	const struct xen_sysctl_cpu_hotplug *h = &op->u.cpu_hotplug;

	if (h->op == XEN_SYSCTL_CPU_HOTPLUG_ONLINE || h->op == XEN_SYSCTL_CPU_HOTPLUG_OFFLINE) {
		if (h->cpu >= nr_cpus)
			return -XEN_EINVAL;
		if (h->op == XEN_SYSCTL_CPU_HOTPLUG_ONLINE && test_bit(h->cpu, cpu_online_map))
			return 0;
	}
	return -XEN_EOPNOTSUPP;
}
