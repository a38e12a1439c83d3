/* SPDX-License-Identifier: MIT */
/* CPUID for PV guests, policies as the tools see them, and the split of APIC ids. */
#include "fake/fake.h"
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/cpufeatureset.h>
#include "call/cpu_policy.h"
#include "call/topology.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "cpu/spec.h"
#include "dom/domain.h"
#include "mm/guest_copy.h"
#include "pv/msr.h"

#define HAS(fs, n) ((fs)[XEN_X86_FEATURE_##n / 32] >> (XEN_X86_FEATURE_##n % 32) & 1)
#define BIT(n)	   (1u << (XEN_X86_FEATURE_##n % 32))

/* --- what the code under test is linked with --- */

struct cpu_features cpu_features = {
	.vendor = VENDOR_AMD, .xsave = true, .xcr0 = 7, .max_leaf = 0xd};

int rdmsr_safe(u32 msr, u64 *v)
{
	*v = msr;
	return 0;
}

static u64 barriers;

int wrmsr_safe(u32 msr, u64 v)
{
	barriers += msr == MSR_PRED_CMD && v == 1;
	return 0;
}

struct spec_choice spec_choice;
static u32 loaded;

void spec_load_guest(u32 guest_value)
{
	loaded = guest_value;
}

u64 clock_tsc_hz(void)
{
	return 2000000000;
}

u64 clock_tsc_base(void)
{
	return 0x123456789aULL;
}

void clock_scale(u32 *mul, s8 *shift)
{
	*mul = 0x80000000;
	*shift = -1;
}

int copy_from_guest(void *dst, const void *src, size_t n)
{
	if (!src)
		return -XEN_EFAULT;
	memcpy(dst, src, n);
	return 0;
}

int copy_to_guest(void *dst, const void *src, size_t n)
{
	if (!dst)
		return -XEN_EFAULT;
	memcpy(dst, src, n);
	return 0;
}

/* --- a processor --- */

struct leaf {
	u32 leaf, sub, r[4];
};

static u32 max_basic, max_ext;

/* An EPYC with AVX2 and three XSAVE components; everything that must be hidden is set. */
static void fake_cpuid(u32 leaf, u32 sub, u32 r[4])
{
	static const struct leaf table[] = {
		{1, 0, {0x00800f12, 0x03040800, 0xffffffff, 0xffffffff}},
		{2, 0, {0x11, 0x22, 0x33, 0x44}},
		{4, 0, {0xfc01c121, 0x01c0003f, 0x3f, 0}},
		{5, 0, {0x40, 0x40, 3, 0}},
		{6, 0, {4, 0, 1, 0}},
		{7, 0, {2, 0xffffffff, 0xffffffff, 0xffffffff}},
		{7, 1, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}},
		{7, 2, {0, 0, 0, 0xffffffff}},
		{0xa, 0, {0x07300404, 0, 0, 0x603}},
		{0xb, 0, {1, 2, 0x100, 5}},
		{0xb, 1, {4, 8, 0x201, 5}},
		{0xd, 0, {7, 832, 832, 0}},
		{0xd, 1, {0xf, 832, 0, 0}},
		{0xd, 2, {256, 576, 0, 0}},
		{0xd, 9, {8, 2688, 0, 0}},
		{0x80000001u, 0, {0x00800f12, 0x40000000, 0xffffffff, 0xffffffff}},
		{0x80000002u, 0, {0x20444d41, 0x43595045, 0, 0}},
		{0x80000007u, 0, {1, 2, 3, 0x7fff}},
		{0x80000008u, 0, {0x00003028, 0xffffffff, 0x700f, 5}},
		{0x8000000au, 0, {1, 0x8000, 0, 0xffffffff}},
		{0x8000001du, 0, {0x121, 1, 2, 3}},
		{0x8000001eu, 0, {5, 0x105, 0, 0}},
		{0x80000021u, 0, {0xffffffff, 1, 0xffffffff, 1}},
	};

	memset(r, 0, 16);
	if (leaf == 0) {
		r[0] = max_basic;
		memcpy(&r[1], "AuthcAMDenti", 12);
		return;
	}
	if (leaf == 0x80000000u) {
		r[0] = max_ext;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].leaf == leaf && table[i].sub == sub)
			memcpy(r, table[i].r, 16);
}

