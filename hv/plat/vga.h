/* SPDX-License-Identifier: MIT */
/*
 * VGA text, 80 x 25, write-only: a copy in our memory is what scrolls. Nothing is shown before
 * plat_phys_to_virt works, nor after vga_release. The console (console.c) locks.
 */
#ifndef PLAT_VGA_H
#define PLAT_VGA_H

#include "lib/types.h"

void vga_init(void);
void vga_write(const char *s, size_t n);

/* Panic: writes again, from an empty screen on, when dom0 has left the adapter in its text mode. */
void vga_reclaim(void);

#endif
