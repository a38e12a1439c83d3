/* SPDX-License-Identifier: MIT */
/* gzip (RFC 1952) and deflate (RFC 1951) into one buffer, which is also the window. */
#include "lib/crc.h"
#include "lib/errno.h"
#include "lib/image.h"
#include "lib/lzcopy.h"
#include "lib/string.h"

#define always_inline inline __attribute__((always_inline))

#define LIT_ROOT    10
#define DIST_ROOT   9
#define LIT_TABLE   1334 /* the most entries that complete codes of 286 and 30 symbols can need */
#define DIST_TABLE  594
#define MAX_BITS    15
#define MAX_SYMBOLS 320

/*
 * An entry of a decoding table, indexed by the next bits of the input: bits 0..7 how many of them to
 * use up, 8..12 how many extra bits follow (or that index the second table), 16.. the value: a literal,
 * the base of a length or distance, or where the second table begins.
 */
#define E_LITERAL  (1u << 31)
#define E_SECOND   (1u << 15)
#define E_END	   (1u << 14)
#define E_BAD	   (1u << 13)
#define E_BITS(e)  ((e)&0xff)
#define E_EXTRA(e) ((e) >> 8 & 0x1f)
#define E_VALUE(e) ((e) >> 16 & 0x7fff)

struct bits {
	u64 buf;	   /* bits not used yet, next one lowest */
	unsigned int nr;   /* how many are valid */
	unsigned int fake; /* bytes behind the end that were taken for 0 */
	const u8 *in, *in_end;
};

struct inflate {
	struct bits b;
	u8 *out_start, *out, *out_end;
	u32 lit[LIT_TABLE], dist[DIST_TABLE];
	u8 lengths[MAX_SYMBOLS];
};

/* Makes 56 or more bits valid. Behind the end come zeroes, which finish() then finds out. */
static always_inline void refill(struct bits *b)
{
	if (likely(b->in_end - b->in >= 8)) {
		b->buf |= *(const lz_word *)b->in << b->nr;
		b->in += (63 - b->nr) >> 3;
		b->nr |= 56;
		return;
	}
	while (b->nr < 56) {
		if (b->in < b->in_end)
			b->buf |= (u64)*b->in++ << b->nr;
		else
			b->fake++;
		b->nr += 8;
	}
}

static always_inline u32 take(struct bits *b, unsigned int n)
{
	u32 v = (u32)(b->buf & ((1ULL << n) - 1));

	b->buf >>= n;
	b->nr -= n;
	return v;
}

/* More bits were used than there are. */
static always_inline bool overrun(const struct bits *b)
{
	return b->fake * 8 > b->nr;
}

static u32 literal_entry(unsigned int sym)
{
	static const u16 base[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,	13,  15,  17,  19,  23, 27,
				   31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
	static const u8 extra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
				   2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};

	if (sym < 256)
		return E_LITERAL | sym << 16;
	if (sym == 256)
		return E_END;
	sym -= 257;
	return sym < ARRAY_SIZE(base) ? (u32)base[sym] << 16 | (u32)extra[sym] << 8 : E_BAD;
}

static u32 distance_entry(unsigned int sym)
{
	unsigned int extra = sym < 4 ? 0 : sym / 2 - 1;
	u32 base = sym < 4 ? sym + 1 : ((2 + (sym & 1)) << extra) + 1;

	return sym < 30 ? base << 16 | extra << 8 : E_BAD;
}

static u32 plain_entry(unsigned int sym)
{
	return sym << 16;
}

struct code {
	u16 count[MAX_BITS + 1];
	u16 sorted[MAX_SYMBOLS]; /* symbols by length, then by value: the order of the codes */
	unsigned int nr, longest;
};

/* False when the lengths do not make a prefix code. A lone code of one bit is let pass. */
static bool sort_code(struct code *c, const u8 *lengths, unsigned int n)
{
	u16 next[MAX_BITS + 2] = {0};
	int left = 1;

	memset(c, 0, sizeof(*c));
	for (unsigned int i = 0; i < n; i++)
		c->count[lengths[i]]++;
	c->count[0] = 0;
	for (unsigned int l = 1; l <= MAX_BITS; l++) {
		left = left * 2 - c->count[l];
		if (left < 0)
			return false;
		next[l + 1] = (u16)(next[l] + c->count[l]);
		c->longest = c->count[l] ? l : c->longest;
	}
	c->nr = next[MAX_BITS + 1];
	for (unsigned int i = 0; i < n; i++)
		if (lengths[i])
			c->sorted[next[lengths[i]]++] = (u16)i;
	return !left || c->longest <= 1;
}

/* How many bits index the second table whose first code has `len` bits. */
static unsigned int second_bits(const struct code *c, const u16 *remaining, unsigned int len,
				unsigned int root)
{
	unsigned int bits = len - root;
	int left = 1 << bits;

	while (bits + root < c->longest) {
		left -= remaining[bits + root];
		if (left <= 0)
			break;
		bits++;
		left <<= 1;
	}
	return bits;
}

