/* SPDX-License-Identifier: MIT */
/* What pv/mm_types.c and its neighbours want beside peer_fakes.h, for one test program. */
#ifndef MM_FAKES_H
#define MM_FAKES_H

#include "peer_fakes.h"
#include "cpu/features.h"
#include "mm/tlb.h"

u64 idle_l4[512];
bool guest_has_self_map;

void tlb_flush_cpus(const unsigned long *cpus, unsigned long va)
{
}

/* For type_flush_hook. */
static void no_flush(struct frame *f, u32 stamp)
{
}

#endif
