/* SPDX-License-Identifier: MIT */
/*
 * Idle CPUs clear the frames that guests have left, so that creating a domain need not. What of it is
 * still there when somebody wants memory is cleared by the allocator as ever.
 *
 * A dead guest's translations may still be in a TLB, writable, and a vcpu of its may have been on any
 * CPU. So before a frame is cleared all CPUs have flushed since it was freed (frame->stamp); only then
 * does it become FC_ZERO. One flush is good for all frames that were freed before, and the flush
 * clock knows; a busy CPU that has changed its page tables since is not interrupted at all.
 */
#ifndef MM_SCRUB_H
#define MM_SCRUB_H

#include "lib/types.h"

enum scrub_result {
	SCRUB_NOTHING,	 /* nothing to do, or others do it: go to sleep */
	SCRUB_DONE,	 /* come again */
	SCRUB_DISTURBED, /* the same, and other CPUs were interrupted for a flush */
	SCRUB_TOO_SOON	 /* would have had to, but must not: come again when it may */
};

/*
 * One step, from the idle loop, with no lock: clears at most 2^SCRUB_ORDER frames, and after the first
 * ends early when this CPU has a hazard. Flush requests are answered between frames; interrupts wait
 * until the step is over. disturb: other CPUs may be interrupted for a flush.
 */
enum scrub_result scrub_step(bool disturb);

#endif