/* The code after `code` of the same length, first bit lowest, as the input has them. */
static u32 next_code(u32 code, unsigned int len)
{
	u32 bit = 1u << (len - 1);

	while (code & bit)
		bit >>= 1;
	return bit ? (code & (bit - 1)) | bit : 0;
}

static bool build(u32 *table, unsigned int size, unsigned int root, const u8 *lengths,
		  unsigned int n, u32 (*entry)(unsigned int sym))
{
	unsigned int used = 1u << root, len = 1, sub_bits = 0;
	u32 code = 0, prefix = ~0u, sub = 0, mask = used - 1;
	struct code c;

	if (!sort_code(&c, lengths, n))
		return false;
	for (unsigned int i = 0; i < size; i++)
		table[i] = E_BAD | 1;
	for (unsigned int i = 0; i < c.nr; i++) {
		u32 e = entry(c.sorted[i]);

		while (!c.count[len])
			len++;
		if (len <= root) {
			for (u32 k = code; k < 1u << root; k += 1u << len)
				table[k] = e | len;
		} else {
			if ((code & mask) != prefix) {
				prefix = code & mask;
				sub = used;
				sub_bits = second_bits(&c, c.count, len, root);
				used += 1u << sub_bits;
				if (used > size)
					return false;
				table[prefix] = E_SECOND | sub << 16 | sub_bits << 8 | root;
			}
			for (u32 k = code >> root; k < 1u << sub_bits; k += 1u << (len - root))
				table[sub + k] = e | (len - root);
		}
		code = next_code(code, len);
		c.count[len]--;
	}
	return true;
}

/* The next symbol's entry; its bits are used up. 15 bits must be valid. */
static always_inline u32 symbol(struct bits *b, const u32 *table, unsigned int root)
{
	u32 e = table[b->buf & ((1u << root) - 1)];

	if (unlikely(e & E_SECOND)) {
		take(b, root);
		e = table[E_VALUE(e) + (b->buf & ((1u << E_EXTRA(e)) - 1))];
	}
	take(b, E_BITS(e));
	return e;
}

/* The symbols of one block, up to its end. Works on a copy of the bits, kept in registers. */
static int inflate_codes(struct inflate *s)
{
	struct bits b = s->b;
	u8 *out = s->out, *const out_end = s->out_end;
	u32 e, len, dist;

	for (;;) {
		refill(&b);
		do {
			e = symbol(&b, s->lit, LIT_ROOT);
			if (!(e & E_LITERAL))
				break;
			if (unlikely(out == out_end))
				return overrun(&b) ? -XEN_EINVAL : -XEN_ENOSPC;
			*out++ = (u8)(e >> 16);
		} while (b.nr >= MAX_BITS + 5); /* a symbol with its extra bits */
		if (e & E_LITERAL)
			continue;
		if (unlikely(e & (E_END | E_BAD)))
			break;
		len = E_VALUE(e) + take(&b, E_EXTRA(e));
		refill(&b);
		e = symbol(&b, s->dist, DIST_ROOT);
		dist = E_VALUE(e) + take(&b, E_EXTRA(e));
		if (unlikely((e & E_BAD) || overrun(&b) || dist > (size_t)(out - s->out_start)))
			return -XEN_EINVAL;
		if (unlikely(len > (size_t)(out_end - out)))
			return -XEN_ENOSPC;
		out = lz_copy(out, dist, len, out_end);
	}
	s->b = b;
	s->out = out;
	return (e & E_BAD) || overrun(&b) ? -XEN_EINVAL : 0;
}

/* Code lengths of a block, themselves coded; in s->lengths. */
static int read_lengths(struct inflate *s, unsigned int total)
{
	static const u8 order[19] = {16, 17, 18, 0, 8,	7, 9,  6, 10, 5,
				     11, 4,  12, 3, 13, 2, 14, 1, 15};
	unsigned int nr = take(&s->b, 4) + 4, n = 0;
	u8 lengths[19] = {0};

	for (unsigned int i = 0; i < nr; i++) {
		refill(&s->b);
		lengths[order[i]] = (u8)take(&s->b, 3);
	}
	if (!build(s->dist, DIST_TABLE, DIST_ROOT, lengths, 19, plain_entry))
		return -XEN_EINVAL;
	while (n < total) {
		unsigned int sym, repeat = 1;
		u8 value;

		refill(&s->b);
		sym = symbol(&s->b, s->dist, DIST_ROOT);
		if ((sym & E_BAD) || overrun(&s->b))
			return -XEN_EINVAL;
		sym = E_VALUE(sym);
		value = sym < 16 ? (u8)sym : 0;
		if (sym == 16) {
			if (!n)
				return -XEN_EINVAL;
			value = s->lengths[n - 1];
			repeat = 3 + take(&s->b, 2);
		} else if (sym == 17) {
			repeat = 3 + take(&s->b, 3);
		} else if (sym == 18) {
			repeat = 11 + take(&s->b, 7);
		}
		if (repeat > total - n)
			return -XEN_EINVAL;
		memset(s->lengths + n, value, repeat);
		n += repeat;
	}
	return 0;
}

