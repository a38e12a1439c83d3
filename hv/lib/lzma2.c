/* SPDX-License-Identifier: MIT */
/*
 * LZMA's range decoder works bit by bit, and one kernel holds some 10^8 bits, so everything here is
 * about few instructions a bit: the coder's state lives in registers (struct rc is always a local whose
 * parts the compiler keeps apart), reads are not bounded one by one but by LZMA_SLACK once a symbol.
 */
#include "lib/errno.h"
#include "lib/lzcopy.h"
#include "lib/string.h"
#include "lib/xz.h"

#define TOP	  (1u << 24)
#define PROB_BITS 11
#define PROB_INIT (1u << (PROB_BITS - 1))
#define MOVE	  5
#define MIN_LEN	  2

#define always_inline inline __attribute__((always_inline))

struct rc {
	u32 range, code;
	const u8 *in;
};

static always_inline void normalize(struct rc *rc)
{
	if (unlikely(rc->range < TOP)) {
		rc->range <<= 8;
		rc->code = rc->code << 8 | *rc->in++;
	}
}

/*
 * tree[n], read and written with the two registers as they are: left alone the compiler spends two or
 * three instructions a bit on keeping the address, and the next node's number from it.
 */
static always_inline u32 get_prob(const u16 *tree, u64 n)
{
	u32 prob;

	__asm__ __volatile__("movzwl (%[tree], %[n], 2), %[prob]"
			     : [prob] "=r"(prob)
			     : [tree] "r"(tree), [n] "r"(n)
			     : "memory");
	return prob;
}

static always_inline void set_prob(u16 *tree, u64 n, u32 prob)
{
	__asm__ __volatile__("movw %w[prob], (%[tree], %[n], 2)"
			     :
			     : [tree] "r"(tree), [n] "r"(n), [prob] "r"(prob)
			     : "memory");
}

/* The next bit, of the model's node tree[n]; the model is moved towards it. */
static always_inline bool bit(struct rc *rc, u16 *tree, u64 n)
{
	u32 prob = get_prob(tree, n), bound;

	normalize(rc);
	bound = (rc->range >> PROB_BITS) * prob;
	if (rc->code < bound) {
		rc->range = bound;
		/* prob + ((2048 - prob) >> 5), one instruction shorter */
		prob -= (u32)((s32)(prob - ((1u << PROB_BITS) - 31)) >> MOVE);
		set_prob(tree, n, prob);
		return false;
	}
	rc->range -= bound;
	rc->code -= bound;
	prob -= prob >> MOVE;
	set_prob(tree, n, prob);
	return true;
}

/* One step down a tree of probabilities: the node's number with the next bit appended. */
static always_inline u64 step(struct rc *rc, u16 *tree, u64 n)
{
	return bit(rc, tree, n) ? n * 2 + 1 : n * 2;
}

static always_inline u32 tree3(struct rc *rc, u16 *tree)
{
	u64 n = step(rc, tree, 1);

	n = step(rc, tree, n);
	return (u32)step(rc, tree, n) - 8;
}

static always_inline u32 tree6(struct rc *rc, u16 *tree)
{
	u64 n = step(rc, tree, 1);

	n = step(rc, tree, n);
	n = step(rc, tree, n);
	n = step(rc, tree, n);
	n = step(rc, tree, n);
	return (u32)step(rc, tree, n) - 64;
}

static always_inline u32 tree8(struct rc *rc, u16 *tree)
{
	u64 n = step(rc, tree, 1);

	n = step(rc, tree, n);
	n = step(rc, tree, n);
	n = step(rc, tree, n);
	n = step(rc, tree, n);
	n = step(rc, tree, n);
	n = step(rc, tree, n);
	return (u32)step(rc, tree, n) - 256;
}

/* Bits that come lowest first. */
static always_inline u32 reverse_tree(struct rc *rc, u16 *tree, u32 bits)
{
	u64 n = 1;
	u32 v = 0;

	for (u32 i = 0; i < bits; i++) {
		if (bit(rc, tree, n)) {
			n = n * 2 + 1;
			v |= 1u << i;
		} else {
			n = n * 2;
		}
	}
	return v;
}

/* The same for just four of them. */
static always_inline u32 reverse_tree4(struct rc *rc, u16 *tree)
{
	u64 n1 = step(rc, tree, 1), n2 = step(rc, tree, n1), n3 = step(rc, tree, n2);
	u32 n4 = (u32)step(rc, tree, n3);

	return (n4 & 1) << 3 | (n4 & 2) << 1 | (n4 & 4) >> 1 | (n4 & 8) >> 3;
}

