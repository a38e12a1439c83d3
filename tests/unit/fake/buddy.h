/* SPDX-License-Identifier: MIT */
/* Memory for the buddy allocator, in a test that has it linked. */
#ifndef FAKE_BUDDY_H
#define FAKE_BUDDY_H

#include <string.h>
#include "fake/fake.h"
#include "mm/buddy.h"
#include "mm/frame.h"

/* Frames that nobody touches need no memory of the test's. */
static inline void fake_buddy_add(mfn_t start, unsigned long nr)
{
	fake_ram_add(start, nr);
	buddy_add_range(start, nr);
}

/* With something in them that is not zero. */
static inline void fake_buddy_add_dirty(mfn_t start, unsigned long nr)
{
	fake_ram_add(start, nr);
	memset(mfn_to_virt(start), 0x5a, nr * PAGE_SIZE);
	buddy_add_range(start, nr);
}

#endif
