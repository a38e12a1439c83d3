/* SPDX-License-Identifier: MIT */
/* From TSC to ns and back: rate, order, and that a guest with the ABI's formula sees the same time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <xen/xen.h>
#include "time/scale.h"

static const u64 rates[] = {SCALE_HZ_MIN, 14318180,   100000000,  999999999,   1000000000,
			    1000000001,	  1193182000, 1999999999, 2000000000,  2000000001,
			    2399987000,	  2894560000, 3000000000, 3999999999,  4000000001,
			    5123456789,	  8000000001, 9876543210, 16000000001, SCALE_HZ_MAX};

static u64 random64(void)
{
	u64 v = 0;

	for (int i = 0; i < 5; i++)
		v = v << 15 ^ (u64)rand();
	return v;
}

/* The guest's side, as <xen/xen.h> says it. */
static u64 guest_time(const struct vcpu_time_info *t, u64 tsc)
{
	u64 delta = tsc - t->tsc_timestamp;

	delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
	return t->system_time + (u64)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
}

static double error_of(u64 a, u64 b)
{
	double d = a > b ? (double)(a - b) : (double)(b - a);

	return d / (double)b;
}

static void rate(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		u64 hz = rates[i], hour = 3600;
		struct scale s = scale_of_hz(hz);
		u64 real = scale_hz(s);

		assert_true(s.mul >= 1u << 31);
		assert_true(error_of(real, hz) < 2e-8 + 1.0 / (double)hz);
		/* Of the rate that it says it has, an hour is an hour. */
		assert_true(error_of(scale_ns(s, real * hour), 1000000000 * hour) <
			    1e-9 + 1.0 / (double)real);
	}
}

static void exact_under_icount(void **state)
{
	struct scale s = scale_of_hz(1000000000);

	assert_int_equal(scale_ns(s, 123456789012345), 123456789012345);
	assert_int_equal(scale_hz(s), 1000000000);
}

static void monotonic(void **state)
{
	srand(3);
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct scale s = scale_of_hz(rates[i]);
		u64 tsc = random64() >> 12, last = scale_ns(s, tsc);

		for (unsigned int k = 0; k < 20000; k++) {
			u64 ns = scale_ns(s, tsc += (u64)rand() % 8);

			assert_true(ns >= last);
			last = ns;
		}
	}
}

/* Whichever filling a guest holds, it computes what the hypervisor does, to the ns. */
static void same_as_the_guest(void **state)
{
	srand(4);
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct scale s = scale_of_hz(rates[i]);
		unsigned int shift = scale_chunk_shift(s);

		assert_true(scale_chunk_ns(s) < 70000000);
		for (unsigned int k = 0; k < 20000; k++) {
			u64 at = random64() >> 14, later = at + (random64() >> 30);
			u64 base = random64(), chunks = at >> shift;
			struct vcpu_time_info t = {.tsc_timestamp = base + (chunks << shift),
						   .system_time = chunks * scale_chunk_ns(s),
						   .tsc_to_system_mul = s.mul,
						   .tsc_shift = s.shift};

			assert_int_equal(guest_time(&t, base + later), scale_ns(s, later));
			assert_int_equal(guest_time(&t, base + at), scale_ns(s, at));
		}
	}
}

/* The answer is the first tick at which the time is there. */
static void there_and_back(void **state)
{
	srand(5);
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct scale s = scale_of_hz(rates[i]);

		for (unsigned int k = 0; k < 20000; k++) {
			u64 ns = random64() >> (8 + rand() % 50), ticks = scale_ticks(s, ns);

			if (ns >> 57)
				continue;
			assert_true(scale_ns(s, ticks) >= ns);
			if (ticks)
				assert_true(scale_ns(s, ticks - 1) < ns);
		}
		assert_int_equal(scale_ticks(s, 0), 0);
	}
}

static void far_future(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct scale s = scale_of_hz(rates[i]);

		assert_true(scale_ticks(s, INT64_MAX) == ~0ULL >> 1);
		assert_true(scale_ticks(s, 120000000000000000ULL) < ~0ULL >> 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate),		  cmocka_unit_test(exact_under_icount),
		cmocka_unit_test(monotonic),	  cmocka_unit_test(same_as_the_guest),
		cmocka_unit_test(there_and_back), cmocka_unit_test(far_future),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
