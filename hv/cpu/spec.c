/* SPDX-License-Identifier: MIT */
/* Carries out what spec_policy.c has chosen: patches the text, writes MSRs, tells the log. */
#include "cpu/spec.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"

#define MSR_ARCH_CAPS  0x10a
#define MSR_DE_CFG     0xc0011029
#define DE_CFG_LFENCE  2u /* LFENCE waits for what is ahead of it (AMD) */
#define EFER_AUTO_IBRS (1u << 21)

struct spec_site {
	u8 *at;
	u32 len, kind;
};
extern const struct spec_site _spec_sites_start[], _spec_sites_end[];
struct spec_jump {
	u8 *at;
	const u8 *to;
	u32 kind, unused;
};
extern const struct spec_jump _spec_jumps_start[], _spec_jumps_end[];
extern u8 spec_thunks[], spec_thunks_end[];

struct spec_choice spec_choice;
u32 spec_ctrl_hv, spec_ctrl_guest;
bool opt_smt = true;
static struct spec_cpu this_kind;
static DEFINE_PER_CPU(u32, loaded_spec_ctrl);

/* On old AMD processors LFENCE waits only when told to; newer ones always do. */
static bool make_lfence_wait(const struct spec_cpu *c)
{
	u64 v;

	if (c->vendor != VENDOR_AMD || (c->e21a & 4))
		return true;
	if (rdmsr_safe(MSR_DE_CFG, &v))
		return false;
	if (!(v & DE_CFG_LFENCE) &&
	    (wrmsr_safe(MSR_DE_CFG, v | DE_CFG_LFENCE) || rdmsr_safe(MSR_DE_CFG, &v)))
		return false;
	return v & DE_CFG_LFENCE;
}

static u32 threads_of_a_core(enum cpu_vendor vendor)
{
	u32 r[4];

	cpuid(0x80000001, 0, r);
	if (vendor == VENDOR_AMD && cpu_features.max_ext >= 0x8000001e && (r[2] >> 22 & 1)) {
		cpuid(0x8000001e, 0, r);
		return (r[1] >> 8 & 0xff) + 1;
	}
	if (cpu_features.max_leaf < 0xb)
		return 1;
	cpuid(0xb, 0, r);
	return max(r[1] & 0xffff, 1u);
}

/* The lowest bits of an APIC id number the threads of a core. */
bool spec_is_sibling(u32 apic_id)
{
	u32 threads = threads_of_a_core(cpu_features.vendor), span = 1;

	while (span < threads)
		span *= 2;
	return apic_id & (span - 1);
}

static void read_cpu(struct spec_cpu *c)
{
	u32 r[4];

	c->vendor = cpu_features.vendor;
	cpuid(1, 0, r);
	c->family = r[0] >> 8 & 0xf;
	c->model = (r[0] >> 4 & 0xf) | (r[0] >> 12 & 0xf0);
	c->family += c->family == 0xf ? r[0] >> 20 & 0xff : 0;
	if (cpu_features.max_leaf >= 7) {
		u32 subs;

		cpuid(7, 0, r);
		subs = r[0];
		c->l7b = r[1];
		c->l7d = r[3];
		if (subs >= 2) {
			cpuid(7, 2, r);
			c->l7_2d = r[3];
		}
	}
	if (cpu_features.max_ext >= 0x80000008) {
		cpuid(0x80000008, 0, r);
		c->e8b = r[1];
	}
	if (cpu_features.max_ext >= 0x80000021) {
		cpuid(0x80000021, 0, r);
		c->e21a = r[0];
		c->e21c = r[2];
	}
	if ((c->l7d >> 29 & 1) && rdmsr_safe(MSR_ARCH_CAPS, &c->arch_caps))
		c->arch_caps = 0;
	c->smep = cpu_features.smep && opt_smep;
	c->smt = opt_smt && threads_of_a_core(c->vendor) > 1;
	c->lfence_waits = make_lfence_wait(c);
}

/* --- the text --- */

