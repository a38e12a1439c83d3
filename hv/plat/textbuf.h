/* SPDX-License-Identifier: MIT */
/*
 * What a text screen should show, in our own memory: reading a screen, or moving what is on it, is slow.
 * Knows line feed, carriage return, backspace and tab; other control characters are left out. Pure; the
 * console locks.
 */
#ifndef PLAT_TEXTBUF_H
#define PLAT_TEXTBUF_H

#include "lib/types.h"

struct textbuf {
	u8 *cell; /* cols * rows characters, line by line */
	unsigned int cols, rows;
	unsigned int x, y; /* where the next character goes; always inside */
};

/* Blanks everything and goes to the top left corner. cols, rows >= 1. */
void textbuf_init(struct textbuf *t, u8 *cells, unsigned int cols, unsigned int rows);
/* Returns true when the whole text has moved. */
bool textbuf_write(struct textbuf *t, const char *s, size_t n);

#endif