static int inflate_dynamic(struct inflate *s)
{
	unsigned int nr_lit, nr_dist;

	refill(&s->b);
	nr_lit = take(&s->b, 5) + 257;
	nr_dist = take(&s->b, 5) + 1;
	if (nr_lit > 286 || nr_dist > 30 || read_lengths(s, nr_lit + nr_dist))
		return -XEN_EINVAL;
	if (!s->lengths[256] || /* no end of block */
	    !build(s->lit, LIT_TABLE, LIT_ROOT, s->lengths, nr_lit, literal_entry) ||
	    !build(s->dist, DIST_TABLE, DIST_ROOT, s->lengths + nr_lit, nr_dist, distance_entry))
		return -XEN_EINVAL;
	return inflate_codes(s);
}

static int inflate_fixed(struct inflate *s)
{
	memset(s->lengths, 8, 144);
	memset(s->lengths + 144, 9, 112);
	memset(s->lengths + 256, 7, 24);
	memset(s->lengths + 280, 8, 8);
	if (!build(s->lit, LIT_TABLE, LIT_ROOT, s->lengths, 288, literal_entry))
		return -XEN_EINVAL;
	memset(s->lengths, 5, 32);
	if (!build(s->dist, DIST_TABLE, DIST_ROOT, s->lengths, 32, distance_entry))
		return -XEN_EINVAL;
	return inflate_codes(s);
}

/* Drops the rest of the current byte and gives whole unused bytes back to the input. */
static int align_input(struct inflate *s)
{
	take(&s->b, s->b.nr & 7);
	if (overrun(&s->b))
		return -XEN_EINVAL;
	s->b.in -= s->b.nr / 8 - s->b.fake;
	s->b.buf = 0;
	s->b.nr = s->b.fake = 0;
	return 0;
}

static int inflate_stored(struct inflate *s)
{
	unsigned int n;

	if (align_input(s) || s->b.in_end - s->b.in < 4)
		return -XEN_EINVAL;
	n = s->b.in[0] | (unsigned int)s->b.in[1] << 8;
	if ((n ^ 0xffff) != (s->b.in[2] | (unsigned int)s->b.in[3] << 8))
		return -XEN_EINVAL;
	s->b.in += 4;
	if (n > (size_t)(s->b.in_end - s->b.in))
		return -XEN_EINVAL;
	if (n > (size_t)(s->out_end - s->out))
		return -XEN_ENOSPC;
	memcpy(s->out, s->b.in, n);
	s->b.in += n;
	s->out += n;
	return 0;
}

static int inflate(struct inflate *s)
{
	bool last;
	int err;

	do {
		refill(&s->b);
		last = take(&s->b, 1);
		switch (take(&s->b, 2)) {
		case 0:
			err = inflate_stored(s);
			break;
		case 1:
			err = inflate_fixed(s);
			break;
		case 2:
			err = inflate_dynamic(s);
			break;
		default:
			err = -XEN_EINVAL;
		}
		if (err)
			return err;
	} while (!last);
	return align_input(s);
}

/* Past the text that ends with NUL; NULL when it does not end. */
static const u8 *skip_text(const u8 *p, const u8 *end)
{
	p = memchr(p, 0, (size_t)(end - p));
	return p ? p + 1 : NULL;
}

/* The first byte of the compressed data, NULL when the header is cut or not gzip. */
static const u8 *skip_header(const u8 *p, const u8 *end)
{
	u8 flags;

	if (end - p < 10 || p[0] != 0x1f || p[1] != 0x8b || p[2] != 8 || (p[3] & 0xe0))
		return NULL;
	flags = p[3];
	p += 10;
	if (flags & 4) { /* extra field */
		if (end - p < 2 || end - p - 2 < (p[0] | p[1] << 8))
			return NULL;
		p += 2 + (p[0] | p[1] << 8);
	}
	if (flags & 8) /* name */
		p = skip_text(p, end);
	if (p && (flags & 16)) /* comment */
		p = skip_text(p, end);
	if (p && (flags & 2)) /* check sum of the header */
		p = end - p < 2 ? NULL : p + 2;
	return p;
}

static u32 get32(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

long gunzip(const void *in, size_t in_len, void *out, size_t out_size)
{
	struct inflate s; /* 8 KiB; the tables are built before they are read */
	size_t n;
	int err;

	s.b = (struct bits){.in_end = (const u8 *)in + in_len};
	s.b.in = skip_header(in, s.b.in_end);
	if (!s.b.in)
		return -XEN_EINVAL;
	s.out_start = s.out = out;
	s.out_end = s.out + out_size;
	err = inflate(&s);
	if (err)
		return err;
	n = (size_t)(s.out - s.out_start);
	if (s.b.in_end - s.b.in < 8 || get32(s.b.in + 4) != (u32)n ||
	    crc32(0, out, n) != get32(s.b.in))
		return -XEN_EINVAL;
	return (long)n;
}
