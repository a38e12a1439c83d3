/* SPDX-License-Identifier: MIT */
#include "plat/plat.h"
#include "plat/acpi.h"
#include "lib/log.h"
#include "lib/spinlock.h"

/* IA-PC HPET specification 1.0a, 2.3. */
#define HPET_SIZE     1024
#define HPET_CAP      0x00
#define HPET_PERIOD   0x04
#define HPET_CONFIG   0x10
#define HPET_COUNT    0xf0
#define HPET_COUNT_HI 0xf4

#define CAP_64BIT     (1u << 13)
#define CONFIG_ENABLE 1u
#define CONFIG_LEGACY 2u
#define MAX_PERIOD    100000000 /* fs */
#define MIN_PERIOD    100000	/* fs, 10 GHz: nothing real counts faster */
#define START_SPINS   100000

static volatile u8 *regs;
static u32 period;
static bool wide;
static spinlock_t lock; /* the two below */
static u32 last, wraps;

static u32 reg_read(u32 reg)
{
	return *(volatile u32 *)(regs + reg);
}

static bool counts(void)
{
	u32 first = hpet_read32();

	for (unsigned int i = 0; i < START_SPINS; i++)
		if (hpet_read32() != first)
			return true;
	return false;
}

bool hpet_init(void)
{
	u32 config;

	if (!acpi.hpet_addr || !plat_map_mmio)
		return false;
	regs = plat_map_mmio(acpi.hpet_addr, HPET_SIZE);
	if (!regs)
		return false;
	period = reg_read(HPET_PERIOD);
	if (period < MIN_PERIOD || period > MAX_PERIOD) {
		pr_warn("HPET at %#lx has no sensible period, not used\n", acpi.hpet_addr);
		regs = NULL;
		return false;
	}
	wide = reg_read(HPET_CAP) & CAP_64BIT;
	config = reg_read(HPET_CONFIG) & ~CONFIG_LEGACY;
	*(volatile u32 *)(regs + HPET_CONFIG) = config | CONFIG_ENABLE;
	if (!counts()) {
		pr_warn("HPET at %#lx does not count, not used\n", acpi.hpet_addr);
		regs = NULL;
		return false;
	}
	return true;
}

u32 hpet_read32(void)
{
	return reg_read(HPET_COUNT);
}

/* A narrow counter must be read once in each of its rounds, that is every few minutes. */
u64 hpet_read(void)
{
	u32 hi, lo;
	u64 v;

	if (wide) {
		do {
			hi = reg_read(HPET_COUNT_HI);
			lo = reg_read(HPET_COUNT);
		} while (hi != reg_read(HPET_COUNT_HI));
		return (u64)hi << 32 | lo;
	}
	spin_lock(&lock);
	lo = reg_read(HPET_COUNT);
	wraps += lo < last;
	last = lo;
	v = (u64)wraps << 32 | lo;
	spin_unlock(&lock);
	return v;
}

u64 hpet_period_fs(void)
{
	return period;
}
