/* SPDX-License-Identifier: MIT */
/* Which features PV guests may have, and the featuresets that follow for this machine. */
#include "pv/cpuid.h"
#include <xen/arch-x86/cpufeatureset.h>
#include "lib/errno.h"
#include "lib/string.h"

#define F(name) (1u << (XEN_X86_FEATURE_##name % 32))

/* The names in use: a word of the public header. */
enum {
	W_1D,
	W_1C,
	W_E1D,
	W_E1C,
	W_DA1,
	W_7B0,
	W_7C0,
	W_E7D,
	W_E8B,
	W_7D0,
	W_7A1,
	W_E21A,
	W_7B1,
	W_7D2,
	W_7C1,
	W_7D1,
	W_ARCH_LO,
	W_ARCH_HI,
	W_E21C
};

/* What the instructions of ring 3 need and what is only information; no more. */
static const u32 pv_mask[CPU_FEATURE_WORDS] = {
	[W_1D] = F(FPU) | F(DE) | F(TSC) | F(MSR) | F(PAE) | F(MCE) | F(CX8) | F(APIC) | F(SEP) |
		 F(MCA) | F(CMOV) | F(PAT) | F(CLFLUSH) | F(MMX) | F(FXSR) | F(SSE) | F(SSE2) |
		 F(SS),
	[W_1C] = F(SSE3) | F(PCLMULQDQ) | F(SSSE3) | F(FMA) | F(CX16) | F(SSE4_1) | F(SSE4_2) |
		 F(MOVBE) | F(POPCNT) | F(AESNI) | F(XSAVE) | F(AVX) | F(F16C) | F(RDRAND),
	[W_E1D] = F(SYSCALL) | F(NX) | F(MMXEXT) | F(RDTSCP) | F(LM) | F(3DNOWEXT) | F(3DNOW),
	[W_E1C] = F(LAHF_LM) | F(ABM) | F(SSE4A) | F(MISALIGNSSE) | F(3DNOWPREFETCH) | F(XOP) |
		  F(FMA4) | F(TBM),
	[W_DA1] = F(XSAVEOPT) | F(XSAVEC) | F(XGETBV1),
	[W_7B0] = F(FSGSBASE) | F(BMI1) | F(AVX2) | F(FDP_EXCP_ONLY) | F(BMI2) | F(ERMS) |
		  F(NO_FPU_SEL) | F(AVX512F) | F(AVX512DQ) | F(RDSEED) | F(ADX) | F(AVX512_IFMA) |
		  F(CLFLUSHOPT) | F(CLWB) | F(AVX512PF) | F(AVX512ER) | F(AVX512CD) | F(SHA) |
		  F(AVX512BW) | F(AVX512VL),
	[W_7C0] = F(PREFETCHWT1) | F(AVX512_VBMI) | F(AVX512_VBMI2) | F(GFNI) | F(VAES) |
		  F(VPCLMULQDQ) | F(AVX512_VNNI) | F(AVX512_BITALG) | F(AVX512_VPOPCNTDQ) |
		  F(RDPID) | F(CLDEMOTE) | F(MOVDIRI) | F(MOVDIR64B),
	[W_E8B] = F(CLZERO) | F(RSTR_FP_ERR_PTRS) | F(IBPB) | F(AMD_SSBD) | F(SSB_NO) | F(BTC_NO) |
		  F(IBPB_RET),
	[W_7D0] = F(AVX512_4VNNIW) | F(AVX512_4FMAPS) | F(FSRM) | F(AVX512_VP2INTERSECT) |
		  F(MD_CLEAR) | F(SERIALIZE) | F(IBRSB) | F(STIBP) | F(ARCH_CAPS) | F(SSBD),
	[W_7A1] = F(AVX_VNNI) | F(AVX512_BF16) | F(FZRM) | F(FSRS) | F(FSRCS),
	[W_E21A] = F(LFENCE_DISPATCH) | F(VERW_CLEAR) | F(NSCB) | F(SRSO_NO) | F(SRSO_US_NO),
	[W_7D2] = F(MCDT_NO),
	[W_ARCH_LO] = F(RDCL_NO) | F(SKIP_L1DFL) | F(INTEL_SSB_NO) | F(MDS_NO) |
		      F(IF_PSCHANGE_MC_NO) | F(TAA_NO) | F(SBDR_SSDP_NO) | F(FBSDP_NO) |
		      F(PSDP_NO) | F(FB_CLEAR) | F(BHI_NO) | F(PBRSB_NO) | F(GDS_NO) | F(RFDS_NO) |
		      F(RFDS_CLEAR),
	[W_ARCH_HI] = F(ITS_NO),
	[W_E21C] = F(TSA_SQ_NO) | F(TSA_L1_NO),
};

