/* SPDX-License-Identifier: MIT */
/*
 * CPU policies as the tools exchange them: a list of CPUID leaves and one of MSRs
 * (<xen/arch-x86/xen.h>, xen_cpuid_leaf_t and xen_msr_entry_t). What they say is pv/cpuid.h's.
 */
#ifndef CALL_CPU_POLICY_H
#define CALL_CPU_POLICY_H

#include "lib/types.h"
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>
#include "dom/domain.h"
#include "pv/cpuid.h"

/* The most a policy can have; what the tools size their buffers by. */
#define POLICY_MAX_LEAVES                                                              \
	(CPUID_MAX_BASIC + 1 - 4 + CPUID_MAX_CACHE + CPUID_MAX_FEAT + CPUID_MAX_TOPO + \
	 CPUID_MAX_XSTATE + 2 + (CPUID_MAX_EXT & 0xffff) + 1)
#define POLICY_MAX_MSRS 2

/* Pure: writes the leaves of a policy into out[POLICY_MAX_LEAVES]; fs NULL: the processor. */
unsigned int policy_leaves(const u32 *fs, xen_cpuid_leaf_t *out);
unsigned int policy_msrs(const u32 *fs, xen_msr_entry_t out[POLICY_MAX_MSRS]);
/* Pure: takes a leaf into a featureset. 0, or -XEN_ERANGE when no policy can hold such a leaf. */
int policy_take_leaf(u32 *fs, const xen_cpuid_leaf_t *l);
/* The same for an MSR: -XEN_EINVAL when the value cannot be, -XEN_ERANGE when the MSR cannot. */
int policy_take_msr(u32 *fs, const xen_msr_entry_t *m);

int sysctl_cpu_featureset(struct xen_sysctl *op);
int sysctl_cpu_policy(struct xen_sysctl *op);
int domctl_get_cpu_policy(struct domain *d, struct xen_domctl *op);
int domctl_set_cpu_policy(struct domain *d, struct xen_domctl *op);

#endif
