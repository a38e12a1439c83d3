/* SPDX-License-Identifier: MIT */
#include "irq_fakes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu/apic.h"
#include "cpu/percpu.h"
#include "irq/pci_regs.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/mmio.h"
#include "plat/acpi.h"
#include "plat/plat.h"

struct fake_pin fake_pin[FAKE_PINS];
unsigned int fake_eois;
u8 fake_cfg[FAKE_DEVS][256];
u32 fake_table[FAKE_DEVS][64 * 4];

struct acpi_info acpi;
u32 cpu_apic_id[CONFIG_NR_CPUS] = {0, 2, 4, 300};
struct frame *frame_table;
mfn_t max_mfn, frames_whole;

bool mfn_valid_beyond(mfn_t mfn)
{
	return false;
}

void fake_board_reset(void)
{
	memset(fake_pin, 0, sizeof(fake_pin));
	memset(fake_cfg, 0xff, sizeof(fake_cfg));
	memset(fake_table, 0, sizeof(fake_table));
	fake_eois = 0;
	for (unsigned int n = 0; n + 1 < FAKE_DEVS; n++) { /* the last one does not exist */
		memset(fake_cfg[n], 0, 256);
		fake_cfg_set(n, PCI_VENDOR, 4, 0x12345678);
		fake_cfg_set(n, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
		fake_cfg_set(n, PCI_STATUS, 2, PCI_STATUS_CAPS);
		fake_cfg_set(n, PCI_CAP_LIST, 1, 0x50);
		fake_cfg_set(n, 0x50, 2, 0x7005);
		fake_cfg_set(n, 0x52, 2,
			     n == 1 ? 0 : PCI_MSI_CONTROL_64 | PCI_MSI_CONTROL_MASKABLE);
		fake_cfg_set(n, 0x70, 2, 0x0011);
		fake_cfg_set(n, 0x72, 2, 63);
		fake_cfg_set(n, 0x74, 4, 0x2000 | 4);
		fake_cfg_set(n, PCI_BAR(4), 4, (u32)FAKE_BAR(n) | PCI_BAR_TYPE_64);
		fake_cfg_set(n, PCI_BAR(5), 4, FAKE_BAR(n) >> 32);
		for (unsigned int e = 0; e < 64; e++)
			fake_table[n][e * 4 + MSIX_CONTROL] = MSIX_CONTROL_MASK;
	}
}

u32 fake_cfg_get(unsigned int dev, unsigned int reg, unsigned int size)
{
	u32 v = 0;

	memcpy(&v, &fake_cfg[dev][reg], size);
	return v;
}

void fake_cfg_set(unsigned int dev, unsigned int reg, unsigned int size, u32 v)
{
	memcpy(&fake_cfg[dev][reg], &v, size);
}

u32 pci_read(u16 seg, u8 bus, u8 devfn, u16 reg, unsigned int size)
{
	if (seg || bus || (devfn & 7) || devfn >> 3 >= FAKE_DEVS || reg + size > 256)
		return size == 4 ? ~0u : (1u << 8 * size) - 1;
	return fake_cfg_get(devfn >> 3, reg, size);
}

void pci_write(u16 seg, u8 bus, u8 devfn, u16 reg, unsigned int size, u32 val)
{
	if (!seg && !bus && !(devfn & 7) && devfn >> 3 < FAKE_DEVS && reg + size <= 256)
		fake_cfg_set(devfn >> 3, reg, size, val);
}

volatile void *map_mmio(paddr_t pa, size_t size)
{
	unsigned int n = (pa - FAKE_BAR(0)) / 0x100000;

	if (n >= FAKE_DEVS || pa != FAKE_BAR(n) + 0x2000 || size != sizeof(fake_table[0]))
		return NULL;
	return fake_table[n];
}

unsigned int ioapic_nr_gsis(void)
{
	return FAKE_PINS;
}

bool ioapic_gsi_valid(u32 gsi)
{
	return gsi < FAKE_PINS;
}

void ioapic_set(u32 gsi, u8 vector, u32 apic_id, bool level, bool low, bool masked)
{
	fake_pin[gsi] = (struct fake_pin){vector, apic_id, level, low, masked};
}

void ioapic_mask(u32 gsi, bool masked)
{
	fake_pin[gsi].masked = masked;
}

void ioapic_set_dest(u32 gsi, u32 apic_id)
{
	fake_pin[gsi].dest = apic_id;
}

void apic_eoi(void)
{
	fake_eois++;
}

void *hv_alloc(size_t size)
{
	return calloc(1, size);
}

void hv_free(void *p)
{
	free(p);
}

/* These tests have one thread: who waits for a lock waits for himself. */
static void lock_taken_twice(void)
{
	fprintf(stderr, "a lock is taken twice\n");
	abort();
}

__attribute__((constructor)) static void watch_locks(void)
{
	spin_wait_hook = lock_taken_twice;
}
