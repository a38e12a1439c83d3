/* SPDX-License-Identifier: MIT */
/* What is chosen against speculation on processors that we cannot boot on, and spec-ctrl=. */
#include "fake/fake.h"
#include <string.h>
#include "cpu/spec.h"
#include "lib/nospec.h"

#define B(n) (1u << (n))

/* leaf 7 EDX */
#define MD_CLEAR B(10)
#define IBRSB	 B(26)
#define STIBP	 B(27)
#define CAPS	 B(29)
#define SSBD	 B(31)
/* leaf 80000008 EBX */
#define AMD_IBPB  B(12)
#define AMD_IBRS  B(14)
#define AMD_STIBP B(15)
#define AMD_SSBD  B(24)
#define AMD_PSFD  B(28)
#define BTC_NO	  B(29)
/* MSR 10a */
#define RDCL_NO	   B(0)
#define EIBRS	   B(1)
#define MDS_NO	   B(5)
#define TAA_NO	   B(8)
#define FB_CLEAR   B(17)
#define RRSBA	   B(19)
#define BHI_NO	   B(20)
#define RFDS_CLEAR B(28)

#define INTEL_2018 (IBRSB | STIBP | SSBD)
#define AMD_2018   (AMD_IBPB | AMD_IBRS | AMD_STIBP | AMD_SSBD)

