/* SPDX-License-Identifier: MIT */
/* CPUID leaf by leaf: first the static part, from a featureset; then what depends on the vcpu. */
#include "pv/cpuid.h"
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/cpufeatureset.h>
#include <xen/version.h>
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "cpu/spec.h"
#include "dom/domain.h"
#include "lib/string.h"
#include "time/clock.h"

#define HAS(fs, name)  ((fs)[XEN_X86_FEATURE_##name / 32] >> (XEN_X86_FEATURE_##name % 32) & 1)
#define BIT_OF(name)   (1u << (XEN_X86_FEATURE_##name % 32))
#define WORD(fs, name) ((fs)[XEN_X86_FEATURE_##name / 32])

#define MSR_ARCH_CAPS	  0x10a
#define AMD_COMMON_EDX	  0x0183f3ffu
#define XSAVE_LEGACY_SIZE 576u

enum {
	A,
	B,
	C,
	D
};

struct cpuid_host cpuid_host = {.read = cpuid};

void cpuid_init(void)
{
	u32 r[4];

	cpuid_host.xcr0 = cpu_features.xsave ? cpu_features.xcr0 : 0;
	cpuid_host.amd = cpu_features.vendor == VENDOR_AMD;
	cpuid_host.spec_ctrl = spec_choice.guest != 0;
	if (cpu_features.max_leaf >= 7) {
		cpuid(7, 0, r);
		if ((r[D] & BIT_OF(ARCH_CAPS)) && rdmsr_safe(MSR_ARCH_CAPS, &cpuid_host.arch_caps))
			cpuid_host.arch_caps = 0;
	}
	cpuid_derive();
}

static void no_answer(u32 out[4])
{
	out[A] = out[B] = out[C] = out[D] = 0;
}

void cpuid_find_last_leaves(void)
{
	u32 r[4];

	cpuid_host.read(0, 0, r);
	cpuid_host.max_basic = min(r[A], CPUID_MAX_BASIC);
	cpuid_host.read(0x80000000u, 0, r);
	cpuid_host.max_ext = r[A] < 0x80000000u ? 0x80000000u : min(r[A], CPUID_MAX_EXT);
}

/* The table that one page-sized loop reads must not grow with what a guest asks. */
void cpuid_raw_leaf(u32 leaf, u32 sub, u32 out[4])
{
	if (leaf <= (leaf >> 31 ? cpuid_host.max_ext : cpuid_host.max_basic))
		cpuid_host.read(leaf, sub, out);
	else
		no_answer(out);
}

u32 cpuid_xsave_size(u64 xcr0, bool compacted)
{
	u32 size = XSAVE_LEGACY_SIZE, r[4];

	for (u32 i = 2; i < CPUID_MAX_XSTATE; i++) {
		if (!(xcr0 >> i & 1))
			continue;
		cpuid_host.read(0xd, i, r);
		if (!compacted) {
			size = max(size, r[A] + r[B]);
			continue;
		}
		if (r[C] & 2)
			size = ROUND_UP(size, 64u);
		size += r[A];
	}
	return size;
}

/* The components that go with the features. */
static u64 guest_xcr0(const u32 *fs)
{
	u64 x = HAS(fs, XSAVE) ? 3 : 0;

	if (HAS(fs, AVX))
		x |= 4;
	if (HAS(fs, AVX512F))
		x |= 0xe0;
	return x & cpuid_host.xcr0;
}

static void leaf_1(const u32 *fs, u32 out[4])
{
	/* One logical processor a package; the APIC id comes from the vcpu. */
	out[B] &= 0x0000ffff;
	out[C] = WORD(fs, SSE3);
	out[D] = WORD(fs, FPU);
}

/* Caches as they are, shared by nobody. */
static void leaf_4(u32 sub, u32 out[4])
{
	if (sub >= CPUID_MAX_CACHE)
		no_answer(out);
	out[A] &= 0x00003fff;
}

static void leaf_7(const u32 *fs, u32 sub, u32 out[4])
{
	u32 subs = min(out[A], CPUID_MAX_FEAT - 1u);

	no_answer(out);
	if (sub == 0) {
		out[A] = subs;
		out[B] = WORD(fs, FSGSBASE);
		out[C] = WORD(fs, PREFETCHWT1);
		out[D] = WORD(fs, FSRM);
	} else if (sub == 1) {
		out[A] = WORD(fs, AVX_VNNI);
		out[B] = WORD(fs, INTEL_PPIN);
		out[D] = WORD(fs, CET_SSS);
	} else if (sub == 2) {
		out[D] = WORD(fs, MCDT_NO);
	}
}

static void leaf_d(const u32 *fs, u32 sub, u32 out[4])
{
	u64 xcr0 = guest_xcr0(fs);

	if (sub == 0) {
		out[A] = (u32)xcr0;
		out[B] = out[C] = xcr0 ? cpuid_xsave_size(xcr0, false) : 0;
		out[D] = (u32)(xcr0 >> 32);
	} else if (sub == 1) {
		out[A] = WORD(fs, XSAVEOPT);
		out[B] = HAS(fs, XSAVEC) ? cpuid_xsave_size(xcr0, true) : 0;
		out[C] = out[D] = 0;
	} else if (sub >= CPUID_MAX_XSTATE || !(xcr0 >> sub & 1)) {
		no_answer(out);
	} else {
		out[C] &= 2; /* alignment; supervisor state is not offered */
		out[D] = 0;
	}
}

