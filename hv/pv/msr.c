/* SPDX-License-Identifier: MIT */
#include "pv/msr.h"
#include <xen/arch-x86/cpufeatureset.h>
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "cpu/percpu.h"
#include "cpu/spec.h"
#include "dom/domain.h"
#include "pv/cpuid.h"

#define HAS(fs, name) ((fs)[XEN_X86_FEATURE_##name / 32] >> (XEN_X86_FEATURE_##name % 32) & 1)

#define MSR_TSC		 0x10
#define MSR_APIC_BASE	 0x1b
#define MSR_ARCH_CAPS	 0x10a
#define MSR_MISC_ENABLE	 0x1a0
#define MSR_EFER	 0xc0000080
#define MSR_TSC_AUX	 0xc0000103
#define APIC_BASE_ON	 0xfee00800ULL
#define APIC_BASE_BSP	 0x100ULL
#define PAT_VALUE	 0x0000050100070406ULL
#define EFER_GUEST	 0xd01ULL /* SCE, LME, LMA, NX */
#define MISC_PERFMON	 (1ULL << 7)
#define MISC_NO_BTS_PEBS (3ULL << 11)

#define ON_INTEL 1u
#define ON_AMD	 2u
#define ON_ANY	 3u

enum msr_read {
	R_CONST,  /* val */
	R_NATIVE, /* the real one & val */
	R_DOM0,	  /* the same for dom0, 0 for others */
};

enum msr_write {
	W_DENY,
	W_IGNORE,
	W_SAME, /* the value it has, else #GP */
};

static const struct msr_rule {
	u32 first, last;
	u8 vendor, rd, wr;
	u64 val;
} rules[] = {
	{0x8b, 0x8b, ON_ANY, R_NATIVE, W_IGNORE, ~0ULL}, /* microcode level */
	{0x17, 0x17, ON_INTEL, R_NATIVE, W_DENY, ~0ULL}, /* platform id */
	{0x3a, 0x3a, ON_INTEL, R_CONST, W_DENY, 1},	 /* feature control: locked */
	{0xce, 0xce, ON_ANY, R_CONST, W_DENY, 0},	 /* platform info */
	{0xfe, 0xfe, ON_ANY, R_DOM0, W_SAME, ~0ULL},	 /* MTRR capabilities */
	{0x140, 0x140, ON_INTEL, R_CONST, W_SAME, 0},	 /* misc features enables */
	{0x179, 0x179, ON_ANY, R_CONST, W_DENY, 2},	 /* machine check: two banks */
	{0x17a, 0x17a, ON_ANY, R_CONST, W_IGNORE, 0},	 /* and its state */
	{0x1d9, 0x1d9, ON_ANY, R_CONST, W_IGNORE, 0},	 /* debug control */
	{0x200, 0x20f, ON_ANY, R_DOM0, W_SAME, ~0ULL},	 /* variable MTRRs */
	{0x250, 0x250, ON_ANY, R_DOM0, W_SAME, ~0ULL},	 /* fixed ones */
	{0x258, 0x259, ON_ANY, R_DOM0, W_SAME, ~0ULL},
	{0x268, 0x26f, ON_ANY, R_DOM0, W_SAME, ~0ULL},
	{0x277, 0x277, ON_ANY, R_CONST, W_SAME, PAT_VALUE},
	{0x2ff, 0x2ff, ON_ANY, R_DOM0, W_SAME, ~0ULL},		    /* MTRR default type */
	{0x400, 0x407, ON_ANY, R_CONST, W_IGNORE, 0},		    /* the banks */
	{0xc0010000, 0xc0010007, ON_AMD, R_CONST, W_IGNORE, 0},	    /* performance counters */
	{0xc0010010, 0xc0010010, ON_AMD, R_DOM0, W_SAME, 0x7fffff}, /* SYSCFG without encryption */
	{0xc0010015, 0xc0010015, ON_AMD, R_NATIVE, W_SAME, 1ULL << 24}, /* HWCR: TSC at P0 rate */
	{0xc001001a, 0xc001001a, ON_AMD, R_DOM0, W_SAME, ~0ULL},	/* TOP_MEM */
	{0xc001001d, 0xc001001d, ON_AMD, R_DOM0, W_SAME, ~0ULL},
	{0xc001001f, 0xc001001f, ON_AMD, R_DOM0, W_IGNORE, ~0ULL}, /* northbridge configuration */
	{0xc0010055, 0xc0010055, ON_AMD, R_CONST, W_IGNORE, 0},	   /* interrupt pending, C1E */
	{0xc0010058, 0xc0010058, ON_AMD, R_DOM0, W_SAME, ~0ULL},   /* PCI configuration window */
	{0xc0011029, 0xc0011029, ON_AMD, R_NATIVE, W_IGNORE, 2},   /* LFENCE serialises */
};

static DEFINE_PER_CPU(u32, loaded_tsc_aux);

static const struct msr_rule *find_rule(u32 msr)
{
	u8 vendor = cpu_features.vendor == VENDOR_AMD ? ON_AMD : ON_INTEL;

	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++)
		if (msr >= rules[i].first && msr <= rules[i].last && (rules[i].vendor & vendor))
			return &rules[i];
	return NULL;
}

