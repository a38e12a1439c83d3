/* SPDX-License-Identifier: MIT */
/* What a PV guest's vcpu and domain carry; written by pv/, kept here so that struct vcpu is whole. */
#ifndef DOM_PV_STATE_H
#define DOM_PV_STATE_H

#include "lib/types.h"
#include "lib/bits.h"
#include <xen/xen.h>

#define PV_TRAPS 256

struct pv_callback {
	unsigned long addr;
	bool mask_events;
};

struct pv_vcpu {
	struct trap_info *traps; /* [PV_TRAPS] */
	unsigned long kernel_sp, kernel_ss;
	unsigned long cr3_mfn;	    /* kernel root, typed L4 */
	unsigned long user_cr3_mfn; /* user root or 0 */
	bool kernel_mode;
	u8 iopl;
	struct pv_callback event, failsafe, syscall, syscall32, sysenter;
	u16 ds, es, fs, gs;
	unsigned long fs_base, gs_base_kernel,
		gs_base_user;	/* of the mode not loaded, or not running */
	unsigned long cr0, cr4; /* what the guest believes; TS is real */
	unsigned long dr[8];
	unsigned int gdt_ents, ldt_ents;
	mfn_t gdt_frames[16];
	unsigned long ldt_base;
	u64 *gdt_ptes; /* this vcpu's PTEs in the per-domain area */
	void *xsave;   /* extended state, 64-byte aligned */
	u64 xcr0;
	u64 io_bitmap; /* guest address of its I/O bitmap */
	unsigned int io_bitmap_nr;
	bool ts;       /* guest set CR0.TS */
	u32 tsc_aux;   /* MSR c0000103, see pv/msr.h */
	u32 spec_ctrl; /* MSR 48, as the guest wrote it */
};

struct pv_domain {
	mfn_t perdomain_l3; /* root of this domain's slot 260 */
	u32 pci_cf8;
	u64 serial; /* of all domains there were, never used again */
	u32 demoting; /* frame number of a root that is being taken apart, FRAME_NIL if none; mm_lock */
	/* CPUs on which a vcpu's page tables of this domain are, or may still be, loaded. */
	DECLARE_BITMAP(dirty_cpus, CONFIG_NR_CPUS);
	bool isolated;	    /* its page tables are: pv/xpti.h */
	bool absent_hidden; /* its absent page-table entries must name no RAM: pv/l1tf.h */
	bool own_features;  /* the toolstack gave it a CPU policy: features[], see pv/cpuid.h */
	u32 features[19];
};

#endif
