/* SPDX-License-Identifier: MIT */
#include "time/calibrate.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "lib/log.h"
#include "plat/plat.h"

#define FS_PER_SEC  1000000000000000ULL
#define HPET_WINDOW (FS_PER_SEC / 50)
#define PIT_WINDOW  (FS_PER_SEC / 25) /* of its 54 ms */
#define EDGES	    48
#define MAX_READS   20000
#define HZ_MIN	    10000000ULL
#define HZ_MAX	    30000000000ULL
#define TRUST_PPM   2000 /* CPUID may differ from the measurement by this */

struct source {
	const char *name;
	u32 (*read)(void); /* counts up, 32 bits */
	u64 period_fs;
	u64 window_fs;
};

/* An instant: the TSC, and the source's count since the first reading, in half ticks. */
struct edge {
	u64 tsc, half_ticks;
};

static u64 tsc_now(void)
{
	u64 t;

	__asm__ __volatile__("lfence" ::: "memory");
	t = rdtsc();
	__asm__ __volatile__("lfence" ::: "memory");
	return t;
}

static u32 pit_count_up(void)
{
	return 0xffffu - pit_read();
}

/*
 * The moment at which the source's count changes lies between two readings; of many such moments
 * the one that is known most closely is taken. So neither the length of a tick nor a reading that
 * was held up (SMI, another guest of an outer hypervisor) matters.
 */
static struct edge find_edge(const struct source *s, u32 origin)
{
	struct edge e = {0};
	u64 best = ~0UL, prev_begin = tsc_now();
	u32 prev = s->read();
	unsigned int edges = 0;

	for (unsigned int i = 0; i < MAX_READS && edges < EDGES; i++) {
		u64 begin = tsc_now();
		u32 count = s->read();
		u64 width = tsc_now() - prev_begin;

		if (count != prev) {
			edges++;
			if (width < best) {
				best = width;
				e.tsc = prev_begin + width / 2;
				/* Half way between the old count's end and the new one's begin. */
				e.half_ticks = (u64)(prev - origin) + 1 + (count - origin);
			}
		}
		prev = count;
		prev_begin = begin;
	}
	return e;
}

/* ticks * 10^15 / fs in 64 bits: fs is 20 to 60 ms, ticks at most a billion. */
static u64 rate(u64 ticks, u64 fs)
{
	u64 ps = fs / 1000, khz = ticks * 1000000000 / ps;

	return khz * 1000 + ticks * 1000000000 % ps * 1000 / ps;
}

static u64 measure(const struct source *s)
{
	u64 spins = 0, window = s->window_fs / s->period_fs;
	u32 origin = s->read();
	struct edge a = find_edge(s, origin), b;

	while ((u32)(s->read() - origin) < window && spins++ < 1000000000)
		__builtin_ia32_pause();
	b = find_edge(s, origin);
	if (b.tsc <= a.tsc || b.half_ticks <= a.half_ticks)
		return 0;
	return rate(b.tsc - a.tsc, (b.half_ticks - a.half_ticks) * s->period_fs / 2);
}

/* Leaf 0x15: TSC = crystal * EBX / EAX, when all three are given. */
static u64 hz_from_cpuid(void)
{
	u32 r[4];

	if (cpu_features.max_leaf < 0x15)
		return 0;
	cpuid(0x15, 0, r);
	return r[0] && r[1] && r[2] ? (u64)r[2] * r[1] / r[0] : 0;
}

static u64 distance(u64 a, u64 b)
{
	return a > b ? a - b : b - a;
}

static bool sane(u64 hz)
{
	return hz >= HZ_MIN && hz <= HZ_MAX;
}

static u64 measure_best(const char **name)
{
	struct source s = {"HPET", hpet_read32, 0, HPET_WINDOW};
	u64 hz;

	if (hpet_init()) {
		s.period_fs = hpet_period_fs();
		hz = measure(&s);
		*name = s.name;
		if (sane(hz))
			return hz;
		pr_warn("clock: TSC against HPET gives %lu Hz, not believed\n", hz);
	}
	s = (struct source){"PIT", pit_count_up, FS_PER_SEC / PIT_HZ, PIT_WINDOW};
	pit_start();
	*name = s.name;
	return measure(&s);
}

u64 calibrate_tsc(void)
{
	const char *name;
	u64 measured = measure_best(&name), told = hz_from_cpuid();
	u64 hz = measured;

	if (sane(told) &&
	    (!sane(measured) || distance(told, measured) < measured / 1000000 * TRUST_PPM)) {
		hz = told;
		name = "CPUID";
	}
	if (!sane(hz))
		panic("neither HPET nor PIT gives the TSC's rate (%lu Hz)", hz);
	pr_info("clock: TSC %lu.%03lu MHz (%s)\n", hz / 1000000, hz / 1000 % 1000, name);
	return hz;
}