/* A register that this processor lacks reads as zero: not worth a #GP to a kernel that asks. */
static u64 read_native(u32 msr, u64 mask)
{
	u64 val;

	return rdmsr_safe(msr, &val) ? 0 : val & mask;
}

static u64 read_by_rule(const struct vcpu *v, const struct msr_rule *r, u32 msr)
{
	if (r->rd == R_CONST)
		return r->val;
	if (r->rd == R_DOM0 && !v->d->privileged)
		return 0;
	return read_native(msr, r->val);
}

static u64 misc_enable(void)
{
	return (read_native(MSR_MISC_ENABLE, ~0ULL) & ~MISC_PERFMON) | MISC_NO_BTS_PEBS;
}

static bool has_tsc_aux(const struct vcpu *v)
{
	const u32 *fs = pv_features(v->d);

	return HAS(fs, RDTSCP) || HAS(fs, RDPID);
}

/* Bits of SPEC_CTRL that v may set; 0: it has no such register. Intel and AMD say it differently. */
static u32 spec_ctrl_bits(const struct vcpu *v)
{
	const u32 *fs = pv_features(v->d);
	u32 bits = HAS(fs, IBRSB) ? SPEC_CTRL_IBRS | SPEC_CTRL_STIBP : 0;

	bits |= HAS(fs, SSBD) || HAS(fs, AMD_SSBD) ? SPEC_CTRL_SSBD : 0;
	return bits & spec_choice.guest;
}

bool pv_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	const struct msr_rule *r;

	switch (msr) {
	case MSR_KERNEL_GS_BASE: /* the other mode's: as it is in the processor */
	case MSR_GS_BASE:
	case MSR_FS_BASE:
		*val = rdmsr(msr);
		return true;
	case MSR_TSC_AUX:
		*val = v->pv.tsc_aux;
		return has_tsc_aux(v);
	case MSR_TSC:
		*val = rdtsc();
		return true;
	case MSR_EFER:
		*val = rdmsr(MSR_EFER) & EFER_GUEST;
		return true;
	case MSR_APIC_BASE:
		*val = APIC_BASE_ON | (v->id ? 0 : APIC_BASE_BSP);
		return true;
	case MSR_ARCH_CAPS:
		*val = cpuid_arch_caps(pv_features(v->d));
		return HAS(pv_features(v->d), ARCH_CAPS);
	case MSR_SPEC_CTRL:
		*val = v->pv.spec_ctrl;
		return spec_ctrl_bits(v);
	case MSR_MISC_ENABLE:
		*val = misc_enable();
		return cpu_features.vendor != VENDOR_AMD;
	default:
		break;
	}
	r = find_rule(msr);
	if (!r)
		return false;
	*val = read_by_rule(v, r, msr);
	return true;
}

static bool write_base(u32 msr, u64 val)
{
	if (!is_canonical(val))
		return false;
	wrmsr(msr, val);
	return true;
}

static void set_tsc_aux(u32 aux)
{
	if (this_cpu(loaded_tsc_aux) == aux)
		return;
	this_cpu(loaded_tsc_aux) = aux;
	wrmsr(MSR_TSC_AUX, aux);
}

static bool write_tsc_aux(struct vcpu *v, u64 val)
{
	if (!has_tsc_aux(v) || val >> 32)
		return false;
	v->pv.tsc_aux = (u32)val;
	set_tsc_aux((u32)val);
	return true;
}

static bool write_spec_ctrl(struct vcpu *v, u64 val)
{
	u32 bits = spec_ctrl_bits(v);

	if (!bits || (val & ~(u64)bits))
		return false;
	v->pv.spec_ctrl = (u32)val;
	spec_load_guest(v->pv.spec_ctrl);
	return true;
}

/* A barrier for the guest's own branch predictions costs nobody else anything. */
static bool write_pred_cmd(const struct vcpu *v, u64 val)
{
	const u32 *fs = pv_features(v->d);

	if (!(HAS(fs, IBPB) || HAS(fs, IBRSB)) || (val & ~1ULL))
		return false;
	return !val || !wrmsr_safe(MSR_PRED_CMD, val);
}

bool pv_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	const struct msr_rule *r;
	u64 have;

	switch (msr) {
	case MSR_KERNEL_GS_BASE:
	case MSR_GS_BASE:
	case MSR_FS_BASE:
		return write_base(msr, val);
	case MSR_TSC_AUX:
		return write_tsc_aux(v, val);
	case MSR_SPEC_CTRL:
		return write_spec_ctrl(v, val);
	case MSR_PRED_CMD:
		return write_pred_cmd(v, val);
	case MSR_EFER:
	case MSR_APIC_BASE:
		return pv_rdmsr(v, msr, &have) && have == val;
	case MSR_MISC_ENABLE: /* accepted without effect */
		return cpu_features.vendor != VENDOR_AMD;
	default:
		break;
	}
	r = find_rule(msr);
	if (!r || r->wr == W_DENY)
		return false;
	return r->wr == W_IGNORE || read_by_rule(v, r, msr) == val;
}

void pv_load_msrs(const struct vcpu *v)
{
	if (has_tsc_aux(v))
		set_tsc_aux(v->pv.tsc_aux);
	spec_load_guest(v->pv.spec_ctrl);
}
