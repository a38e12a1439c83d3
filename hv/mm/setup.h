/* SPDX-License-Identifier: MIT */
/*
 * Memory at start: from the loader's map to a working frame table, direct map, machine-to-physical
 * table, buddy allocator and heap. Boot CPU only.
 */
#ifndef MM_SETUP_H
#define MM_SETUP_H

#include "lib/types.h"
#include "mm/plan.h"

/* ram, reserved: as for mem_plan_build(). Panics with a clear line when it cannot be done. */
void mm_setup(const struct mem_range *ram, unsigned int nr_ram, const struct mem_range *reserved,
	      unsigned int nr_reserved);
/* Code read-only, data not executable. */
void mm_protect_image(void);
/*
 * What only the start needs is dropped: the low identity mapping that starts processors, and of the
 * direct map below 4 GiB what holds no RAM, as a framebuffer.
 */
void mm_drop_boot_maps(void);
/* Gives a range that was reserved (a boot module) to the allocator. */
void mm_release(paddr_t start, paddr_t end);
/* Frames that we keep for ourselves: image, tables, heap. */
unsigned long mm_hv_frames(void);
unsigned long mm_total_frames(void);

#endif
