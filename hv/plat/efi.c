/* SPDX-License-Identifier: MIT */
#include "plat/efi.h"
#include "plat/plat.h"
#include "lib/log.h"
#include "lib/string.h"

#define SYSTAB_SIGNATURE  0x5453595320494249ULL /* "IBI SYST" */
#define RUNTIME_SIGNATURE 0x56524553544e5552ULL /* "RUNTSERV" */
#define MAX_CONFIG	  256u

struct header {
	u64 signature;
	u32 revision, size, crc, reserved;
};

struct system_table {
	struct header h;
	u64 vendor;
	u32 vendor_revision, pad;
	u64 con_in[2], con_out[2], std_err[2];
	u64 runtime, boot;
	u64 nr_config, config;
};

BUILD_BUG_ON(sizeof(struct system_table) != 120);

static const u8 guid_acpi1[16] = {0x30, 0x2d, 0x9d, 0xeb, 0x88, 0x2d, 0xd3, 0x11,
				  0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d};
static const u8 guid_acpi2[16] = {0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11,
				  0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81};

struct efi_info efi_info;
struct efi_region efi_regions[EFI_MAX_REGIONS];
unsigned int efi_nr_regions;

static bool copy_from(paddr_t pa, void *dst, size_t n)
{
	const void *p = pa ? plat_map_firmware(pa, n) : NULL;

	if (!p)
		return false;
	memcpy(dst, p, n);
	plat_unmap_firmware(p, n);
	return true;
}

static void note_rsdp(const struct efi_config_table *t)
{
	if (!memcmp(t->guid, guid_acpi2, sizeof(t->guid)))
		efi_info.rsdp = t->table;
	else if (!efi_info.rsdp && !memcmp(t->guid, guid_acpi1, sizeof(t->guid)))
		efi_info.rsdp = t->table;
}

/* Reads the list, and closes the gaps that lost tables leave. */
static void read_config(bool (*is_ram)(paddr_t pa))
{
	size_t size = efi_info.nr_config * sizeof(struct efi_config_table);
	volatile struct efi_config_table *list;
	u32 kept = 0;

	if (is_ram(efi_info.config) || efi_info.config % 8 || !size)
		list = NULL;
	else
		list = plat_map_mmio(efi_info.config, size);
	for (u32 i = 0; list && i < efi_info.nr_config; i++) {
		struct efi_config_table t = list[i];

		if (is_ram(t.table))
			continue;
		note_rsdp(&t);
		if (kept != i)
			list[kept] = t;
		kept++;
	}
	efi_info.nr_config = kept;
}

void efi_init(paddr_t pa, bool (*is_ram)(paddr_t pa))
{
	struct system_table s;
	struct header rt;

	if (!copy_from(pa, &s, sizeof(s)) || s.h.signature != SYSTAB_SIGNATURE ||
	    s.nr_config > MAX_CONFIG) {
		pr_warn("UEFI: no system table at %#lx\n", pa);
		return;
	}
	efi_info.found = true;
	efi_info.version = s.h.revision;
	efi_info.vendor_revision = s.vendor_revision;
	efi_info.config = s.config;
	efi_info.nr_config = (u32)s.nr_config;
	if (!copy_from(s.vendor, efi_info.vendor, sizeof(efi_info.vendor)))
		efi_info.vendor[0] = 0;
	efi_info.vendor[EFI_VENDOR_LEN - 1] = 0;
	if (copy_from(s.runtime, &rt, sizeof(rt)) && rt.signature == RUNTIME_SIGNATURE)
		efi_info.runtime_version = rt.revision;
	read_config(is_ram);
	pr_info("UEFI %u.%u, %u configuration tables at %#lx\n", s.h.revision >> 16,
		(s.h.revision & 0xffff) / 10, efi_info.nr_config, efi_info.config);
}

const struct efi_region *efi_region_at(u64 pa)
{
	for (unsigned int i = 0; i < efi_nr_regions; i++)
		if (pa >= efi_regions[i].start && pa < efi_regions[i].end)
			return &efi_regions[i];
	return NULL;
}
