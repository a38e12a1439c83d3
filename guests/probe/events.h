/* SPDX-License-Identifier: MIT */
/* How a test takes over the delivery of events. */
#ifndef PROBE_EVENTS_H
#define PROBE_EVENTS_H

#include "kit.h"

extern void (*other_dispatch)(struct cpu *c);
/* vcpu 0's timer, stopped, with its channel open and counting; the same one each time. 0: none. */
u32 timer_port(void);

#endif
