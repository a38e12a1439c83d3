/* SPDX-License-Identifier: MIT */
/* What the parts of the bench's /init share. */
#ifndef BENCH_INIT_H
#define BENCH_INIT_H

/* Prints one line on the console. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/*
 * linux.c: measures what processes ask of Linux, each row between two marks MARK_ROW, and says for each
 * "BENCH row.NUMBER ROUNDS NAME"; the numbers count the pairs of marks.
 */
void linux_rows(void);

#endif
