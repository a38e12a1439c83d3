/* SPDX-License-Identifier: MIT */
#include "plat/plat.h"
#include "plat/acpi.h"
#include "cpu/cpu.h"
#include "lib/spinlock.h"

#define CF8	      0xcf8
#define CFC	      0xcfc
#define CF8_ENABLE    (1u << 31)
#define CF8_SPACE     256
#define EXT_SPACE     4096
#define BUS_BYTES     (1u << 20)
#define DEVFN_SHIFT   12
#define BUS_SHIFT     20
#define CF8_BUS_SHIFT 16
#define CF8_DEV_SHIFT 8

static spinlock_t cf8_lock, map_lock;

/* One mapping a bus, made when first used. */
static volatile u8 *bus_map[ACPI_MAX_MCFG][256];

static u32 ones(unsigned int size)
{
	return size == 4 ? ~0u : (1u << size * 8) - 1;
}

static u32 port_read(u16 port, unsigned int size)
{
	return size == 1 ? inb(port) : size == 2 ? inw(port) : inl(port);
}

static void port_write(u16 port, unsigned int size, u32 val)
{
	if (size == 1)
		outb((u8)val, port);
	else if (size == 2)
		outw((u16)val, port);
	else
		outl(val, port);
}

u32 pci_cf8_read(u32 cf8, unsigned int off, unsigned int size)
{
	u32 v;

	if (!(cf8 & CF8_ENABLE))
		return ones(size);
	spin_lock(&cf8_lock);
	outl(cf8, CF8);
	v = port_read((u16)(CFC + (off & 3)), size);
	spin_unlock(&cf8_lock);
	return v;
}

void pci_cf8_write(u32 cf8, unsigned int off, unsigned int size, u32 val)
{
	if (!(cf8 & CF8_ENABLE))
		return;
	spin_lock(&cf8_lock);
	outl(cf8, CF8);
	port_write((u16)(CFC + (off & 3)), size, val);
	spin_unlock(&cf8_lock);
}

static u32 cf8_of(u8 bus, u8 devfn, u16 reg)
{
	return CF8_ENABLE | (u32)bus << CF8_BUS_SHIFT | (u32)devfn << CF8_DEV_SHIFT | (reg & 0xfcu);
}

static volatile u8 *map_bus(unsigned int idx, u8 bus)
{
	const struct acpi_mcfg *m = &acpi.mcfg[idx];
	volatile u8 *va;

	spin_lock(&map_lock);
	va = bus_map[idx][bus];
	/* The base is that of bus 0, whether the segment begins there or not. */
	if (!va && plat_map_mmio)
		va = plat_map_mmio(m->base + ((paddr_t)bus << BUS_SHIFT), BUS_BYTES);
	bus_map[idx][bus] = va;
	spin_unlock(&map_lock);
	return va;
}

/* The register in memory, NULL when no window reaches it. */
static volatile u8 *mmcfg(u16 seg, u8 bus, u8 devfn, u16 reg)
{
	for (unsigned int i = 0; i < acpi.nr_mcfg; i++) {
		const struct acpi_mcfg *m = &acpi.mcfg[i];
		volatile u8 *va;

		if (m->segment != seg || bus < m->bus_first || bus > m->bus_last)
			continue;
		va = READ_ONCE(bus_map[i][bus]);
		va = va ? va : map_bus(i, bus);
		return va ? va + ((u32)devfn << DEVFN_SHIFT) + reg : NULL;
	}
	return NULL;
}

/* Naturally aligned accesses are the only ones there are. */
static bool sane(u16 reg, unsigned int size)
{
	return (size == 1 || size == 2 || size == 4) && !(reg & (size - 1)) && reg < EXT_SPACE;
}

u32 pci_read(u16 seg, u8 bus, u8 devfn, u16 reg, unsigned int size)
{
	volatile u8 *va;

	if (!sane(reg, size))
		return ~0u;
	if (!seg && reg < CF8_SPACE)
		return pci_cf8_read(cf8_of(bus, devfn, reg), reg, size);
	va = mmcfg(seg, bus, devfn, reg);
	if (!va)
		return ones(size);
	return size == 1 ? *va : size == 2 ? *(volatile u16 *)va : *(volatile u32 *)va;
}

void pci_write(u16 seg, u8 bus, u8 devfn, u16 reg, unsigned int size, u32 val)
{
	volatile u8 *va;

	if (!sane(reg, size))
		return;
	if (!seg && reg < CF8_SPACE) {
		pci_cf8_write(cf8_of(bus, devfn, reg), reg, size, val);
		return;
	}
	va = mmcfg(seg, bus, devfn, reg);
	if (!va)
		return;
	if (size == 1)
		*va = (u8)val;
	else if (size == 2)
		*(volatile u16 *)va = (u16)val;
	else
		*(volatile u32 *)va = val;
}
