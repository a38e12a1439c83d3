/* SPDX-License-Identifier: MIT */
/*
 * The two check sums of gzip and xz: CRC-32 (IEEE 802.3) and CRC-64 (ECMA-182), both bit-reflected,
 * eight bytes a step. The tables are made at the first use. Pure.
 */
#ifndef LIB_CRC_H
#define LIB_CRC_H

#include "lib/types.h"

/*
 * Lends crc32() CRC32_WIDE_SIZE bytes of zeroed or used memory, in which it keeps larger tables that
 * halve its work on long texts; NULL takes them back. One user at a time.
 */
#define CRC32_WIDE_SIZE (4UL * 65536 * sizeof(u32))
void crc32_lend(void *mem);

/* Of the whole text; start with 0, or go on with what the last call returned. */
u32 crc32(u32 crc, const void *buf, size_t n);
u64 crc64(u64 crc, const void *buf, size_t n);

#endif
