/* SPDX-License-Identifier: MIT */
#include "lib/crc.h"
#include "lib/atomic.h"

#define POLY32 0xedb88320u
#define POLY64 0xc96c5795d7870f42ULL

typedef u64 __attribute__((may_alias, aligned(1))) una64;

/* table[k][b]: what byte b contributes when k more zero bytes follow it. */
static u32 table32[8][256];
static u64 table64[8][256];
static bool ready32, ready64;
/* Lent: wide[k][v] for two bytes v at a time, k pairs of zero bytes behind them. */
static u32 (*wide)[65536];

static void make_table32(void)
{
	for (u32 b = 0; b < 256; b++) {
		u32 c = b;

		for (int i = 0; i < 8; i++)
			c = c & 1 ? c >> 1 ^ POLY32 : c >> 1;
		table32[0][b] = c;
	}
	for (u32 b = 0; b < 256; b++)
		for (int k = 1; k < 8; k++)
			table32[k][b] =
				table32[k - 1][b] >> 8 ^ table32[0][table32[k - 1][b] & 0xff];
	atomic_store(&ready32, true);
}

static void make_table64(void)
{
	for (u32 b = 0; b < 256; b++) {
		u64 c = b;

		for (int i = 0; i < 8; i++)
			c = c & 1 ? c >> 1 ^ POLY64 : c >> 1;
		table64[0][b] = c;
	}
	for (u32 b = 0; b < 256; b++)
		for (int k = 1; k < 8; k++)
			table64[k][b] =
				table64[k - 1][b] >> 8 ^ table64[0][table64[k - 1][b] & 0xff];
	atomic_store(&ready64, true);
}

void crc32_lend(void *mem)
{
	wide = mem;
	if (!mem)
		return;
	if (!atomic_load(&ready32))
		make_table32();
	for (u32 k = 0; k < 4; k++)
		for (u32 v = 0; v < 65536; v++)
			wide[k][v] = table32[2 * k + 1][v & 0xff] ^ table32[2 * k][v >> 8];
}

/* Whole eight bytes; the inverted form on both sides. */
static u32 crc32_wide(u32 crc, const u8 *p, size_t n)
{
	for (; n >= 8; n -= 8, p += 8) {
		u64 v = *(const una64 *)p ^ crc;

		crc = wide[3][v & 0xffff] ^ wide[2][v >> 16 & 0xffff] ^ wide[1][v >> 32 & 0xffff] ^
		      wide[0][v >> 48];
	}
	return crc;
}

u32 crc32(u32 crc, const void *buf, size_t n)
{
	const u8 *p = buf;

	if (!atomic_load(&ready32))
		make_table32();
	crc = ~crc;
	if (wide) {
		crc = crc32_wide(crc, p, n);
		p += n & ~7UL;
		n &= 7;
	}
	for (; n >= 8; n -= 8, p += 8) {
		u64 v = *(const una64 *)p ^ crc;

		crc = table32[7][v & 0xff] ^ table32[6][v >> 8 & 0xff] ^
		      table32[5][v >> 16 & 0xff] ^ table32[4][v >> 24 & 0xff] ^
		      table32[3][v >> 32 & 0xff] ^ table32[2][v >> 40 & 0xff] ^
		      table32[1][v >> 48 & 0xff] ^ table32[0][v >> 56];
	}
	while (n--)
		crc = crc >> 8 ^ table32[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

u64 crc64(u64 crc, const void *buf, size_t n)
{
	const u8 *p = buf;

	if (!atomic_load(&ready64))
		make_table64();
	crc = ~crc;
	for (; n >= 8; n -= 8, p += 8) {
		u64 v = *(const una64 *)p ^ crc;

		crc = table64[7][v & 0xff] ^ table64[6][v >> 8 & 0xff] ^
		      table64[5][v >> 16 & 0xff] ^ table64[4][v >> 24 & 0xff] ^
		      table64[3][v >> 32 & 0xff] ^ table64[2][v >> 40 & 0xff] ^
		      table64[1][v >> 48 & 0xff] ^ table64[0][v >> 56];
	}
	while (n--)
		crc = crc >> 8 ^ table64[0][(crc ^ *p++) & 0xff];
	return ~crc;
}
