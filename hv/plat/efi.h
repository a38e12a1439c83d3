/* SPDX-License-Identifier: MIT */
/*
 * What is left of UEFI firmware once the loader has ended its boot services: the system table with the
 * configuration tables, and the areas of memory that the firmware keeps. Types as in the UEFI
 * Specification 2.10, sections 4 and 7.2. Runtime services are not called. Filled once at boot.
 */
#ifndef PLAT_EFI_H
#define PLAT_EFI_H

#include "lib/types.h"

enum efi_memory_type {
	EFI_RESERVED,
	EFI_LOADER_CODE,
	EFI_LOADER_DATA,
	EFI_BOOT_SERVICES_CODE,
	EFI_BOOT_SERVICES_DATA,
	EFI_RUNTIME_CODE,
	EFI_RUNTIME_DATA,
	EFI_CONVENTIONAL,
	EFI_UNUSABLE,
	EFI_ACPI_RECLAIM,
	EFI_ACPI_NVS
};

#define EFI_MEMORY_WB 0x8 /* attribute: the memory can be cached */

struct efi_memory_desc {
	u32 type, pad;
	u64 start, virt, pages, attr;
};

/* [start, end): memory that is not RAM for us, one descriptor of the firmware's map each. */
struct efi_region {
	u64 start, end, attr;
	u32 type;
};

#define EFI_MAX_REGIONS 128
extern struct efi_region efi_regions[EFI_MAX_REGIONS];
extern unsigned int efi_nr_regions;

struct efi_config_table {
	u8 guid[16];
	u64 table;
};

#define EFI_VENDOR_LEN 64

struct efi_info {
	bool found; /* there is a system table, and what follows is its */
	u32 version, vendor_revision;
	u16 vendor[EFI_VENDOR_LEN]; /* UTF-16, ends with 0 */
	u32 runtime_version;
	paddr_t config;
	u32 nr_config;
	paddr_t rsdp; /* 0: no configuration table names it */
};

extern struct efi_info efi_info;

/*
 * Reads the 64-bit system table at pa. Needs plat_map_firmware and plat_map_mmio. A table that is damaged
 * is left out with a message. The check sum is not looked at: loaders change the table and leave the sum.
 * is_ram: memory that is ours now. Configuration tables there were for the loader only; they are taken
 * off the firmware's list, for dom0 would read in them what meanwhile lies there.
 */
void efi_init(paddr_t pa, bool (*is_ram)(paddr_t pa));
/* The region that holds pa; NULL when that is RAM, or unknown. */
const struct efi_region *efi_region_at(u64 pa);

#endif
