/* SPDX-License-Identifier: MIT */
/* Text on screens: the buffer, and a framebuffer in memory of all depths. */
#include "fake/fake.h"
#include <stdlib.h>
#include <string.h>
#include "plat/plat.h"
#include "plat/screen.h"
#include "plat/textbuf.h"

static u8 *memory;
static size_t memory_size;

void *(*plat_phys_to_virt)(paddr_t pa);
volatile void *(*plat_map_wc)(paddr_t pa, size_t size);

/* 'X' is a full block but for its last line, everything else is empty. */
const u8 *font_glyph(u8 c)
{
	static u8 full[FONT_HEIGHT], empty[FONT_HEIGHT];

	memset(full, 0xff, FONT_HEIGHT - 1);
	return c == 'X' ? full : empty;
}

static void *to_virt(paddr_t pa)
{
	return memory;
}

static volatile void *map_wc(paddr_t pa, size_t size)
{
	assert_int_equal(size, memory_size);
	return memory;
}

static void write_text(struct textbuf *t, const char *s)
{
	textbuf_write(t, s, strlen(s));
}

static void test_textbuf(void **state)
{
	u8 cells[4 * 3];
	struct textbuf t;

	textbuf_init(&t, cells, 4, 3);
	write_text(&t, "ab\ncd\r\x01X\bY");
	assert_memory_equal(cells, "ab  Yd      ", 12);
	assert_int_equal(t.x, 1);
	assert_false(textbuf_write(&t, "\n123", 4));
	assert_true(textbuf_write(&t, "4", 1));
	assert_memory_equal(cells, "Yd  1234    ", 12);
	assert_false(textbuf_write(&t, "\b\b", 2));
	assert_int_equal(t.x, 0);
	assert_true(textbuf_write(&t, "\t", 1));
	assert_memory_equal(cells, "1234        ", 12);
}

static struct screen_fb make(u8 bpp, u32 width, u32 height)
{
	struct screen_fb fb = {.addr = 0x80000000, .width = width, .height = height, .bpp = bpp,
			       .type = SCREEN_FB_RGB, .red = {16, 8}, .green = {8, 8}, .blue = {0, 8}};

	if (bpp < 24) {
		fb.red[0] = bpp == 16 ? 11 : 10;
		fb.red[1] = fb.blue[1] = 5;
		fb.green[0] = 5;
		fb.green[1] = bpp == 16 ? 6 : 5;
	}
	fb.pitch = ROUND_UP(width * ((bpp + 7u) / 8), 64u);
	free(memory);
	memory_size = (size_t)fb.pitch * height;
	memory = malloc(memory_size);
	memset(memory, 0x55, memory_size);
	return fb;
}

static u32 pixel(const struct screen_fb *fb, u32 x, u32 y)
{
	unsigned int n = (fb->bpp + 7u) / 8;
	u32 v = 0;

	memcpy(&v, memory + (size_t)y * fb->pitch + x * n, n);
	return v;
}

static void test_depths(void **state)
{
	static const struct {
		u8 bpp;
		u32 ink;
	} t[] = {{32, 0xaaaaaa}, {24, 0xaaaaaa}, {16, 0x15 << 11 | 0x2a << 5 | 0x15},
		 {15, 0x15 << 10 | 0x15 << 5 | 0x15}};

	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++) {
		struct screen_fb fb = make(t[i].bpp, 640, 480);

		assert_true(fb_init(&fb));
		assert_int_equal(pixel(&fb, 639, 479), 0);
		fb_write("aX\nX", 4);
		assert_int_equal(pixel(&fb, 7, 0), 0);
		assert_int_equal(pixel(&fb, 8, 0), t[i].ink);
		assert_int_equal(pixel(&fb, 15, 14), t[i].ink);
		assert_int_equal(pixel(&fb, 15, 15), 0);
		assert_int_equal(pixel(&fb, 16, 0), 0);
		assert_int_equal(pixel(&fb, 0, 16), t[i].ink);
	}
}

static void test_scrolls(void **state)
{
	struct screen_fb fb = make(32, 640, 480);

	assert_true(fb_init(&fb));
	for (unsigned int i = 0; i < 29; i++)
		fb_write("\n", 1);
	fb_write("X", 1);
	assert_int_equal(pixel(&fb, 0, 29 * 16), 0xaaaaaa);
	fb_write("\n", 1);
	assert_int_equal(pixel(&fb, 0, 29 * 16), 0);
	assert_int_equal(pixel(&fb, 0, 28 * 16), 0xaaaaaa);
}

/* A screen of 3840 x 2160 has characters of double size, and no write goes beyond it. */
static void test_large(void **state)
{
	struct screen_fb fb = make(32, 3840, 2160);

	assert_true(fb_init(&fb));
	fb_write("X", 1);
	assert_int_equal(pixel(&fb, 15, 29), 0xaaaaaa);
	assert_int_equal(pixel(&fb, 16, 0), 0);
	for (unsigned int i = 0; i < 20000; i++)
		fb_write("X", 1);
}

static void test_high(void **state)
{
	struct screen_fb fb = make(32, 640, 480);

	fb.addr = 5ull << 32;
	assert_true(fb_init(&fb));
	fb_write("X", 1);
	assert_int_equal(pixel(&fb, 0, 0), 0x55555555);
	fb_map();
	assert_int_equal(pixel(&fb, 0, 0), 0xaaaaaa);
	assert_int_equal(pixel(&fb, 639, 479), 0);
}

static void test_nonsense(void **state)
{
	const struct screen_fb good = make(32, 640, 480);
	struct screen_fb fb;

#define BAD(change)                    \
	do {                           \
		fb = good;             \
		change;                \
		assert_false(fb_init(&fb)); \
	} while (0)
	BAD(fb.type = SCREEN_FB_TEXT);
	BAD(fb.type = 0);
	BAD(fb.bpp = 8);
	BAD(fb.bpp = 33);
	BAD(fb.width = 0);
	BAD(fb.height = 15);
	BAD(fb.width = 1 << 20);
	BAD(fb.height = ~0u);
	BAD(fb.pitch = 640);
	BAD(fb.pitch = ~0u);
	BAD(fb.addr = 0);
	BAD(fb.addr = -4096ull);
	BAD(fb.addr += 2);
	BAD(fb.red[0] = 30);
	BAD(fb.green[1] = 0);
	BAD(fb.blue[1] = 9);
	BAD(fb.blue[0] = 200);
}

/* After dom0 has the screen nothing is drawn, until a panic takes it back. Last: there is no way back. */
static void test_release(void **state)
{
	struct screen_fb fb = make(32, 640, 480);

	assert_true(fb_init(&fb));
	fb_release();
	fb_write("X", 1);
	assert_int_equal(pixel(&fb, 0, 0), 0);
	memset(memory, 0x55, memory_size);
	fb_reclaim();
	fb_write("X", 1);
	assert_int_equal(pixel(&fb, 0, 0), 0xaaaaaa);
	assert_int_equal(pixel(&fb, 8, 0), 0);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_textbuf), cmocka_unit_test(test_depths),
		cmocka_unit_test(test_scrolls), cmocka_unit_test(test_large),
		cmocka_unit_test(test_high),	cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_release),
	};

	plat_phys_to_virt = to_virt;
	plat_map_wc = map_wc;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
