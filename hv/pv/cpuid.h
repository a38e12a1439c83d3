/* SPDX-License-Identifier: MIT */
/*
 * CPUID for PV guests. A featureset (<xen/arch-x86/cpufeatureset.h>) is what a guest may use; every
 * leaf is made from it and from the processor's own answers. All but pv_cpuid() is pure: the
 * processor is read through cpuid_host, which tests replace. Guests' user mode sees the real CPUID,
 * so nothing here is a wall; what is hidden is what a PV kernel must not try to use.
 */
#ifndef PV_CPUID_H
#define PV_CPUID_H

#include "lib/types.h"

struct vcpu;
struct domain;

#define CPU_FEATURE_WORDS 19

#define CPUID_MAX_BASIC	 0xdu
#define CPUID_MAX_EXT	 0x80000021u
#define CPUID_MAX_CACHE	 6 /* sub-leaves of 4, 7, 0xb and 0xd that a policy can hold */
#define CPUID_MAX_FEAT	 3
#define CPUID_MAX_TOPO	 2
#define CPUID_MAX_XSTATE 63

enum cpu_policy_kind {
	CPU_POLICY_RAW,	    /* the processor */
	CPU_POLICY_HOST,    /* what we use of it */
	CPU_POLICY_PV,	    /* the most and the default for a guest */
	CPU_POLICY_PV_DOM0, /* dom0: MTRRs to look at, the invariant TSC */
	CPU_POLICY_NR
};

struct cpuid_host {
	void (*read)(u32 leaf, u32 sub, u32 r[4]);
	u64 xcr0;      /* components that guests may use, 0 without XSAVE */
	u64 arch_caps; /* MSR 0x10a, 0 when there is none */
	u32 amd;       /* vendor AMD or Hygon */
	u32 spec_ctrl; /* guests may have MSR 48 */
	/* The last leaves that we pass on, from cpuid_derive(): CPUID itself is slow where it is trapped. */
	u32 max_basic, max_ext;
};
extern struct cpuid_host cpuid_host;
/* For cpuid_derive(), before it reads any leaf. */
void cpuid_find_last_leaves(void);

/*
 * Reads the processor; boot CPU, after cpu_features_init(), or at the first use. Tests fill cpuid_host
 * and call cpuid_derive() instead.
 */
void cpuid_init(void);
/* Computes the featuresets from cpuid_host. */
void cpuid_derive(void);
const u32 *cpuid_featureset(enum cpu_policy_kind kind);

/* The static contents of a leaf: nothing in it depends on a vcpu. Beyond the last leaf: zeroes. */
void cpuid_raw_leaf(u32 leaf, u32 sub, u32 out[4]);
void cpuid_guest_leaf(const u32 *features, u32 leaf, u32 sub, u32 out[4]);
/* Bytes of an XSAVE area for the components of xcr0. */
u32 cpuid_xsave_size(u64 xcr0, bool compacted);
/* What remains of MSR_ARCH_CAPABILITIES for a guest with these features. */
u64 cpuid_arch_caps(const u32 *features);
/*
 * Whether a guest may be given `want`: 0 or -XEN_EINVAL. *want is reduced to what counts: bits that
 * follow from the machine or from the vcpu (HTT, OSXSAVE, ...) are accepted and set as they must be.
 */
int cpuid_check_features(u32 want[CPU_FEATURE_WORDS]);

/* The featureset that a domain has. */
const u32 *pv_features(const struct domain *d);
/* CPUID as v sees it now, the hypervisor's own leaves included. */
void pv_cpuid(struct vcpu *v, u32 leaf, u32 sub, u32 out[4]);

#endif
