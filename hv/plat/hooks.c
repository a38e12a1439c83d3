/* SPDX-License-Identifier: MIT */
#include "plat/plat.h"
#include "cpu/cpu.h"

void *(*plat_phys_to_virt)(paddr_t pa);
const void *(*plat_map_firmware)(paddr_t pa, size_t size);
void (*plat_unmap_firmware)(const void *va, size_t size);
volatile void *(*plat_map_mmio)(paddr_t pa, size_t size);
volatile void *(*plat_map_wc)(paddr_t pa, size_t size);
bool plat_efi;

/* A read of the POST port goes out on the slow bus: close to a microsecond on every PC. */
void plat_delay(unsigned int us)
{
	while (us--)
		inb(0x80);
}
