/* SPDX-License-Identifier: MIT */
/* The tags of the multiboot2 information (Multiboot2 Specification 2.0, section 3.6). Each begins at a
 * multiple of 8 bytes; the information begins with its whole size and a word that is 0. */
#ifndef BOOT_MB2_H
#define BOOT_MB2_H

#include "lib/types.h"

enum {
	TAG_END,
	TAG_CMDLINE,
	TAG_LOADER,
	TAG_MODULE,
	TAG_MMAP = 6,
	TAG_FB = 8,
	TAG_EFI32 = 11,
	TAG_EFI64,
	TAG_ACPI_OLD = 14,
	TAG_ACPI_NEW,
	TAG_EFI_MMAP = 17
};

struct mb2_tag {
	u32 type, size;
};

struct mb2_module {
	u32 type, size, start, end;
	char args[];
};

struct mb2_mmap_entry {
	u64 addr, len;
	u32 type, zero;
};

struct mb2_mmap {
	u32 type, size, entry_size, version;
	u8 entries[];
};

struct mb2_fb {
	u32 type, size;
	u64 addr;
	u32 pitch, width, height;
	u8 bpp, fb_type;
	u16 reserved;
	u8 red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
} __packed;

struct mb2_efi64 {
	u32 type, size;
	u64 systab;
};

struct mb2_efi_mmap {
	u32 type, size, desc_size, desc_version;
	u8 map[];
};

BUILD_BUG_ON(offsetof(struct mb2_fb, red_pos) != 32);

#endif
