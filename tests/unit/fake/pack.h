/* SPDX-License-Identifier: MIT */
/* Test data for the decompressors, and the build machine's own compressors. */
#ifndef FAKE_PACK_H
#define FAKE_PACK_H

#include "lib/types.h"

/* Bytes of several kinds in turn: text, runs, machine code with calls, noise. Caller frees. */
u8 *pack_data(size_t n);
/* The output of a shell command that reads `in`. Caller frees. */
u8 *pack_run(const char *command, const u8 *in, size_t n, size_t *out_n);

/* long decode(in, in_len, out, out_size), as gunzip(); frees nothing. */
typedef long (*pack_decode)(const void *in, size_t in_len, void *out, size_t out_size);
/* Packs data and checks that decode() gives it back, into a buffer of just that size. */
void pack_check(pack_decode decode, const char *command, const u8 *data, size_t n);
/* Cuts and damages packed text: decode() must fail, or give the very same data. */
void pack_damage(pack_decode decode, const u8 *packed, size_t packed_n, const u8 *data, size_t n,
		 unsigned int rounds);

#endif
