/* SPDX-License-Identifier: MIT */
/*
 * Formatted printing. Conversions: %d %i %u %x %X %o %c %s %p %% with flags 0 - + # space, width,
 * precision, * and the lengths hh h l ll z. %pS prints symbol+offset/size of a code address through
 * printf_symbol_hook. Never allocates, never writes past size, always ends with NUL when size > 0;
 * returns the length the whole text would have.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include "lib/types.h"

int hv_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int hv_snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
extern int (*printf_symbol_hook)(char *buf, size_t size, unsigned long addr);

#endif
