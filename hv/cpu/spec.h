/* SPDX-License-Identifier: MIT */
/*
 * Speculative execution: what the processor offers and suffers from, what is done about it, and the
 * bits and pieces that do it. spec_choose() and spec_parse() are pure; docs/speculation.md explains.
 */
#ifndef CPU_SPEC_H
#define CPU_SPEC_H

#include "lib/types.h"
#include "cpu/features.h"
#include "cpu/spec_asm.h"

#define MSR_SPEC_CTRL MSR_SPEC_CTRL_
#define MSR_PRED_CMD  MSR_PRED_CMD_

#define SPEC_CTRL_IBRS	    1u
#define SPEC_CTRL_STIBP	    2u
#define SPEC_CTRL_SSBD	    4u
#define SPEC_CTRL_PSFD	    (1u << 7)
#define SPEC_CTRL_BHI_DIS_S (1u << 10)

enum spec_thunk {
	THUNK_DEFAULT,
	THUNK_RETPOLINE,
	THUNK_LFENCE,
	THUNK_JMP
};

/* What the processor says of itself: CPUID words as the manuals name them, and one MSR. */
struct spec_cpu {
	enum cpu_vendor vendor;
	u32 family, model;
	u32 l7b, l7d;	   /* leaf 7, EBX and EDX */
	u32 l7_2d;	   /* leaf 7, sub-leaf 2, EDX */
	u32 e8b;	   /* leaf 80000008, EBX */
	u32 e21a, e21c;	   /* leaf 80000021, EAX and ECX */
	u64 arch_caps;	   /* MSR 10a, 0 without it */
	bool smep;	   /* in use */
	bool smt;	   /* two threads share a core, and both are used */
	bool lfence_waits; /* LFENCE holds up what follows */
};

/* -1: as the processor wants it. */
struct spec_options {
	enum spec_thunk thunk;
	s8 ibrs, ibpb, ibpb_entry, stibp, ssbd, rsb, md_clear, msr_sc;
	s8 psfd, unpriv_mmio, div_scrub, bhi_dis_s;
	s8 xpti_dom0, xpti_domu, l1tf_dom0, l1tf_domu; /* of xpti= and pv-l1tf= */
};
extern struct spec_options spec_options; /* of spec-ctrl=, all -1 without it */
extern bool opt_smt;			 /* smt=: all threads of a core are used */

/* What it is not protected from, one bit each. */
#define SPEC_HOLE_V2	   (1u << 0) /* branch targets: all of it was turned off */
#define SPEC_HOLE_GUESTS   (1u << 1) /* branch targets between guests: no IBPB */
#define SPEC_HOLE_MELTDOWN (1u << 2)
#define SPEC_HOLE_MDS	   (1u << 3) /* buffers: no VERW that clears */
#define SPEC_HOLE_SMT	   (1u << 4) /* buffers: the sibling sees them all the same */
#define SPEC_HOLE_RETBLEED (1u << 5) /* returns taken for branches: AMD up to Zen 2 */
#define SPEC_HOLE_SRSO	   (1u << 6) /* return addresses mispredicted: AMD Zen 3, Zen 4 */
#define SPEC_HOLE_BHI	   (1u << 7) /* branch history */
#define SPEC_HOLE_L1TF	   (1u << 8) /* page-table entries that are not present */
#define SPEC_HOLE_STIBP	   (1u << 9) /* branch targets: the sibling makes them */
#define SPEC_HOLE_RETURNS \
	(1u << 10) /* an empty return stack is refilled from branches: Intel's Skylake */
#define SPEC_HOLES 11

struct spec_choice {
	enum spec_thunk thunk;
	bool auto_ibrs;	  /* AMD: the processor does IBRS by itself */
	bool ibrs_always; /* IBRS is set once and stays */
	bool ibrs_entry;  /* IBRS is written on each entry, the guest's value on each exit */
	bool ibpb_entry;  /* IBPB on each entry */
	bool ibpb_switch; /* IBPB when a CPU turns to another domain */
	bool rsb_entry;	  /* the return stack is filled on each entry */
	bool rsb_switch;  /* ... when a CPU turns to another domain */
	bool verw, verw_idle;
	bool div_scrub;		   /* the divider is cleared when a CPU turns to another domain */
	bool xpti_dom0, xpti_domu; /* page-table isolation */
	bool l1tf_dom0, l1tf_domu; /* absent page-table entries must name no RAM */
	u32 always;		   /* SPEC_CTRL bits that are always set */
	u32 guest; /* SPEC_CTRL bits that a guest may set; 0: the register is not offered */
	u32 holes; /* SPEC_HOLE_* */
};

void spec_choose(const struct spec_cpu *c, const struct spec_options *o, struct spec_choice *s);
/* The value of spec-ctrl=; what is known counts, unknown(word) is called for the rest. */
void spec_parse(const char *value, struct spec_options *o, void (*unknown)(const char *word));

/* The same for xpti= and pv-l1tf=, whose words are few. */
void spec_parse_xpti(const char *value, struct spec_options *o, void (*unknown)(const char *word));
void spec_parse_l1tf(const char *value, struct spec_options *o, void (*unknown)(const char *word));

/* In force on this machine; all zero until spec_init(). */
extern struct spec_choice spec_choice;
/* What spec-thunks and sites read: SPEC_CTRL in the hypervisor; what is added to a guest's. */
extern u32 spec_ctrl_hv, spec_ctrl_guest;

/* Boot CPU, text still writable, after cpu_features_init(): chooses, reports, patches. */
void spec_init(void);
/* Whether another thread of the same core has a lower number; after spec_init(). */
bool spec_is_sibling(u32 apic_id);
/* Each CPU: its MSRs. */
void spec_init_cpu(void);
/* This CPU goes from a vcpu of one domain to one of another. */
void spec_change_domain(void);
/* current's SPEC_CTRL was changed or current was: writes the MSR if that makes a difference. */
void spec_load_guest(u32 guest_value);
void spec_fill_rsb(void);

/* Whether the ways in and out change page tables at all. */
static inline bool spec_xpti(void)
{
	return spec_choice.xpti_dom0 || spec_choice.xpti_domu;
}

/*
 * Whether SPEC_SITE_XPTI or _L1TF is wanted, for one instruction where it is not: a jump that spec_init()
 * has made a NOP. Not before that.
 */
#ifdef UNIT_TEST
static inline bool spec_site_on(u32 kind)
{
	extern u32 spec_test_sites __attribute__((weak));

	return &spec_test_sites && (spec_test_sites >> kind & 1);
}
#else
static inline __attribute__((always_inline)) bool spec_site_on(const u32 kind)
{
	__asm__ goto("771: .byte 0xe9; .long %l[on] - 772f\n772:\n\t"
		     ".pushsection .spec_sites, \"a\"\n\t.quad 771b\n\t.long 5, %c0\n\t"
		     ".popsection" ::"i"(kind)
		     :
		     : on);
	return false;
on:
	return true;
}
#endif

#define SPEC_VERW_IDLE()                                                                         \
	__asm__ __volatile__("771: verw spec_verw_sel(%%rip)\n772:\n\t"                          \
			     ".pushsection .spec_sites, \"a\"\n\t.quad 771b\n\t.long 7, %c0\n\t" \
			     ".popsection" ::"i"(SPEC_SITE_VERW_IDLE)                            \
			     : "cc")

#endif
