/* SPDX-License-Identifier: MIT */
#include "lib/mem_limits.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/string.h"

static int parse_amount(const char *s, const char **end, struct mem_amount *out)
{
	struct mem_amount a = {.given = true};
	const char *digits;
	unsigned long frac;

	if (*s == '-') {
		a.negative = true;
		s++;
	}
	digits = s;
	frac = strtoul(s, &s);
	if (s == digits)
		return -XEN_EINVAL;
	if (*s != '%') {
		a.bytes = cmdline_size(digits, &s, 1024);
		frac = 0;
		if (*s == '+') {
			digits = ++s;
			frac = strtoul(s, &s);
			if (s == digits || *s != '%')
				return -XEN_EINVAL;
		}
	}
	if (*s == '%')
		s++;
	if (frac > 100)
		return -XEN_EINVAL;
	a.percent = (unsigned int)frac;
	*end = s;
	*out = a;
	return 0;
}

int mem_limits_parse(const char *s, struct mem_limits *r)
{
	struct mem_limits out = *r;

	while (*s) {
		struct mem_amount *a = &out.size;
		int rc;

		if (!strncmp(s, "max:", 4))
			a = &out.max;
		else if (!strncmp(s, "min:", 4))
			a = &out.min;
		rc = parse_amount(a == &out.size ? s : s + 4, &s, a);
		if (rc || (*s && *s != ','))
			return -XEN_EINVAL;
		s += *s == ',';
	}
	*r = out;
	return 0;
}

unsigned long mem_amount_pages(const struct mem_amount *a, unsigned long avail)
{
	unsigned long n = (a->bytes >> PAGE_SHIFT) + avail / 100 * a->percent +
			  avail % 100 * a->percent / 100;

	if (!a->negative)
		return n;
	return n < avail ? avail - n : 0;
}

unsigned long mem_limits_pages(const struct mem_limits *r, unsigned long avail,
			       unsigned long fallback)
{
	unsigned long n = r->size.given ? mem_amount_pages(&r->size, avail) : fallback;

	if (r->min.given)
		n = max(n, mem_amount_pages(&r->min, avail));
	if (r->max.given)
		n = min(n, mem_amount_pages(&r->max, avail));
	return n;
}
