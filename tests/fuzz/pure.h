/* SPDX-License-Identifier: MIT */
/* The readers of pure.c that have files of their own. Each gets memory of just the input's size. */
#ifndef FUZZ_PURE_H
#define FUZZ_PURE_H

#include <stdlib.h>
#include <string.h>
#include "lib/types.h"

/* A copy of n bytes in memory of just that size, to be freed. */
static inline void *exact(const u8 *data, size_t n)
{
	void *p = malloc(n ? n : 1);

	return n ? memcpy(p, data, n) : p;
}

/* --- pure_boot.c --- */
/* The multiboot1 information, with all that its addresses name, at either end of the lower 4 GiB. */
void fuzz_mb1(const u8 *data, size_t n);
/* The hypervisor's command line, by its real table of options. */
void fuzz_options(const u8 *data, size_t n);
/* The description of a framebuffer, and text on it. */
void fuzz_screen(const u8 *data, size_t n);
/* The firmware's system table and what it names. */
void fuzz_efi_system(const u8 *data, size_t n);
/* Texts and a map that our UEFI loader writes down for the hypervisor, which reads them again. */
void fuzz_handover(const u8 *data, size_t n);

#endif
