/* SPDX-License-Identifier: MIT */
/*
 * Block copies use quadwords: `rep movsq` is as fast as any on processors with fast strings, and
 * eight times cheaper than bytes on emulators that run one element at a time.
 */
#include "lib/string.h"

/* Without this the compiler would turn the loop inside memcpy() into a call of memcpy(). */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

typedef u64 __attribute__((may_alias, aligned(1))) una64;
typedef u32 __attribute__((may_alias, aligned(1))) una32;

#define REP_MIN 64 /* below this the start-up cost of a string instruction is not worth it */

void *memcpy(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if (n < 8) {
		while (n--)
			*d++ = *s++;
		return dst;
	}
	if (n < REP_MIN) {
		u64 last = *(const una64 *)(s + n - 8);
		u8 *end = d + n - 8;

		for (; d < end; d += 8, s += 8)
			*(una64 *)d = *(const una64 *)s;
		*(una64 *)end = last;
		return dst;
	}
	*(una64 *)d = *(const una64 *)s;
	*(una64 *)(d + n - 8) = *(const una64 *)(s + n - 8);
	/* The ends are done; the middle may start at an aligned destination. */
	size_t skip = 8 - ((uintptr_t)d & 7), words = (n - skip) / 8;

	d += skip;
	s += skip;
	__asm__ __volatile__("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if ((uintptr_t)d - (uintptr_t)s >= n) {
		if ((uintptr_t)s - (uintptr_t)d >= n)
			return memcpy(dst, src, n);
		for (; n >= 8; n -= 8, d += 8, s += 8)
			*(una64 *)d = *(const una64 *)s;
		while (n--)
			*d++ = *s++;
		return dst;
	}
	for (; n >= 8; n -= 8)
		*(una64 *)(d + n - 8) = *(const una64 *)(s + n - 8);
	while (n--)
		d[n] = s[n];
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u8 *d = dst;
	u64 v = (u8)c * 0x0101010101010101UL;
	size_t words = n / 8;

	if (n >= REP_MIN) {
		*(una64 *)(d + n - 8) = v;
		__asm__ __volatile__("rep stosq" : "+D"(d), "+c"(words) : "a"(v) : "memory");
		return dst;
	}
	for (; n >= 8; n -= 8, d += 8)
		*(una64 *)d = v;
	while (n--)
		*d++ = (u8)c;
	return dst;
}

/* n bytes, a constant. A loop of one line a turn has half as many instructions again. */
#define CLEAR_UNROLLED(d, n)                                   \
	__asm__ __volatile__(".set clear_at, 0\n\t"            \
			     ".rept " #n " / 8\n\t"            \
			     "movnti %1, clear_at(%0)\n\t"     \
			     ".set clear_at, clear_at + 8\n\t" \
			     ".endr" ::"r"(d),                 \
			     "r"(0UL)                          \
			     : "memory")

void clear_lines(void *p, size_t n)
{
	u8 *d = p, *end = d + n;

	for (; d + 512 <= end; d += 512)
		CLEAR_UNROLLED(d, 512);
	for (; d < end; d += 64)
		CLEAR_UNROLLED(d, 64);
	__asm__ __volatile__("sfence" ::: "memory");
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a, *q = b;

	for (; n >= 8; n -= 8, p += 8, q += 8) {
		u64 x = *(const una64 *)p, y = *(const una64 *)q;

		if (x != y)
			return __builtin_bswap64(x) < __builtin_bswap64(y) ? -1 : 1;
	}
	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const u8 *p = s;

	for (; n; n--, p++)
		if (*p == (u8)c)
			return (void *)p;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i])
		i++;
	return i;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (u8)*a - (u8)*b;
	return 0;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return (char *)s;
}

char *strstr(const char *s, const char *needle)
{
	size_t n = strlen(needle);

	for (;; s++) {
		if (!strncmp(s, needle, n))
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t n = strlen(src);

	if (size) {
		size_t c = min(n, size - 1);

		memcpy(dst, src, c);
		dst[c] = '\0';
	}
	return n;
}

size_t strlcat(char *dst, const char *src, size_t size)
{
	size_t n = strnlen(dst, size);

	if (n == size)
		return n + strlen(src);
	return n + strlcpy(dst + n, src, size - n);
}

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	c |= 0x20;
	if (c >= 'a' && c <= 'z')
		return (unsigned int)(c - 'a') + 10;
	return 99;
}

/* Saturates at ULONG_MAX. */
unsigned long strtoul(const char *s, const char **end)
{
	unsigned int base = 10;
	unsigned long v = 0;

	if (s[0] == '0') {
		base = 8;
		if ((s[1] | 0x20) == 'x' && digit_value(s[2]) < 16) {
			base = 16;
			s += 2;
		}
	}
	for (; digit_value(*s) < base; s++)
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, digit_value(*s), &v)) {
			while (digit_value(*s) < base)
				s++;
			v = ULONG_MAX;
			break;
		}
	if (end)
		*end = s;
	return v;
}