static bool site_wanted(u32 kind)
{
	const struct spec_choice *s = &spec_choice;

	switch (kind) {
	case SPEC_SITE_ENTRY:
		return s->ibpb_entry || s->ibrs_entry || s->rsb_entry;
	case SPEC_SITE_IBPB:
		return s->ibpb_entry;
	case SPEC_SITE_IBRS:
		return s->ibrs_entry;
	case SPEC_SITE_RSB_ENTRY:
		return s->rsb_entry;
	case SPEC_SITE_VERW:
		return s->verw;
	case SPEC_SITE_VERW_IDLE:
		return s->verw_idle;
	case SPEC_SITE_CLAC:
		return cpu_features.smap && opt_smap;
	case SPEC_SITE_XPTI:
		return spec_xpti();
	case SPEC_SITE_L1TF:
		return s->l1tf_dom0 || s->l1tf_domu;
	default:
		return true;
	}
}

static void patch_sites(void)
{
	static const u8 nops[][7] = {
		[3] = {0x0f, 0x1f}, [5] = {0x0f, 0x1f, 0x44}, [7] = {0x0f, 0x1f, 0x80}};

	for (const struct spec_site *s = _spec_sites_start; s < _spec_sites_end; s++) {
		ASSERT(s->len < ARRAY_SIZE(nops) && nops[s->len][0]);
		if (!site_wanted(s->kind))
			memcpy(s->at, nops[s->len], s->len);
	}
}

static void patch_jumps(void)
{
	for (const struct spec_jump *j = _spec_jumps_start; j < _spec_jumps_end; j++) {
		s32 rel = (s32)(j->to - (j->at + 5));

		if (!site_wanted(j->kind))
			continue;
		j->at[0] = 0xe9;
		memcpy(j->at + 1, &rel, sizeof(rel));
	}
}

/* Register number r's thunk becomes "jmp *r", after an LFENCE or not. */
static void write_thunk(u8 *at, unsigned int r, bool lfence)
{
	static const u8 fence[3] = {0x0f, 0xae, 0xe8};
	size_t n = 0;

	if (lfence) {
		memcpy(at, fence, sizeof(fence));
		n = sizeof(fence);
	}
	if (r >= 8)
		at[n++] = 0x41;
	at[n++] = 0xff;
	at[n++] = (u8)(0xe0 | (r & 7));
	memset(at + n, 0xcc, SPEC_THUNK_SIZE - n);
}

static void patch_thunks(void)
{
	unsigned int r = 0;

	if (spec_choice.thunk == THUNK_RETPOLINE)
		return;
	for (u8 *t = spec_thunks; t < spec_thunks_end; t += SPEC_THUNK_SIZE, r++)
		if (r != 4) /* rsp */
			write_thunk(t, r, spec_choice.thunk == THUNK_LFENCE);
}

/* --- the log --- */

struct text {
	char s[400];
	size_t n;
};

static void add(struct text *t, bool really, const char *what)
{
	if (!really)
		return;
	t->n += (size_t)hv_snprintf(t->s + t->n, sizeof(t->s) - t->n, "%s%s", t->n ? ", " : "",
				    what);
	t->n = min(t->n, sizeof(t->s) - 1);
}

static void report_offers(const struct spec_cpu *c)
{
	struct text t = {.n = 0};

	add(&t, c->l7d >> 26 & 1, "IBRS and IBPB");
	add(&t, c->arch_caps >> 1 & 1, "enhanced IBRS");
	add(&t, c->e21a >> 8 & 1, "automatic IBRS");
	add(&t, c->e8b >> 14 & 1, "IBRS");
	add(&t, (c->e8b >> 12 & 1) && !(c->l7d >> 26 & 1), "IBPB");
	add(&t, (c->l7d >> 27 & 1) || (c->e8b >> 15 & 1), "STIBP");
	add(&t, (c->l7d >> 31 & 1) || (c->e8b >> 24 & 1), "SSBD");
	add(&t, c->vendor == VENDOR_AMD && (c->e8b >> 28 & 1), "PSFD");
	add(&t, (c->l7d >> 10 & 1) || (c->e21a >> 5 & 1), "VERW clears");
	add(&t, c->smep, "SMEP");
	pr_info("Speculation: family 0x%x model 0x%x%s offers: %s\n", c->family, c->model,
		c->smt ? " with two threads a core" : "", t.n ? t.s : "nothing");
}

