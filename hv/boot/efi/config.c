/* SPDX-License-Identifier: MIT */
#include "boot/efi/config.h"
#include "lib/string.h"

/* A piece of the text, without blanks at either end. */
struct piece {
	const char *s;
	size_t n;
};

struct reader {
	const char *at, *end;
	unsigned int number; /* of the line last read, from 1 on */
	struct piece line;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct piece trim(const char *s, const char *end)
{
	while (s < end && is_blank(*s))
		s++;
	while (end > s && is_blank(end[-1]))
		end--;
	return (struct piece){s, (size_t)(end - s)};
}

static bool equals(struct piece p, const char *s)
{
	return strlen(s) == p.n && !memcmp(p.s, s, p.n);
}

static struct reader begin(const struct efi_config *c)
{
	const char *s = c->text, *end = s + strnlen(s, c->size);

	/* The mark that some editors put before UTF-8. */
	if (end - s >= 3 && !memcmp(s, "\xef\xbb\xbf", 3))
		s += 3;
	return (struct reader){s, end, 0, {s, 0}};
}

static bool next_line(struct reader *r)
{
	const char *nl;

	if (r->at >= r->end)
		return false;
	nl = memchr(r->at, '\n', (size_t)(r->end - r->at));
	r->line = trim(r->at, nl ? nl : r->end);
	r->at = nl ? nl + 1 : r->end;
	r->number++;
	return true;
}

static bool is_comment(struct piece p)
{
	return !p.n || *p.s == '#' || *p.s == ';';
}

static bool is_section(struct piece p, struct piece *name)
{
	if (p.n < 2 || *p.s != '[' || p.s[p.n - 1] != ']')
		return false;
	*name = trim(p.s + 1, p.s + p.n - 1);
	return name->n != 0;
}

static bool is_pair(struct piece p, struct piece *key, struct piece *value)
{
	const char *eq = p.n ? memchr(p.s, '=', p.n) : NULL;

	if (!eq)
		return false;
	*key = trim(p.s, eq);
	*value = trim(eq + 1, p.s + p.n);
	return key->n != 0;
}

static enum config_result copy(struct piece p, char *out, size_t size)
{
	out[0] = '\0';
	if (p.n >= size)
		return CONFIG_TOO_LONG;
	memcpy(out, p.s, p.n);
	out[p.n] = '\0';
	return CONFIG_FOUND;
}

enum config_result config_get(const struct efi_config *c, const char *section, const char *key,
			      char *out, size_t size, unsigned int *line)
{
	struct reader r = begin(c);
	struct piece name, k, v;
	bool inside = false;

	out[0] = '\0';
	while (next_line(&r)) {
		if (is_comment(r.line))
			continue;
		if (is_section(r.line, &name)) {
			inside = equals(name, section);
		} else if (inside && is_pair(r.line, &k, &v) && equals(k, key)) {
			if (line)
				*line = r.number;
			return v.n ? copy(v, out, size) : CONFIG_ABSENT;
		}
	}
	return CONFIG_ABSENT;
}

static bool find_section(const struct efi_config *c, const char *wanted, char *out, size_t size)
{
	struct reader r = begin(c);
	struct piece name;

	while (next_line(&r))
		if (is_section(r.line, &name) &&
		    (*wanted ? equals(name, wanted) : !equals(name, "global")))
			return copy(name, out, size) == CONFIG_FOUND;
	return false;
}

bool config_section(const struct efi_config *c, const char *wanted, char *out, size_t size)
{
	char name[64] = "";

	if (!*wanted &&
	    config_get(c, "global", "default", name, sizeof(name), NULL) == CONFIG_FOUND)
		wanted = name;
	if (find_section(c, wanted, out, size))
		return true;
	strlcpy(out, wanted, size);
	return false;
}

unsigned int config_bad_line(const struct efi_config *c)
{
	struct reader r = begin(c);
	struct piece a, b;

	while (next_line(&r))
		if (!is_comment(r.line) && !is_section(r.line, &a) && !is_pair(r.line, &a, &b))
			return r.number;
	return 0;
}
