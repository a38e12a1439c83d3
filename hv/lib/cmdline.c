/* SPDX-License-Identifier: MIT */
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/string.h"

#define MAX_OPTION 256 /* longer ones are refused, not cut */

/* Names are equal when they differ only in - and _: users mix them up. */
static bool name_is(const char *name, const char *s, size_t n)
{
	for (; n; n--, s++, name++)
		if (*s != *name && !((*s == '-' || *s == '_') && (*name == '-' || *name == '_')))
			return false;
	return !*name;
}

static const struct cmdline_opt *find(const struct cmdline_opt *tbl, size_t nr, const char *s,
				      size_t n)
{
	for (size_t i = 0; i < nr; i++)
		if (name_is(tbl[i].name, s, n))
			return &tbl[i];
	return NULL;
}

u64 cmdline_size(const char *s, const char **end, u64 unit)
{
	const char *p;
	u64 v, mult = unit;
	bool suffix = true;

	*end = s;
	if (*s < '0' || *s > '9')
		return 0;
	v = strtoul(s, &p);
	switch (*p | 0x20) {
	case 'b':
		mult = 1;
		break;
	case 'k':
		mult = 1UL << 10;
		break;
	case 'm':
		mult = 1UL << 20;
		break;
	case 'g':
		mult = 1UL << 30;
		break;
	case 't':
		mult = 1UL << 40;
		break;
	default:
		suffix = false;
	}
	*end = suffix ? p + 1 : p;
	return __builtin_mul_overflow(v, mult, &v) ? ~0UL : v;
}

int cmdline_bool(const char *v, bool *b)
{
	static const char *const yes[] = {"1", "yes", "on", "true", "enable", "y"};
	static const char *const no[] = {"0", "no", "off", "false", "disable", "n"};

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!strcmp(v, yes[i])) {
			*b = true;
			return 0;
		}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (!strcmp(v, no[i])) {
			*b = false;
			return 0;
		}
	return -XEN_EINVAL;
}

static int parse_uint(const char *v, unsigned int *u)
{
	const char *end;
	unsigned long n = strtoul(v, &end);

	if (*v < '0' || *v > '9' || *end || n > UINT_MAX)
		return -XEN_EINVAL;
	*u = (unsigned int)n;
	return 0;
}

static int parse_size(const char *v, u64 *size)
{
	const char *end;
	u64 n = cmdline_size(v, &end, 1024);

	if (end == v || *end)
		return -XEN_EINVAL;
	*size = n;
	return 0;
}

/* value: NULL when the option stands without one. */
static int apply(const struct cmdline_opt *o, const char *value, bool negated)
{
	if (negated && (value || (o->kind != OPT_BOOL && o->kind != OPT_CUSTOM)))
		return -XEN_EINVAL;
	switch (o->kind) {
	case OPT_BOOL:
		if (value)
			return cmdline_bool(value, o->var);
		*(bool *)o->var = !negated;
		return 0;
	case OPT_CUSTOM:
		return o->parse(negated ? "no" : value ? value : "");
	case OPT_UINT:
		return value ? parse_uint(value, o->var) : -XEN_EINVAL;
	case OPT_SIZE:
		return value ? parse_size(value, o->var) : -XEN_EINVAL;
	case OPT_STRING:
		if (!value || strlen(value) >= o->size)
			return -XEN_EINVAL;
		strlcpy(o->var, value, o->size);
		return 0;
	}
	return -XEN_EINVAL;
}

/* word: one option, NUL-ended and ours to cut. Returns NULL or what is wrong with it. */
static const char *parse_word(char *word, const struct cmdline_opt *tbl, size_t nr)
{
	char *value = strchr(word, '=');
	size_t n = value ? (size_t)(value - word) : strlen(word);
	const struct cmdline_opt *o = find(tbl, nr, word, n);
	bool negated = false;
	int err;

	if (!o && n > 3 && !strncmp(word, "no-", 3)) {
		o = find(tbl, nr, word + 3, n - 3);
		negated = true;
	}
	if (!o)
		return "unknown option ignored";
	if (value)
		*value++ = '\0';
	err = apply(o, value, negated);
	if (value)
		value[-1] = '='; /* whole again, for the message */
	return err ? "bad value, option ignored" : NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int cmdline_parse(const char *line, const struct cmdline_opt *tbl, size_t nr,
		  void (*warn)(const char *what, const char *opt))
{
	char word[MAX_OPTION];
	const char *bad;
	int nr_bad = 0;

	for (;;) {
		size_t n = 0;

		while (is_blank(*line))
			line++;
		if (!*line)
			return nr_bad;
		while (line[n] && !is_blank(line[n]))
			n++;
		strlcpy(word, line, min(n + 1, sizeof(word)));
		bad = n < sizeof(word) ? parse_word(word, tbl, nr) : "option too long, ignored";
		if (bad) {
			nr_bad++;
			if (warn)
				warn(bad, word);
		}
		line += n;
	}
}