/* Bits of probability 1/2. Without a branch: nobody can predict them. */
static always_inline u32 direct(struct rc *rc, u32 bits)
{
	u32 v = 0, rest;

	do {
		normalize(rc);
		rc->range >>= 1;
		rest = rc->code;
		v *= 2;
		/* rest -= range; when that borrows, code stays as it is and the bit is 0 */
		__asm__("sub %[range], %[rest]\n\t"
			"cmovae %[rest], %[code]\n\t"
			"sbb $-1, %[v]"
			: [rest] "+r"(rest), [code] "+r"(rc->code), [v] "+r"(v)
			: [range] "r"(rc->range)
			: "cc");
	} while (--bits);
	return v;
}

static always_inline u32 length(struct rc *rc, struct lzma_len *l, u32 pos)
{
	if (!bit(rc, &l->choice, 0))
		return MIN_LEN + tree3(rc, l->low[pos]);
	if (!bit(rc, &l->choice2, 0))
		return MIN_LEN + 8 + tree3(rc, l->mid[pos]);
	return MIN_LEN + 16 + tree8(rc, l->high);
}

static always_inline u32 distance(struct rc *rc, struct lzma_probs *pr, u32 len)
{
	u32 slot = tree6(rc, pr->dist_slot[min(len - MIN_LEN, 3u)]), bits, base;

	if (slot < 4)
		return slot;
	bits = slot / 2 - 1;
	base = (2 | (slot & 1)) << bits;
	if (slot < 14)
		return base + reverse_tree(rc, pr->dist_special + base - slot, bits);
	base += direct(rc, bits - 4) << 4;
	return base + reverse_tree4(rc, pr->dist_align);
}

/*
 * After a match the byte at the last distance says which way the literal does not go: bits have models
 * of their own as long as they agree with it.
 */
static always_inline u32 matched_literal(struct rc *rc, u16 *tree, u32 match)
{
	u64 n = 1;

	for (;;) {
		if (match & 0x80) {
			if (!bit(rc, tree + 0x200, n)) {
				n = n * 2;
				break;
			}
			n = n * 2 + 1;
		} else {
			if (bit(rc, tree + 0x100, n)) {
				n = n * 2 + 1;
				break;
			}
			n = n * 2;
		}
		match <<= 1;
		if (n >= 0x100)
			return (u32)n;
	}
	while (n < 0x100)
		n = step(rc, tree, n);
	return (u32)n;
}

/* The distance of a repeated match, moved to the front; true for the one-byte form. */
static always_inline bool repeated(struct rc *rc, struct lzma2 *s, u32 state, u32 pos)
{
	struct lzma_probs *pr = &s->probs;
	u32 d;

	if (!bit(rc, pr->is_rep0, state))
		return !bit(rc, pr->is_rep0_long[state], pos);
	if (!bit(rc, pr->is_rep1, state)) {
		d = s->rep[1];
	} else {
		if (!bit(rc, pr->is_rep2, state)) {
			d = s->rep[2];
		} else {
			d = s->rep[3];
			s->rep[3] = s->rep[2];
		}
		s->rep[2] = s->rep[1];
	}
	s->rep[1] = s->rep[0];
	s->rep[0] = d;
	return false;
}

static const u8 after_literal[LZMA_STATES] = {0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5};

/* Decodes the symbols of one chunk, whose output ends at end and input at in_end. */
static int decode_chunk(struct lzma2 *s, const u8 *in_end, u8 *end)
{
	struct lzma_probs *pr = &s->probs;
	struct rc rc = {0xffffffff, 0, s->in};
	u8 *out = s->out;
	u32 state = s->state, len;

	/* The first byte is always 0 and carries nothing. */
	if (*rc.in++)
		return -XEN_EINVAL;
	for (int i = 0; i < 4; i++)
		rc.code = rc.code << 8 | *rc.in++;

	while (out < end) {
		u32 at = (u32)(out - s->dict), pos = at & s->pos_mask;

		if (unlikely(rc.in > in_end))
			return -XEN_EINVAL;
		if (!bit(&rc, pr->is_match[state], pos)) {
			u32 prev = at ? out[-1] : 0;
			u32 ctx = ((at & s->lp_mask) << s->lc) + (prev >> (8 - s->lc));

			u16 *tree = &pr->literal[ctx * LZMA_LITERAL_STEP];

			if (state < 7)
				*out = (u8)tree8(&rc, tree);
			else
				*out = (u8)matched_literal(&rc, tree, *(out - s->rep[0] - 1));
			out++;
			state = after_literal[state];
			continue;
		}
		if (!bit(&rc, pr->is_rep, state)) {
			s->rep[3] = s->rep[2];
			s->rep[2] = s->rep[1];
			s->rep[1] = s->rep[0];
			len = length(&rc, &pr->match_len, pos);
			s->rep[0] = distance(&rc, pr, len);
			state = state < 7 ? 7 : 10;
		} else if (repeated(&rc, s, state, pos)) {
			len = 1;
			state = state < 7 ? 9 : 11;
		} else {
			len = length(&rc, &pr->rep_len, pos);
			state = state < 7 ? 8 : 11;
		}
		if (unlikely(s->rep[0] >= (size_t)(out - s->dict) || len > (size_t)(end - out)))
			return -XEN_EINVAL;
		out = lz_copy(out, (size_t)s->rep[0] + 1, len, s->out_end);
	}
	normalize(&rc);
	s->state = state;
	s->in = rc.in;
	s->out = out;
	return rc.in == in_end && !rc.code ? 0 : -XEN_EINVAL;
}

