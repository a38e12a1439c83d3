/* SPDX-License-Identifier: MIT */
/*
 * One 16550 UART, polled. Survives a port without a UART and a line that stalls: output is then
 * dropped, never waited for without bound. The console (console.c) locks.
 */
#ifndef PLAT_SERIAL_H
#define PLAT_SERIAL_H

#include "lib/types.h"

struct serial_config {
	u16 port;
	u32 baud; /* 0: leave as it is */
	u8 lcr;	  /* line control: data bits, stop bits, parity */
	int irq;  /* ISA, -1: none */
};

/* <baud|auto>[,<8n1>[,<port>[,<irq>]]]; fields left out keep their value. 0 or -XEN_EINVAL. */
int serial_parse(const char *opt, struct serial_config *c);
/* True when there is a UART; without one the functions below do nothing. */
bool serial_init(const struct serial_config *c);
void serial_write(const char *s, size_t n); /* "\n" becomes "\r\n" */
void serial_drain(void); /* returns when all of it has left, or the line stalls */
int serial_getc(void);	 /* a byte, or -1 */
void serial_enable_irq(void);

#endif
