/* SPDX-License-Identifier: MIT */
/*
 * The xz container (xz-file-format.txt): one stream of blocks, each with LZMA2, alone or after the x86
 * filter. What follows the stream is ignored: Linux's build appends the size there.
 */
#include "lib/crc.h"
#include "lib/errno.h"
#include "lib/image.h"
#include "lib/string.h"
#include "lib/xz.h"

#define HEADER_SIZE 12
#define FILTER_X86  0x04
#define FILTER_LZMA 0x21
#define VLI_BYTES   9

enum {
	CHECK_NONE = 0,
	CHECK_CRC32 = 1,
	CHECK_CRC64 = 4
};

struct stream {
	const u8 *in, *pos, *end;
	u8 *out_start, *out, *out_end;
	u8 flags[2];
	unsigned int check_size;
	u64 nr_blocks, unpadded, unpacked; /* sums over the blocks, to compare with the index */
};

struct block {
	bool x86;
	u32 x86_start;
	u64 packed, unpacked; /* from the header; ~0 when it does not say */
};

static u32 get32(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static u64 get64(const u8 *p)
{
	return get32(p) | (u64)get32(p + 4) << 32;
}

/* A number in 7-bit groups, lowest first, shortest form only. False when cut or too long. */
static bool get_vli(const u8 **p, const u8 *end, u64 *v)
{
	*v = 0;
	for (unsigned int i = 0; i < VLI_BYTES && *p < end; i++) {
		u8 b = *(*p)++;

		*v |= (u64)(b & 0x7f) << (7 * i);
		if (!(b & 0x80))
			return b || !i;
	}
	return false;
}

static int stream_header(struct stream *s)
{
	static const u8 magic[6] = {0xfd, '7', 'z', 'X', 'Z', 0};
	const u8 *p = s->pos;

	if (s->end - p < HEADER_SIZE || memcmp(p, magic, sizeof(magic)) ||
	    crc32(0, p + 6, 2) != get32(p + 8) || p[6])
		return -XEN_EINVAL;
	memcpy(s->flags, p + 6, 2);
	switch (p[7]) {
	case CHECK_NONE:
		s->check_size = 0;
		break;
	case CHECK_CRC32:
		s->check_size = 4;
		break;
	case CHECK_CRC64:
		s->check_size = 8;
		break;
	default:
		return -XEN_EINVAL;
	}
	s->pos += HEADER_SIZE;
	return 0;
}

/* Filter flags: id, size of the properties, properties. */
static int parse_filter(const u8 **p, const u8 *end, struct block *b, bool last)
{
	u64 id, size;

	if (!get_vli(p, end, &id) || !get_vli(p, end, &size) || size > (u64)(end - *p))
		return -XEN_EINVAL;
	if (last) {
		if (id != FILTER_LZMA || size != 1 || **p > 40)
			return -XEN_EINVAL; /* the dictionary's size; ours is the whole output */
	} else {
		if (id != FILTER_X86 || (size && size != 4))
			return -XEN_EINVAL;
		b->x86 = true;
		b->x86_start = size ? get32(*p) : 0;
	}
	*p += size;
	return 0;
}

static int block_header(struct stream *s, struct block *b)
{
	size_t size = (*s->pos + 1u) * 4;
	const u8 *p = s->pos + 2, *end = s->pos + size - 4;
	unsigned int flags, nr;

	if ((size_t)(s->end - s->pos) < size || crc32(0, s->pos, size - 4) != get32(end))
		return -XEN_EINVAL;
	flags = s->pos[1];
	nr = (flags & 3) + 1;
	*b = (struct block){.packed = ~0ULL, .unpacked = ~0ULL};
	if ((flags & 0x3c) || nr > 2)
		return -XEN_EINVAL;
	if ((flags & 0x40) && !get_vli(&p, end, &b->packed))
		return -XEN_EINVAL;
	if ((flags & 0x80) && !get_vli(&p, end, &b->unpacked))
		return -XEN_EINVAL;
	for (unsigned int i = 0; i < nr; i++)
		if (parse_filter(&p, end, b, i == nr - 1))
			return -XEN_EINVAL;
	while (p < end)
		if (*p++)
			return -XEN_EINVAL;
	s->pos += size;
	return 0;
}

static bool check_matches(const struct stream *s, const u8 *data, size_t n)
{
	if (s->check_size == 4)
		return crc32(0, data, n) == get32(s->pos);
	if (s->check_size == 8)
		return crc64(0, data, n) == get64(s->pos);
	return true;
}

static int decode_block(struct stream *s, struct lzma2 *l)
{
	const u8 *start = s->pos, *data;
	u8 *out = s->out;
	struct block b;
	size_t n;
	int err;

	if (block_header(s, &b))
		return -XEN_EINVAL;
	data = s->pos;
	l->in = data;
	l->in_end = s->end;
	l->out = out;
	l->out_end = s->out_end;
	err = lzma2_decode(l);
	if (err)
		return err;
	n = (size_t)(l->out - out);
	if ((b.packed != ~0ULL && b.packed != (u64)(l->in - data)) ||
	    (b.unpacked != ~0ULL && b.unpacked != n))
		return -XEN_EINVAL;
	s->pos = l->in;
	s->unpadded += (u64)(s->pos - start) + s->check_size;
	s->unpacked += n;
	s->nr_blocks++;
	for (; (s->pos - s->in) & 3; s->pos++)
		if (s->pos == s->end || *s->pos)
			return -XEN_EINVAL;
	if (b.x86)
		bcj_x86_decode(out, n, b.x86_start);
	if ((size_t)(s->end - s->pos) < s->check_size || !check_matches(s, out, n))
		return -XEN_EINVAL;
	s->pos += s->check_size;
	s->out = l->out;
	return 0;
}

/* Index: 0, number of records, {unpadded size, uncompressed size}..., padding, CRC32; then the footer. */
static int index_and_footer(struct stream *s)
{
	const u8 *start = s->pos, *p = start + 1;
	u64 nr, unpadded, unpacked, sum_unpadded = 0, sum_unpacked = 0;

	if (!get_vli(&p, s->end, &nr) || nr != s->nr_blocks)
		return -XEN_EINVAL;
	while (nr--) {
		if (!get_vli(&p, s->end, &unpadded) || !get_vli(&p, s->end, &unpacked))
			return -XEN_EINVAL;
		sum_unpadded += unpadded;
		sum_unpacked += unpacked;
	}
	if (sum_unpadded != s->unpadded || sum_unpacked != s->unpacked)
		return -XEN_EINVAL;
	for (; (p - s->in) & 3; p++)
		if (p == s->end || *p)
			return -XEN_EINVAL;
	if (s->end - p < 4 + HEADER_SIZE || crc32(0, start, (size_t)(p - start)) != get32(p))
		return -XEN_EINVAL;
	p += 4;
	if (crc32(0, p + 4, 6) != get32(p) || (get32(p + 4) + 1ULL) * 4 != (u64)(p - start) ||
	    memcmp(p + 8, s->flags, 2) || p[10] != 'Y' || p[11] != 'Z')
		return -XEN_EINVAL;
	return 0;
}

size_t xz_work_size(void)
{
	return sizeof(struct lzma2);
}

long unxz(const void *in, size_t in_len, void *out, size_t out_size, void *work)
{
	struct stream s = {
		.in = in,
		.pos = in,
		.end = (const u8 *)in + in_len,
		.out_start = out,
		.out = out,
		.out_end = (u8 *)out + out_size,
	};
	int err = stream_header(&s);

	if (err)
		return err;
	while (s.pos < s.end && *s.pos) {
		err = decode_block(&s, work);
		if (err)
			return err;
	}
	if (s.pos == s.end || index_and_footer(&s))
		return -XEN_EINVAL;
	return s.out - s.out_start;
}
