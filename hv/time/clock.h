/* SPDX-License-Identifier: MIT */
/*
 * System time: nanoseconds since boot, one timeline for all CPUs, from the TSC with a scale that is
 * calibrated at boot. Wall clock: seconds and ns of 1970 UTC at system time 0.
 */
#ifndef TIME_CLOCK_H
#define TIME_CLOCK_H

#include "lib/types.h"

typedef s64 nsec_t;
#define NSEC_PER_SEC 1000000000LL
#define NSEC_PER_MSEC 1000000LL
#define NSEC_PER_USEC 1000LL

void clock_init(void);	   /* boot CPU: calibrates; needs ACPI tables, HPET or PIT */
void clock_init_cpu(void); /* every CPU */
nsec_t clock_now(void);
u64 clock_tsc_hz(void);
/* ns = ((tsc << shift or >> -shift) * mul) >> 32, as in struct vcpu_time_info. */
void clock_scale(u32 *mul, s8 *shift);
/* TSC value that is system time `t`. */
u64 clock_ns_to_tsc(nsec_t t);
/* The TSC value of system time 0 on this CPU and the like for guests: see dom/vtime. */
u64 clock_tsc_base(void);
void clock_get_wall(u64 *sec, u32 *nsec);
void clock_set_wall(u64 sec, u32 nsec, nsec_t system_time);
/* Busy wait; boot only. */
void clock_udelay(unsigned int us);

#endif
