/* SPDX-License-Identifier: MIT */
/* The memory map of UEFI firmware (UEFI 2.10, 7.2.3) as an E820 map. Pure: nothing is trusted. */
#include "boot/boot.h"
#include "lib/string.h"
#include "mm/e820.h"
#include "plat/efi.h"

struct map {
	const char *base;
	size_t size, desc_size;
};

/* What is not RAM for us stays as it is: dom0 finds the firmware's tables there. */
static u32 e820_type(const struct efi_memory_desc *d)
{
	switch (d->type) {
	case EFI_LOADER_CODE:
	case EFI_LOADER_DATA:
	case EFI_BOOT_SERVICES_CODE:
	case EFI_BOOT_SERVICES_DATA:
	case EFI_CONVENTIONAL:
		return d->attr & EFI_MEMORY_WB ? E820_RAM : E820_RESERVED;
	case EFI_ACPI_RECLAIM:
		return E820_ACPI;
	case EFI_ACPI_NVS:
		return E820_NVS;
	case EFI_UNUSABLE:
		return E820_UNUSABLE;
	default:
		return E820_RESERVED;
	}
}

static bool is_sane(const struct efi_memory_desc *d)
{
	return d->pages && d->pages <= UINT64_MAX >> PAGE_SHIFT && !(d->start & ~PAGE_MASK) &&
	       d->start + (d->pages << PAGE_SHIFT) > d->start;
}

/*
 * The sane descriptor with the lowest address not below `from`; of several one that is no RAM. Firmware need not sort its map; some
 * hundred descriptors looked at as often are nothing.
 */
static const struct efi_memory_desc *lowest(const struct map *m, u64 from)
{
	const struct efi_memory_desc *best = NULL;

	for (size_t off = 0; off < m->size && m->desc_size <= m->size - off; off += m->desc_size) {
		const struct efi_memory_desc *d = (const void *)(m->base + off);

		if (!is_sane(d) || d->start < from)
			continue;
		if (!best || d->start < best->start ||
		    (d->start == best->start && e820_type(best) == E820_RAM))
			best = d;
	}
	return best;
}

static void keep_region(const struct efi_memory_desc *d)
{
	struct efi_region *r = &efi_regions[efi_nr_regions];

	if (efi_nr_regions == EFI_MAX_REGIONS)
		return;
	*r = (struct efi_region){d->start, d->start + (d->pages << PAGE_SHIFT), d->attr, d->type};
	efi_nr_regions++;
}

void efi_map_parse(const void *map, size_t size, size_t desc_size)
{
	struct map m = {map, size, desc_size};
	const struct efi_memory_desc *d;
	u64 start = 0, end = 0;
	u32 type = 0;

	if (desc_size < sizeof(*d) || desc_size % 8 || (unsigned long)map % 8)
		return;
	for (u64 from = 0; (d = lowest(&m, from)) != NULL; from = d->start + PAGE_SIZE) {
		u64 d_end = d->start + (d->pages << PAGE_SHIFT);
		u32 t = e820_type(d);

		if (t != E820_RAM)
			keep_region(d);
		/* Of an overlap the first counts, but what anybody claims is no RAM. */
		if (type == E820_RAM && t != E820_RAM)
			end = min(end, d->start);
		if (d_end <= end)
			continue;
		if (t != type || d->start > end) {
			if (end > start)
				boot_add_memory(start, end - start, type);
			start = max(d->start, end);
			type = t;
		}
		end = d_end;
	}
	if (end > start)
		boot_add_memory(start, end - start, type);
}
