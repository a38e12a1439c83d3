/* SPDX-License-Identifier: MIT */
/* Sections of a PE image in memory, ours: a unified image has the configuration and the files in some. */
#ifndef BOOT_EFI_PE_H
#define BOOT_EFI_PE_H

#include "lib/types.h"

/*
 * The section of that name (at most 8 characters) of an image of size bytes, as it lies in memory. NULL
 * when there is none, or it is not inside of the image. *n: its length without padding. Pure.
 */
const void *pe_section(const void *image, size_t size, const char *name, size_t *n);

#endif