static const struct spec_options as_it_wants = {
	THUNK_DEFAULT, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

enum {
	F_AUTO = 1,
	F_ALWAYS = 2,
	F_IBRS_ENTRY = 4,
	F_IBPB_ENTRY = 8,
	F_IBPB = 16,
	F_RSB_ENTRY = 32,
	F_RSB = 64,
	F_VERW = 128,
	F_VERW_IDLE = 256,
	F_XPTI = 512,  /* both */
	F_L1TF = 1024, /* guests only */
	F_DIV = 2048
};

#define SWITCH (F_IBPB | F_RSB)
#define TABLES (F_XPTI | F_L1TF)

static const struct {
	const char *name;
	struct spec_cpu cpu;
	enum spec_thunk thunk;
	u32 what, always, guest, holes;
} models[] = {
	{"Intel Haswell, microcode of before 2018",
	 {.vendor = VENDOR_INTEL, .family = 6, .model = 0x3c, .smep = true},
	 THUNK_RETPOLINE,
	 TABLES | F_RSB,
	 0,
	 0,
	 SPEC_HOLE_GUESTS | SPEC_HOLE_MDS},
	{"Intel Haswell, last microcode",
	 {.vendor = VENDOR_INTEL,
	  .family = 6,
	  .model = 0x3c,
	  .l7d = INTEL_2018 | MD_CLEAR,
	  .smep = true},
	 THUNK_RETPOLINE,
	 TABLES | SWITCH | F_VERW,
	 0,
	 6,
	 0},
	{"Intel Sandy Bridge, two threads, no SMEP",
	 {.vendor = VENDOR_INTEL,
	  .family = 6,
	  .model = 0x2a,
	  .l7d = INTEL_2018 | MD_CLEAR,
	  .smt = true},
	 THUNK_RETPOLINE,
	 TABLES | SWITCH | F_RSB_ENTRY | F_VERW | F_VERW_IDLE,
	 SPEC_CTRL_STIBP,
	 6,
	 SPEC_HOLE_SMT},
	{"Intel Skylake: a retpoline would be unsafe",
	 {.vendor = VENDOR_INTEL,
	  .family = 6,
	  .model = 0x5e,
	  .l7b = B(11),
	  .l7d = INTEL_2018 | MD_CLEAR,
	  .smep = true},
	 THUNK_JMP,
	 TABLES | SWITCH | F_IBRS_ENTRY | F_VERW,
	 0,
	 6,
	 0},
	{"Intel Skylake without IBRS: a retpoline is the best there is",
	 {.vendor = VENDOR_INTEL, .family = 6, .model = 0x5e, .smep = true},
	 THUNK_RETPOLINE,
	 TABLES | F_RSB,
	 0,
	 0,
	 SPEC_HOLE_GUESTS | SPEC_HOLE_MDS | SPEC_HOLE_RETURNS},
	{"Intel Cascade Lake with TSX: retpolines may fail, IBRS is there too",
	 {.vendor = VENDOR_INTEL,
	  .family = 6,
	  .model = 0x55,
	  .l7b = B(11),
	  .l7d = INTEL_2018 | MD_CLEAR | CAPS,
	  .arch_caps = RDCL_NO | EIBRS | MDS_NO,
	  .smep = true,
	  .smt = true},
	 THUNK_RETPOLINE,
	 SWITCH | F_ALWAYS | F_VERW | F_VERW_IDLE,
	 SPEC_CTRL_IBRS,
	 6,
	 SPEC_HOLE_SMT | SPEC_HOLE_BHI},
	{"Intel Ice Lake, branch history under control",
	 {.vendor = VENDOR_INTEL,
	  .family = 6,
	  .model = 0x6a,
	  .l7d = INTEL_2018 | MD_CLEAR | CAPS,
	  .l7_2d = B(4),
	  .arch_caps = RDCL_NO | EIBRS | MDS_NO | TAA_NO | FB_CLEAR | RRSBA,
	  .smep = true},
	 THUNK_JMP,
	 SWITCH | F_ALWAYS,
	 SPEC_CTRL_IBRS | SPEC_CTRL_BHI_DIS_S,
	 6,
	 0},
	{"Intel with enhanced IBRS, branch history open, retpoline safe",
	 {.vendor = VENDOR_INTEL,
	  .family = 6,
	  .model = 0x7e,
	  .l7d = INTEL_2018 | MD_CLEAR | CAPS,
	  .arch_caps = RDCL_NO | EIBRS | MDS_NO | TAA_NO,
	  .smep = true},
	 THUNK_RETPOLINE,
	 SWITCH | F_ALWAYS,
	 SPEC_CTRL_IBRS,
	 6,
	 0},
	{"Intel with enhanced IBRS, branch history open, retpoline unsafe",
	 {.vendor = VENDOR_INTEL,
	  .family = 6,
	  .model = 0x97,
	  .l7d = INTEL_2018 | MD_CLEAR | CAPS,
	  .arch_caps = RDCL_NO | EIBRS | MDS_NO | TAA_NO | RRSBA,
	  .smep = true},
	 THUNK_RETPOLINE,
	 SWITCH | F_ALWAYS,
	 SPEC_CTRL_IBRS,
	 6,
	 SPEC_HOLE_BHI},
	{"Intel Gracemont: registers' remains",
	 {.vendor = VENDOR_INTEL,
	  .family = 6,
	  .model = 0xbe,
	  .l7d = INTEL_2018 | MD_CLEAR | CAPS,
	  .arch_caps = (u64)RDCL_NO | EIBRS | MDS_NO | TAA_NO | BHI_NO | RFDS_CLEAR,
	  .smep = true},
	 THUNK_JMP,
	 SWITCH | F_ALWAYS | F_VERW,
	 SPEC_CTRL_IBRS,
	 6,
	 0},
	{"Intel Ivy Bridge, IBRS without STIBP",
	 {.vendor = VENDOR_INTEL,
	  .family = 6,
	  .model = 0x3a,
	  .l7d = IBRSB | MD_CLEAR,
	  .smep = true,
	  .smt = true},
	 THUNK_RETPOLINE,
	 TABLES | SWITCH | F_VERW | F_VERW_IDLE,
	 0,
	 0,
	 SPEC_HOLE_SMT | SPEC_HOLE_STIBP},
	{"Intel Atom of 2008: nothing is speculated on",
	 {.vendor = VENDOR_INTEL, .family = 6, .model = 0x1c, .smt = true},
	 THUNK_RETPOLINE,
	 F_RSB_ENTRY | F_RSB,
	 0,
	 0,
	 SPEC_HOLE_GUESTS},
	{"AMD Zen, as QEMU has it",
	 {.vendor = VENDOR_AMD, .family = 0x17, .model = 1, .smep = true},
	 THUNK_RETPOLINE,
	 F_RSB | F_DIV,
	 0,
	 0,
	 SPEC_HOLE_GUESTS | SPEC_HOLE_RETBLEED},
	{"AMD Zen, last microcode, two threads: no STIBP",
	 {.vendor = VENDOR_AMD,
	  .family = 0x17,
	  .model = 0x11,
	  .e8b = AMD_IBPB,
	  .smep = true,
	  .smt = true},
	 THUNK_RETPOLINE,
	 SWITCH | F_IBPB_ENTRY | F_DIV,
	 0,
	 0,
	 SPEC_HOLE_STIBP},
	{"AMD Dali, a late Zen 1",
	 {.vendor = VENDOR_AMD, .family = 0x17, .model = 0x50, .e8b = AMD_2018, .smep = true},
	 THUNK_RETPOLINE,
	 SWITCH | F_IBPB_ENTRY | F_DIV,
	 0,
	 6,
	 0},
	{"AMD Renoir, a Zen 2",
	 {.vendor = VENDOR_AMD, .family = 0x17, .model = 0x60, .e8b = AMD_2018, .smep = true},
	 THUNK_RETPOLINE,
	 SWITCH | F_IBPB_ENTRY,
	 0,
	 6,
	 0},
	{"AMD Zen 2",
	 {.vendor = VENDOR_AMD,
	  .family = 0x17,
	  .model = 0x31,
	  .e8b = AMD_2018,
	  .smep = true,
	  .smt = true},
	 THUNK_RETPOLINE,
	 SWITCH | F_IBPB_ENTRY,
	 SPEC_CTRL_STIBP,
	 6,
	 0},
	{"AMD Zen 3, microcode of before SRSO",
	 {.vendor = VENDOR_AMD,
	  .family = 0x19,
	  .model = 0x01,
	  .e8b = AMD_2018 | AMD_PSFD | BTC_NO,
	  .smep = true},
	 THUNK_RETPOLINE,
	 SWITCH,
	 0,
	 6,
	 SPEC_HOLE_SRSO | SPEC_HOLE_MDS},
	{"AMD Zen 4",
	 {.vendor = VENDOR_AMD,
	  .family = 0x19,
	  .model = 0x11,
	  .e8b = AMD_2018 | BTC_NO,
	  .e21a = B(5) | B(8) | B(28),
	  .smep = true},
	 THUNK_JMP,
	 SWITCH | F_AUTO | F_IBPB_ENTRY | F_VERW,
	 0,
	 6,
	 0},
	{"AMD Zen 5",
	 {.vendor = VENDOR_AMD,
	  .family = 0x1a,
	  .model = 0x02,
	  .e8b = AMD_2018 | BTC_NO,
	  .e21a = B(8) | B(28) | B(29),
	  .smep = true,
	  .smt = true},
	 THUNK_JMP,
	 SWITCH | F_AUTO,
	 SPEC_CTRL_STIBP,
	 6,
	 0},
	{"AMD K10, no SMEP",
	 {.vendor = VENDOR_AMD, .family = 0x10, .model = 2},
	 THUNK_RETPOLINE,
	 F_RSB_ENTRY | F_RSB,
	 0,
	 0,
	 SPEC_HOLE_GUESTS},
	{"another vendor",
	 {.vendor = VENDOR_OTHER, .family = 7, .model = 0x3b, .l7d = INTEL_2018, .smep = true},
	 THUNK_RETPOLINE,
	 SWITCH,
	 0,
	 6,
	 0},
};

static u32 flags_of(const struct spec_choice *s)
{
	return (s->auto_ibrs ? F_AUTO : 0) | (s->ibrs_always ? F_ALWAYS : 0) |
	       (s->ibrs_entry ? F_IBRS_ENTRY : 0) | (s->ibpb_entry ? F_IBPB_ENTRY : 0) |
	       (s->ibpb_switch ? F_IBPB : 0) | (s->rsb_entry ? F_RSB_ENTRY : 0) |
	       (s->rsb_switch ? F_RSB : 0) | (s->verw ? F_VERW : 0) |
	       (s->verw_idle ? F_VERW_IDLE : 0) | (s->div_scrub ? F_DIV : 0) |
	       (s->xpti_dom0 && s->xpti_domu ? F_XPTI : 0) |
	       (s->l1tf_domu && !s->l1tf_dom0 ? F_L1TF : 0);
}

static void each_model(void **state)
{
	struct spec_choice s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		spec_choose(&models[i].cpu, &as_it_wants, &s);
		if (s.thunk != models[i].thunk || flags_of(&s) != models[i].what ||
		    s.always != models[i].always || s.guest != models[i].guest ||
		    s.holes != models[i].holes)
			fail_msg("%s: thunk %d what %#x always %#x guest %#x holes %#x",
				 models[i].name, s.thunk, flags_of(&s), s.always, s.guest, s.holes);
	}
}

