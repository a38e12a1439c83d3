/* SPDX-License-Identifier: MIT */
/* What this box's processors offer, read once on the boot CPU, and how each CPU is set up for us. */
#ifndef CPU_FEATURES_H
#define CPU_FEATURES_H

#include "lib/types.h"

enum cpu_vendor {
	VENDOR_OTHER,
	VENDOR_INTEL,
	VENDOR_AMD
};

struct cpu_features {
	enum cpu_vendor vendor;
	bool nx, smep, smap, fsgsbase, xsave, xsaveopt, xsavec, pcid, page1g, x2apic, mtrr, pge,
		osxsave;
	bool syscall32; /* SYSCALL from 32-bit code (AMD) */
	u64 xcr0;	/* components that guests may use */
	u32 xsave_size; /* bytes for all of xcr0, standard format */
	u32 max_leaf, max_ext;
	unsigned int phys_bits;
	char brand[49];
};

extern struct cpu_features cpu_features;
/* Set by smep= and smap= before cpu_features_init_cpu. */
extern bool opt_smep, opt_smap;
/* CR4 while a guest or the hypervisor runs; FSGSBASE and TSD of a guest are added by pv/. */
extern unsigned long hv_cr4;

#define CR4_TSD	       (1UL << 2)
#define CR4_DE	       (1UL << 3)
#define CR4_PAE	       (1UL << 5)
#define CR4_MCE	       (1UL << 6)
#define CR4_PGE	       (1UL << 7)
#define CR4_OSFXSR     (1UL << 9)
#define CR4_OSXMMEXCPT (1UL << 10)
#define CR4_FSGSBASE   (1UL << 16)
#define CR4_OSXSAVE    (1UL << 18)
#define CR4_SMEP       (1UL << 20)
#define CR4_SMAP       (1UL << 21)

#define MSR_EFER	   0xc0000080
#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_CSTAR	   0xc0000083
#define MSR_SFMASK	   0xc0000084
#define MSR_FS_BASE	   0xc0000100
#define MSR_GS_BASE	   0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_PAT		   0x277

void cpu_features_init(void);	  /* boot CPU, reads */
void cpu_features_init_cpu(void); /* every CPU, sets CR4, EFER, PAT, XCR0 */

#endif
