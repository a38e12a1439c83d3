/* SPDX-License-Identifier: MIT */
/*
 * The screen, whichever it is: VGA text (vga.c) or a framebuffer that the loader or the firmware has set
 * up (fb.c). It is the hypervisor's until dom0 starts, and once more when the hypervisor panics. The
 * console (console.c) locks.
 */
#ifndef PLAT_SCREEN_H
#define PLAT_SCREEN_H

#include "lib/types.h"

enum {
	SCREEN_FB_NONE,
	SCREEN_FB_RGB = 1, /* these two as multiboot has them */
	SCREEN_FB_TEXT
};

struct screen_fb {
	u64 addr;
	u32 pitch, width, height; /* bytes, pixels, lines */
	u8 bpp, type;
	u8 red[2], green[2], blue[2]; /* position, size; in bits */
};

/* dom0 does not get the screen alone: the hypervisor goes on writing to it (vga=keep). */
extern bool screen_keep;

/*
 * Chooses: fb when it is one that can be used, else VGA text, else (no_text) nothing. Needs
 * plat_phys_to_virt; a framebuffer above 4 GiB shows only after screen_map().
 */
void screen_init(const struct screen_fb *fb, bool no_text);
void screen_write(const char *s, size_t n);
/* Once plat_map_wc works, and before the boot's mappings of device memory are dropped. */
void screen_map(void);
/* dom0 takes the screen. */
void screen_release(void);
/*
 * Panic: writes again, from an empty screen on. On a framebuffer always, though dom0 may show another
 * part of its memory; on VGA when dom0 has left it in text mode.
 */
void screen_reclaim(void);
/* The framebuffer in use, for dom0; NULL when the screen is another. Whether it is VGA text. */
const struct screen_fb *screen_get_fb(void);
bool screen_is_text(void);

/* --- fb.c --- */
/* False when it is no framebuffer that we can draw on. */
bool fb_init(const struct screen_fb *fb);
void fb_write(const char *s, size_t n);
void fb_map(void);
void fb_release(void);
void fb_reclaim(void);

/* --- font.c: 8 x 16 --- */
#define FONT_WIDTH  8
#define FONT_HEIGHT 16
/* The lines of a character, leftmost pixel in bit 7; of '?' when the font does not have it. */
const u8 *font_glyph(u8 c);

#endif
