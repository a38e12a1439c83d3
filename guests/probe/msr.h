/* SPDX-License-Identifier: MIT */
/* RDMSR and WRMSR as catch_trap() takes them: they may fault. */
#ifndef PROBE_MSR_H
#define PROBE_MSR_H

#include "kit.h"

struct msr {
	u32 nr;
	u64 val;
};

static inline void do_rdmsr(void *arg)
{
	struct msr *m = arg;
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(m->nr));
	m->val = (u64)hi << 32 | lo;
}

static inline void do_wrmsr(void *arg)
{
	struct msr *m = arg;

	asm volatile("wrmsr" : : "a"((u32)m->val), "d"((u32)(m->val >> 32)), "c"(m->nr));
}

#endif
