/* SPDX-License-Identifier: MIT */
/*
 * I/O ports for PV guests: who may use which port, and what the ports do that the hypervisor keeps
 * for itself. dom0 reaches the machine's real ports except the interrupt controllers, the timers
 * and the console's UART; another domain reaches none. A denied port reads as ones and ignores
 * writes, as an empty bus does.
 */
#ifndef PV_IOPORT_H
#define PV_IOPORT_H

#include "lib/types.h"

struct vcpu;
struct domain;

enum io_action {
	IO_DENIED,
	IO_REAL,
	IO_PIT2,     /* 0x42, 0x43, 0x61: the domain's own channel 2 (pv/pit2.h) */
	IO_PCI_ADDR, /* 0xcf8, 32 bits */
	IO_PCI_DATA, /* 0xcfc..0xcff */
};

/* Decision for an access of 1, 2 or 4 bytes; other sizes and accesses beyond 0xffff are denied. */
enum io_action io_policy(bool privileged, u16 port, unsigned int size);

/*
 * The access itself, for the emulator of I/O instructions; v is current. False: the vcpu's
 * privilege level and I/O bitmap do not allow it, inject #GP. *val is zero-extended from size.
 */
bool pv_io_in(struct vcpu *v, u16 port, unsigned int size, u32 *val);
bool pv_io_out(struct vcpu *v, u16 port, unsigned int size, u32 val);

#endif
