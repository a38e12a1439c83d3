/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor watches itself: a CPU that stays in it for too long, with interrupts off, is brought to
 * a panic by NMI. By timers of two CPUs, so it works on every machine with two; the others are not woken.
 */
#ifndef TIME_WATCHDOG_H
#define TIME_WATCHDOG_H

#include "lib/types.h"

extern bool opt_watchdog;
extern unsigned int opt_watchdog_timeout; /* seconds; 0: no watchdog */
/* Boot CPU, once, when all CPUs run and it has nothing long to do any more. */
void watchdog_start(void);
/* Any CPU: the machine ends, and a CPU that waits for that is not stuck. */
void watchdog_stop(void);

#endif
