/* SPDX-License-Identifier: MIT */
/*
 * Writes a multiboot2 information: the UEFI loader hands over to the hypervisor what any other loader
 * would, so that the start has one way and not two. Pure.
 */
#ifndef BOOT_EFI_MBI_H
#define BOOT_EFI_MBI_H

#include "plat/screen.h"

struct mbi {
	u8 *buf; /* aligned to 8 bytes */
	size_t size, used;
	bool full; /* something did not fit: the information is of no use */
};

void mbi_begin(struct mbi *m, void *buf, size_t size);
void mbi_text(struct mbi *m, u32 type, const char *s);
void mbi_module(struct mbi *m, u32 start, u32 end, const char *args);
void mbi_fb(struct mbi *m, const struct screen_fb *fb);
void mbi_systab(struct mbi *m, u64 pa);
/* Room for a memory map, which the firmware is to write itself; NULL when there is none. */
void *mbi_map_room(struct mbi *m, size_t *size);
/* The map is there; ends the information. */
void mbi_map_end(struct mbi *m, size_t size, size_t desc_size, u32 version);

#endif