static struct domain domu, dom0_;
static struct vcpu vcpu;

static int setup(void **state)
{
	(void)state;
	max_basic = 0x1f;
	max_ext = 0x80000028u;
	cpuid_host = (struct cpuid_host){.read = fake_cpuid, .xcr0 = 7, .arch_caps = 0xffffffffULL, .amd = 1};
	cpuid_derive();
	memset(&domu, 0, sizeof(domu));
	memset(&dom0_, 0, sizeof(dom0_));
	dom0_.privileged = true;
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.d = &dom0_;
	vcpu.id = 3;
	vcpu.pv.xcr0 = 1;
	return 0;
}

/* --- tests --- */

static void hides_what_it_must(void **state)
{
	const u32 *fs = cpuid_featureset(CPU_POLICY_PV);

	(void)state;
	assert_false(HAS(fs, PSE) || HAS(fs, PSE36) || HAS(fs, PGE) || HAS(fs, VME) ||
		     HAS(fs, MTRR));
	assert_false(HAS(fs, SEP) || HAS(fs, X2APIC) || HAS(fs, MONITOR) || HAS(fs, VMX) ||
		     HAS(fs, SVM));
	assert_false(HAS(fs, PCID) || HAS(fs, SMEP) || HAS(fs, SMAP) || HAS(fs, UMIP) ||
		     HAS(fs, PKU));
	assert_false(HAS(fs, INVPCID) || HAS(fs, TSC_DEADLINE) || HAS(fs, DS) || HAS(fs, DTES64));
	assert_false(HAS(fs, PDCM) || HAS(fs, TSC_ADJUST) || HAS(fs, PAGE1GB) || HAS(fs, XSAVES));
	assert_false(HAS(fs, HTT) || HAS(fs, CMP_LEGACY) || HAS(fs, TOPOEXT) || HAS(fs, ITSC));
	assert_false(fs[XEN_X86_FEATURE_UMIP / 32] >> 16 & 1); /* LA57 */
	assert_true(HAS(fs, XSAVE) && HAS(fs, AVX2) && HAS(fs, XSAVEC) && HAS(fs, XSAVEOPT));
	assert_true(HAS(fs, FSGSBASE) && HAS(fs, RDPID) && HAS(fs, NX) && HAS(fs, SYSCALL));
	assert_true(HAS(fs, HYPERVISOR) && HAS(fs, APIC) && HAS(fs, LM) && HAS(fs, RDTSCP));
	/* No AVX-512 without its state. */
	assert_false(HAS(fs, AVX512F) || HAS(fs, AVX512_VBMI) || HAS(fs, AVX512_BF16));
	assert_true(HAS(cpuid_featureset(CPU_POLICY_PV_DOM0), MTRR));
	assert_true(HAS(cpuid_featureset(CPU_POLICY_PV_DOM0), ITSC));
}

static void avx512_with_its_state(void **state)
{
	(void)state;
	cpuid_host.xcr0 = 0xe7;
	cpuid_derive();
	assert_true(HAS(cpuid_featureset(CPU_POLICY_PV), AVX512F));
	cpuid_host.xcr0 = 0;
	cpuid_derive();
	assert_false(HAS(cpuid_featureset(CPU_POLICY_PV), XSAVE));
	assert_false(HAS(cpuid_featureset(CPU_POLICY_PV), AVX));
	assert_int_equal(cpuid_featureset(CPU_POLICY_PV)[XEN_X86_FEATURE_XSAVEC / 32], 0);
	cpuid_host.amd = 0;
	cpuid_derive();
	assert_true(HAS(cpuid_featureset(CPU_POLICY_PV), SEP));
}