static void basic_leaf(const u32 *fs, u32 leaf, u32 sub, u32 out[4])
{
	switch (leaf) {
	case 0:
		out[A] = cpuid_host.max_basic;
		break;
	case 1:
		leaf_1(fs, out);
		break;
	case 2:
		break;
	case 4:
		leaf_4(sub, out);
		break;
	case 7:
		leaf_7(fs, sub, out);
		break;
	case 0xd:
		leaf_d(fs, sub, out);
		break;
	default: /* serial number, MONITOR, thermal, counters, topology: not for a PV guest */
		no_answer(out);
		break;
	}
}

static void ext_leaf(const u32 *fs, u32 leaf, u32 out[4])
{
	switch (leaf) {
	case 0x80000000u:
		out[A] = cpuid_host.max_ext;
		break;
	case 0x80000001u:
		out[B] = 0;
		out[C] = WORD(fs, LAHF_LM);
		out[D] = WORD(fs, SYSCALL);
		if (cpuid_host.amd)
			out[D] |= WORD(fs, FPU) & AMD_COMMON_EDX;
		break;
	case 0x80000002u:
	case 0x80000003u:
	case 0x80000004u:
	case 0x80000005u:
	case 0x80000006u:
	case 0x8000001au:
		break;
	case 0x80000007u:
		out[A] = out[B] = out[C] = 0;
		out[D] = WORD(fs, ITSC);
		break;
	case 0x80000008u:
		out[A] &= 0xffff;
		out[B] = WORD(fs, CLZERO);
		out[C] = out[D] = 0;
		break;
	case 0x80000021u:
		out[A] = WORD(fs, LFENCE_DISPATCH);
		out[B] = out[D] = 0;
		out[C] = WORD(fs, TSA_SQ_NO);
		break;
	default:
		no_answer(out);
		break;
	}
}

void cpuid_guest_leaf(const u32 *fs, u32 leaf, u32 sub, u32 out[4])
{
	cpuid_raw_leaf(leaf, sub, out);
	if (leaf >> 31) {
		if (leaf <= cpuid_host.max_ext)
			ext_leaf(fs, leaf, out);
	} else if (leaf <= cpuid_host.max_basic) {
		basic_leaf(fs, leaf, sub, out);
	}
}

/* --- for a vcpu --- */

BUILD_BUG_ON(sizeof(((struct pv_domain *)0)->features) != CPU_FEATURE_WORDS * sizeof(u32));

const u32 *pv_features(const struct domain *d)
{
	if (d->pv.own_features)
		return d->pv.features;
	return cpuid_featureset(d->privileged ? CPU_POLICY_PV_DOM0 : CPU_POLICY_PV);
}

static void tsc_leaf(const u32 *fs, u32 sub, u32 out[4])
{
	u64 base = clock_tsc_base();
	s8 shift;

	if (sub == 0) {
		out[A] = (HAS(fs, ITSC) ? 2u : 0) | (HAS(fs, RDTSCP) ? 4u : 0);
		out[C] = (u32)(clock_tsc_hz() / 1000);
	} else if (sub == 1) {
		out[A] = (u32)base;
		out[B] = (u32)(base >> 32);
		clock_scale(&out[C], &shift);
		out[D] = (u32)(s32)shift;
	} else if (sub == 2) {
		out[A] = (u32)(clock_tsc_hz() / 1000);
	}
}

/* Grant tables of version 1 name frames with 32 bits; Linux looks here whether that is enough. */
static u32 machine_address_width(void)
{
	return max_mfn ? 64u - (unsigned int)__builtin_clzl(max_mfn << PAGE_SHIFT) : 32;
}

static void hypervisor_leaf(const u32 *fs, u32 leaf, u32 sub, u32 out[4])
{
	no_answer(out);
	switch (leaf - XEN_CPUID_FIRST_LEAF) {
	case 0:
		out[A] = XEN_CPUID_LEAF(XEN_CPUID_MAX_NUM_LEAVES);
		out[B] = XEN_CPUID_SIGNATURE_EBX;
		out[C] = XEN_CPUID_SIGNATURE_ECX;
		out[D] = XEN_CPUID_SIGNATURE_EDX;
		break;
	case 1:
		out[A] = 4u << 16 | 17;
		break;
	case 2:
		out[A] = 1;
		out[B] = XEN_CPUID_FIRST_LEAF;
		out[C] = XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
		break;
	case 3:
		tsc_leaf(fs, sub, out);
		break;
	case 5:
		if (!sub)
			out[B] = machine_address_width();
		break;
	default:
		break;
	}
}

/* Two APIC ids a vcpu, so that no two vcpus look like siblings of one core. */
static u32 vcpu_apic_id(const struct vcpu *v)
{
	return v->id * 2;
}

void pv_cpuid(struct vcpu *v, u32 leaf, u32 sub, u32 out[4])
{
	const u32 *fs = pv_features(v->d);

	if (leaf >= XEN_CPUID_FIRST_LEAF && leaf < XEN_CPUID_FIRST_LEAF + 0x10000) {
		hypervisor_leaf(fs, leaf, sub, out);
		return;
	}
	cpuid_guest_leaf(fs, leaf, sub, out);
	switch (leaf) {
	case 1:
		out[B] |= vcpu_apic_id(v) << 24;
		/* The guest turns it on as soon as it sees XSAVE; CR4 is ours and has it on. */
		out[C] |= HAS(fs, XSAVE) ? BIT_OF(OSXSAVE) : 0;
		break;
	case 0xb:
		out[C] = sub & 0xff;
		out[D] = vcpu_apic_id(v);
		break;
	case 0xd:
		if (sub == 0 && out[A])
			out[B] = cpuid_xsave_size(v->pv.xcr0, false);
		else if (sub == 1 && out[B])
			out[B] = cpuid_xsave_size(v->pv.xcr0, true);
		break;
	default:
		break;
	}
}
