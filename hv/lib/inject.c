/* SPDX-License-Identifier: MIT */
#include "lib/inject.h"
#include "lib/atomic.h"

static struct {
	u32 at, seen;
} points[NR_INJECT];

u32 inject_arm(enum inject_kind kind, u32 n)
{
	u32 seen;

	atomic_store(&points[kind].at, 0u);
	seen = atomic_xchg(&points[kind].seen, 0u);
	atomic_store(&points[kind].at, n);
	return seen;
}

bool inject_now(enum inject_kind kind)
{
	u32 at = READ_ONCE(points[kind].at);

	return at && atomic_add(&points[kind].seen, 1u) == at;
}
