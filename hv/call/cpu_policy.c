/* SPDX-License-Identifier: MIT */
#include "call/cpu_policy.h"
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/cpufeatureset.h>
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/guest_copy.h"

#define WORD_OF(name) (XEN_X86_FEATURE_##name / 32)

#define MSR_PLATFORM_INFO 0xce
#define MSR_ARCH_CAPS	  0x10a

struct leaf_list {
	const u32 *fs;
	xen_cpuid_leaf_t *out;
	unsigned int nr;
};

/* Appends a leaf and returns it. */
static const xen_cpuid_leaf_t *put_leaf(struct leaf_list *l, u32 leaf, u32 sub)
{
	xen_cpuid_leaf_t *o = &l->out[l->nr++];
	u32 r[4], asked = sub == XEN_CPUID_NO_SUBLEAF ? 0 : sub;

	if (l->fs)
		cpuid_guest_leaf(l->fs, leaf, asked, r);
	else
		cpuid_raw_leaf(leaf, asked, r);
	*o = (xen_cpuid_leaf_t){leaf, sub, r[0], r[1], r[2], r[3]};
	return o;
}

static void put_caches(struct leaf_list *l)
{
	for (u32 sub = 0; sub < CPUID_MAX_CACHE; sub++)
		if (!(put_leaf(l, 4, sub)->a & 0x1f))
			return;
}

static void put_features(struct leaf_list *l)
{
	u32 max_sub = min(put_leaf(l, 7, 0)->a, CPUID_MAX_FEAT - 1u);

	for (u32 sub = 1; sub <= max_sub; sub++)
		put_leaf(l, 7, sub);
}

static void put_xstates(struct leaf_list *l)
{
	const xen_cpuid_leaf_t *first = put_leaf(l, 0xd, 0);
	u64 states = (u64)first->d << 32 | first->a;

	put_leaf(l, 0xd, 1);
	for (u32 sub = 2; sub < CPUID_MAX_XSTATE; sub++)
		if (states >> sub & 1)
			put_leaf(l, 0xd, sub);
}

static void put_basic(struct leaf_list *l, u32 leaf)
{
	switch (leaf) {
	case 4:
		put_caches(l);
		break;
	case 7:
		put_features(l);
		break;
	case 0xb:
		for (u32 sub = 0; sub < CPUID_MAX_TOPO; sub++)
			put_leaf(l, 0xb, sub);
		break;
	case 0xd:
		put_xstates(l);
		break;
	default:
		put_leaf(l, leaf, XEN_CPUID_NO_SUBLEAF);
		break;
	}
}

unsigned int policy_leaves(const u32 *fs, xen_cpuid_leaf_t *out)
{
	struct leaf_list l = {.fs = fs, .out = out};
	u32 max_basic, max_ext;

	max_basic = min(put_leaf(&l, 0, XEN_CPUID_NO_SUBLEAF)->a, CPUID_MAX_BASIC);
	for (u32 leaf = 1; leaf <= max_basic; leaf++)
		put_basic(&l, leaf);
	/* How many leaves of the hypervisor a guest sees; nobody changes that here. */
	out[l.nr++] = (xen_cpuid_leaf_t){.leaf = XEN_CPUID_FIRST_LEAF,
					 .subleaf = XEN_CPUID_NO_SUBLEAF,
					 .a = fs ? XEN_CPUID_MAX_NUM_LEAVES : 0};
	out[l.nr++] = (xen_cpuid_leaf_t){.leaf = XEN_CPUID_FIRST_LEAF + 0x100,
					 .subleaf = XEN_CPUID_NO_SUBLEAF};
	max_ext = min(put_leaf(&l, 0x80000000u, XEN_CPUID_NO_SUBLEAF)->a, CPUID_MAX_EXT);
	for (u32 leaf = 0x80000001u; leaf <= max_ext; leaf++)
		put_leaf(&l, leaf, XEN_CPUID_NO_SUBLEAF);
	return l.nr;
}

unsigned int policy_msrs(const u32 *fs, xen_msr_entry_t out[POLICY_MAX_MSRS])
{
	out[0] = (xen_msr_entry_t){.idx = MSR_PLATFORM_INFO};
	out[1] = (xen_msr_entry_t){.idx = MSR_ARCH_CAPS,
				   .val = cpuid_arch_caps(fs ?: cpuid_featureset(CPU_POLICY_RAW))};
	return POLICY_MAX_MSRS;
}

/* --- and back --- */

