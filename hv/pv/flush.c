/* SPDX-License-Identifier: MIT */
#include "pv/flush.h"
#include "mm/guest_copy.h"
#include "mm/tlb.h"

int pv_vcpus_to_cpus(struct domain *d, const void *p, unsigned long *cpus)
{
	DECLARE_BITMAP(map, MAX_VCPUS) = {0};
	unsigned int i;

	/* As many bytes as the domain has vcpus for, as the ABI's users allocate them. */
	if (copy_from_guest(map, p, DIV_ROUND_UP(d->max_vcpus, 8)))
		return -XEN_EFAULT;
	memset(cpus, 0, BITS_TO_LONGS(CONFIG_NR_CPUS) * sizeof(long));
	for_each_set_bit(i, map, d->max_vcpus)
	{
		struct vcpu *v = d->vcpu[i];

		unsigned int lazy;

		if (!v)
			continue;
		/* Where it runs, and where its tables may still be loaded from before. */
		lazy = READ_ONCE(v->sched.lazy_cpu);
		if (test_bit(v->sched.cpu, d->pv.dirty_cpus))
			set_bit(v->sched.cpu, cpus);
		if (lazy && test_bit(lazy - 1, d->pv.dirty_cpus))
			set_bit(lazy - 1, cpus);
	}
	return 0;
}

int pv_uvm_flush(struct vcpu *v, unsigned long va, unsigned long flags)
{
	unsigned long what = flags & UVMF_FLUSHTYPE_MASK, who = flags & ~UVMF_FLUSHTYPE_MASK;
	DECLARE_BITMAP(cpus, CONFIG_NR_CPUS);

	if (what == UVMF_NONE)
		return 0;
	if (what != UVMF_TLB_FLUSH && what != UVMF_INVLPG)
		return -XEN_EINVAL;
	if (what == UVMF_TLB_FLUSH)
		va = TLB_ALL;
	if (who == UVMF_LOCAL) {
		if (va == TLB_ALL)
			tlb_flush_local();
		else
			tlb_flush_one_local(va);
		return 0;
	}
	if (who == UVMF_ALL) {
		tlb_flush_cpus(v->d->pv.dirty_cpus, va);
		return 0;
	}
	if (pv_vcpus_to_cpus(v->d, (const void *)who, cpus))
		return -XEN_EFAULT;
	tlb_flush_cpus(cpus, va);
	return 0;
}
