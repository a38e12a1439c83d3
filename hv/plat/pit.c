/* SPDX-License-Identifier: MIT */
#include "plat/plat.h"
#include "cpu/cpu.h"

/* Intel 8254, channel 2; its gate and the speaker hang on port 0x61. */
#define PIT_CH2	    0x42
#define PIT_MODE    0x43
#define CH2_ONESHOT 0xb0 /* channel 2, both bytes, mode 0 */
#define CH2_LATCH   0x80
#define PORT_B	    0x61
#define GATE	    0x01
#define SPEAKER	    0x02

void pit_start(void)
{
	outb((u8)((inb(PORT_B) & ~SPEAKER) | GATE), PORT_B);
	outb(CH2_ONESHOT, PIT_MODE);
	outb(0xff, PIT_CH2);
	outb(0xff, PIT_CH2);
}

u16 pit_read(void)
{
	u8 lo;

	outb(CH2_LATCH, PIT_MODE);
	lo = inb(PIT_CH2);
	return (u16)(lo | inb(PIT_CH2) << 8);
}
