/* SPDX-License-Identifier: MIT */
/* The few string and memory functions that freestanding C needs; semantics of C11 and POSIX. */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include "lib/types.h"

#ifdef UNIT_TEST
/* On the build machine the C library has the common ones; ours that differ get another name. */
#include <stdlib.h>
#include <string.h>
#define strtoul hv_strtoul
#define strlcpy hv_strlcpy
#define strlcat hv_strlcat
#endif

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
/* Zeroes whole cache lines (p and n are multiples of 64), past the caches: for pages nobody reads soon. */
void clear_lines(void *p, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strstr(const char *s, const char *needle);
/* Copies at most size-1 bytes and always ends with NUL when size > 0; returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t size);
size_t strlcat(char *dst, const char *src, size_t size);
/* Number in the base given by its prefix (0x, 0, else 10); *end is the first byte not used. ULONG_MAX on overflow. */
unsigned long strtoul(const char *s, const char **end);

#endif