static void report_choice(const struct spec_choice *s)
{
	static const char *const thunks[] = {"", "retpolines", "LFENCE", "plain jumps"};
	struct text t = {.n = 0};

	add(&t, true, thunks[s->thunk]);
	add(&t, s->ibrs_always, "IBRS");
	add(&t, s->auto_ibrs, "automatic IBRS");
	add(&t, s->always & SPEC_CTRL_BHI_DIS_S, "BHI_DIS_S");
	add(&t, s->always & SPEC_CTRL_STIBP, "STIBP");
	add(&t, s->always & SPEC_CTRL_SSBD, "SSBD");
	add(&t, s->always & SPEC_CTRL_PSFD, "PSFD");
	add(&t, true, "on entry: registers cleared");
	add(&t, s->ibrs_entry, "IBRS");
	add(&t, s->ibpb_entry, "IBPB");
	add(&t, s->rsb_entry, "return stack filled");
	add(&t, s->verw, "on exit: VERW");
	add(&t, s->ibpb_switch || s->rsb_switch || s->div_scrub, "between domains:");
	pr_info("Speculation: used: %s%s%s%s\n", t.s, s->ibpb_switch ? " IBPB" : "",
		s->rsb_switch ? " return stack filled" : "",
		s->div_scrub ? " divider cleared" : "");
}

static const char *which(bool dom0, bool domu)
{
	if (dom0)
		return domu ? "dom0 and guests" : "dom0 only";
	return domu ? "guests only" : "no domain";
}

static void report_tables(const struct spec_choice *s)
{
	if (spec_xpti() || s->l1tf_dom0 || s->l1tf_domu)
		pr_info("Speculation: page tables isolated: %s; absent entries checked: %s\n",
			which(s->xpti_dom0, s->xpti_domu), which(s->l1tf_dom0, s->l1tf_domu));
}

static void report_holes(u32 holes)
{
	static const char *const names[SPEC_HOLES] = {
		"branch targets (Spectre v2)",
		"branch targets between guests (no IBPB)",
		"Meltdown (page tables not isolated)",
		"buffers (MDS and its kind: no VERW that clears)",
		"buffers between threads of a core",
		"branch type confusion (Retbleed)",
		"return address prediction (SRSO)",
		"branch history (BHI)",
		"absent page-table entries (L1TF)",
		"branch targets between threads of a core (no STIBP)",
		"return targets (Retbleed on Intel)",
	};
	struct text t = {.n = 0};

	for (unsigned int i = 0; i < SPEC_HOLES; i++) {
		add(&t, holes >> i & 1, names[i]);
		if (!t.n || (i < SPEC_HOLES - 1 && t.n < sizeof(t.s) / 2))
			continue;
		pr_warn("Speculation: NOT protected against: %s\n", t.s);
		t.n = 0;
	}
}

/* --- MSRs --- */

void spec_init_cpu(void)
{
	const struct spec_choice *s = &spec_choice;

	make_lfence_wait(&this_kind);
	if (s->auto_ibrs)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AUTO_IBRS);
	if (s->always || s->guest || s->ibrs_entry) {
		wrmsr(MSR_SPEC_CTRL, spec_ctrl_hv);
		this_cpu(loaded_spec_ctrl) = spec_ctrl_hv;
	}
}

void spec_load_guest(u32 guest_value)
{
	u32 want = guest_value | spec_ctrl_guest;

	/* With IBRS at each entry the way out writes the guest's. */
	if (this_cpu(loaded_spec_ctrl) == want || spec_choice.ibrs_entry)
		return;
	this_cpu(loaded_spec_ctrl) = want;
	wrmsr(MSR_SPEC_CTRL, want);
}

void spec_change_domain(void)
{
	if (spec_choice.ibpb_switch)
		wrmsr(MSR_PRED_CMD, 1);
	if (spec_choice.rsb_switch)
		spec_fill_rsb();
	if (spec_choice.div_scrub)
		__asm__ __volatile__("divl %2" ::"a"(0), "d"(0), "r"(1) : "cc");
}

void spec_init(void)
{
	struct spec_choice *s = &spec_choice;
	u32 r[4];

	read_cpu(&this_kind);
	spec_choose(&this_kind, &spec_options, s);
	spec_ctrl_guest = s->always;
	spec_ctrl_hv = s->always | (s->ibrs_entry ? SPEC_CTRL_IBRS : 0);
	/* Global translations of ours would stay where a guest's tables do not have them. */
	if (spec_xpti())
		hv_cr4 &= ~CR4_PGE;
	report_offers(&this_kind);
	report_choice(s);
	report_tables(s);
	report_holes(s->holes);
	patch_thunks();
	patch_sites();
	patch_jumps();
	cpuid(0, 0, r); /* serialises: what was fetched ahead is old */
}
