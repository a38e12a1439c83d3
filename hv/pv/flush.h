/* SPDX-License-Identifier: MIT */
/* TLB flushes that a guest asks for: of itself, of some of its vcpus, of all. */
#ifndef PV_FLUSH_H
#define PV_FLUSH_H

#include "dom/domain.h"

/* UVMF_* flags of update_va_mapping (<xen/xen.h>): 0 or -XEN_EFAULT / -XEN_EINVAL. */
int pv_uvm_flush(struct vcpu *v, unsigned long va, unsigned long flags);
/* The CPUs on which vcpus of the guest bitmap at `p` are loaded now. 0 or -XEN_EFAULT. */
int pv_vcpus_to_cpus(struct domain *d, const void *p, unsigned long *cpus);

#endif
