/* SPDX-License-Identifier: MIT */
/*
 * Fault injection, in test builds only (CONFIG_HV_FAULT_INJECT): the n-th allocation from now fails, the
 * n-th check whether a long operation should stop says yes. Each once. In other builds the questions
 * are constants and nothing of it remains.
 */
#ifndef LIB_INJECT_H
#define LIB_INJECT_H

#include "lib/types.h"

enum inject_kind {
	INJECT_ALLOC,
	INJECT_PREEMPT,
	NR_INJECT
};

#ifdef CONFIG_HV_FAULT_INJECT

/* From now on: the n-th one, 0 for none. Returns how many have been asked for since the last call. */
u32 inject_arm(enum inject_kind kind, u32 n);
bool inject_now(enum inject_kind kind);

#else

static inline bool inject_now(enum inject_kind kind)
{
	return false;
}

#endif

/* To be asked before any memory is taken. */
static inline bool inject_alloc(void)
{
	return inject_now(INJECT_ALLOC);
}

/* To be asked where an operation that is repeated until it is done may stop. */
static inline bool inject_preempt(void)
{
	return inject_now(INJECT_PREEMPT);
}

#endif
