/* SPDX-License-Identifier: MIT */
/* Who is stuck, and who only sleeps: the watchdog's looks at a machine of three CPUs. */
#include "fake/fake.h"
#include "cpu/panic.h"
#include "cpu/percpu.h"
#include "mm/tlb.h"
#include "time/timer.h"
#include "time/watchdog.h"

static u32 beats[CONFIG_NR_CPUS], sleeps[CONFIG_NR_CPUS];
static bool asleep[CONFIG_NR_CPUS];
unsigned int nr_cpus;
static struct timer *set[2];
static nsec_t now;
static int stuck;
static jmp_buf found;

u32 timer_beats(unsigned int cpu)
{
	return beats[cpu];
}

bool tlb_cpu_sleeps(unsigned int cpu, u32 *count)
{
	*count = sleeps[cpu];
	return asleep[cpu];
}

void panic_other(unsigned int cpu, const char *what)
{
	(void)what;
	stuck = (int)cpu;
	longjmp(found, 1);
}

nsec_t clock_now(void)
{
	return now;
}

void timer_init(struct timer *t, void (*fn)(void *), void *arg, unsigned int cpu)
{
	*t = (struct timer){.fn = fn, .arg = arg, .cpu = cpu};
}

void timer_set(struct timer *t, nsec_t expires)
{
	t->expires = expires;
	set[t->cpu] = t;
}

/* A second passes: who moves has a beat, and both timers fire until somebody is found. */
static void second(unsigned int moving)
{
	now += NSEC_PER_SEC;
	for (unsigned int cpu = 0; cpu < 3; cpu++)
		beats[cpu] += moving >> cpu & 1;
	if (setjmp(found))
		return;
	for (int i = 1; i >= 0; i--) {
		assert_non_null(set[i]);
		assert_int_equal(set[i]->expires, now);
		set[i]->fn(set[i]->arg);
	}
}

static int begin(void **state)
{
	(void)state;
	nr_cpus = 3;
	stuck = -1;
	set[0] = set[1] = NULL;
	for (unsigned int cpu = 0; cpu < 3; cpu++)
		asleep[cpu] = false;
	opt_watchdog = true;
	opt_watchdog_timeout = 5;
	watchdog_start();
	second(7);
	return 0;
}

static void test_each_cpu(void **state)
{
	for (int cpu = 0; cpu < 3; cpu++) {
		begin(state);
		for (int i = 0; i < 5; i++)
			second(7 & ~(1u << cpu));
		assert_int_equal(stuck, -1);
		second(7 & ~(1u << cpu));
		assert_int_equal(stuck, cpu);
	}
}

static void test_moves_in_time(void **state)
{
	for (int i = 0; i < 40; i++)
		second(i % 5 ? 3 : 7);
	assert_int_equal(stuck, -1);
}

/* Asleep all the time; awake whenever it is looked at, but it has slept. */
static void test_sleepers(void **state)
{
	asleep[2] = true;
	for (int i = 0; i < 20; i++)
		second(3);
	asleep[2] = false;
	for (int i = 0; i < 20; i++) {
		sleeps[2]++;
		second(3);
	}
	assert_int_equal(stuck, -1);
	for (int i = 0; i < 6; i++)
		second(3);
	assert_int_equal(stuck, 2);
}

static void test_off(void **state)
{
	set[0] = set[1] = NULL;
	opt_watchdog = false;
	watchdog_start();
	opt_watchdog = true;
	opt_watchdog_timeout = 0;
	watchdog_start();
	opt_watchdog_timeout = 5;
	nr_cpus = 1;
	watchdog_start();
	assert_null(set[0]);
	assert_null(set[1]);
}

/* The last test: nobody starts it again. */
static void test_stopped(void **state)
{
	struct timer *both[2] = {set[0], set[1]};

	watchdog_stop();
	for (unsigned int i = 0; i < 20; i++)
		for (unsigned int k = 0; k < 2; k++) {
			set[k] = NULL;
			both[k]->fn(both[k]->arg);
			assert_null(set[k]);
		}
	assert_int_equal(stuck, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_each_cpu, begin),
		cmocka_unit_test_setup(test_moves_in_time, begin),
		cmocka_unit_test_setup(test_sleepers, begin),
		cmocka_unit_test_setup(test_off, begin),
		cmocka_unit_test_setup(test_stopped, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
