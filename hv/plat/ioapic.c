/* SPDX-License-Identifier: MIT */
#include "plat/plat.h"
#include "plat/acpi.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/spinlock.h"

/* Intel 82093AA: an index register and a window; two words a pin. */
#define IOREGSEL 0x00
#define IOWIN	 0x10
#define REG_VER	 1
#define REG_RTE	 0x10

#define RTE_LOW	       (1u << 13)
#define RTE_LEVEL      (1u << 15)
#define RTE_MASKED     (1u << 16)
#define RTE_DELIVERY   (7u << 8)
#define DELIVERY_SMI   (2u << 8)
#define RTE_RO	       (1u << 12 | 1u << 14) /* delivery status, remote IRR */
#define RTE_DEST_SHIFT 24
#define MAX_PINS       240

struct ioapic {
	volatile u32 *regs;
	paddr_t addr;
	u32 gsi_base;
	unsigned int nr_pins;
	u32 low[MAX_PINS]; /* what the pins' low words are: a mask change costs no read */
};

static struct ioapic ioapics[ACPI_MAX_IOAPICS];
static unsigned int nr_ioapics, nr_gsis;
static spinlock_t lock; /* innermost */

static u32 reg_read(struct ioapic *io, u32 reg)
{
	io->regs[IOREGSEL / 4] = reg;
	return io->regs[IOWIN / 4];
}

static void reg_write(struct ioapic *io, u32 reg, u32 v)
{
	io->regs[IOREGSEL / 4] = reg;
	io->regs[IOWIN / 4] = v;
}

static void write_low(struct ioapic *io, unsigned int pin, u32 v)
{
	io->low[pin] = v;
	reg_write(io, REG_RTE + 2 * pin, v);
}

/* Pins that the firmware uses for SMIs are its own. */
static void mask_all(struct ioapic *io)
{
	for (unsigned int pin = 0; pin < io->nr_pins; pin++) {
		u32 v = reg_read(io, REG_RTE + 2 * pin) & ~RTE_RO;

		io->low[pin] = v;
		if ((v & RTE_DELIVERY) != DELIVERY_SMI)
			write_low(io, pin, RTE_MASKED);
	}
}

static void add(const struct acpi_ioapic *a)
{
	struct ioapic *io = &ioapics[nr_ioapics];
	u32 version;

	io->regs = plat_map_mmio(a->addr, PAGE_SIZE);
	version = io->regs ? reg_read(io, REG_VER) : ~0u;
	if (version == ~0u) {
		pr_warn("IO-APIC %u at %#lx does not answer\n", a->id, a->addr);
		return;
	}
	io->nr_pins = min((version >> 16 & 0xff) + 1, (u32)MAX_PINS);
	if (a->gsi_base > 0xffff) {
		pr_warn("IO-APIC %u: first GSI %u is out of range\n", a->id, a->gsi_base);
		return;
	}
	io->addr = a->addr;
	io->gsi_base = a->gsi_base;
	nr_gsis = max(nr_gsis, io->gsi_base + io->nr_pins);
	nr_ioapics++;
	mask_all(io);
	pr_info("IO-APIC %u: version %#x, GSI %u-%u\n", a->id, version & 0xff, io->gsi_base,
		io->gsi_base + io->nr_pins - 1);
}

void ioapic_init(void)
{
	for (unsigned int i = 0; i < acpi.nr_ioapics; i++)
		add(&acpi.ioapic[i]);
}

unsigned int ioapic_nr_gsis(void)
{
	return nr_gsis;
}

static struct ioapic *find(u32 gsi, unsigned int *pin)
{
	for (unsigned int i = 0; i < nr_ioapics; i++) {
		*pin = gsi - ioapics[i].gsi_base;
		if (gsi >= ioapics[i].gsi_base && *pin < ioapics[i].nr_pins)
			return &ioapics[i];
	}
	return NULL;
}

bool ioapic_gsi_valid(u32 gsi)
{
	unsigned int pin;
	struct ioapic *io = find(gsi, &pin);

	return io && (io->low[pin] & RTE_DELIVERY) != DELIVERY_SMI;
}

void ioapic_set(u32 gsi, u8 vector, u32 apic_id, bool level, bool low, bool masked)
{
	u32 v = vector | (level ? RTE_LEVEL : 0) | (low ? RTE_LOW : 0) | (masked ? RTE_MASKED : 0);
	unsigned int pin;
	struct ioapic *io = find(gsi, &pin);

	if (!io)
		return;
	spin_lock(&lock);
	/* Never half of the old and half of the new: masked while the other word changes. */
	write_low(io, pin, v | RTE_MASKED);
	reg_write(io, REG_RTE + 2 * pin + 1, apic_id << RTE_DEST_SHIFT);
	if (!masked)
		write_low(io, pin, v);
	spin_unlock(&lock);
}

void ioapic_mask(u32 gsi, bool masked)
{
	unsigned int pin;
	struct ioapic *io = find(gsi, &pin);
	u32 v;

	if (!io)
		return;
	spin_lock(&lock);
	v = masked ? io->low[pin] | RTE_MASKED : io->low[pin] & ~RTE_MASKED;
	if (v != io->low[pin])
		write_low(io, pin, v);
	spin_unlock(&lock);
}

void ioapic_set_dest(u32 gsi, u32 apic_id)
{
	unsigned int pin;
	struct ioapic *io = find(gsi, &pin);

	if (!io)
		return;
	spin_lock(&lock);
	reg_write(io, REG_RTE + 2 * pin + 1, apic_id << RTE_DEST_SHIFT);
	spin_unlock(&lock);
}

int ioapic_read_reg(paddr_t base, u32 reg, u32 *val)
{
	for (unsigned int i = 0; i < nr_ioapics; i++) {
		if (ioapics[i].addr != base)
			continue;
		spin_lock(&lock);
		*val = reg_read(&ioapics[i], reg & 0xff);
		spin_unlock(&lock);
		return 0;
	}
	return -XEN_ENODEV;
}
