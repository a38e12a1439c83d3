/* SPDX-License-Identifier: MIT */
/*
 * System time: nanoseconds since boot, one timeline for all CPUs, from the TSC with a scale that is
 * calibrated at boot. Wall clock: seconds and ns of 1970 UTC at system time 0.
 */
#ifndef TIME_CLOCK_H
#define TIME_CLOCK_H

#include "lib/types.h"

typedef s64 nsec_t;
#define NSEC_PER_SEC  1000000000LL
#define NSEC_PER_MSEC 1000000LL
#define NSEC_PER_USEC 1000LL

struct vcpu_time_info;

/*
 * Boot CPU: calibrates the TSC and the APIC timer; needs ACPI tables, HPET or PIT, apic_init_cpu.
 * Takes some 30 ms. Panics when the board has nothing to measure by.
 */
void clock_init(void);
/* Every other CPU, while the boot CPU waits in clock_udelay: warns when their TSCs differ. */
void clock_init_cpu(void);
nsec_t clock_now(void);
u64 clock_tsc_hz(void);
/*
 * Fills the five fields from tsc_timestamp to flags for a guest; the version is the caller's. A guest
 * that follows the ABI's formula gets exactly clock_now() for the same TSC, from any filling: the
 * pair (tsc_timestamp, system_time) is the last one before now that needs no rounding, at most
 * 70 ms old. Refresh it at least every 2 s.
 */
void clock_fill_vcpu_time(struct vcpu_time_info *t);
/* ns = ((tsc << shift or >> -shift) * mul) >> 32, as in struct vcpu_time_info. */
void clock_scale(u32 *mul, s8 *shift);
/* First TSC value at which clock_now() is `t` or later. Far beyond any life time: a huge value. */
u64 clock_ns_to_tsc(nsec_t t);
/* The TSC value of system time 0, the same on all CPUs. */
u64 clock_tsc_base(void);
/* Seconds and ns since 1970, UTC, of system time 0. set: what the wall clock is at system_time. */
void clock_get_wall(u64 *sec, u32 *nsec);
void clock_set_wall(u64 sec, u32 nsec, nsec_t system_time);
/* Busy wait; boot only. */
void clock_udelay(unsigned int us);

#endif
