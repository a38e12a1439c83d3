/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cpu/percpu.h"
#include "sched/runq.h"
#include "sched_rig.h"

static void test_fair_share(void **state)
{
	struct vcpu *v[10];
	unsigned int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		v[i] = new_vcpu(i);
		vcpu_up(v[i]);
	}
	fake_settle();
	fake_run(10 * NSEC_PER_SEC, NULL);
	for (i = 0; i < 10; i++) {
		u64 t = vcpu_cpu_time(v[i]);

		assert_in_range(t, NSEC_PER_SEC * 995 / 1000, NSEC_PER_SEC * 1005 / 1000);
	}
}

/* v[i] has got part[i] parts of n CPUs' time, within per mille. */
static void check_shares(struct vcpu **v, const unsigned int *part, unsigned int nr, nsec_t total,
			 unsigned int per_mille)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < nr; i++)
		sum += part[i];
	for (unsigned int i = 0; i < nr; i++) {
		u64 want = (u64)total * part[i] / sum, t = vcpu_cpu_time(v[i]);

		assert_in_range(t, want - want * per_mille / 1000, want + want * per_mille / 1000);
	}
}

static void test_weights(void **state)
{
	static const unsigned int part[] = {1, 2, 4};
	struct vcpu *v[3];

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		v[i] = new_vcpu(i);
		v[i]->sched.weight = (u16)(100 * part[i]);
		vcpu_up(v[i]);
	}
	fake_settle();
	fake_run(20 * NSEC_PER_SEC, NULL);
	check_shares(v, part, 3, 20 * NSEC_PER_SEC, 4);
}

static struct vcpu *close[10];
static unsigned int nr_close;
static u64 furthest;

/* How far two of them are apart, in ns of weight 256. */
static void measure_distance(void)
{
	u64 least = ~0ULL, most = 0;

	for (unsigned int i = 0; i < nr_close; i++) {
		u64 t = vcpu_cpu_time(close[i]) * 256 / close[i]->sched.weight;

		least = min(least, t);
		most = max(most, t);
	}
	furthest = max(furthest, most - least);
}

static u64 distance_of(unsigned int n, u16 weight, u16 factor)
{
	for (nr_close = 0; nr_close < n; nr_close++) {
		close[nr_close] = new_vcpu(nr_close);
		close[nr_close]->sched.weight = weight;
		weight = (u16)(weight * factor);
		vcpu_up(close[nr_close]);
	}
	furthest = 0;
	fake_settle();
	fake_run(NSEC_PER_SEC, measure_distance);
	return furthest;
}

/* At any moment, not only in the long run: a step more or less for each. */
static void test_close_at_any_moment(void **state)
{
	(void)state;
	assert_in_range(distance_of(10, 256, 1), SHARE_STEP_MIN / 2, 2 * SHARE_STEP_MIN + 200000);
}

static void test_two_close(void **state)
{
	(void)state;
	assert_in_range(distance_of(2, 256, 1), SHARE_STEP / 2, SHARE_STEP + 200000);
}

/* The steps are those of the heaviest: 8/3 ms of it. */
static void test_weights_close(void **state)
{
	(void)state;
	assert_in_range(distance_of(3, 128, 2), NSEC_PER_MSEC / 2, 2 * SHARE_ROUND / 3 + 200000);
}

/* Three hogs on two CPUs have two thirds each, not a half, a half and one. */
static void test_odd_number(void **state)
{
	static const unsigned int part[] = {1, 1, 1, 1, 1};
	struct vcpu *v[5];

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		v[i] = new_vcpu(i);
		vcpu_up(v[i]);
	}
	fake_settle();
	fake_run(10 * NSEC_PER_SEC, NULL);
	check_shares(v, part, 5, 4 * 10 * NSEC_PER_SEC, 5);
}

static void test_cap(void **state)
{
	struct vcpu *v[2];
	u64 t;

	(void)state;
	for (unsigned int i = 0; i < 2; i++)
		v[i] = new_vcpu(i);
	sched_init_domain(dom);
	sched_set_share(dom, 256, 30);
	for (unsigned int i = 0; i < 2; i++)
		vcpu_up(v[i]);
	fake_settle();
	fake_run(10 * NSEC_PER_SEC, NULL);
	t = vcpu_cpu_time(v[0]) + vcpu_cpu_time(v[1]);
	assert_in_range(t, 2985 * NSEC_PER_MSEC, 3015 * NSEC_PER_MSEC);
	assert_int_equal(sched_get_weight(dom), 256);
	sched_set_share(dom, 256, 0);
	fake_settle();
	fake_run(NSEC_PER_SEC, NULL);
	t = vcpu_cpu_time(v[0]) + vcpu_cpu_time(v[1]) - t;
	assert_in_range(t, 1990 * NSEC_PER_MSEC, 2000 * NSEC_PER_MSEC);
	sched_stop_domain(dom);
}

