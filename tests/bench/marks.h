/* SPDX-License-Identifier: MIT */
/*
 * What the bench program in the guest and the counting plugin in the emulator agree on: a mark is
 * a no-operation instruction (nopl MARK_DISP+n(%rax)) that no compiler emits.  The plugin writes
 * its counters down when the guest executes one.
 */
#ifndef BENCH_MARKS_H
#define BENCH_MARKS_H

#define MARK_DISP 0x0d0be700

enum bench_mark {
	MARK_INIT,	 /* the first instructions of /init */
	MARK_FORK_BEGIN, /* before and after 200 times fork, exec, wait */
	MARK_FORK_END,
	MARK_LAST,
};

#define MARK_NAMES                               \
	{                                        \
		"init", "fork_begin", "fork_end" \
	}

#endif
