/* SPDX-License-Identifier: MIT */
/* How a test takes over the delivery of events. */
#ifndef PROBE_EVENTS_H
#define PROBE_EVENTS_H

#include "kit.h"

extern void (*other_dispatch)(struct cpu *c);

#endif