static int take_ext(u32 *fs, const xen_cpuid_leaf_t *l)
{
	if (l->leaf > CPUID_MAX_EXT || l->subleaf != XEN_CPUID_NO_SUBLEAF)
		return -XEN_ERANGE;
	switch (l->leaf) {
	case 0x80000001u:
		fs[WORD_OF(LAHF_LM)] = l->c;
		/* AMD's repetition of leaf 1 is made anew from leaf 1. */
		fs[WORD_OF(SYSCALL)] = l->d & ~(cpuid_host.amd ? 0x0183f3ffu : 0);
		break;
	case 0x80000007u:
		fs[WORD_OF(ITSC)] = l->d;
		break;
	case 0x80000008u:
		fs[WORD_OF(CLZERO)] = l->b;
		break;
	case 0x80000021u:
		fs[WORD_OF(LFENCE_DISPATCH)] = l->a;
		fs[WORD_OF(TSA_SQ_NO)] = l->c;
		break;
	default:
		break;
	}
	return 0;
}

static int take_leaf_7(u32 *fs, const xen_cpuid_leaf_t *l)
{
	if (l->subleaf == 0) {
		fs[WORD_OF(FSGSBASE)] = l->b;
		fs[WORD_OF(PREFETCHWT1)] = l->c;
		fs[WORD_OF(FSRM)] = l->d;
	} else if (l->subleaf == 1) {
		fs[WORD_OF(AVX_VNNI)] = l->a;
		fs[WORD_OF(INTEL_PPIN)] = l->b;
		fs[WORD_OF(CET_SSS)] = l->d;
	} else if (l->subleaf == 2) {
		fs[WORD_OF(MCDT_NO)] = l->d;
	}
	return l->subleaf < CPUID_MAX_FEAT ? 0 : -XEN_ERANGE;
}

static int take_basic(u32 *fs, const xen_cpuid_leaf_t *l)
{
	switch (l->leaf) {
	case 4:
		return l->subleaf < CPUID_MAX_CACHE ? 0 : -XEN_ERANGE;
	case 7:
		return take_leaf_7(fs, l);
	case 0xb:
		return l->subleaf < CPUID_MAX_TOPO ? 0 : -XEN_ERANGE;
	case 0xd:
		if (l->subleaf == 1)
			fs[WORD_OF(XSAVEOPT)] = l->a;
		return l->subleaf < CPUID_MAX_XSTATE ? 0 : -XEN_ERANGE;
	default:
		break;
	}
	if (l->leaf > CPUID_MAX_BASIC || l->subleaf != XEN_CPUID_NO_SUBLEAF)
		return -XEN_ERANGE;
	if (l->leaf == 1) {
		fs[WORD_OF(SSE3)] = l->c;
		fs[WORD_OF(FPU)] = l->d;
	}
	return 0;
}

int policy_take_leaf(u32 *fs, const xen_cpuid_leaf_t *l)
{
	if (l->leaf == XEN_CPUID_FIRST_LEAF || l->leaf == XEN_CPUID_FIRST_LEAF + 0x100)
		return l->subleaf == XEN_CPUID_NO_SUBLEAF ? 0 : -XEN_ERANGE;
	return l->leaf >> 31 ? take_ext(fs, l) : take_basic(fs, l);
}

int policy_take_msr(u32 *fs, const xen_msr_entry_t *m)
{
	if (m->flags)
		return -XEN_EINVAL;
	switch (m->idx) {
	case MSR_PLATFORM_INFO:
		return m->val ? -XEN_EINVAL : 0;
	case MSR_ARCH_CAPS:
		if (m->val & ~cpuid_arch_caps(cpuid_featureset(CPU_POLICY_PV)))
			return -XEN_EINVAL;
		fs[WORD_OF(RDCL_NO)] = (u32)m->val;
		fs[WORD_OF(RDCL_NO) + 1] = (u32)(m->val >> 32);
		return 0;
	default:
		return -XEN_ERANGE;
	}
}

/* --- to the tools --- */

static int give_policy(const u32 *fs, struct xen_domctl_cpu_policy *p)
{
	xen_cpuid_leaf_t leaves[POLICY_MAX_LEAVES];
	xen_msr_entry_t msrs[POLICY_MAX_MSRS];
	unsigned int nr_leaves = policy_leaves(fs, leaves), nr_msrs = policy_msrs(fs, msrs);

	if (p->leaves.p) {
		if (p->nr_leaves < nr_leaves)
			return -XEN_ENOBUFS;
		if (copy_to_guest(p->leaves.p, leaves, nr_leaves * sizeof(leaves[0])))
			return -XEN_EFAULT;
	}
	if (p->msrs.p) {
		if (p->nr_msrs < nr_msrs)
			return -XEN_ENOBUFS;
		if (copy_to_guest(p->msrs.p, msrs, nr_msrs * sizeof(msrs[0])))
			return -XEN_EFAULT;
	}
	p->nr_leaves = p->leaves.p ? nr_leaves : POLICY_MAX_LEAVES;
	p->nr_msrs = p->msrs.p ? nr_msrs : POLICY_MAX_MSRS;
	return 0;
}

