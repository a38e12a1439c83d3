/* SPDX-License-Identifier: MIT */
/*
 * What the bench program in the guest and the counting plugin in the emulator agree on: a mark is
 * a no-operation instruction (nopl MARK_DISP+n(%rax)) that no compiler emits.  The plugin writes
 * its counters down when the guest executes one.
 */
#ifndef BENCH_MARKS_H
#define BENCH_MARKS_H

#define MARK_DISP 0x0d0be700
#define MARK(n) \
	__asm__ volatile(".byte 0x0f, 0x1f, 0x80; .long %c0" : : "i"(MARK_DISP + (n)) : "memory")

enum bench_mark {
	MARK_INIT,	 /* the first instructions of /init */
	MARK_FORK_BEGIN, /* before and after 200 times fork, exec, wait */
	MARK_FORK_END,
	MARK_CREATE_1, /* before and after `xl create` of the first guest, the tenth, the hundredth */
	MARK_CREATED_1,
	MARK_CREATE_10,
	MARK_CREATED_10,
	MARK_CREATE_100,
	MARK_CREATED_100,
	MARK_DESTROY, /* before and after `xl destroy` of one of a hundred */
	MARK_DESTROYED,
	MARK_ROW, /* the probe: before and after the loop of each row */
	MARK_PROMPT,	   /* the whole image, see boot: dom0's login shell, the guest's */
	MARK_GUEST_PROMPT,
	MARK_LAST,
};

#define MARK_NAMES                                                                        \
	{                                                                                 \
		"init", "fork_begin", "fork_end", "create_1", "created_1", "create_10",   \
			"created_10", "create_100", "created_100", "destroy", "destroyed", "row", \
			"prompt", "guest_prompt"                                          \
	}

#endif
