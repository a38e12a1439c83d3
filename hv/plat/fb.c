/* SPDX-License-Identifier: MIT */
/* Text on a linear framebuffer: only cells that have changed are drawn, and nothing is ever read. */
#include "plat/plat.h"
#include "plat/screen.h"
#include "plat/textbuf.h"
#include "lib/string.h"

/* 1920 x 1080 has 240 x 67 characters; on a larger screen they are larger. */
#define MAX_COLS  240
#define MAX_ROWS  68
#define MAX_SIDE  16384
#define MAX_PITCH (MAX_SIDE * 4)
#define GREY	  0xaau

static struct screen_fb fb;
static struct textbuf text;
static u8 cells[MAX_COLS * MAX_ROWS], drawn[MAX_COLS * MAX_ROWS];
static volatile u8 *base; /* NULL: not mapped */
static unsigned int scale, pixel_bytes;
static u32 ink;
static bool released;

static u64 fb_bytes(void)
{
	return (u64)fb.pitch * fb.height;
}

static bool channel_fits(const u8 *c)
{
	return c[1] && c[1] <= 8 && c[0] <= fb.bpp && c[1] <= fb.bpp - c[0];
}

static bool is_usable(void)
{
	if (fb.type != SCREEN_FB_RGB || fb.bpp < 15 || fb.bpp > 32)
		return false;
	if (fb.width > MAX_SIDE || fb.height > MAX_SIDE || fb.pitch > MAX_PITCH)
		return false;
	if (fb.width < FONT_WIDTH || fb.height < FONT_HEIGHT || fb.pitch < fb.width * pixel_bytes)
		return false;
	if (!fb.addr || fb.addr % 4 || fb.pitch % 4 || fb.addr + fb_bytes() < fb.addr)
		return false;
	return channel_fits(fb.red) && channel_fits(fb.green) && channel_fits(fb.blue);
}

static u32 channel(const u8 *c)
{
	return GREY >> (8 - c[1]) << c[0];
}

static void put_pixel(volatile u8 *p, u32 v)
{
	if (pixel_bytes == 4) {
		*(volatile u32 *)p = v;
	} else if (pixel_bytes == 2) {
		*(volatile u16 *)p = (u16)v;
	} else {
		p[0] = (u8)v;
		p[1] = (u8)(v >> 8);
		p[2] = (u8)(v >> 16);
	}
}

static void draw_line(volatile u8 *p, u8 bits)
{
	for (unsigned int i = 0; i < FONT_WIDTH; i++)
		for (unsigned int k = 0; k < scale; k++, p += pixel_bytes)
			put_pixel(p, bits & 0x80 >> i ? ink : 0);
}

static void draw_cell(unsigned int at)
{
	const u8 *glyph = font_glyph(cells[at]);
	unsigned int x = at % text.cols, y = at / text.cols;
	volatile u8 *p = base + (u64)y * FONT_HEIGHT * scale * fb.pitch +
			 (u64)x * FONT_WIDTH * scale * pixel_bytes;

	for (unsigned int i = 0; i < FONT_HEIGHT * scale; i++, p += fb.pitch)
		draw_line(p, glyph[i / scale]);
	drawn[at] = cells[at];
}

static void draw(unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		if (drawn[i] != cells[i])
			draw_cell(i);
}

/* Black everywhere, and no text. */
static void clear(void)
{
	textbuf_init(&text, cells, text.cols, text.rows);
	memset(drawn, ' ', sizeof(drawn));
	for (u64 i = 0; base && i < fb_bytes(); i += 4)
		*(volatile u32 *)(base + i) = 0;
}

bool fb_init(const struct screen_fb *f)
{
	fb = *f;
	pixel_bytes = (fb.bpp + 7u) / 8;
	if (!is_usable())
		return false;
	scale = 1;
	while (fb.width / (FONT_WIDTH * scale) > MAX_COLS ||
	       fb.height / (FONT_HEIGHT * scale) > MAX_ROWS)
		scale++;
	text.cols = fb.width / (FONT_WIDTH * scale);
	text.rows = fb.height / (FONT_HEIGHT * scale);
	/* One side is so much longer than the other that its scale leaves no room on the other. */
	if (!text.cols || !text.rows)
		return false;
	ink = channel(fb.red) | channel(fb.green) | channel(fb.blue);
	/* What is higher is not mapped yet. */
	base = fb.addr + fb_bytes() <= 1ULL << 32 ? plat_phys_to_virt(fb.addr) : NULL;
	clear();
	return true;
}

void fb_write(const char *s, size_t n)
{
	unsigned int first = text.y * text.cols;
	bool moved = textbuf_write(&text, s, n);

	if (base && !released)
		draw(moved ? 0 : first, (text.y + 1) * text.cols);
}

void fb_map(void)
{
	bool shown = base != NULL;

	base = plat_map_wc(fb.addr, fb_bytes());
	if (!base || shown)
		return;
	for (u64 i = 0; i < fb_bytes(); i += 4)
		*(volatile u32 *)(base + i) = 0;
	draw(0, text.cols * text.rows);
}

void fb_release(void)
{
	released = true;
}

void fb_reclaim(void)
{
	if (!released)
		return;
	released = false;
	clear();
}
