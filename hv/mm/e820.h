/* SPDX-License-Identifier: MIT */
/*
 * The machine's memory map as the firmware gave it to the loader: RAM, reserved areas, ACPI. Filled
 * once at boot, sorted by address; dom0 gets it by XENMEM_machine_memory_map.
 */
#ifndef MM_E820_H
#define MM_E820_H

#include "lib/types.h"

#define E820_MAX      128
#define E820_RAM      1
#define E820_RESERVED 2
#define E820_ACPI     3
#define E820_NVS      4
#define E820_UNUSABLE 5

/* As the BIOS call and the ABI have it: 20 bytes. */
struct e820_entry {
	u64 addr, size;
	u32 type;
} __packed;

struct boot_e820 {
	u32 nr;
	struct e820_entry e[E820_MAX];
} __packed;

extern struct boot_e820 boot_e820;

#endif
