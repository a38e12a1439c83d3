/* SPDX-License-Identifier: MIT */
/* What a processor needs against speculative execution: pure. Numbers of bits as in the manuals. */
#include "cpu/spec.h"
#include "lib/string.h"

#define BIT_IN(word, n) (((word) >> (n)) & 1)

/* MSR 10a, IA32_ARCH_CAPABILITIES */
enum {
	CAP_RDCL_NO = 0,
	CAP_EIBRS = 1,
	CAP_RSBA = 2,
	CAP_MDS_NO = 5,
	CAP_TAA_NO = 8,
	CAP_FB_CLEAR = 17,
	CAP_RRSBA = 19,
	CAP_BHI_NO = 20,
	CAP_RFDS_NO = 27,
	CAP_RFDS_CLEAR = 28
};

struct offers {
	bool ibrs, eibrs, auto_ibrs, ibpb, stibp, ssbd, psfd, verw;
};

static bool is_intel(const struct spec_cpu *c)
{
	return c->vendor == VENDOR_INTEL;
}

static bool is_amd(const struct spec_cpu *c)
{
	return c->vendor == VENDOR_AMD;
}

static bool has_cap(const struct spec_cpu *c, unsigned int cap)
{
	return BIT_IN(c->arch_caps, cap);
}

static bool is_model(const struct spec_cpu *c, const u8 *models, size_t n)
{
	if (!is_intel(c) || c->family != 6)
		return false;
	for (size_t i = 0; i < n; i++)
		if (models[i] == c->model)
			return true;
	return false;
}

static struct offers what_is_offered(const struct spec_cpu *c)
{
	bool rfds_clear = is_intel(c) && has_cap(c, CAP_RFDS_CLEAR);

	return (struct offers){
		.ibrs = BIT_IN(c->l7d, 26) || (is_amd(c) && BIT_IN(c->e8b, 14)),
		.eibrs = has_cap(c, CAP_EIBRS),
		.auto_ibrs = is_amd(c) && BIT_IN(c->e21a, 8),
		.ibpb = BIT_IN(c->l7d, 26) || BIT_IN(c->e8b, 12),
		.stibp = BIT_IN(c->l7d, 27) || (is_amd(c) && BIT_IN(c->e8b, 15)),
		.ssbd = BIT_IN(c->l7d, 31) || (is_amd(c) && BIT_IN(c->e8b, 24)),
		.psfd = is_amd(c) && BIT_IN(c->e8b, 28),
		.verw = BIT_IN(c->l7d, 10) || rfds_clear || (is_amd(c) && BIT_IN(c->e21a, 5)),
	};
}

/* Atoms that execute in order: nothing is speculated on. */
static bool in_order(const struct spec_cpu *c)
{
	static const u8 models[] = {0x1c, 0x26, 0x27, 0x35, 0x36};

	return is_model(c, models, sizeof(models));
}

/*
 * From Skylake on an empty return stack is refilled from the branch predictor, which is what
 * a retpoline must not happen to.
 */
static bool retpoline_safe(const struct spec_cpu *c)
{
	static const u8 models[] = {0x4e, 0x5e, 0x55, 0x66, 0x8e, 0x9e, 0xa5, 0xa6};

	if (!is_intel(c))
		return true;
	return !has_cap(c, CAP_RSBA) && !has_cap(c, CAP_RRSBA) &&
	       !is_model(c, models, sizeof(models));
}

static bool has_mds(const struct spec_cpu *c)
{
	static const u8 goldmont[] = {0x5c, 0x5f, 0x7a};

	return is_intel(c) && !has_cap(c, CAP_MDS_NO) && !in_order(c) &&
	       !is_model(c, goldmont, sizeof(goldmont));
}

static bool has_taa(const struct spec_cpu *c)
{
	return is_intel(c) && BIT_IN(c->l7b, 11) && !has_cap(c, CAP_TAA_NO);
}

static bool has_rfds(const struct spec_cpu *c)
{
	return is_intel(c) && has_cap(c, CAP_RFDS_CLEAR) && !has_cap(c, CAP_RFDS_NO);
}

static bool has_tsa(const struct spec_cpu *c)
{
	return is_amd(c) && c->family == 0x19 && (~c->e21c & 6);
}

/* Branch type confusion ("retbleed"), Zen 2 and before. */
static bool has_btc(const struct spec_cpu *c)
{
	return is_amd(c) && c->family >= 0x15 && c->family <= 0x18 && !BIT_IN(c->e8b, 29);
}

static bool has_srso(const struct spec_cpu *c)
{
	return is_amd(c) && c->family == 0x19 && !BIT_IN(c->e21a, 29);
}

/* The divider keeps the last quotient, for a division by zero that is run ahead to show: Zen 1. */
static bool has_div_leak(const struct spec_cpu *c)
{
	return is_amd(c) && c->family == 0x17 && (c->model < 0x30 || (c->model & 0xf0) == 0x50);
}

/* Data that devices' registers left in the fill buffers, which VERW clears. */
static bool has_fb_clear(const struct spec_cpu *c)
{
	return is_intel(c) && has_cap(c, CAP_FB_CLEAR);
}

static bool pick(s8 option, bool by_default)
{
	return option < 0 ? by_default : option;
}

