/* SPDX-License-Identifier: MIT */
/*
 * The ring of messages behind `xl dmesg`. It begins in a few KiB of its own; conring_move() takes it to
 * memory that a warm restart of the machine leaves alone, where the next boot finds it by a magic number
 * and check sums. Pure. The caller locks (console.c); positions are running counts.
 */
#ifndef PLAT_CONRING_H
#define PLAT_CONRING_H

#include "lib/types.h"

/* Bytes of memory for a ring of text bytes (a power of two), and what conring_move() wants of it. */
#define CONRING_BYTES(text) ((text) + 64u)

void conring_write(const char *s, size_t n);
/* Up to n bytes from *pos on, which is advanced; older than all that is left means the oldest. */
size_t conring_read(char *buf, size_t n, u32 *pos);
/* The same, but what a reader has cleared is as lost. */
size_t conring_read_new(char *buf, size_t n, u32 *pos);
/* Where reading begins, where it ends; clear: begin at the end (what is there stays for the next boot). */
u32 conring_start(void), conring_end(void);
void conring_clear(void);
/* The position where the last `lines` whole lines begin. */
u32 conring_tail(unsigned int lines);

/*
 * What a ring at mem, of an earlier boot, ends with: copies up to n bytes of whole lines. 0 when there
 * is none, it is damaged, or that boot ended in order. mem is only read. text: a power of two.
 */
size_t conring_previous(const void *mem, u32 text, char *buf, size_t n);
/* From now on the ring is at mem, with what is in it now. mem: CONRING_BYTES(text), 8-aligned. */
void conring_move(void *mem, u32 text);
/* After a writer was stopped half-way: the sums are right again. */
void conring_repair(void);
/* This boot ends in order: the next one need not show the ring. */
void conring_end_in_order(void);

#endif