static void leaves_of_a_vcpu(void **state)
{
	u32 r[4];

	(void)state;
	pv_cpuid(&vcpu, 0, 0, r);
	assert_int_equal(r[0], 0xd);
	pv_cpuid(&vcpu, 1, 0, r);
	assert_int_equal(r[1], 6u << 24 | 0x0800);
	assert_true(r[2] & BIT(OSXSAVE));
	assert_false(r[3] & BIT(HTT));
	assert_true(r[3] & BIT(MTRR));
	pv_cpuid(&vcpu, 4, 0, r);
	assert_int_equal(r[0], 0x121);
	pv_cpuid(&vcpu, 0xb, 0, r);
	assert_int_equal(r[0] | r[1], 0);
	assert_int_equal(r[3], 6);
	for (u32 leaf = 5; leaf < 0x20; leaf++) {
		if (leaf == 7 || leaf == 0xb || leaf == 0xd)
			continue;
		pv_cpuid(&vcpu, leaf, 0, r);
		assert_int_equal(r[0] | r[1] | r[2] | r[3], 0);
	}
	pv_cpuid(&vcpu, 0x80000000u, 0, r);
	assert_int_equal(r[0], 0x80000021u);
	pv_cpuid(&vcpu, 0x80000001u, 0, r);
	/* AMD repeats what leaf 1 says, and only that. */
	assert_int_equal(r[3] & 0x0183f3ff, cpuid_featureset(CPU_POLICY_PV_DOM0)[0] & 0x0183f3ff);
	pv_cpuid(&vcpu, 0x80000008u, 0, r);
	assert_int_equal(r[0], 0x3028);
	assert_int_equal(r[2], 0);
	pv_cpuid(&vcpu, 0x8000000au, 0, r);
	assert_int_equal(r[0] | r[3], 0);
	pv_cpuid(&vcpu, 0x80000022u, 0, r);
	assert_int_equal(r[0], 0);
	pv_cpuid(&vcpu, 0xffffffffu, 0xffffffffu, r);
	assert_int_equal(r[0], 0);
}

static void xstate_follows_xcr0(void **state)
{
	u32 r[4];

	(void)state;
	pv_cpuid(&vcpu, 0xd, 0, r);
	assert_int_equal(r[0], 7);
	assert_int_equal(r[1], 576);
	assert_int_equal(r[2], 832);
	pv_cpuid(&vcpu, 0xd, 1, r);
	assert_int_equal(r[0], 7); /* no XSAVES */
	assert_int_equal(r[1], 576);
	vcpu.pv.xcr0 = 7;
	pv_cpuid(&vcpu, 0xd, 0, r);
	assert_int_equal(r[1], 832);
	pv_cpuid(&vcpu, 0xd, 1, r);
	assert_int_equal(r[1], 832);
	pv_cpuid(&vcpu, 0xd, 2, r);
	assert_int_equal(r[0], 256);
	pv_cpuid(&vcpu, 0xd, 9, r); /* not a component of ours */
	assert_int_equal(r[0], 0);
	pv_cpuid(&vcpu, 0xd, 64, r);
	assert_int_equal(r[0], 0);
}

static void hypervisor_leaves(void **state)
{
	char sig[13] = {0};
	u32 r[4];

	(void)state;
	pv_cpuid(&vcpu, 0x40000000, 0, r);
	assert_int_equal(r[0], 0x40000005);
	memcpy(sig, &r[1], 12);
	assert_string_equal(sig, "XenVMMXenVMM");
	pv_cpuid(&vcpu, 0x40000001, 0, r);
	assert_int_equal(r[0], 0x40011);
	pv_cpuid(&vcpu, 0x40000003, 0, r);
	assert_int_equal(r[2], 2000000);
	pv_cpuid(&vcpu, 0x40000005, 0, r);
	assert_in_range(r[1] & 0xff, 12, 52);
	for (u32 base = 0x40000100; base < 0x40010000; base += 0x100) {
		pv_cpuid(&vcpu, base, 0, r);
		assert_int_equal(r[0] | r[1] | r[2] | r[3], 0);
	}
}

