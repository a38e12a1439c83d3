/* SPDX-License-Identifier: MIT */
#include "pv/ioport.h"
#include "cpu/cpu.h"
#include "dom/domain.h"
#include "irq/msi.h"
#include "mm/pgtable.h"
#include "plat/acpi.h"
#include "plat/plat.h"
#include "pv/mm.h"
#include "pv/pit2.h"

#define PCI_ADDR   0xcf8
#define PCI_DATA   0xcfc
#define RESET	   0xcf9
#define UART_PORTS 8
#define CF8_ON	   0x80000000u

struct port_range {
	u16 first, last;
};

/* What dom0 does not get: PICs, PIT channels 0 and 1. Channel 2 is emulated. */
static const struct port_range kept[] = {
	{0x20, 0x21},
	{0xa0, 0xa1},
	{0x40, 0x41},
};

/* dom0's channel 2; no other domain gets that far. */
static struct pit2 pit2;

/* --- policy --- */

static bool touches(u16 port, unsigned int size, u16 first, u16 last)
{
	return port <= last && first < port + size;
}

static bool is_kept(u16 port, unsigned int size)
{
	u16 com = console_port();

	for (unsigned int i = 0; i < ARRAY_SIZE(kept); i++)
		if (touches(port, size, kept[i].first, kept[i].last))
			return true;
	if (com && touches(port, size, com, (u16)(com + UART_PORTS - 1)))
		return true;
	return acpi.pm_tmr && touches(port, size, acpi.pm_tmr, (u16)(acpi.pm_tmr + 3));
}

static enum io_action policy_pci(u16 port, unsigned int size)
{
	if (port == PCI_ADDR && size == 4)
		return IO_PCI_ADDR;
	if (port >= PCI_DATA && port + size <= PCI_DATA + 4)
		return IO_PCI_DATA;
	/* Chipsets have their reset register in the middle of the address register. */
	return port == RESET && size == 1 ? IO_REAL : IO_DENIED;
}

enum io_action io_policy(bool privileged, u16 port, unsigned int size)
{
	if (!privileged || (size != 1 && size != 2 && size != 4) || port + size > 0x10000)
		return IO_DENIED;
	if (is_kept(port, size))
		return IO_DENIED;
	if (touches(port, size, PCI_ADDR, PCI_DATA + 3))
		return policy_pci(port, size);
	if (touches(port, size, 0x42, 0x43) || touches(port, size, 0x61, 0x61))
		return size == 1 ? IO_PIT2 : IO_DENIED;
	return IO_REAL;
}

/* --- permission --- */

/* One byte at an address of the guest's kernel, whose tables are not the loaded ones in user mode. */
static bool read_kernel_byte(struct vcpu *v, unsigned long va, u8 *val)
{
	struct frame *f = NULL;
	const u64 *l1e;

	if (!is_canonical(va))
		return false;
	spin_lock(&v->d->mm_lock);
	l1e = pv_walk_l1e(v, va);
	if (l1e && (*l1e & PTE_P))
		f = get_frame(pte_mfn(*l1e), v->d->id);
	spin_unlock(&v->d->mm_lock);
	if (!f)
		return false;
	*val = ((const u8 *)frame_to_virt(f))[va & ~PAGE_MASK];
	put_frame(f);
	return true;
}

/* The guest's own table, one bit a port: clear means allowed. */
static bool bitmap_allows(struct vcpu *v, u16 port, unsigned int size)
{
	for (unsigned int p = port; p < port + size; p++) {
		u8 byte;

		if (p >= v->pv.io_bitmap_nr)
			return false;
		if (!read_kernel_byte(v, v->pv.io_bitmap + p / 8, &byte) || byte >> (p % 8) & 1)
			return false;
	}
	return true;
}

/* A PV kernel counts as privilege level 1. */
static bool may_access(struct vcpu *v, u16 port, unsigned int size)
{
	unsigned int level = v->pv.kernel_mode ? 1 : 3;

	return v->pv.iopl >= level || bitmap_allows(v, port, size);
}

/* --- access --- */

static u32 ones(unsigned int size)
{
	return size == 4 ? ~0u : (1u << (8 * size)) - 1;
}

static u32 real_in(u16 port, unsigned int size)
{
	switch (size) {
	case 1:
		return inb(port);
	case 2:
		return inw(port);
	default:
		return inl(port);
	}
}

static void real_out(u16 port, unsigned int size, u32 val)
{
	switch (size) {
	case 1:
		outb((u8)val, port);
		break;
	case 2:
		outw((u16)val, port);
		break;
	default:
		outl(val, port);
		break;
	}
}

static u32 pci_data_in(const struct domain *d, u16 port, unsigned int size)
{
	u32 cf8 = READ_ONCE(d->pv.pci_cf8);

	return cf8 & CF8_ON ? pci_cf8_read(cf8, port - PCI_DATA, size) : ones(size);
}

static void pci_data_out(const struct domain *d, u16 port, unsigned int size, u32 val)
{
	u32 cf8 = READ_ONCE(d->pv.pci_cf8);
	struct pci_addr a = {0, (u8)(cf8 >> 16), (u8)(cf8 >> 8)};
	unsigned int off = port - PCI_DATA;
	/* Bits 24..27 are register bits 8..11 on AMD; elsewhere they are 0. */
	u16 reg = (u16)((cf8 & 0xfc) | (cf8 >> 16 & 0xf00) | off);

	if ((cf8 & CF8_ON) && msi_filter_write(&a, reg, size, &val))
		pci_cf8_write(cf8, off, size, val);
}

bool pv_io_in(struct vcpu *v, u16 port, unsigned int size, u32 *val)
{
	*val = ones(size);
	if (!may_access(v, port, size))
		return false;
	switch (io_policy(v->d->privileged, port, size)) {
	case IO_DENIED:
		break;
	case IO_REAL:
		*val = real_in(port, size);
		break;
	case IO_PIT2:
		*val = pit2_in(&pit2, port, clock_now());
		break;
	case IO_PCI_ADDR:
		*val = READ_ONCE(v->d->pv.pci_cf8);
		break;
	case IO_PCI_DATA:
		*val = pci_data_in(v->d, port, size);
		break;
	}
	return true;
}

bool pv_io_out(struct vcpu *v, u16 port, unsigned int size, u32 val)
{
	if (!may_access(v, port, size))
		return false;
	val &= ones(size);
	switch (io_policy(v->d->privileged, port, size)) {
	case IO_DENIED:
		break;
	case IO_REAL:
		real_out(port, size, val);
		break;
	case IO_PIT2:
		pit2_out(&pit2, port, (u8)val, clock_now());
		break;
	case IO_PCI_ADDR:
		WRITE_ONCE(v->d->pv.pci_cf8, val);
		break;
	case IO_PCI_DATA:
		pci_data_out(v->d, port, size, val);
		break;
	}
	return true;
}
