/* SPDX-License-Identifier: MIT */
/* The two 8259s: moved to vectors that nobody uses, for their spurious interrupts, and masked. */
#include "plat/plat.h"
#include "cpu/cpu.h"

#define PIC1	    0x20
#define PIC2	    0xa0
#define ICW1_INIT   0x11 /* cascaded, with ICW4 */
#define ICW4_8086   0x01
#define CASCADE_PIN 2
#define PIC_VECTORS 0xe0 /* between the devices' and our own (cpu/apic.h) */

static void start(u16 pic, u8 vector, u8 cascade)
{
	outb(ICW1_INIT, pic);
	outb(vector, pic + 1);
	outb(cascade, pic + 1);
	outb(ICW4_8086, pic + 1);
}

void pic_disable(void)
{
	outb(0xff, PIC1 + 1);
	outb(0xff, PIC2 + 1);
	start(PIC1, PIC_VECTORS, 1 << CASCADE_PIN);
	start(PIC2, PIC_VECTORS + 8, CASCADE_PIN);
	outb(0xff, PIC1 + 1);
	outb(0xff, PIC2 + 1);
}
