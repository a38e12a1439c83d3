/* SPDX-License-Identifier: MIT */
/*
 * What unit tests have in place of the floors below. panic() is cmocka's mock_assert(), so that
 * expect_assert_failure(call) shows that a call panics; the text of the last one is kept. RAM is address
 * space of the test program that gets memory when it is touched.
 */
#ifndef FAKE_FAKE_H
#define FAKE_FAKE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>
#include "lib/types.h"

extern char fake_panic_text[256];
extern unsigned int fake_log_lines; /* printed since the start */

/* Forgets all RAM. Frame numbers up to FAKE_MAX_MFN can be used after that. */
#define FAKE_MAX_MFN (1UL << 21)
void fake_ram_reset(void);
/* Frames [start, start + nr) become RAM, FS_RESERVED; max_mfn and the sections follow. */
void fake_ram_add(mfn_t start, unsigned long nr);

/* A small generator of numbers, the same in each run. */
u32 fake_random(void);
static inline u32 fake_below(u32 n)
{
	return fake_random() % n;
}

#endif