/* Branch targets: how an indirect branch of ours is kept from where a guest would have it go. */
static void choose_branches(const struct spec_cpu *c, const struct spec_options *o,
			    const struct offers *f, struct spec_choice *s)
{
	bool bhi_ctrl = pick(o->bhi_dis_s, true) && BIT_IN(c->l7_2d, 4);

	s->thunk = THUNK_RETPOLINE;
	if (f->auto_ibrs && o->ibrs) {
		s->auto_ibrs = true;
		s->thunk = THUNK_JMP;
	} else if (f->eibrs && f->ibrs && o->ibrs) {
		s->ibrs_always = true;
		s->always |= SPEC_CTRL_IBRS | (bhi_ctrl ? SPEC_CTRL_BHI_DIS_S : 0);
		if (bhi_ctrl || has_cap(c, CAP_BHI_NO))
			s->thunk = THUNK_JMP;
		else if (!retpoline_safe(c))
			s->holes |= SPEC_HOLE_BHI;
	} else if (f->ibrs && pick(o->ibrs, o->thunk == THUNK_DEFAULT && !retpoline_safe(c))) {
		s->ibrs_entry = true;
		s->thunk = THUNK_JMP;
	}
	if (!retpoline_safe(c) && !s->ibrs_always && !s->ibrs_entry)
		s->holes |= SPEC_HOLE_RETURNS;
	if (o->thunk != THUNK_DEFAULT)
		s->thunk = o->thunk;
	if (s->thunk == THUNK_LFENCE && !c->lfence_waits)
		s->holes |= SPEC_HOLE_V2;
	if (s->thunk == THUNK_JMP && !s->auto_ibrs && !s->ibrs_always && !s->ibrs_entry)
		s->holes |= SPEC_HOLE_V2;
}

static void choose_barriers(const struct spec_cpu *c, const struct spec_options *o,
			    const struct offers *f, struct spec_choice *s)
{
	bool brtype = BIT_IN(c->e21a, 28);

	s->ibpb_switch = f->ibpb && pick(o->ibpb, true);
	s->ibpb_entry = f->ibpb && pick(o->ibpb_entry, has_btc(c) || (has_srso(c) && brtype));
	/* With SMEP a guest's return addresses lead to pages where we do not execute. */
	s->rsb_entry = pick(o->rsb, !c->smep);
	s->rsb_switch = pick(o->rsb, true);
	s->div_scrub = pick(o->div_scrub, has_div_leak(c));
	if (!s->ibpb_switch)
		s->holes |= SPEC_HOLE_GUESTS;
	if (has_btc(c) && !s->ibpb_entry)
		s->holes |= SPEC_HOLE_RETBLEED;
	if (has_srso(c) && !(s->ibpb_entry && brtype))
		s->holes |= SPEC_HOLE_SRSO;
}

static void choose_buffers(const struct spec_cpu *c, const struct spec_options *o,
			   const struct offers *f, struct spec_choice *s)
{
	bool shared = has_mds(c) || has_taa(c);
	bool needed = shared || has_rfds(c) || has_tsa(c);

	s->verw = pick(o->md_clear, needed && f->verw) ||
		  (has_fb_clear(c) && pick(o->unpriv_mmio, false));
	s->verw_idle = s->verw && c->smt;
	if (needed && !(s->verw && f->verw))
		s->holes |= SPEC_HOLE_MDS;
	else if (shared && c->smt)
		s->holes |= SPEC_HOLE_SMT;
}

/* Both come from a load that goes on with data while its rights, or its translation, fail. */
static void choose_tables(const struct spec_cpu *c, const struct spec_options *o,
			  struct spec_choice *s)
{
	bool needed = is_intel(c) && !has_cap(c, CAP_RDCL_NO) && !in_order(c);

	s->xpti_dom0 = pick(o->xpti_dom0, needed);
	s->xpti_domu = pick(o->xpti_domu, needed);
	/* Dom0 can have all memory anyway, and it may be too old to hide its own entries. */
	s->l1tf_dom0 = pick(o->l1tf_dom0, false);
	s->l1tf_domu = pick(o->l1tf_domu, needed);
	if (needed && !(s->xpti_dom0 && s->xpti_domu))
		s->holes |= SPEC_HOLE_MELTDOWN;
	if (needed && !s->l1tf_domu)
		s->holes |= SPEC_HOLE_L1TF;
}

static void choose_spec_ctrl(const struct spec_cpu *c, const struct spec_options *o,
			     const struct offers *f, struct spec_choice *s)
{
	/* IBRS that stays on implies STIBP on Intel. */
	if (f->stibp && pick(o->stibp, c->smt && !s->ibrs_always))
		s->always |= SPEC_CTRL_STIBP;
	if (f->ssbd && pick(o->ssbd, false))
		s->always |= SPEC_CTRL_SSBD;
	if (f->psfd && pick(o->psfd, false))
		s->always |= SPEC_CTRL_PSFD;
	if (c->smt && !s->ibrs_always && !(s->always & SPEC_CTRL_STIBP) && !in_order(c))
		s->holes |= SPEC_HOLE_STIBP;
	if (o->msr_sc)
		s->guest = (f->stibp ? SPEC_CTRL_STIBP : 0) | (f->ssbd ? SPEC_CTRL_SSBD : 0);
}

void spec_choose(const struct spec_cpu *c, const struct spec_options *o, struct spec_choice *s)
{
	struct offers f = what_is_offered(c);

	memset(s, 0, sizeof(*s));
	choose_branches(c, o, &f, s);
	choose_barriers(c, o, &f, s);
	choose_buffers(c, o, &f, s);
	choose_tables(c, o, s);
	choose_spec_ctrl(c, o, &f, s);
}
