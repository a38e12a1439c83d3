/* SPDX-License-Identifier: MIT */
#include "boot/efi/loader.h"
#include "boot/efi/mbi.h"

#define MAP_TRIES 4

bool firmware_gone;

/*
 * The map changes when the firmware's own timers allocate: then it has to be read anew. From the first
 * attempt on the firmware may have shut down some of its services: nothing but the map may be asked of
 * it any more (UEFI 2.10, 7.4.6).
 */
efi_status leave_firmware(efi_handle self, struct mbi *m)
{
	efi_status st = EFI_BUFFER_TOO_SMALL;

	for (unsigned int i = 0; i < MAP_TRIES; i++) {
		size_t size, key, desc_size;
		void *map = mbi_map_room(m, &size);
		u32 version;

		if (!map)
			return EFI_BUFFER_TOO_SMALL;
		st = efi_system->boot->get_memory_map(&size, map, &key, &desc_size, &version);
		if (st)
			return st;
		firmware_gone = true;
		st = efi_system->boot->exit_boot_services(self, key);
		if (!st) {
			mbi_map_end(m, size, desc_size, version);
			return m->full ? EFI_BUFFER_TOO_SMALL : EFI_SUCCESS;
		}
	}
	return st;
}
