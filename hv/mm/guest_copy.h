/* SPDX-License-Identifier: MIT */
/*
 * The one way in and the one way out of guest memory at a guest virtual address of the current vcpu
 * (its current page tables, user pages included). Each returns 0 or -XEN_EFAULT; on failure a
 * copy_from leaves dst zeroed. Addresses that touch the hypervisor's half fail.
 */
#ifndef MM_GUEST_COPY_H
#define MM_GUEST_COPY_H

#include "lib/types.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/layout.h"

/* Set once any root has an entry for itself: from then on copies make sure not to walk through one. */
extern bool guest_has_self_map;
/* True when a or the last byte of a + n would be reached that way. */
bool guest_through_self_map(unsigned long a, size_t n);

int copy_from_guest(void *dst, const void *src, size_t n) __must_check;
int copy_to_guest(void *dst, const void *src, size_t n) __must_check;
/* The same for one word, as short as it gets. */
int copy_u32_from_guest(u32 *dst, const void *src) __must_check;
int clear_guest(void *dst, size_t n) __must_check;
/* Copies a NUL-ended text of at most size-1 bytes; -XEN_E2BIG when longer. */
int copy_string_from_guest(char *dst, const char *src, size_t size) __must_check;

#endif
