/* SPDX-License-Identifier: MIT */
/* The heap of timers against a plain array; timers between CPUs, stopped, moved, set by themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cpu/apic.h"
#include "cpu/percpu.h"
#include "time/timer.h"
#include "time/timer.h"

#define NR 400

/* --- a machine of two CPUs, one after the other --- */

struct cpu_info test_cpu_info;
unsigned long percpu_offsets[CONFIG_NR_CPUS];
static DEFINE_PER_CPU(char, marker) __aligned(64);
/* CPU 1's copy of whatever is near the marker, that is all per-CPU data. */
static char copy[1 << 16] __aligned(64);
static nsec_t fake_now;
static u64 fake_armed[2];
static u32 fake_hazard[2];

nsec_t clock_now(void)
{
	return fake_now;
}

u64 clock_ns_to_tsc(nsec_t t)
{
	return t > 0 ? (u64)t : 1;
}

void apic_timer_init_cpu(void)
{
	fake_armed[smp_cpu_id()] = 0;
}

void apic_timer_arm(u64 tsc)
{
	fake_armed[smp_cpu_id()] = tsc;
}

void cpu_raise_hazard(unsigned int cpu, u32 haz)
{
	fake_hazard[cpu] |= haz;
}

static void be_cpu(unsigned int cpu)
{
	test_cpu_info.cpu = cpu;
	test_cpu_info.percpu_offset = percpu_offsets[cpu];
}

static int new_machine(void **state)
{
	percpu_offsets[1] = (unsigned long)(copy + sizeof(copy) / 2) - (unsigned long)&marker;
	memset(copy, 0, sizeof(copy));
	fake_now = 1000;
	memset(fake_hazard, 0, sizeof(fake_hazard));
	be_cpu(1);
	timer_init_cpu();
	be_cpu(0);
	timer_init_cpu();
	timer_interrupt();
	return 0;
}

/* --- timers --- */

static unsigned int fired;
static nsec_t again_at;
static struct timer *again;

static void count(void *arg)
{
	fired++;
	if (again)
		timer_set(again, again_at);
}

static void fires_when_due(void **state)
{
	struct timer a, b;

	fired = 0;
	timer_init(&a, count, NULL, 0);
	timer_init(&b, count, NULL, 0);
	timer_set(&a, 3000);
	assert_int_equal(fake_armed[0], 3000);
	timer_set(&b, 2000);
	assert_int_equal(fake_armed[0], 2000);
	assert_true(timer_pending(&a) && timer_pending(&b));
	fake_now = 1999;
	timer_interrupt(); /* too early: armed again */
	assert_int_equal(fired, 0);
	assert_int_equal(fake_armed[0], 2000);
	fake_now = 2500;
	timer_interrupt();
	assert_int_equal(fired, 1);
	assert_false(timer_pending(&b));
	assert_int_equal(fake_armed[0], 3000);
	timer_stop(&a);
	fake_now = 4000;
	timer_interrupt();
	assert_int_equal(fired, 1);
}

static void moved_earlier_and_later(void **state)
{
	struct timer a;

	fired = 0;
	timer_init(&a, count, NULL, 0);
	timer_set(&a, 5000);
	timer_set(&a, 9000); /* the APIC may interrupt at 5000 for nothing */
	fake_now = 5000;
	timer_interrupt();
	assert_int_equal(fired, 0);
	assert_int_equal(fake_armed[0], 9000);
	timer_set(&a, -5); /* past */
	assert_int_equal(fake_armed[0], 1);
	timer_interrupt();
	assert_int_equal(fired, 1);
}

static void sets_itself_to_the_past(void **state)
{
	struct timer a;

	fired = 0;
	timer_init(&a, count, NULL, 0);
	again = &a;
	again_at = 10;
	timer_set(&a, 10);
	timer_interrupt();
	assert_int_equal(fired, TIMER_BATCH);
	assert_int_equal(fake_armed[0], 10);
	again = NULL;
	timer_interrupt();
	assert_false(timer_pending(&a));
}

static void on_another_cpu(void **state)
{
	struct timer a, b;

	fired = 0;
	timer_init(&a, count, NULL, 1);
	timer_init(&b, count, NULL, 1);
	timer_set(&a, 3000);
	assert_int_equal(fake_hazard[1], HAZ_TIMER);
	fake_hazard[1] = 0;
	be_cpu(1);
	timer_interrupt();
	assert_int_equal(fake_armed[1], 3000);
	be_cpu(0);
	timer_set(&b, 4000); /* later than what it waits for: left in peace */
	assert_int_equal(fake_hazard[1], 0);
	timer_migrate(&a, 0);
	assert_int_equal(a.cpu, 0);
	assert_int_equal(fake_armed[0], 3000);
	timer_migrate(&b, 0);
	assert_int_equal(fake_armed[0], 3000);
	timer_migrate(&b, 1);
	timer_migrate(&b, 1);
	fake_now = 3500;
	timer_interrupt();
	assert_int_equal(fired, 1);
	timer_migrate(&a, 1); /* not pending: only its home changes */
	assert_int_equal(a.cpu, 1);
	timer_stop(&b);
	timer_stop(&a);
}

/* Set before its CPU is there: it waits. */
static void before_the_cpu(void **state)
{
	struct timer a;

	memset(copy, 0, sizeof(copy));
	fired = 0;
	timer_init(&a, count, NULL, 1);
	timer_set(&a, 2000);
	assert_int_equal(fake_hazard[1], 0);
	be_cpu(1);
	timer_interrupt();
	timer_init_cpu();
	assert_int_equal(fake_armed[1], 2000);
	fake_now = 2000;
	timer_interrupt();
	assert_int_equal(fired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(fires_when_due, new_machine),
		cmocka_unit_test_setup(moved_earlier_and_later, new_machine),
		cmocka_unit_test_setup(sets_itself_to_the_past, new_machine),
		cmocka_unit_test_setup(on_another_cpu, new_machine),
		cmocka_unit_test_setup(before_the_cpu, new_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