/* All of them run at once, so that each alone never sees the cap coming. */
static void test_cap_of_many(void **state)
{
	u64 t = 0;

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		new_vcpu(i);
	sched_init_domain(dom);
	sched_set_share(dom, 256, 150);
	for (unsigned int i = 0; i < 4; i++)
		vcpu_up(dom->vcpu[i]);
	fake_settle();
	fake_run(10 * NSEC_PER_SEC, NULL);
	for (unsigned int i = 0; i < 4; i++)
		t += vcpu_cpu_time(dom->vcpu[i]);
	assert_in_range(t, 14925 * NSEC_PER_MSEC, 15075 * NSEC_PER_MSEC);
	sched_stop_domain(dom);
}

static struct vcpu *cheat;
static bool cheat_yields;
static nsec_t cheat_slept, cheat_period;

/* Leaves the CPU just before each multiple of its period, for 100 us. */
static void cheating(void)
{
	if (running_on(0) == cheat &&
	    fake_now % cheat_period > cheat_period - 200 * NSEC_PER_USEC) {
		if (cheat_yields) {
			act_as(0);
			vcpu_yield_current();
			fake_settle();
		} else {
			block(cheat);
			cheat_slept = fake_now;
		}
	}
	if (cheat_slept && fake_now - cheat_slept >= 100 * NSEC_PER_USEC) {
		cheat_slept = 0;
		vcpu_wake(cheat);
		fake_settle();
	}
}

static void check_cheat(bool yields)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		vcpu_up(new_vcpu(i));
	cheat = new_vcpu(3);
	cheat_yields = yields;
	cheat_period = 10 * NSEC_PER_MSEC;
	cheat_slept = 0;
	vcpu_up(cheat);
	fake_settle();
	fake_run(10 * NSEC_PER_SEC, cheating);
	assert_true(vcpu_cpu_time(cheat) <= 10 * NSEC_PER_SEC / 4 + 10 * NSEC_PER_MSEC);
	if (cheat_slept)
		vcpu_wake(cheat);
	fake_settle();
}

static void test_sleep_earns_nothing(void **state)
{
	(void)state;
	check_cheat(false);
}

static void test_yield_earns_nothing(void **state)
{
	(void)state;
	check_cheat(true);
}

/* Beside light ones a heavy one runs long at a time; sleeping does not let it off what it is ahead. */
static void test_heavy_sleep_earns_nothing(void **state)
{
	u64 want = 10 * NSEC_PER_SEC * 10 / 17;

	(void)state;
	for (unsigned int i = 0; i < 7; i++)
		vcpu_up(new_vcpu(i));
	cheat = new_vcpu(7);
	cheat->sched.weight = 2560;
	cheat_yields = false;
	cheat_period = 40 * NSEC_PER_MSEC;
	cheat_slept = 0;
	vcpu_up(cheat);
	fake_settle();
	fake_run(10 * NSEC_PER_SEC, cheating);
	assert_true(vcpu_cpu_time(cheat) <= want + want / 200);
	if (cheat_slept)
		vcpu_wake(cheat);
	fake_settle();
}

/* The clock has run once round and back to where the sleeper seems to be far ahead. */
static void test_long_sleep(void **state)
{
	struct vcpu *hog = new_vcpu(0), *sleeper = new_vcpu(1);
	u64 far = 3UL << 62;

	(void)state;
	vcpu_up(sleeper);
	fake_settle();
	block(sleeper);
	vcpu_up(hog);
	fake_settle();
	fake_run(NSEC_PER_SEC, NULL);
	runqs[0].clock += far;
	hog->sched.vtime += far;
	fake_now += 1000 * NSEC_PER_SEC;
	fake_run(NSEC_PER_SEC, NULL);
	vcpu_wake(sleeper);
	fake_settle();
	fake_run(NSEC_PER_MSEC, NULL);
	assert_int_equal(cpu_of(sleeper), 0);
}

static struct vcpu *napper;
static nsec_t nap_woken, nap_worst;

/* Sleeps until the next multiple of 10 ms, then runs for a moment. */
static void napping(void)
{
	bool running = cpu_of(napper) < CONFIG_NR_CPUS;

	if (running) {
		nap_worst = max(nap_worst, fake_now - nap_woken);
		block(napper);
	} else if (fake_now % (10 * NSEC_PER_MSEC) == 0) {
		nap_woken = fake_now;
		vcpu_wake(napper);
		fake_settle();
	}
}

/* What an uneven number of hogs is owed for changing CPUs, it does not get at once. */
static void test_nap_beside_odd_number(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		vcpu_up(new_vcpu(i));
	napper = new_vcpu(5);
	pin(napper, 1);
	vcpu_up(napper);
	fake_settle();
	nap_woken = fake_now;
	fake_run(NSEC_PER_SEC, napping);
	nap_worst = 0;
	fake_run(10 * NSEC_PER_SEC, napping);
	assert_in_range(nap_worst, 1, 600 * NSEC_PER_USEC);
	vcpu_wake(napper);
	fake_settle();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fair_share, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_weights, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_close_at_any_moment, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_two_close, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_weights_close, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_odd_number, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_cap, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_cap_of_many, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_sleep_earns_nothing, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_yield_earns_nothing, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_heavy_sleep_earns_nothing, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_long_sleep, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_nap_beside_odd_number, four_cpus, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
