/* SPDX-License-Identifier: MIT */
#include "boot/efi/loader.h"

static const struct efi_guid gop_guid = {
	0x9042a9de, 0x23dc, 0x4a38, {0x96, 0xfb, 0x7a, 0xde, 0xd0, 0x80, 0x51, 0x6a}};

/* Position and size of the lowest run of ones. */
static void channel(u8 *out, u32 mask)
{
	out[0] = out[1] = 0;
	if (!mask)
		return;
	out[0] = (u8)__builtin_ctz(mask);
	mask >>= out[0];
	while (mask & 1) {
		out[1]++;
		mask >>= 1;
	}
}

void find_framebuffer(struct screen_fb *fb)
{
	const struct efi_gop_info *i;
	struct efi_gop *gop;
	u32 red = 0xff, green = 0xff00, blue = 0xff0000;

	*fb = (struct screen_fb){0};
	if (efi_system->boot->locate_protocol(&gop_guid, NULL, &gop) || !gop->mode ||
	    !gop->mode->info || !gop->mode->fb_base)
		return;
	i = gop->mode->info;
	if (i->format == EFI_PIXEL_BGR) {
		red = 0xff0000;
		blue = 0xff;
	} else if (i->format == EFI_PIXEL_MASKS) {
		red = i->mask[0];
		green = i->mask[1];
		blue = i->mask[2];
	} else if (i->format != EFI_PIXEL_RGB) {
		return;
	}
	channel(fb->red, red);
	channel(fb->green, green);
	channel(fb->blue, blue);
	/* A pixel is 32 bits whatever the masks say (12.9, PixelsPerScanLine). */
	fb->bpp = 32;
	fb->addr = gop->mode->fb_base;
	fb->pitch = i->pixels_per_line * 4;
	fb->width = i->width;
	fb->height = i->height;
	fb->type = SCREEN_FB_RGB;
}
