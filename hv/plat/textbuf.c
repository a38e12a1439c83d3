/* SPDX-License-Identifier: MIT */
#include "plat/textbuf.h"
#include "lib/string.h"

#define TAB 8

void textbuf_init(struct textbuf *t, u8 *cells, unsigned int cols, unsigned int rows)
{
	*t = (struct textbuf){cells, cols, rows, 0, 0};
	memset(cells, ' ', (size_t)cols * rows);
}

static bool newline(struct textbuf *t)
{
	size_t rest = (size_t)(t->rows - 1) * t->cols;

	t->x = 0;
	if (t->y < t->rows - 1) {
		t->y++;
		return false;
	}
	memmove(t->cell, t->cell + t->cols, rest);
	memset(t->cell + rest, ' ', t->cols);
	return true;
}

static bool put(struct textbuf *t, char c)
{
	switch (c) {
	case '\n':
		return newline(t);
	case '\r':
		t->x = 0;
		return false;
	case '\b':
		t->x -= t->x ? 1 : 0;
		return false;
	case '\t':
		t->x = ROUND_UP(t->x + 1, TAB);
		break;
	default:
		if ((u8)c < ' ')
			return false;
		t->cell[t->y * t->cols + t->x++] = (u8)c;
	}
	return t->x >= t->cols ? newline(t) : false;
}

bool textbuf_write(struct textbuf *t, const char *s, size_t n)
{
	bool moved = false;

	for (; n; n--, s++)
		moved |= put(t, *s);
	return moved;
}
