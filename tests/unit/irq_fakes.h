/* SPDX-License-Identifier: MIT */
/*
 * A board for the interrupt tests: one IO-APIC of 24 pins, PCI functions with 256 bytes of
 * configuration space each, and memory that stands for their MSI-X tables.
 */
#ifndef TESTS_IRQ_FAKES_H
#define TESTS_IRQ_FAKES_H

#include "lib/types.h"

#define FAKE_PINS 24

struct fake_pin {
	u8 vector;
	u32 dest;
	bool level, low, masked;
};

extern struct fake_pin fake_pin[FAKE_PINS];
extern unsigned int fake_eois; /* of the local APIC */

/* Function 0 of device n on bus 0; an MSI at 0x50, MSI-X at 0x70. */
#define FAKE_DEVS 4
extern u8 fake_cfg[FAKE_DEVS][256];
extern u32 fake_table[FAKE_DEVS][64 * 4];
#define FAKE_BAR(n) (0x7e00000000ul + (n)*0x100000ul)

void fake_board_reset(void);
u32 fake_cfg_get(unsigned int dev, unsigned int reg, unsigned int size);
void fake_cfg_set(unsigned int dev, unsigned int reg, unsigned int size, u32 v);

#endif
