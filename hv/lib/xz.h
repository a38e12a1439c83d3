/* SPDX-License-Identifier: MIT */
/*
 * The parts of the xz decoder: LZMA2 with the output buffer as dictionary, and the x86 branch filter.
 * Pure; input is hostile: no read outside [in, in_end), no write outside [out, out_end).
 */
#ifndef LIB_XZ_H
#define LIB_XZ_H

#include "lib/types.h"

/*
 * Bytes that must follow the last compressed byte: one symbol may read this far before the decoder
 * notices. An xz stream has them: end marker, index of 8 or more, footer of 12.
 */
#define LZMA_SLACK 21

#define LZMA_LITERAL_STEP 0x300
#define LZMA_LCLP_MAX	  4
#define LZMA_POS_STATES	  16
#define LZMA_STATES	  12

struct lzma_len {
	u16 choice, choice2;
	u16 low[LZMA_POS_STATES][8], mid[LZMA_POS_STATES][8], high[256];
};

/* The model: probabilities that the next bit is 0, in 1/2048. */
struct lzma_probs {
	u16 is_match[LZMA_STATES][LZMA_POS_STATES];
	u16 is_rep[LZMA_STATES], is_rep0[LZMA_STATES], is_rep1[LZMA_STATES], is_rep2[LZMA_STATES];
	u16 is_rep0_long[LZMA_STATES][LZMA_POS_STATES];
	u16 dist_slot[4][64];
	u16 dist_special[128];
	u16 dist_align[16];
	struct lzma_len match_len, rep_len;
	u16 literal[LZMA_LITERAL_STEP << LZMA_LCLP_MAX];
};

struct lzma2 {
	struct lzma_probs probs;
	u32 rep[4], state;
	u32 lc, lp_mask, pos_mask;
	bool need_dict, need_props, need_state;
	const u8 *in, *in_end;
	u8 *out, *out_end, *dict; /* dict: output since the last dictionary reset */
};

/* Decodes LZMA2 chunks from s->in to s->out up to the end marker. 0, -XEN_EINVAL or -XEN_ENOSPC. */
int lzma2_decode(struct lzma2 *s);

/* Undoes the x86 filter in place: relative call and jump targets that the encoder made absolute. */
void bcj_x86_decode(u8 *buf, size_t n, u32 start);

#endif
