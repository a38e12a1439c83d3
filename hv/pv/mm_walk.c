/* SPDX-License-Identifier: MIT */
#include "pv/mm_walk.h"

u64 *pv_walk_l1e(struct vcpu *v, unsigned long va)
{
	return walk_l1e(v, va);
}
