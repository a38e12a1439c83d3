/* SPDX-License-Identifier: MIT */
#include "lib/printf.h"

int (*printf_symbol_hook)(char *buf, size_t size, unsigned long addr);

struct out {
	char *buf;
	size_t size, len; /* len: of the whole text, stored or not */
};

struct spec {
	bool minus, plus, space, zero, alt, upper, neg;
	unsigned int width;
	int prec;   /* -1: none */
	int length; /* bytes of an integer argument */
};

#define LIMIT 4096 /* of a width or precision: keeps one conversion from printing for ever */

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_n(struct out *o, char c, size_t n)
{
	while (n--)
		put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *t, size_t n)
{
	size_t pad = s->width > n ? s->width - n : 0;

	if (!s->minus)
		put_n(o, ' ', pad);
	for (size_t i = 0; i < n; i++)
		put(o, t[i]);
	if (s->minus)
		put_n(o, ' ', pad);
}

/* Digits from the end of tmp[24]; returns how many. */
static unsigned int digits(char *tmp, u64 v, unsigned int base, bool upper)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned int n = 0;

	for (; v; v /= base)
		tmp[23 - n++] = set[v % base];
	return n;
}

static void put_number(struct out *o, const struct spec *s, u64 v, unsigned int base)
{
	char tmp[24], prefix[2];
	unsigned int n = digits(tmp, v, base, s->upper), np = 0, zeros;
	unsigned int least = s->prec < 0 ? 1 : (unsigned int)s->prec;
	size_t total;

	if (s->neg || s->plus || s->space)
		prefix[np++] = s->neg ? '-' : s->plus ? '+' : ' ';
	if (s->alt && base == 16 && v) {
		prefix[np++] = '0';
		prefix[np++] = s->upper ? 'X' : 'x';
	}
	if (s->alt && base == 8 && least <= n)
		least = n + 1;
	zeros = least > n ? least - n : 0;
	if (s->alt && base == 8 && !v)
		zeros = max(least, 1u);
	total = np + zeros + n;
	if (s->zero && !s->minus && s->prec < 0 && s->width > total) {
		zeros += s->width - (unsigned int)total;
		total = s->width;
	}
	if (!s->minus && s->width > total)
		put_n(o, ' ', s->width - total);
	for (unsigned int i = 0; i < np; i++)
		put(o, prefix[i]);
	put_n(o, '0', zeros);
	for (unsigned int i = 0; i < n; i++)
		put(o, tmp[24 - n + i]);
	if (s->minus && s->width > total)
		put_n(o, ' ', s->width - total);
}

static void put_string(struct out *o, const struct spec *s, const char *t)
{
	size_t n = 0, most = s->prec < 0 ? SIZE_MAX : (size_t)s->prec;

	if (!t)
		t = "(null)";
	while (n < most && t[n])
		n++;
	put_text(o, s, t, n);
}

static void put_pointer(struct out *o, struct spec *s, unsigned long v, bool symbol)
{
	char name[96];
	int n;

	if (symbol && printf_symbol_hook) {
		n = printf_symbol_hook(name, sizeof(name), v);
		if (n > 0) {
			put_text(o, s, name, min((size_t)n, sizeof(name) - 1));
			return;
		}
	}
	s->prec = 16;
	s->plus = s->space = s->alt = false;
	put_number(o, s, v, 16);
}

static const char *parse_flags(const char *f, struct spec *s)
{
	for (;; f++) {
		if (*f == '-')
			s->minus = true;
		else if (*f == '+')
			s->plus = true;
		else if (*f == ' ')
			s->space = true;
		else if (*f == '0')
			s->zero = true;
		else if (*f == '#')
			s->alt = true;
		else
			return f;
	}
}

static const char *parse_number(const char *f, int *v)
{
	for (*v = 0; *f >= '0' && *f <= '9'; f++)
		if (*v < LIMIT)
			*v = *v * 10 + (*f - '0');
	return f;
}

static const char *parse_length(const char *f, int *length)
{
	*length = sizeof(int);
	if (*f == 'h') {
		*length = *++f == 'h' ? 1 : 2;
		return *length == 1 ? f + 1 : f;
	}
	if (*f == 'l' || *f == 'z' || *f == 't' || *f == 'j') {
		*length = 8;
		return f[0] == 'l' && f[1] == 'l' ? f + 2 : f + 1;
	}
	return f;
}

static u64 to_unsigned(u64 v, int length)
{
	return length == 8 ? v : v & ((1ULL << (8 * length)) - 1);
}

static s64 to_signed(u64 v, int length)
{
	unsigned int shift = 64 - 8 * (unsigned int)length;

	return (s64)(v << shift) >> shift;
}

static void put_signed(struct out *o, struct spec *s, u64 v)
{
	s64 n = to_signed(v, s->length);

	s->neg = n < 0;
	s->alt = false;
	put_number(o, s, n < 0 ? -(u64)n : (u64)n, 10);
}

static void put_unsigned(struct out *o, struct spec *s, u64 v, char conv)
{
	unsigned int base = conv == 'u' ? 10 : conv == 'o' ? 8 : 16;

	s->plus = s->space = false;
	s->upper = conv == 'X';
	s->alt = s->alt && base != 10;
	put_number(o, s, to_unsigned(v, s->length), base);
}

/* All integer arguments travel in 64-bit slots here; narrower ones are cut by to_signed() and co. */
#define ARG_INT(s, ap) ((s)->length == 8 ? va_arg(ap, u64) : (u64)va_arg(ap, unsigned int))

int hv_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = {buf, size, 0};

	for (; *fmt; fmt++) {
		struct spec s = {.prec = -1};
		int n;

		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt = parse_flags(fmt + 1, &s);
		if (*fmt == '*') {
			n = va_arg(ap, int);
			s.minus |= n < 0;
			n = n < 0 ? (n <= -LIMIT ? LIMIT : -n) : n;
			fmt++;
		} else {
			fmt = parse_number(fmt, &n);
		}
		s.width = (unsigned int)min(n, LIMIT);
		if (*fmt == '.') {
			if (*++fmt == '*') {
				n = va_arg(ap, int);
				fmt++;
			} else {
				fmt = parse_number(fmt, &n);
			}
			s.prec = n < 0 ? -1 : min(n, LIMIT);
		}
		fmt = parse_length(fmt, &s.length);
		switch (*fmt) {
		case 'd':
		case 'i':
			put_signed(&o, &s, ARG_INT(&s, ap));
			break;
		case 'u':
		case 'x':
		case 'X':
		case 'o':
			put_unsigned(&o, &s, ARG_INT(&s, ap), *fmt);
			break;
		case 'c':
			put_text(&o, &s, &(char){(char)va_arg(ap, int)}, 1);
			break;
		case 's':
			put_string(&o, &s, va_arg(ap, const char *));
			break;
		case 'p':
			put_pointer(&o, &s, va_arg(ap, unsigned long), fmt[1] == 'S');
			fmt += fmt[1] == 'S';
			break;
		case '%':
			put(&o, '%');
			break;
		case '\0': /* a lone % at the end */
			fmt--;
			break;
		default:
			put(&o, '%');
			put(&o, *fmt);
		}
	}
	if (size)
		buf[min(o.len, size - 1)] = '\0';
	return (int)o.len;
}

int hv_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = hv_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