static void small_processors(void **state)
{
	xen_cpuid_leaf_t l[POLICY_MAX_LEAVES];
	u32 r[4];

	(void)state;
	max_basic = 1;
	max_ext = 0;
	cpuid_derive();
	pv_cpuid(&vcpu, 7, 0, r);
	assert_int_equal(r[1], 0);
	pv_cpuid(&vcpu, 0x80000001u, 0, r);
	assert_int_equal(r[3], 0);
	assert_in_range(policy_leaves(cpuid_featureset(CPU_POLICY_PV), l), 3, 8);
}

static void policy_sizes(void **state)
{
	xen_cpuid_leaf_t l[POLICY_MAX_LEAVES + 1];
	unsigned int n;

	(void)state;
	assert_int_equal(POLICY_MAX_LEAVES, 120);
	memset(&l[POLICY_MAX_LEAVES], 0x5a, sizeof(l[0]));
	n = policy_leaves(NULL, l);
	assert_in_range(n, 20, POLICY_MAX_LEAVES);
	n = policy_leaves(cpuid_featureset(CPU_POLICY_PV), l);
	assert_in_range(n, 20, POLICY_MAX_LEAVES);
	assert_int_equal(l[POLICY_MAX_LEAVES].leaf, 0x5a5a5a5a);
	for (unsigned int i = 1; i < n; i++) {
		assert_true(l[i].leaf > l[i - 1].leaf ||
			    (l[i].leaf == l[i - 1].leaf && l[i].subleaf > l[i - 1].subleaf));
	}
}

/* What the tools do at each `xl create`: read, change a little, give it to the domain. */
static void round_trip(void **state)
{
	xen_cpuid_leaf_t l[POLICY_MAX_LEAVES];
	xen_msr_entry_t m[POLICY_MAX_MSRS];
	struct xen_sysctl s = {0};
	struct xen_domctl d = {0};

	(void)state;
	s.u.cpu_policy.index = XEN_SYSCTL_cpu_policy_pv_default;
	assert_int_equal(sysctl_cpu_policy(&s), 0);
	assert_int_equal(s.u.cpu_policy.nr_leaves, 120);
	assert_int_equal(s.u.cpu_policy.nr_msrs, 2);
	s.u.cpu_policy.leaves.p = l;
	s.u.cpu_policy.msrs.p = m;
	assert_int_equal(sysctl_cpu_policy(&s), 0);
	d.u.cpu_policy = (struct xen_domctl_cpu_policy){.nr_leaves = s.u.cpu_policy.nr_leaves,
							.nr_msrs = s.u.cpu_policy.nr_msrs,
							.leaves = s.u.cpu_policy.leaves,
							.msrs = s.u.cpu_policy.msrs};
	/* They copy HTT from the host, and a user may hide something. */
	for (unsigned int i = 0; i < s.u.cpu_policy.nr_leaves; i++) {
		if (l[i].leaf == 1) {
			l[i].d |= BIT(HTT);
			l[i].c &= ~BIT(AVX);
		}
	}
	assert_int_equal(domctl_set_cpu_policy(&domu, &d), 0);
	assert_int_equal(d.u.cpu_policy.err_leaf, ~0u);
	assert_true(domu.pv.own_features);
	assert_false(HAS(pv_features(&domu), AVX));
	assert_false(HAS(pv_features(&domu), HTT));
	assert_true(HAS(pv_features(&domu), XSAVE));
	d.u.cpu_policy.nr_leaves = 3;
	assert_int_equal(domctl_get_cpu_policy(&domu, &d), -XEN_ENOBUFS);
}

