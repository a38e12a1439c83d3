/* SPDX-License-Identifier: MIT */
/* Names of our own functions, from the table that scripts/gen-symbols puts into the image. */
#ifndef CPU_SYMBOLS_H
#define CPU_SYMBOLS_H

#include "lib/types.h"

/* Name of the function that holds addr, its offset and size; NULL when it is none of ours. */
const char *symbol_lookup(unsigned long addr, unsigned long *off, unsigned long *size);
/* The n-th function by address; NULL beyond the last. */
const char *symbol_by_number(u32 n, unsigned long *addr);
/* Writes "name+0xoff/0xsize" or the number; for printf's %pS. */
int symbol_print(char *buf, size_t size, unsigned long addr);

#endif
