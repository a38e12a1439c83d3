/* SPDX-License-Identifier: MIT */
/* Bit maps of the tools (struct xenctl_bitmap): byte arrays of any length, against our fixed ones. */
#ifndef CALL_BITMAP_H
#define CALL_BITMAP_H

#include "lib/types.h"
#include <xen/xen.h>

#define BITMAP_MAX_BITS 1024

/* map has nbits bits; bits beyond the guest's are 0, bits beyond nbits are dropped. 0 or -XEN_EFAULT. */
int bitmap_from_guest(unsigned long *map, unsigned int nbits, const struct xenctl_bitmap *b);
/* Writes all bytes of the guest's map (BITMAP_MAX_BITS at most), zeroes beyond nbits. 0 or -XEN_E*. */
int bitmap_to_guest(const struct xenctl_bitmap *b, const unsigned long *map, unsigned int nbits);

#endif