static void bad_policies(void **state)
{
	xen_cpuid_leaf_t l = {.leaf = 1, .subleaf = XEN_CPUID_NO_SUBLEAF, .c = BIT(VMX)};
	xen_msr_entry_t m = {.idx = 0xce, .val = 1};
	struct xen_domctl d = {0};

	(void)state;
	d.u.cpu_policy.nr_leaves = 1;
	d.u.cpu_policy.leaves.p = &l;
	assert_int_equal(domctl_set_cpu_policy(&domu, &d), -XEN_EINVAL);
	l = (xen_cpuid_leaf_t){.leaf = 0x20, .subleaf = XEN_CPUID_NO_SUBLEAF};
	assert_int_equal(domctl_set_cpu_policy(&domu, &d), -XEN_ERANGE);
	assert_int_equal(d.u.cpu_policy.err_leaf, 0x20);
	l = (xen_cpuid_leaf_t){.leaf = 0xd, .subleaf = 63};
	assert_int_equal(domctl_set_cpu_policy(&domu, &d), -XEN_ERANGE);
	l = (xen_cpuid_leaf_t){.leaf = 0x80000022u, .subleaf = XEN_CPUID_NO_SUBLEAF};
	assert_int_equal(domctl_set_cpu_policy(&domu, &d), -XEN_ERANGE);
	d.u.cpu_policy.leaves.p = NULL;
	assert_int_equal(domctl_set_cpu_policy(&domu, &d), -XEN_EFAULT);
	d.u.cpu_policy.nr_leaves = 0;
	d.u.cpu_policy.nr_msrs = 1;
	d.u.cpu_policy.msrs.p = &m;
	assert_int_equal(domctl_set_cpu_policy(&domu, &d), -XEN_EINVAL);
	assert_int_equal(d.u.cpu_policy.err_msr, 0xce);
	m = (xen_msr_entry_t){.idx = 0x1b};
	assert_int_equal(domctl_set_cpu_policy(&domu, &d), -XEN_ERANGE);
	d.u.cpu_policy.nr_msrs = 0;
	d.u.cpu_policy.nr_leaves = 121;
	assert_int_equal(domctl_set_cpu_policy(&domu, &d), -XEN_E2BIG);
	d.u.cpu_policy.nr_leaves = 0;
	assert_int_equal(domctl_set_cpu_policy(&dom0_, &d), -XEN_EINVAL);
	assert_false(domu.pv.own_features);
}

static void featuresets(void **state)
{
	struct xen_sysctl s = {0};
	u32 f[CPU_FEATURE_WORDS + 1];

	(void)state;
	assert_int_equal(sysctl_cpu_featureset(&s), 0);
	assert_int_equal(s.u.cpu_featureset.nr_features, 19);
	s.u.cpu_featureset.features.p = f;
	assert_int_equal(sysctl_cpu_featureset(&s), 0);
	assert_int_equal(f[0], 0xffffffff);
	s.u.cpu_featureset.index = XEN_SYSCTL_cpu_featureset_hvm;
	assert_int_equal(sysctl_cpu_featureset(&s), -XEN_EOPNOTSUPP);
	s.u.cpu_featureset.index = 77;
	assert_int_equal(sysctl_cpu_featureset(&s), -XEN_EINVAL);
	s.u.cpu_featureset.index = 2;
	s.u.cpu_featureset.nr_features = 1;
	assert_int_equal(sysctl_cpu_featureset(&s), -XEN_ENOBUFS);
}

static u32 topo_max;

static void topo_cpuid(u32 leaf, u32 sub, u32 r[4])
{
	memset(r, 0, 16);
	if (leaf == 0)
		r[0] = topo_max;
	else if (leaf == 0xb)
		memcpy(r, sub ? (u32[]){4, 12, 0x201, 0} : (u32[]){1, 2, 0x100, 0}, 16);
	else if (leaf == 1)
		memcpy(r, (u32[]){0, 8u << 16, 0, 1u << 28}, 16);
	else if (leaf == 4)
		r[0] = 3u << 26 | 1;
	else if (leaf == 0x80000000u)
		r[0] = 0x80000008u;
	else if (leaf == 0x80000008u)
		r[2] = 5;
}