int sysctl_cpu_policy(struct xen_sysctl *op)
{
	struct xen_sysctl_cpu_policy *s = &op->u.cpu_policy;
	struct xen_domctl_cpu_policy p = {.nr_leaves = s->nr_leaves,
					  .nr_msrs = s->nr_msrs,
					  .leaves = s->leaves,
					  .msrs = s->msrs};
	const u32 *fs = NULL;
	int rc;

	if (s->_rsvd)
		return -XEN_EINVAL;
	switch (s->index) {
	case XEN_SYSCTL_cpu_policy_raw:
	case XEN_SYSCTL_cpu_policy_host:
		break;
	case XEN_SYSCTL_cpu_policy_pv_max:
	case XEN_SYSCTL_cpu_policy_pv_default:
		fs = cpuid_featureset(CPU_POLICY_PV);
		break;
	case XEN_SYSCTL_cpu_policy_hvm_max:
	case XEN_SYSCTL_cpu_policy_hvm_default:
		return -XEN_EOPNOTSUPP;
	default:
		return -XEN_EINVAL;
	}
	rc = give_policy(fs, &p);
	s->nr_leaves = p.nr_leaves;
	s->nr_msrs = p.nr_msrs;
	return rc;
}

int sysctl_cpu_featureset(struct xen_sysctl *op)
{
	struct xen_sysctl_cpu_featureset *f = &op->u.cpu_featureset;
	enum cpu_policy_kind kind;
	u32 asked = f->nr_features, nr = min(asked, (u32)CPU_FEATURE_WORDS);

	switch (f->index) {
	case XEN_SYSCTL_cpu_featureset_raw:
		kind = CPU_POLICY_RAW;
		break;
	case XEN_SYSCTL_cpu_featureset_host:
		kind = CPU_POLICY_HOST;
		break;
	case XEN_SYSCTL_cpu_featureset_pv:
	case XEN_SYSCTL_cpu_featureset_pv_max:
		kind = CPU_POLICY_PV;
		break;
	case XEN_SYSCTL_cpu_featureset_hvm:
	case XEN_SYSCTL_cpu_featureset_hvm_max:
		return -XEN_EOPNOTSUPP;
	default:
		return -XEN_EINVAL;
	}
	if (!f->features.p) {
		f->nr_features = CPU_FEATURE_WORDS;
		return 0;
	}
	if (copy_to_guest(f->features.p, cpuid_featureset(kind), nr * sizeof(u32)))
		return -XEN_EFAULT;
	f->nr_features = nr;
	/* Part of it is better than nothing, but the tool shall know. */
	return asked < CPU_FEATURE_WORDS ? -XEN_ENOBUFS : 0;
}

/* --- a domain's own --- */

int domctl_get_cpu_policy(struct domain *d, struct xen_domctl *op)
{
	return give_policy(pv_features(d), &op->u.cpu_policy);
}

static int read_leaves(u32 *fs, struct xen_domctl_cpu_policy *p)
{
	for (u32 i = 0; i < p->nr_leaves; i++) {
		xen_cpuid_leaf_t l;
		int rc;

		if (copy_from_guest(&l, p->leaves.p + i, sizeof(l)))
			return -XEN_EFAULT;
		rc = policy_take_leaf(fs, &l);
		if (rc) {
			p->err_leaf = l.leaf;
			p->err_subleaf = l.subleaf;
			return rc;
		}
	}
	return 0;
}

static int read_msrs(u32 *fs, struct xen_domctl_cpu_policy *p)
{
	for (u32 i = 0; i < p->nr_msrs; i++) {
		xen_msr_entry_t m;
		int rc;

		if (copy_from_guest(&m, p->msrs.p + i, sizeof(m)))
			return -XEN_EFAULT;
		rc = policy_take_msr(fs, &m);
		if (rc) {
			p->err_msr = m.idx;
			return rc;
		}
	}
	return 0;
}

static bool has_started(const struct domain *d)
{
	const struct vcpu *v;

	for_each_vcpu (d, v) {
		if (v->initialised)
			return true;
	}
	return d->privileged;
}

int domctl_set_cpu_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;
	u32 fs[CPU_FEATURE_WORDS];
	int rc;

	p->err_leaf = p->err_subleaf = p->err_msr = ~0u;
	if (has_started(d))
		return -XEN_EINVAL;
	if (p->nr_leaves > POLICY_MAX_LEAVES || p->nr_msrs > POLICY_MAX_MSRS)
		return -XEN_E2BIG;
	memcpy(fs, pv_features(d), sizeof(fs));
	rc = read_leaves(fs, p);
	if (!rc)
		rc = read_msrs(fs, p);
	if (!rc)
		rc = cpuid_check_features(fs);
	if (rc)
		return rc;
	memcpy(d->pv.features, fs, sizeof(fs));
	d->pv.own_features = true;
	return 0;
}
