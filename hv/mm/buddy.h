/* SPDX-License-Identifier: MIT */
/*
 * Buddy allocator over the frame table. Free blocks of 2^order frames, order 0..MAX_ORDER, in two
 * zones: below 4 GiB and above; without BUDDY_LOW the high zone is preferred. Locked inside.
 * Frames come back with refs = 0, type = 0, owner = DOMID_INVALID, state FS_USED, contents undefined
 * (BUDDY_ZERO: zeroed through the direct map). Frames that a guest had are flushed from the TLBs before
 * they are given out again (type_flush_hook).
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "mm/frame.h"

#define MAX_ORDER 20

#define BUDDY_LOW  1u /* below 4 GiB */
#define BUDDY_ZERO 2u

/* Gives [start, start + nr) to the allocator. Boot time; frames must be FS_RESERVED before. */
void buddy_add_range(mfn_t start, unsigned long nr);
/* First frame of 2^order contiguous, naturally aligned frames; NULL when there are none. */
struct frame *buddy_alloc(unsigned int order, unsigned int flags) __must_check;
/* The same, wholly below `limit` (a frame number). */
struct frame *buddy_alloc_below(unsigned int order, unsigned int flags, mfn_t limit) __must_check;
/* Gives 2^order frames back; merges with free buddies. Panics on a double free. */
void buddy_free(struct frame *f, unsigned int order);
/* Gives any number of single frames starting at f back, one after the other. */
void buddy_free_range(mfn_t start, unsigned long nr);
unsigned long buddy_free_frames(void);
/* Recounts every list; false when a list, a count or a state disagrees. For tests and debug keys. */
bool buddy_audit(void);

#endif