static void topologies(void **state)
{
	struct cpu_topology t;

	(void)state;
	topo_max = 0xb;
	topology_read(topo_cpuid, false, &t);
	assert_int_equal(t.threads_per_core, 2);
	assert_int_equal(t.cores_per_socket, 6);
	assert_int_equal(t.smt_shift, 1);
	assert_int_equal(t.pkg_shift, 4);
	topo_max = 4;
	topology_read(topo_cpuid, false, &t);
	assert_int_equal(t.threads_per_core, 2);
	assert_int_equal(t.cores_per_socket, 4);
	assert_int_equal(t.pkg_shift, 3);
	topology_read(topo_cpuid, true, &t);
	assert_int_equal(t.cores_per_socket, 6);
	assert_int_equal(t.threads_per_core, 1);
	assert_int_equal(t.pkg_shift, 3);
}

static void msrs(void **state)
{
	u64 val;

	(void)state;
	vcpu.d = &domu;
	assert_true(pv_rdmsr(&vcpu, 0x277, &val));
	assert_true(val == 0x0000050100070406ULL);
	assert_true(pv_wrmsr(&vcpu, 0x277, val));
	assert_false(pv_wrmsr(&vcpu, 0x277, val + 1));
	assert_true(pv_rdmsr(&vcpu, 0x1b, &val));
	assert_true(val == 0xfee00800);
	vcpu.id = 0;
	assert_true(pv_rdmsr(&vcpu, 0x1b, &val));
	assert_true(val == 0xfee00900);
	assert_true(pv_rdmsr(&vcpu, 0x8b, &val));
	assert_true(pv_rdmsr(&vcpu, 0x179, &val));
	assert_true(val == 2);
	for (u32 m = 0x400; m < 0x408; m++)
		assert_true(pv_rdmsr(&vcpu, m, &val) && !val && pv_wrmsr(&vcpu, m, ~0ULL));
	assert_true(pv_rdmsr(&vcpu, 0xc0011029, &val) && !(val & ~2ULL));
	assert_true(pv_wrmsr(&vcpu, 0xc0010007, 5));
	assert_false(pv_rdmsr(&vcpu, 0xc0011020, &val));
	assert_false(pv_rdmsr(&vcpu, 0x34, &val));
	assert_false(pv_rdmsr(&vcpu, 0x48, &val));
	assert_false(pv_wrmsr(&vcpu, 0xc0000101, 0x800000000000ULL));
	assert_false(pv_wrmsr(&vcpu, 0xc0000103, 1ULL << 32));
	/* What is there to be read only; and of others nothing but the value that they have. */
	assert_true(pv_rdmsr(&vcpu, 0xce, &val));
	assert_false(pv_wrmsr(&vcpu, 0xce, val));
	assert_true(pv_rdmsr(&vcpu, 0x1b, &val));
	assert_true(pv_wrmsr(&vcpu, 0x1b, val));
	assert_false(pv_wrmsr(&vcpu, 0x1b, val ^ 1));
	/* MTRRs: only dom0 sees them, nobody changes them. */
	assert_true(pv_rdmsr(&vcpu, 0xfe, &val) && val == 0);
	vcpu.d = &dom0_;
	assert_true(pv_rdmsr(&vcpu, 0xfe, &val) && val == 0xfe);
	assert_false(pv_wrmsr(&vcpu, 0x2ff, 0));
	/* Intel's are not there on AMD. */
	assert_false(pv_rdmsr(&vcpu, 0x3a, &val));
	cpu_features.vendor = VENDOR_INTEL;
	assert_true(pv_rdmsr(&vcpu, 0x3a, &val) && val == 1);
	assert_true(pv_rdmsr(&vcpu, 0x140, &val) && val == 0);
	assert_false(pv_wrmsr(&vcpu, 0x140, 1));
	assert_true(pv_rdmsr(&vcpu, 0x10a, &val));
	assert_false(pv_rdmsr(&vcpu, 0xc0011029, &val));
	cpu_features.vendor = VENDOR_AMD;
}

