/* SPDX-License-Identifier: MIT */
#include "plat/plat.h"
#include "cpu/cpu.h"

void *(*plat_phys_to_virt)(paddr_t pa);
const void *(*plat_map_firmware)(paddr_t pa, size_t size);
void (*plat_unmap_firmware)(const void *va, size_t size);
volatile void *(*plat_map_mmio)(paddr_t pa, size_t size);
volatile void *(*plat_map_wc)(paddr_t pa, size_t size);
bool plat_efi;

static u64 tsc_per_us; /* 0 until calibrated */

void plat_delay_calibrate(u64 tsc_hz)
{
	tsc_per_us = tsc_hz / 1000000;
}

/* A read of the POST port goes out on the slow bus: close to a microsecond on most PCs, less in an emulator. */
static void port_delay(unsigned int us)
{
	while (us--)
		inb(0x80);
}

void plat_delay(unsigned int us)
{
	u64 start = rdtsc();

	if (!tsc_per_us)
		port_delay(us);
	while (rdtsc() - start < us * tsc_per_us)
		__builtin_ia32_pause();
}
