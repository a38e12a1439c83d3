/* SPDX-License-Identifier: MIT */
/* The packaged font that scripts/gen-font has converted: FONT_FIRST..FONT_LAST, FONT_HEIGHT bytes each. */
#include "plat/screen.h"
#include "generated/font.h"

BUILD_BUG_ON(sizeof(font_data) != (FONT_LAST - FONT_FIRST + 1) * FONT_HEIGHT);

const u8 *font_glyph(u8 c)
{
	if (c < FONT_FIRST || c > FONT_LAST)
		c = '?';
	return &font_data[(c - FONT_FIRST) * FONT_HEIGHT];
}
