/* SPDX-License-Identifier: MIT */
/*
 * Small-object heap of the hypervisor: size classes of powers of two 32..2048 carved from single
 * frames; larger sizes are whole frames from the buddy allocator. Zeroed. Locked inside.
 */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include "lib/types.h"

void *hv_alloc(size_t size) __must_check; /* NULL when memory is short */
void hv_free(void *p);			  /* NULL is fine; panics on a pointer it did not give */
/* Whole frames, 2^order, zeroed and direct-mapped. */
void *hv_alloc_pages(unsigned int order) __must_check;
void hv_free_pages(void *p, unsigned int order);
/* Frames the hypervisor holds through this heap (both kinds). */
unsigned long heap_frames(void);

#endif
