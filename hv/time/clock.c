/* SPDX-License-Identifier: MIT */
#include "time/clock.h"
#include "time/calibrate.h"
#include "time/scale.h"
#include "cpu/apic.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "plat/plat.h"

#define SYNC_READS 1000

static struct scale scale;
static u64 tsc_base;
static u64 tsc_hz;

/* The wall clock at system time 0. */
static spinlock_t wall_lock;
static u64 wall_sec;
static u32 wall_nsec;

static u64 boot_cpu_tsc; /* the boot CPU was here; for the others to compare */
static bool tsc_warned;

/* Not before earlier loads: what another CPU has published must not lie in our future. */
static u64 rdtsc_ordered(void)
{
	__asm__ __volatile__("lfence" ::: "memory");
	return rdtsc();
}

static nsec_t ns_at(u64 tsc)
{
	return tsc > tsc_base ? (nsec_t)scale_ns(scale, tsc - tsc_base) : 0;
}

nsec_t clock_now(void)
{
	return ns_at(rdtsc_ordered());
}

static s64 log_time(void)
{
	return clock_now();
}

void clock_init(void)
{
	scale = scale_of_hz(calibrate_tsc());
	tsc_hz = scale_hz(scale);
	tsc_base = rdtsc_ordered();
	plat_delay_calibrate(tsc_hz);
	apic_timer_calibrate(tsc_hz);
	clock_set_wall(rtc_read_unix(), 0, clock_now());
	log_clock = log_time;
}

void clock_init_cpu(void)
{
	for (unsigned int i = 0; i < SYNC_READS; i++) {
		u64 theirs = atomic_load(&boot_cpu_tsc), mine = rdtsc_ordered();

		if (mine >= theirs || tsc_warned)
			continue;
		tsc_warned = true;
		pr_warn("clock: the TSC of CPU%u is %lu ticks behind: time will jump between "
			"CPUs\n",
			smp_cpu_id(), theirs - mine);
	}
}

u64 clock_tsc_hz(void)
{
	return tsc_hz;
}

u64 clock_tsc_base(void)
{
	return tsc_base;
}

void clock_scale(u32 *mul, s8 *shift)
{
	*mul = scale.mul;
	*shift = scale.shift;
}

u64 clock_ns_to_tsc(nsec_t t)
{
	return tsc_base + (t > 0 ? scale_ticks(scale, (u64)t) : 0);
}

void clock_fill_vcpu_time(struct vcpu_time_info *t)
{
	unsigned int shift = scale_chunk_shift(scale);
	u64 chunks = (rdtsc_ordered() - tsc_base) >> shift;

	t->tsc_timestamp = tsc_base + (chunks << shift);
	t->system_time = chunks * scale_chunk_ns(scale);
	t->tsc_to_system_mul = scale.mul;
	t->tsc_shift = scale.shift;
	t->flags = 0;
}

void clock_get_wall(u64 *sec, u32 *nsec)
{
	spin_lock(&wall_lock);
	*sec = wall_sec;
	*nsec = wall_nsec;
	spin_unlock(&wall_lock);
}

/* A date before the box was started by less than it has run would be negative: 1970 then. */
void clock_set_wall(u64 sec, u32 nsec, nsec_t system_time)
{
	u64 t = system_time > 0 ? (u64)system_time : 0;
	u64 back_sec = t / NSEC_PER_SEC;
	u32 back_nsec = (u32)(t % NSEC_PER_SEC);

	sec += nsec / NSEC_PER_SEC;
	nsec %= NSEC_PER_SEC;
	if (nsec < back_nsec) {
		nsec += NSEC_PER_SEC;
		back_sec++;
	}
	spin_lock(&wall_lock);
	wall_sec = sec > back_sec ? sec - back_sec : 0;
	wall_nsec = nsec - back_nsec;
	spin_unlock(&wall_lock);
}

void clock_udelay(unsigned int us)
{
	u64 now = rdtsc_ordered(), end = now + scale_ticks(scale, us * (u64)NSEC_PER_USEC);

	while ((now = rdtsc_ordered()) < end) {
		if (!smp_cpu_id())
			atomic_store(&boot_cpu_tsc, now);
		__builtin_ia32_pause();
	}
}
