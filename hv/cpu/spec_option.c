/* SPDX-License-Identifier: MIT */
/* spec-ctrl=, xpti=, pv-l1tf=: words separated by commas, in Xen's spelling. */
#include "cpu/spec.h"
#include "lib/cmdline.h"
#include "lib/string.h"

#define MAX_WORD 48

#define ALL(thunk, x)                                                     \
	{                                                                 \
		thunk, x, x, x, x, x, x, x, x, x, x, x, x, -1, -1, -1, -1 \
	}
static const struct spec_options all_default = ALL(THUNK_DEFAULT, -1);
/* What an attacker could only be kept out by guessing: spec-ctrl=no. */
static const struct spec_options all_off = ALL(THUNK_JMP, 0);

struct spec_options spec_options = ALL(THUNK_DEFAULT, -1);

/* all: xpti= and pv-l1tf= are off with the rest, but for what was said of them before. */
static void set_all(struct spec_options *o, bool on, bool all)
{
	const struct spec_options old = *o;
	s8 unsaid = all && !on ? 0 : -1;

	*o = on ? all_default : all_off;
	o->xpti_dom0 = old.xpti_dom0 < 0 ? unsaid : old.xpti_dom0;
	o->xpti_domu = old.xpti_domu < 0 ? unsaid : old.xpti_domu;
	o->l1tf_dom0 = old.l1tf_dom0 < 0 ? unsaid : old.l1tf_dom0;
	o->l1tf_domu = old.l1tf_domu < 0 ? unsaid : old.l1tf_domu;
}

/* xen=: what protects the hypervisor, and guests from each other; guests keep their MSR. */
static void set_xen(struct spec_options *o, bool on)
{
	s8 msr_sc = o->msr_sc;

	set_all(o, on, false);
	o->msr_sc = msr_sc;
}

/* pv=: the parts that cost something at each change between a guest and us. */
static void set_pv(struct spec_options *o, bool on)
{
	o->msr_sc = o->rsb = o->md_clear = o->ibpb_entry = on ? -1 : 0;
}

static bool parse_thunk(const char *v, struct spec_options *o)
{
	if (!strcmp(v, "retpoline"))
		o->thunk = THUNK_RETPOLINE;
	else if (!strcmp(v, "lfence"))
		o->thunk = THUNK_LFENCE;
	else if (!strcmp(v, "jmp"))
		o->thunk = THUNK_JMP;
	else
		return false;
	return true;
}

static bool parse_switch(const char *name, bool on, struct spec_options *o)
{
	const struct {
		const char *name;
		s8 *var;
	} table[] = {
		{"msr-sc", &o->msr_sc},
		{"rsb", &o->rsb},
		{"md-clear", &o->md_clear},
		{"ibpb", &o->ibpb},
		{"ibrs", &o->ibrs},
		{"ibpb-entry", &o->ibpb_entry},
		{"stibp", &o->stibp},
		{"ssbd", &o->ssbd},
		{"unpriv-mmio", &o->unpriv_mmio},
		{"psfd", &o->psfd},
		{"div-scrub", &o->div_scrub},
		{"bhi-dis-s", &o->bhi_dis_s},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(name, table[i].name)) {
			*table[i].var = on;
			return true;
		}
	if (!strcmp(name, "xen"))
		set_xen(o, on);
	else if (!strcmp(name, "pv"))
		set_pv(o, on);
	else if (strcmp(name, "hvm") && strcmp(name, "l1d-flush"))
		return false; /* these two are about guests of a kind that is not there */
	return true;
}

/* msr-sc=, rsb=, md-clear=, ibpb-entry= for one kind of guests: [no-]{pv,hvm}[=<bool>]. */
static bool parse_kind(const char *name, const char *v, struct spec_options *o)
{
	static const char *const names[] = {"msr-sc", "rsb", "md-clear", "ibpb-entry"};
	bool on = strncmp(v, "no-", 3) != 0, hvm;
	const char *kind = on ? v : v + 3, *rest;
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		known |= !strcmp(name, names[i]);
	hvm = !strncmp(kind, "hvm", 3);
	if (!known || (!hvm && strncmp(kind, "pv", 2)))
		return false;
	rest = kind + (hvm ? 3 : 2);
	if (*rest && (!on || *rest != '=' || cmdline_bool(rest + 1, &on)))
		return false;
	return hvm || parse_switch(name, on, o);
}

/* word: ours to cut. */
static bool parse_word(char *word, struct spec_options *o)
{
	char *value = strchr(word, '=');
	bool on = true, ok;

	if (!value) {
		if (!cmdline_bool(word, &on)) {
			set_all(o, on, true);
			return true;
		}
		if (!strncmp(word, "no-", 3))
			return parse_switch(word + 3, false, o);
		return parse_switch(word, true, o);
	}
	*value = '\0';
	if (!strcmp(word, "bti-thunk"))
		ok = parse_thunk(value + 1, o);
	else
		ok = cmdline_bool(value + 1, &on) ? parse_kind(word, value + 1, o)
						  : parse_switch(word, on, o);
	*value = '='; /* whole again, for the message */
	return ok;
}

/* xpti= and pv-l1tf=: [no-]dom0[=bool], [no-]domu[=bool], bool; and "default" for the first. */
static bool parse_domains(char *word, s8 *dom0, s8 *domu)
{
	bool on = strncmp(word, "no-", 3) != 0;
	char *name = on ? word : word + 3, *value = strchr(name, '=');
	bool ok = true;

	if (!cmdline_bool(word, &on)) {
		*dom0 = *domu = on;
		return true;
	}
	if (value) {
		ok = on && !cmdline_bool(value + 1, &on);
		*value = '\0';
	}
	if (ok && !strcmp(name, "dom0"))
		*dom0 = on;
	else if (ok && !strcmp(name, "domu"))
		*domu = on;
	else
		ok = false;
	if (value)
		*value = '=';
	return ok;
}

static bool parse_xpti_word(char *word, struct spec_options *o)
{
	if (strcmp(word, "default"))
		return parse_domains(word, &o->xpti_dom0, &o->xpti_domu);
	o->xpti_dom0 = o->xpti_domu = -1;
	return true;
}

static bool parse_l1tf_word(char *word, struct spec_options *o)
{
	return parse_domains(word, &o->l1tf_dom0, &o->l1tf_domu);
}

static void each_word(const char *value, struct spec_options *o,
		      bool (*parse)(char *word, struct spec_options *o),
		      void (*unknown)(const char *word))
{
	char word[MAX_WORD];

	while (*value) {
		size_t n = 0;

		while (value[n] && value[n] != ',')
			n++;
		strlcpy(word, value, min(n + 1, sizeof(word)));
		if (n && (n >= sizeof(word) || !parse(word, o)))
			unknown(word);
		value += n + (value[n] == ',');
	}
}

void spec_parse(const char *value, struct spec_options *o, void (*unknown)(const char *word))
{
	each_word(value, o, parse_word, unknown);
}

void spec_parse_xpti(const char *value, struct spec_options *o, void (*unknown)(const char *word))
{
	each_word(*value ? value : "yes", o, parse_xpti_word, unknown);
}

void spec_parse_l1tf(const char *value, struct spec_options *o, void (*unknown)(const char *word))
{
	each_word(*value ? value : "yes", o, parse_l1tf_word, unknown);
}