/* What asks for MSR 48. IBRSB stands for PRED_CMD too, on processors that have no IBPB by itself. */
static const u32 needs_spec_ctrl[CPU_FEATURE_WORDS] = {
	[W_7D0] = F(IBRSB) | F(STIBP) | F(SSBD),
	[W_E8B] = F(AMD_SSBD),
};

/* Gone when the upper halves of the vector registers are not ours to give. */
static const u32 needs_avx[CPU_FEATURE_WORDS] = {
	[W_1C] = F(AVX) | F(F16C) | F(FMA), [W_E1C] = F(XOP) | F(FMA4), [W_7B0] = F(AVX2),
	[W_7C0] = F(VAES) | F(VPCLMULQDQ),  [W_7A1] = F(AVX_VNNI),
};

static const u32 needs_avx512[CPU_FEATURE_WORDS] = {
	[W_7B0] = F(AVX512F) | F(AVX512DQ) | F(AVX512_IFMA) | F(AVX512PF) | F(AVX512ER) |
		  F(AVX512CD) | F(AVX512BW) | F(AVX512VL),
	[W_7C0] = F(AVX512_VBMI) | F(AVX512_VBMI2) | F(AVX512_VNNI) | F(AVX512_BITALG) |
		  F(AVX512_VPOPCNTDQ),
	[W_7D0] = F(AVX512_4VNNIW) | F(AVX512_4FMAPS) | F(AVX512_VP2INTERSECT),
	[W_7A1] = F(AVX512_BF16),
};

/*
 * Tools set these from the host or from habit; the guest gets them as they must be: no siblings, a
 * hypervisor underneath, OSXSAVE with XSAVE.
 */
static const u32 tolerated[CPU_FEATURE_WORDS] = {
	[W_1D] = F(HTT) | F(APIC) | F(MTRR),
	[W_1C] = F(OSXSAVE) | F(X2APIC) | F(HYPERVISOR),
	[W_E1C] = F(CMP_LEGACY),
	[W_E7D] = F(ITSC),
};

static u32 sets[CPU_POLICY_NR][CPU_FEATURE_WORDS];
static bool derived;

static void clear_words(u32 *fs, const u32 *mask)
{
	for (unsigned int i = 0; i < CPU_FEATURE_WORDS; i++)
		fs[i] &= ~mask[i];
}

static void read_basic(u32 *fs, u32 max)
{
	u32 r[4];

	cpuid_host.read(1, 0, r);
	fs[W_1C] = r[2];
	fs[W_1D] = r[3];
	if (max >= 0xd) {
		cpuid_host.read(0xd, 1, r);
		fs[W_DA1] = r[0];
	}
	if (max < 7)
		return;
	cpuid_host.read(7, 0, r);
	max = r[0];
	fs[W_7B0] = r[1];
	fs[W_7C0] = r[2];
	fs[W_7D0] = r[3];
	if (max < 1)
		return;
	cpuid_host.read(7, 1, r);
	fs[W_7A1] = r[0];
	fs[W_7B1] = r[1];
	fs[W_7C1] = r[2];
	fs[W_7D1] = r[3];
	if (max < 2)
		return;
	cpuid_host.read(7, 2, r);
	fs[W_7D2] = r[3];
}

