/* SPDX-License-Identifier: MIT */
/* Measures the TSC against the HPET, or else the PIT, or takes what CPUID tells. Boot CPU, once. */
#ifndef TIME_CALIBRATE_H
#define TIME_CALIBRATE_H

#include "lib/types.h"

/* TSC ticks a second; panics when there is nothing to measure by. Takes some 20 to 50 ms. */
u64 calibrate_tsc(void);

#endif
