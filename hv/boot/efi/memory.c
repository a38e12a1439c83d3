/* SPDX-License-Identifier: MIT */
#include "boot/efi/loader.h"
#include "lib/types.h"

#define LARGE (2ULL << 20)

u64 pages_below_4g(u64 bytes)
{
	u64 pa = LOADER_BELOW_4G;

	if (!bytes || bytes > LOADER_BELOW_4G ||
	    efi_system->boot->allocate_pages(EFI_ALLOCATE_BELOW, EFI_LOADER_DATA, PFN_UP(bytes),
					     &pa))
		return 0;
	return pa;
}

u64 pages_for_image(u64 wish, u64 bytes)
{
	struct efi_boot_services *bs = efi_system->boot;
	u64 pa = wish, at;

	if (!bs->allocate_pages(EFI_ALLOCATE_AT, EFI_LOADER_DATA, PFN_UP(bytes), &pa))
		return pa;
	pa = pages_below_4g(bytes + LARGE);
	if (!pa)
		return 0;
	/* What lies around it can be used again, by us and later by the hypervisor. */
	at = ROUND_UP(pa, LARGE);
	if (at > pa)
		bs->free_pages(pa, PFN_DOWN(at - pa));
	bs->free_pages(at + (PFN_UP(bytes) << PAGE_SHIFT),
		       PFN_UP(bytes + LARGE) - PFN_UP(bytes) - PFN_DOWN(at - pa));
	return at;
}
