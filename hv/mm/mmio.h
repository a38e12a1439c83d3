/* SPDX-License-Identifier: MIT */
/* Device mappings of the hypervisor: uncached, kept for ever, never given back. Boot CPU or locked inside. */
#ifndef MM_MMIO_H
#define MM_MMIO_H

#include "lib/types.h"

/* Maps [pa, pa + size) uncached, any alignment; NULL when the window or memory is used up. */
volatile void *map_mmio(paddr_t pa, size_t size);
/* The same write-combining: writes may be joined and come late, reads are slow. */
volatile void *map_mmio_wc(paddr_t pa, size_t size);
/* Maps memory that holds firmware tables: cached, read-only; RAM of the direct map included. */
const void *map_firmware(paddr_t pa, size_t size);
void unmap_firmware(const void *va, size_t size);

#endif