/* SPEC_CTRL: only where it is offered, only bits that the guest has, and each vcpu's own. */
static void spec_ctrl(void **state)
{
	u64 val;

	(void)state;
	assert_false(HAS(cpuid_featureset(CPU_POLICY_PV), STIBP));
	assert_false(HAS(cpuid_featureset(CPU_POLICY_PV), AMD_SSBD));
	assert_true(HAS(cpuid_featureset(CPU_POLICY_PV), IBPB));
	cpuid_host.spec_ctrl = 1;
	cpuid_derive();
	assert_true(HAS(cpuid_featureset(CPU_POLICY_PV), STIBP));
	assert_false(HAS(cpuid_featureset(CPU_POLICY_PV), IBRSB));
	assert_true(HAS(cpuid_featureset(CPU_POLICY_PV), SSBD));
	spec_choice.guest = SPEC_CTRL_SSBD;
	assert_true(pv_wrmsr(&vcpu, MSR_SPEC_CTRL, SPEC_CTRL_SSBD));
	assert_true(loaded == SPEC_CTRL_SSBD && vcpu.pv.spec_ctrl == SPEC_CTRL_SSBD);
	assert_false(pv_wrmsr(&vcpu, MSR_SPEC_CTRL, SPEC_CTRL_STIBP));
	assert_false(pv_wrmsr(&vcpu, MSR_SPEC_CTRL, SPEC_CTRL_IBRS));
	assert_false(pv_wrmsr(&vcpu, MSR_SPEC_CTRL, 1ULL << 32));
	assert_false(pv_wrmsr(&vcpu, MSR_SPEC_CTRL, 1ULL << 10));
	assert_true(pv_rdmsr(&vcpu, MSR_SPEC_CTRL, &val) && val == SPEC_CTRL_SSBD);
	/* A domain whose policy has no such feature. */
	vcpu.d = &domu;
	domu.pv.own_features = true;
	assert_false(pv_wrmsr(&vcpu, MSR_SPEC_CTRL, 0));
	assert_false(pv_rdmsr(&vcpu, MSR_SPEC_CTRL, &val));
	assert_false(pv_wrmsr(&vcpu, MSR_PRED_CMD, 1));
	vcpu.d = &dom0_;
	barriers = 0;
	assert_true(pv_wrmsr(&vcpu, MSR_PRED_CMD, 1) && barriers == 1);
	assert_true(pv_wrmsr(&vcpu, MSR_PRED_CMD, 0) && barriers == 1);
	assert_false(pv_wrmsr(&vcpu, MSR_PRED_CMD, 2));
	/* At a switch of vcpus. */
	loaded = 0;
	pv_load_msrs(&vcpu);
	assert_true(loaded == SPEC_CTRL_SSBD);
	spec_choice.guest = 0;
	assert_false(pv_rdmsr(&vcpu, MSR_SPEC_CTRL, &val));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(hides_what_it_must, setup),
		cmocka_unit_test_setup(avx512_with_its_state, setup),
		cmocka_unit_test_setup(leaves_of_a_vcpu, setup),
		cmocka_unit_test_setup(xstate_follows_xcr0, setup),
		cmocka_unit_test_setup(hypervisor_leaves, setup),
		cmocka_unit_test_setup(small_processors, setup),
		cmocka_unit_test_setup(policy_sizes, setup),
		cmocka_unit_test_setup(round_trip, setup),
		cmocka_unit_test_setup(bad_policies, setup),
		cmocka_unit_test_setup(featuresets, setup),
		cmocka_unit_test_setup(topologies, setup),
		cmocka_unit_test_setup(msrs, setup),
		cmocka_unit_test_setup(spec_ctrl, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
