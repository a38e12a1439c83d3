/* SPDX-License-Identifier: MIT */
#include "cpu/features.h"
#include "cpu/cpu.h"
#include "lib/string.h"

struct cpu_features cpu_features;
bool opt_smep = true, opt_smap = true;
unsigned long hv_cr4;

/* WB WT UC- UC WC WP UC UC: the layout the ABI promises to PV guests (abi.md 2.9). */
#define HV_PAT 0x0000050100070406ULL

#define XCR0_X87_SSE_AVX 7ULL
#define XCR0_AVX512	 0xe0ULL

static void read_vendor(struct cpu_features *f)
{
	u32 r[4];
	char id[13] = {0};

	cpuid(0, 0, r);
	f->max_leaf = r[0];
	memcpy(id, &r[1], 4);
	memcpy(id + 4, &r[3], 4);
	memcpy(id + 8, &r[2], 4);
	if (!strcmp(id, "GenuineIntel"))
		f->vendor = VENDOR_INTEL;
	else if (!strcmp(id, "AuthenticAMD") || !strcmp(id, "HygonGenuine"))
		f->vendor = VENDOR_AMD;
}

static void read_brand(struct cpu_features *f)
{
	u32 r[4];

	if (f->max_ext < 0x80000004)
		return;
	for (u32 i = 0; i < 3; i++) {
		cpuid(0x80000002 + i, 0, r);
		memcpy(f->brand + 16 * i, r, 16);
	}
}

static void read_xsave(struct cpu_features *f)
{
	u32 r[4];

	if (!f->xsave || f->max_leaf < 0xd)
		return;
	cpuid(0xd, 0, r);
	f->xcr0 = r[0] & (XCR0_X87_SSE_AVX | XCR0_AVX512);
	if ((f->xcr0 & XCR0_AVX512) != XCR0_AVX512 || !(f->xcr0 & 4))
		f->xcr0 &= XCR0_X87_SSE_AVX;
	cpuid(0xd, 1, r);
	f->xsaveopt = r[0] & 1;
	f->xsavec = r[0] & 2;
	f->xsave_size = 512 + 64;
	for (u32 i = 2; i < 63; i++) {
		if (!(f->xcr0 >> i & 1))
			continue;
		cpuid(0xd, i, r);
		f->xsave_size = max(f->xsave_size, r[0] + r[1]);
	}
}

void cpu_features_init(void)
{
	struct cpu_features *f = &cpu_features;
	u32 r[4];

	read_vendor(f);
	cpuid(0x80000000, 0, r);
	f->max_ext = r[0];
	read_brand(f);
	cpuid(1, 0, r);
	f->xsave = r[2] >> 26 & 1;
	f->pcid = r[2] >> 17 & 1;
	f->x2apic = r[2] >> 21 & 1;
	f->mtrr = r[3] >> 12 & 1;
	f->pge = r[3] >> 13 & 1;
	if (f->max_leaf >= 7) {
		cpuid(7, 0, r);
		f->fsgsbase = r[1] & 1;
		f->smep = r[1] >> 7 & 1;
		f->smap = r[1] >> 20 & 1;
	}
	cpuid(0x80000001, 0, r);
	f->nx = r[3] >> 20 & 1;
	f->page1g = r[3] >> 26 & 1;
	f->syscall32 = f->vendor == VENDOR_AMD;
	f->phys_bits = 36;
	if (f->max_ext >= 0x80000008) {
		cpuid(0x80000008, 0, r);
		f->phys_bits = r[0] & 0xff;
	}
	read_xsave(f);
	hv_cr4 = CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_DE;
	hv_cr4 |= f->pge ? CR4_PGE : 0;
	hv_cr4 |= f->fsgsbase ? CR4_FSGSBASE : 0;
	hv_cr4 |= f->xsave ? CR4_OSXSAVE : 0;
	hv_cr4 |= f->smep && opt_smep ? CR4_SMEP : 0;
	hv_cr4 |= f->smap && opt_smap ? CR4_SMAP : 0;
}

void cpu_features_init_cpu(void)
{
	write_cr4(hv_cr4);
	wrmsr(MSR_PAT, HV_PAT);
	if (cpu_features.xsave)
		__asm__ __volatile__("xsetbv" ::"c"(0), "a"((u32)cpu_features.xcr0),
				     "d"((u32)(cpu_features.xcr0 >> 32)));
}
