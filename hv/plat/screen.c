/* SPDX-License-Identifier: MIT */
#include "plat/screen.h"
#include "plat/vga.h"

static enum {
	NOTHING,
	TEXT,
	FRAMEBUFFER
} kind;

static struct screen_fb the_fb;
bool screen_keep;

void screen_init(const struct screen_fb *fb, bool no_text)
{
	the_fb = *fb;
	if (fb_init(&the_fb)) {
		kind = FRAMEBUFFER;
	} else if (!no_text && fb->type != SCREEN_FB_RGB) {
		kind = TEXT;
		vga_init();
	}
}

void screen_write(const char *s, size_t n)
{
	if (kind == FRAMEBUFFER)
		fb_write(s, n);
	else if (kind == TEXT)
		vga_write(s, n);
}

void screen_map(void)
{
	if (kind == FRAMEBUFFER)
		fb_map();
}

void screen_release(void)
{
	if (screen_keep)
		return;
	if (kind == FRAMEBUFFER)
		fb_release();
	else if (kind == TEXT)
		vga_release();
}

void screen_reclaim(void)
{
	if (kind == FRAMEBUFFER)
		fb_reclaim();
	else if (kind == TEXT)
		vga_reclaim();
}

const struct screen_fb *screen_get_fb(void)
{
	return kind == FRAMEBUFFER ? &the_fb : NULL;
}

bool screen_is_text(void)
{
	return kind == TEXT;
}
