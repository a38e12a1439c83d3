/* SPDX-License-Identifier: MIT */
/*
 * Channel 2 of an 8254 with its gate and output in port 0x61, as far as kernels measure time with
 * it: counting is computed from the system time at each read. There is no sound. Only dom0 has one.
 */
#ifndef PV_PIT2_H
#define PV_PIT2_H

#include "lib/spinlock.h"
#include "time/clock.h"

struct pit2 {
	spinlock_t lock;
	nsec_t start; /* of the present countdown */
	u32 reload;   /* 1..65536; 0: never loaded */
	u16 latch;    /* what the next reads return, if latched */
	u8 latched;   /* bytes of the latch still to be read */
	u8 mode;      /* 0..5 */
	u8 access;    /* 1 low byte, 2 high byte, 3 low then high */
	u8 low;	      /* first byte of a two-byte load */
	bool have_low, read_high;
	u8 port61; /* bits 0 (gate) and 1 (speaker) */
	bool refresh;
};

/* port: 0x42, 0x43 or 0x61. now: system time. */
u8 pit2_in(struct pit2 *p, u16 port, nsec_t now);
void pit2_out(struct pit2 *p, u16 port, u8 val, nsec_t now);

#endif
