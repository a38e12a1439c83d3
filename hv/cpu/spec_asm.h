/* SPDX-License-Identifier: MIT */
/*
 * For assembly: places that hold a mitigation's instruction, which spec_init() turns into a NOP of the
 * same length when this processor does not want it (cpu/spec.h). What is not listed stays.
 */
#ifndef CPU_SPEC_ASM_H
#define CPU_SPEC_ASM_H

#define SPEC_SITE_ENTRY	    0 /* on entry from a guest: any of the next three */
#define SPEC_SITE_IBPB	    1 /* IBPB */
#define SPEC_SITE_IBRS	    2 /* IBRS, and the guest's value on exit */
#define SPEC_SITE_RSB_ENTRY 3 /* fill the return stack buffer */
#define SPEC_SITE_VERW	    4 /* on exit to a guest: clear buffers */
#define SPEC_SITE_VERW_IDLE 5 /* the same before a CPU sleeps beside a sibling */
#define SPEC_SITE_CLAC	    6 /* SMAP on: the AC that a guest had when it was interrupted */
#define SPEC_SITE_XPTI	    7 /* some domain's page tables are isolated */
#define SPEC_SITE_L1TF	    8 /* some domain's absent page-table entries are looked at */

#define SPEC_THUNK_SIZE	 32
#define SPEC_RSB_ENTRIES 32

#define MSR_SPEC_CTRL_ 0x48
#define MSR_PRED_CMD_  0x49

#ifdef __ASSEMBLY__
/* clang-format off */
.macro SPEC_SITE kind len insn:vararg
771:	\insn
772:	.if 772b - 771b - \len
	.error "SPEC_SITE: wrong length"
	.endif
	.pushsection .spec_sites, "a"
	.quad	771b
	.long	\len, \kind
	.popsection
.endm

/* What follows becomes a jump to `to`, of 5 bytes, when the processor wants it; else it costs nothing. */
.macro SPEC_JUMP kind to
771:
	.pushsection .spec_jumps, "a"
	.quad	771b, \to
	.long	\kind, 0
	.popsection
.endm
/* clang-format on */
#endif
#endif
