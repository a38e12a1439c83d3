/* SPDX-License-Identifier: MIT */
#include "plat/vga.h"
#include "plat/plat.h"
#include "plat/textbuf.h"
#include "cpu/cpu.h"

#define COLS	   80
#define ROWS	   25
#define TEXT_ADDR  0xb8000
#define BLANK	   0x0720 /* light grey on black */
#define CRTC	   0x3d4
#define CRTC_START 0x0c /* where in its memory the screen begins, the same way */
#define CRTC_POS   0x0e /* cursor position, high byte; low byte is the next register */
#define GFX	   0x3ce
#define GFX_MISC   6
#define MISC_GFX   1 /* no text mode */

/* BIOS data area: what the firmware's text mode looks like. */
#define BDA_FONT 0x485

static u8 cells[ROWS * COLS];
static struct textbuf text;
static volatile u16 *screen;
static bool released;

static void flush(unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		screen[i] = (u16)(BLANK - ' ' + cells[i]);
}

static void show_cursor(void)
{
	unsigned int pos = text.y * COLS + text.x;

	outb(CRTC_POS, CRTC);
	outb((u8)(pos >> 8), CRTC + 1);
	outb(CRTC_POS + 1, CRTC);
	outb((u8)pos, CRTC + 1);
}

void vga_init(void)
{
	if (!plat_phys_to_virt || released)
		return;
	screen = plat_phys_to_virt(TEXT_ADDR);
	textbuf_init(&text, cells, COLS, ROWS);
	flush(0, ROWS * COLS);
	show_cursor();
}

/* The screen is slow to reach: each text is drawn once, however many lines it scrolls. */
void vga_write(const char *s, size_t n)
{
	unsigned int first = text.y * COLS;
	bool moved;

	if (!screen)
		return;
	moved = textbuf_write(&text, s, n);
	flush(moved ? 0 : first, (text.y + 1) * COLS);
	show_cursor();
}

void vga_release(void)
{
	released = true;
	screen = NULL;
}

static void crtc_write(u8 reg, u8 val)
{
	outb(reg, CRTC);
	outb(val, CRTC + 1);
}

void vga_reclaim(void)
{
	if (!released)
		return;
	outb(GFX_MISC, GFX);
	if (inb(GFX + 1) & MISC_GFX)
		return;
	/* Linux scrolls by moving the start. */
	crtc_write(CRTC_START, 0);
	crtc_write(CRTC_START + 1, 0);
	released = false;
	vga_init();
}

void vga_get_text_info(u16 *cols, u16 *rows, u16 *cx, u16 *cy, u16 *font_height)
{
	const u8 *bda = plat_phys_to_virt ? plat_phys_to_virt(0) : NULL;
	u16 font = bda ? (u16)(bda[BDA_FONT] | bda[BDA_FONT + 1] << 8) : 0;

	*cols = COLS;
	*rows = ROWS;
	*cx = (u16)text.x;
	*cy = (u16)text.y;
	*font_height = font >= 8 && font <= 32 ? font : 16;
}
