/* SPDX-License-Identifier: MIT */
/*
 * VGA text, 80 x 25, write-only: a copy in our memory is what scrolls. Nothing is shown before
 * plat_phys_to_virt works, nor after vga_release. One of the two screens (screen.h).
 */
#ifndef PLAT_VGA_H
#define PLAT_VGA_H

#include "lib/types.h"

void vga_init(void);
void vga_write(const char *s, size_t n);
void vga_release(void); /* dom0 takes the screen: nothing is written any more */

/* Panic: writes again, from an empty screen on, when dom0 has left the adapter in its text mode. */
void vga_reclaim(void);
/* For dom0_vga_console_info. */
void vga_get_text_info(u16 *cols, u16 *rows, u16 *cx, u16 *cy, u16 *font_height);

#endif