/* --- options --- */

static char said[256];

static void unknown(const char *word)
{
	strncat(said, word, sizeof(said) - strlen(said) - 2);
	strcat(said, ";");
}

/* What a value of spec-ctrl= makes of a model. */
static struct spec_choice with(const char *value, const char *model)
{
	struct spec_options o = as_it_wants;
	struct spec_choice s;

	said[0] = '\0';
	spec_parse(value, &o, unknown);
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		if (!strncmp(models[i].name, model, strlen(model))) {
			spec_choose(&models[i].cpu, &o, &s);
			return s;
		}
	fail_msg("no model %s", model);
	return s;
}

#define ZEN2	"AMD Zen 2"
#define SKYLAKE "Intel Skylake: "
#define HASWELL "Intel Haswell, last"

static void everything_off(void **state)
{
	static const char *const words[] = {"no", "off", "0", "false", "ibrs,no", "foo,no"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (size_t m = 0; m < ARRAY_SIZE(models); m++) {
			struct spec_choice s = with(words[i], models[m].name);

			assert_int_equal(flags_of(&s), 0);
			assert_int_equal(s.thunk, THUNK_JMP);
			assert_int_equal(s.always | s.guest, 0);
			assert_true(s.holes & SPEC_HOLE_V2);
			assert_true(s.holes & SPEC_HOLE_GUESTS);
		}
	assert_string_equal(said, "foo;");
	assert_int_equal(with("no,yes", ZEN2).thunk, THUNK_RETPOLINE);
}

static void thunks(void **state)
{
	(void)state;
	assert_int_equal(with("bti-thunk=lfence", ZEN2).thunk, THUNK_LFENCE);
	/* The model's LFENCE does not wait. */
	assert_true(with("bti-thunk=lfence", ZEN2).holes & SPEC_HOLE_V2);
	assert_int_equal(with("bti-thunk=jmp", ZEN2).thunk, THUNK_JMP);
	assert_true(with("bti-thunk=jmp", ZEN2).holes & SPEC_HOLE_V2);
	/* Who asks for retpolines gets them without IBRS, even where they are not the default. */
	assert_int_equal(with("bti-thunk=retpoline", SKYLAKE).thunk, THUNK_RETPOLINE);
	assert_false(with("bti-thunk=retpoline", SKYLAKE).ibrs_entry);
	assert_true(with("bti-thunk=retpoline,ibrs=1", SKYLAKE).ibrs_entry);
	with("bti-thunk=magic", ZEN2);
	assert_string_equal(said, "bti-thunk=magic;");
}

static void single_words(void **state)
{
	(void)state;
	assert_true(with("ibrs", ZEN2).ibrs_entry);
	assert_int_equal(with("ibrs=off", SKYLAKE).thunk, THUNK_RETPOLINE);
	assert_false(with("ibrs=no", "Intel Ice Lake").ibrs_always);
	assert_false(with("no-ibrs", "AMD Zen 5").auto_ibrs);
	assert_false(with("no-ibpb", ZEN2).ibpb_switch);
	assert_true(with("no-ibpb", ZEN2).holes & SPEC_HOLE_GUESTS);
	assert_false(with("ibpb-entry=0", ZEN2).ibpb_entry);
	assert_true(with("ibpb-entry=0", ZEN2).holes & SPEC_HOLE_RETBLEED);
	assert_true(with("ibpb-entry", HASWELL).ibpb_entry);
	assert_false(with("stibp=0", ZEN2).always & SPEC_CTRL_STIBP);
	assert_true(with("stibp", HASWELL).always & SPEC_CTRL_STIBP);
	assert_true(with("ssbd", HASWELL).always & SPEC_CTRL_SSBD);
	assert_false(with("rsb=no", HASWELL).rsb_switch);
	assert_true(with("rsb", HASWELL).rsb_entry);
	assert_false(with("md-clear=no", HASWELL).verw);
	assert_true(with("md-clear=no", HASWELL).holes & SPEC_HOLE_MDS);
	assert_true(with("md-clear", ZEN2).verw);
	assert_int_equal(with("msr-sc=no", HASWELL).guest, 0);
	assert_true(with("stibp=0", ZEN2).holes & SPEC_HOLE_STIBP);
	assert_true(with("bti-thunk=retpoline", SKYLAKE).holes & SPEC_HOLE_RETURNS);
	assert_true(with("ibrs=0", SKYLAKE).holes & SPEC_HOLE_RETURNS);
	assert_int_equal(with("psfd", "AMD Zen 3").always, SPEC_CTRL_PSFD);
	assert_int_equal(with("psfd", ZEN2).always & SPEC_CTRL_PSFD, 0);
	assert_false(with("div-scrub=0", "AMD Dali").div_scrub);
	assert_true(with("div-scrub", HASWELL).div_scrub);
	assert_true(with("unpriv-mmio", "Intel Ice Lake").verw);
	assert_false(with("unpriv-mmio", "Intel with enhanced").verw);
	assert_false(with("unpriv-mmio", ZEN2).verw);
	assert_int_equal(with("bhi-dis-s=0", "Intel Ice Lake").always, SPEC_CTRL_IBRS);
	assert_true(with("bhi-dis-s=0", "Intel Ice Lake").holes & SPEC_HOLE_BHI);
	/* Nothing is used that is not there. */
	assert_int_equal(flags_of(&(struct spec_choice){0}), 0);
	assert_false(with("ibrs,ibpb,ibpb-entry,stibp,ssbd", "AMD K10").ibrs_entry);
	assert_false(with("ibpb,ibpb-entry", "AMD K10").ibpb_entry);
	assert_int_equal(with("ibrs,stibp,ssbd", "AMD K10").always, 0);
}

/* For one kind of guests; those of the other are not there. */
static void kinds(void **state)
{
	(void)state;
	assert_false(with("ibpb-entry=pv=0", ZEN2).ibpb_entry);
	assert_false(with("ibpb-entry=no-pv", ZEN2).ibpb_entry);
	assert_true(with("ibpb-entry=pv", HASWELL).ibpb_entry);
	assert_true(with("ibpb-entry=hvm=0,hvm=no,no-hvm,l1d-flush", ZEN2).ibpb_entry);
	assert_false(with("ibpb-entry=hvm", HASWELL).ibpb_entry);
	assert_false(with("md-clear=pv=no", HASWELL).verw);
	assert_int_equal(with("msr-sc=no-pv", HASWELL).guest, 0);
	assert_false(with("rsb=pv=0", HASWELL).rsb_switch);
	assert_string_equal(said, "");
	with("ibrs=pv,msr-sc=pvh,rsb=hvm=2,rsb=no-pv=0,md-clear=pv=", HASWELL);
	assert_string_equal(said, "ibrs=pv;msr-sc=pvh;rsb=hvm=2;rsb=no-pv=0;md-clear=pv=;");
}

static void groups(void **state)
{
	struct spec_choice s = with("xen=no", HASWELL);

	(void)state;
	assert_int_equal(flags_of(&s), TABLES);
	assert_int_equal(s.guest, 6);
	s = with("pv=no", "Intel Sandy Bridge");
	assert_int_equal(flags_of(&s), F_IBPB | TABLES);
	assert_int_equal(s.guest, 0);
	assert_int_equal(s.thunk, THUNK_RETPOLINE);
	s = with("pv=no,pv", "Intel Sandy Bridge");
	assert_true(s.rsb_entry && s.verw && s.guest);
}

/* xpti= and pv-l1tf= of a processor, and what of Meltdown (1) and L1TF (2) is left open. */
static void tables(void **state)
{
	static const struct {
		const char *model, *xpti, *l1tf, *spec;
		bool dom0, domu, l1tf_dom0, l1tf_domu;
		u32 open;
	} cases[] = {
		{HASWELL, NULL, NULL, NULL, true, true, false, true, 0},
		{HASWELL, "0", NULL, NULL, false, false, false, true, 1},
		{HASWELL, "dom0=0", NULL, NULL, false, true, false, true, 1},
		{HASWELL, "no-dom0", "dom0", NULL, false, true, true, true, 1},
		{HASWELL, "domu=no", "domu=off", NULL, true, false, false, false, 3},
		{HASWELL, "no,default", "no", NULL, true, true, false, false, 2},
		{HASWELL, "no,domu", "yes", NULL, false, true, true, true, 1},
		{HASWELL, NULL, NULL, "no", false, false, false, false, 3},
		{HASWELL, "domu", NULL, "no", false, true, false, false, 3},
		{HASWELL, NULL, NULL, "no-xen", true, true, false, true, 0},
		{ZEN2, NULL, NULL, NULL, false, false, false, false, 0},
		{ZEN2, "", "", NULL, true, true, true, true, 0},
		{ZEN2, "domu", "dom0=1", NULL, false, true, true, false, 0},
		{ZEN2, "1,default", NULL, NULL, false, false, false, false, 0},
		{"Intel Ice Lake", NULL, NULL, NULL, false, false, false, false, 0},
		{"Intel Atom", NULL, NULL, NULL, false, false, false, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spec_options o = as_it_wants;
		struct spec_choice s = {0};
		u32 open;

		said[0] = '\0';
		if (cases[i].xpti)
			spec_parse_xpti(cases[i].xpti, &o, unknown);
		if (cases[i].l1tf)
			spec_parse_l1tf(cases[i].l1tf, &o, unknown);
		if (cases[i].spec)
			spec_parse(cases[i].spec, &o, unknown);
		assert_string_equal(said, "");
		for (size_t m = 0; m < ARRAY_SIZE(models); m++)
			if (!strncmp(models[m].name, cases[i].model, strlen(cases[i].model)))
				spec_choose(&models[m].cpu, &o, &s);
		open = (s.holes & SPEC_HOLE_MELTDOWN ? 1 : 0) | (s.holes & SPEC_HOLE_L1TF ? 2 : 0);
		if (s.xpti_dom0 != cases[i].dom0 || s.xpti_domu != cases[i].domu ||
		    s.l1tf_dom0 != cases[i].l1tf_dom0 || s.l1tf_domu != cases[i].l1tf_domu ||
		    open != cases[i].open)
			fail_msg("case %zu: %d %d, %d %d, open %u", i, s.xpti_dom0, s.xpti_domu,
				 s.l1tf_dom0, s.l1tf_domu, open);
	}
}

static void bad_table_words(void **state)
{
	struct spec_options o = as_it_wants;

	(void)state;
	said[0] = '\0';
	spec_parse_xpti("dom0=2,no-dom0=1,domx,,no-domu=0,no-,=", &o, unknown);
	assert_string_equal(said, "dom0=2;no-dom0=1;domx;no-domu=0;no-;=;");
	said[0] = '\0';
	spec_parse_l1tf("default,domu=maybe", &o, unknown);
	assert_string_equal(said, "default;domu=maybe;");
	assert_memory_equal(&o, &as_it_wants, sizeof(o));
}

static void bad_words(void **state)
{
	struct spec_choice s;

	(void)state;
	s = with("ibrs=maybe,,foo=1,no-bar,ssbd", HASWELL);
	assert_string_equal(said, "ibrs=maybe;foo=1;no-bar;");
	assert_true(s.always & SPEC_CTRL_SSBD);
	with("0123456789012345678901234567890123456789012345678901234567890123456789", HASWELL);
	assert_int_equal(strlen(said), 48);
	with("", HASWELL);
	assert_string_equal(said, "");
}

static void indexes(void **state)
{
	(void)state;
	assert_int_equal(nospec_index(0, 1), 0);
	assert_int_equal(nospec_index(55, 56), 55);
	assert_int_equal(nospec_index(56, 56), 0);
	assert_int_equal(nospec_index(~0UL, 56), 0);
	assert_int_equal(nospec_index(1UL << 63, 56), 0);
	assert_int_equal(nospec_index(~0UL - 1, ~0UL), ~0UL - 1);
	assert_int_equal(nospec_index(1UL << 32, 2), 0);
	assert_int_equal(nospec_if_same(5, 0), 5);
	assert_int_equal(nospec_if_same(5, 1), 0);
	assert_int_equal(nospec_if_same(~0UL, 1UL << 63), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_model),	   cmocka_unit_test(everything_off),
		cmocka_unit_test(thunks),	   cmocka_unit_test(single_words),
		cmocka_unit_test(kinds),	   cmocka_unit_test(groups),
		cmocka_unit_test(bad_words),	   cmocka_unit_test(tables),
		cmocka_unit_test(bad_table_words), cmocka_unit_test(indexes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
