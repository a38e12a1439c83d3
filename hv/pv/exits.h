/* SPDX-License-Identifier: MIT */
/* What the C side of pv/entry.S needs once at start. */
#ifndef PV_EXITS_H
#define PV_EXITS_H

/* Interrupt vectors from any context; used by the entry code and by the idle loop's interrupts. */
void interrupt_dispatch(unsigned int vector);

#endif
