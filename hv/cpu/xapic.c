/* SPDX-License-Identifier: MIT */
#include "cpu/apic_priv.h"
#include "cpu/irqflags.h"
#include "lib/errno.h"
#include "plat/plat.h"

#define XAPIC_ID_SHIFT 24
#define BUSY_SPINS     1000000

static volatile u8 *regs;

int xapic_map(paddr_t pa)
{
	regs = plat_map_mmio(pa, PAGE_SIZE);
	return regs ? 0 : -XEN_ENOMEM;
}

static u32 xapic_read(u32 reg)
{
	return *(volatile u32 *)(regs + reg);
}

static void xapic_write(u32 reg, u32 v)
{
	*(volatile u32 *)(regs + reg) = v;
}

/* The register holds one message: the one before must have left. */
static void wait_idle(void)
{
	for (unsigned int i = 0; i < BUSY_SPINS && xapic_read(APIC_ICR) & ICR_BUSY; i++)
		cpu_relax();
}

static void xapic_icr(u32 apic_id, u32 low)
{
	wait_idle();
	xapic_write(APIC_ICR_HIGH, apic_id << XAPIC_ID_SHIFT);
	xapic_write(APIC_ICR, low);
}

const struct apic_ops xapic_ops = {
	.read = xapic_read,
	.write = xapic_write,
	.icr = xapic_icr,
};
