/* SPDX-License-Identifier: MIT */
/* spec-ctrl= : words separated by commas, in Xen's spelling. */
#include "cpu/spec.h"
#include "lib/cmdline.h"
#include "lib/string.h"

#define MAX_WORD 48

static const struct spec_options all_default = {THUNK_DEFAULT, -1, -1, -1, -1, -1, -1, -1, -1};
/* What an attacker could only be kept out by guessing: spec-ctrl=no. */
static const struct spec_options all_off = {THUNK_JMP, 0, 0, 0, 0, 0, 0, 0, 0};

struct spec_options spec_options = {THUNK_DEFAULT, -1, -1, -1, -1, -1, -1, -1, -1};

/* xen=: what protects the hypervisor, and guests from each other; guests keep their MSR. */
static void set_xen(struct spec_options *o, bool on)
{
	s8 msr_sc = o->msr_sc;

	*o = on ? all_default : all_off;
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
		{"msr-sc", &o->msr_sc}, {"rsb", &o->rsb},   {"md-clear", &o->md_clear},
		{"ibpb", &o->ibpb},	{"ibrs", &o->ibrs}, {"ibpb-entry", &o->ibpb_entry},
		{"stibp", &o->stibp},	{"ssbd", &o->ssbd},
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
	else
		return false;
	return true;
}

/* word: ours to cut. */
static bool parse_word(char *word, struct spec_options *o)
{
	char *value = strchr(word, '=');
	bool on = true, ok;

	if (!value) {
		if (!cmdline_bool(word, &on)) {
			*o = on ? all_default : all_off;
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
		ok = !cmdline_bool(value + 1, &on) && parse_switch(word, on, o);
	*value = '='; /* whole again, for the message */
	return ok;
}

void spec_parse(const char *value, struct spec_options *o, void (*unknown)(const char *word))
{
	char word[MAX_WORD];

	while (*value) {
		size_t n = 0;

		while (value[n] && value[n] != ',')
			n++;
		strlcpy(word, value, min(n + 1, sizeof(word)));
		if (n && (n >= sizeof(word) || !parse_word(word, o)))
			unknown(word);
		value += n + (value[n] == ',');
	}
}
