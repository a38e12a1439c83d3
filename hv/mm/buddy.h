/* SPDX-License-Identifier: MIT */
/*
 * Buddy allocator over the frame table. Free blocks of 2^order frames, order 0..MAX_ORDER, in two
 * zones: below 4 GiB and above; without BUDDY_LOW the high zone is preferred. Locked inside.
 * Frames come back with refs = 0, type = 0, owner = DOMID_INVALID, state FS_USED, contents undefined
 * (BUDDY_ZERO: zeroed through the direct map). Frames that a guest had are flushed from the TLBs before
 * they are given out again (type_flush_hook).
 *
 * A frame that a guest had waits to be cleared by an idle CPU (mm/scrub.h). It is free all the while: it
 * is given out when its zone has nothing better, and cleared then if the caller wants zeros. What never
 * was a guest's does not wait.
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
unsigned long buddy_free_frames(void); /* those that wait included */
/* How many free frames wait to be cleared, and how many idle CPUs have cleared since the start. */
unsigned long buddy_waiting(void);
unsigned long buddy_scrubbed(void);
/* Some wait, and nobody is at work on any. */
bool buddy_neglected(void);
/* Recounts every list; false when a list, a count or a state disagrees. For tests and debug keys. */
bool buddy_audit(void);

/*
 * For mm/scrub.c. Takes 2^*order frames out of the lists, at most 2^SCRUB_ORDER, some of which wait; NULL:
 * none do, SCRUBBERS CPUs have some already, or an allocation wants all back first. They still count as
 * free, and an allocation that finds nothing else waits for them, so the holder neither allocates nor
 * takes interrupts. Whoever gives them back has set `content` of those `cleared` to FC_ZERO.
 */
#define SCRUB_ORDER 3
#define SCRUBBERS   4 /* more would only stand in line for the lock */
struct frame *buddy_scrub_take(unsigned int *order) __must_check;
void buddy_scrub_give(struct frame *f, unsigned int order, unsigned int cleared);

#endif