static void reset_state(struct lzma2 *s)
{
	u16 *p = (u16 *)&s->probs;

	for (size_t i = 0; i < sizeof(s->probs) / sizeof(*p); i++)
		p[i] = PROB_INIT;
	memset(s->rep, 0, sizeof(s->rep));
	s->state = 0;
}

static int set_props(struct lzma2 *s, u8 props)
{
	u32 lc, lp;

	if (props > (4 * 5 + 4) * 9 + 8)
		return -XEN_EINVAL;
	s->pos_mask = (1u << (props / 45)) - 1;
	props %= 45;
	lp = props / 9;
	lc = props % 9;
	if (lc + lp > LZMA_LCLP_MAX)
		return -XEN_EINVAL;
	s->lc = lc;
	s->lp_mask = (1u << lp) - 1;
	return 0;
}

/* Chunk of plain bytes: control, size - 1 as two bytes. */
static int plain_chunk(struct lzma2 *s, u8 control)
{
	size_t n;

	if (s->in_end - s->in < 3)
		return -XEN_EINVAL;
	n = ((size_t)s->in[1] << 8 | s->in[2]) + 1;
	s->in += 3;
	if (control == 1) {
		s->dict = s->out;
		s->need_dict = false;
		s->need_props = s->need_state = true;
	}
	if (s->need_dict || n > (size_t)(s->in_end - s->in))
		return -XEN_EINVAL;
	if (n > (size_t)(s->out_end - s->out))
		return -XEN_ENOSPC;
	memcpy(s->out, s->in, n);
	s->in += n;
	s->out += n;
	return 0;
}

/* What a compressed chunk's control byte asks to reset before it. */
static int apply_resets(struct lzma2 *s, u8 control)
{
	if (control >= 0xe0) {
		s->dict = s->out;
		s->need_dict = false;
	}
	if (control >= 0xc0) {
		if (set_props(s, *s->in++))
			return -XEN_EINVAL;
		s->need_props = false;
	}
	if (control >= 0xa0) {
		reset_state(s);
		s->need_state = false;
	}
	return s->need_dict || s->need_props || s->need_state ? -XEN_EINVAL : 0;
}

/* Control, output size - 1 (5 bits of the control and two bytes), input size - 1, properties. */
static int lzma_chunk(struct lzma2 *s, u8 control)
{
	size_t out_n, in_n;

	if (s->in_end - s->in < 6)
		return -XEN_EINVAL;
	out_n = ((size_t)(control & 0x1f) << 16 | (size_t)s->in[1] << 8 | s->in[2]) + 1;
	in_n = ((size_t)s->in[3] << 8 | s->in[4]) + 1;
	s->in += 5;
	if (apply_resets(s, control))
		return -XEN_EINVAL;
	if (in_n < 5 || (size_t)(s->in_end - s->in) < in_n + LZMA_SLACK)
		return -XEN_EINVAL;
	if (out_n > (size_t)(s->out_end - s->out))
		return -XEN_ENOSPC;
	return decode_chunk(s, s->in + in_n, s->out + out_n);
}

int lzma2_decode(struct lzma2 *s)
{
	int err;

	s->need_dict = s->need_props = s->need_state = true;
	s->dict = s->out;
	while (s->in < s->in_end) {
		u8 control = *s->in;

		if (!control) {
			s->in++;
			return 0;
		}
		if (control > 2 && control < 0x80)
			return -XEN_EINVAL;
		err = control < 0x80 ? plain_chunk(s, control) : lzma_chunk(s, control);
		if (err)
			return err;
	}
	return -XEN_EINVAL;
}