static void read_ext(u32 *fs, u32 max)
{
	u32 r[4];

	if (max < 0x80000001u)
		return;
	cpuid_host.read(0x80000001u, 0, r);
	fs[W_E1C] = r[2];
	/* AMD repeats leaf 1 there. */
	fs[W_E1D] = r[3] & ~(cpuid_host.amd ? 0x0183f3ffu : 0);
	if (max >= 0x80000007u) {
		cpuid_host.read(0x80000007u, 0, r);
		fs[W_E7D] = r[3];
	}
	if (max >= 0x80000008u) {
		cpuid_host.read(0x80000008u, 0, r);
		fs[W_E8B] = r[1];
	}
	if (max >= 0x80000021u) {
		cpuid_host.read(0x80000021u, 0, r);
		fs[W_E21A] = r[0];
		fs[W_E21C] = r[2];
	}
}

static void derive_raw(u32 *fs)
{
	u32 r[4];

	memset(fs, 0, CPU_FEATURE_WORDS * sizeof(*fs));
	cpuid_host.read(0, 0, r);
	read_basic(fs, r[0]);
	cpuid_host.read(0x80000000u, 0, r);
	read_ext(fs, r[0] >> 31 ? r[0] : 0);
	if (fs[W_7D0] & F(ARCH_CAPS)) {
		fs[W_ARCH_LO] = (u32)cpuid_host.arch_caps;
		fs[W_ARCH_HI] = (u32)(cpuid_host.arch_caps >> 32);
	}
}

static void derive_pv(u32 *fs, const u32 *raw)
{
	for (unsigned int i = 0; i < CPU_FEATURE_WORDS; i++)
		fs[i] = raw[i] & pv_mask[i];
	if (cpuid_host.amd)
		fs[W_1D] &= ~F(SEP);
	if (!cpuid_host.spec_ctrl)
		clear_words(fs, needs_spec_ctrl);
	fs[W_1C] |= F(HYPERVISOR);
	if (!cpuid_host.xcr0)
		fs[W_1C] &= ~F(XSAVE);
	if (!(fs[W_1C] & F(XSAVE)))
		fs[W_DA1] = 0;
	if (!(fs[W_1C] & F(XSAVE)) || !(cpuid_host.xcr0 & 4)) {
		clear_words(fs, needs_avx);
		clear_words(fs, needs_avx512);
	}
	if ((cpuid_host.xcr0 & 0xe0) != 0xe0)
		clear_words(fs, needs_avx512);
}

void cpuid_derive(void)
{
	cpuid_find_last_leaves();
	derive_raw(sets[CPU_POLICY_RAW]);
	memcpy(sets[CPU_POLICY_HOST], sets[CPU_POLICY_RAW], sizeof(sets[0]));
	if (!cpuid_host.xcr0)
		sets[CPU_POLICY_HOST][W_1C] &= ~F(XSAVE);
	derive_pv(sets[CPU_POLICY_PV], sets[CPU_POLICY_HOST]);
	memcpy(sets[CPU_POLICY_PV_DOM0], sets[CPU_POLICY_PV], sizeof(sets[0]));
	sets[CPU_POLICY_PV_DOM0][W_1D] |= sets[CPU_POLICY_HOST][W_1D] & F(MTRR);
	sets[CPU_POLICY_PV_DOM0][W_E7D] |= sets[CPU_POLICY_HOST][W_E7D] & F(ITSC);
	derived = true;
}

const u32 *cpuid_featureset(enum cpu_policy_kind kind)
{
	if (unlikely(!derived))
		cpuid_init();
	return sets[kind];
}

u64 cpuid_arch_caps(const u32 *fs)
{
	return fs[W_7D0] & F(ARCH_CAPS) ? (u64)fs[W_ARCH_HI] << 32 | fs[W_ARCH_LO] : 0;
}

int cpuid_check_features(u32 want[CPU_FEATURE_WORDS])
{
	const u32 *most = sets[CPU_POLICY_PV];
	bool avx = want[W_1C] & F(XSAVE);

	for (unsigned int i = 0; i < CPU_FEATURE_WORDS; i++) {
		if (want[i] & ~(most[i] | tolerated[i]))
			return -XEN_EINVAL;
	}
	for (unsigned int i = 0; i < CPU_FEATURE_WORDS; i++)
		want[i] &= most[i];
	want[W_1C] |= F(HYPERVISOR);
	want[W_1D] |= most[W_1D] & F(APIC);
	if (!avx) {
		want[W_DA1] = 0;
		clear_words(want, needs_avx);
		clear_words(want, needs_avx512);
	}
	return 0;
}
