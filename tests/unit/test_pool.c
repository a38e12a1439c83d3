/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>
#include "cpu/percpu.h"
#include "sched/pool.h"
#include "sched_rig.h"

/* A second pool with these CPUs, taken from pool 0. */
static unsigned int split(unsigned long cpus)
{
	unsigned int cpu, pool = POOL_ANY;

	assert_int_equal(pool_create(&pool), 0);
	for_each_set_bit(cpu, &cpus, (unsigned int)CONFIG_NR_CPUS)
	{
		assert_int_equal(pool_remove_cpu(0, cpu), 0);
		assert_int_equal(pool_add_cpu(pool, cpu), 0);
	}
	fake_settle();
	return pool;
}

static unsigned long cpus_of(unsigned int pool)
{
	DECLARE_BITMAP(cpus, CONFIG_NR_CPUS);

	pool_cpus(pool, cpus);
	return cpus[0] & cpu_online_map[0];
}

static void hogs(unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		vcpu_up(new_vcpu(i));
	fake_settle();
}

static void test_start(void **state)
{
	(void)state;
	assert_int_equal(cpus_of(0), 15);
	assert_int_equal(cpus_of(POOL_ANY), 0);
	assert_int_equal(pool_next(0), 0);
	assert_int_equal(pool_next(1), POOL_ANY);
	assert_int_equal(pool_domains(0), 1);
}

static void test_create(void **state)
{
	unsigned int pool = 0;

	(void)state;
	assert_int_equal(pool_create(&pool), -XEN_EEXIST);
	pool = 5;
	assert_int_equal(pool_create(&pool), 0);
	pool = POOL_ANY;
	assert_int_equal(pool_create(&pool), 0);
	assert_int_equal(pool, 1);
	assert_int_equal(pool_next(2), 5);
	assert_int_equal(pool_destroy(7), -XEN_ENOENT);
	assert_int_equal(pool_destroy(0), -XEN_EBUSY);
	assert_int_equal(pool_destroy(5), 0);
	assert_int_equal(pool_destroy(5), -XEN_ENOENT);
	pool = CONFIG_NR_CPUS;
	assert_int_equal(pool_create(&pool), -XEN_ENOSPC);
	for (unsigned int i = 2; i < CONFIG_NR_CPUS; i++) {
		pool = POOL_ANY;
		assert_int_equal(pool_create(&pool), 0);
	}
	pool = POOL_ANY;
	assert_int_equal(pool_create(&pool), -XEN_ENOSPC);
}

static void test_cpus(void **state)
{
	unsigned int pool = POOL_ANY;

	(void)state;
	assert_int_equal(pool_create(&pool), 0);
	assert_false(pool_usable(pool));
	assert_int_equal(pool_add_cpu(pool, 3), -XEN_ENODEV); /* not free */
	assert_int_equal(pool_add_cpu(pool, 4), -XEN_EINVAL); /* not there */
	assert_int_equal(pool_add_cpu(9, 3), -XEN_ENOENT);
	assert_int_equal(pool_remove_cpu(9, 3), -XEN_ENOENT);
	assert_int_equal(pool_remove_cpu(pool, 3), -XEN_ENODEV);
	assert_int_equal(pool_remove_cpu(0, 3), 0);
	assert_int_equal(cpus_of(POOL_ANY), 8);
	assert_int_equal(pool_add_cpu(pool, POOL_ANY), 0);
	assert_int_equal(cpus_of(pool), 8);
	assert_true(pool_usable(pool));
	assert_int_equal(pool_destroy(pool), -XEN_EBUSY);
	assert_int_equal(pool_remove_cpu(0, 0), 0);
	assert_int_equal(pool_remove_cpu(0, 1), 0);
	/* There is a domain, which needs it. */
	assert_int_equal(pool_remove_cpu(0, 2), -XEN_EBUSY);
	assert_int_equal(pool_remove_cpu(0, POOL_ANY), -XEN_EBUSY);
	dom->dying = true;
	assert_int_equal(pool_remove_cpu(0, 2), 0);
}

/* Hogs leave a CPU that is taken away, and come back; in between all have the same of the others. */
static void test_remove_under_load(void **state)
{
	u64 before[8];

	(void)state;
	hogs(8);
	assert_int_equal(pool_remove_cpu(0, 1), 0);
	fake_settle();
	assert_ptr_equal(running_on(1), idle_vcpu(1));
	for (unsigned int i = 0; i < 8; i++)
		before[i] = vcpu_cpu_time(dom->vcpu[i]);
	fake_run(10 * NSEC_PER_SEC, NULL);
	assert_ptr_equal(running_on(1), idle_vcpu(1));
	for (unsigned int i = 0; i < 8; i++)
		assert_in_range(vcpu_cpu_time(dom->vcpu[i]) - before[i], 3700 * NSEC_PER_MSEC,
				3800 * NSEC_PER_MSEC);
	assert_int_equal(pool_add_cpu(0, 1), 0);
	fake_run(100 * NSEC_PER_MSEC, NULL);
	assert_ptr_not_equal(running_on(1), idle_vcpu(1));
}

static void test_move(void **state)
{
	unsigned int pool;

	(void)state;
	hogs(3);
	pool = split(12);
	assert_int_equal(pool_move_domain(dom, 9), -XEN_ENOENT);
	dom->privileged = true;
	assert_int_equal(pool_move_domain(dom, pool), -XEN_EINVAL);
	dom->privileged = false;
	assert_int_equal(pool_move_domain(dom, pool), 0);
	fake_settle();
	assert_int_equal(pool_domains(0), 0);
	assert_int_equal(pool_domains(pool), 1);
	for (unsigned int i = 0; i < 3; i++)
		assert_true(dom->vcpu[i]->sched.cpu >= 2);
	assert_ptr_equal(running_on(0), idle_vcpu(0));
	assert_ptr_not_equal(running_on(3), idle_vcpu(3));
	/* Born there, it stays there. */
	vcpu_up(new_vcpu(3));
	fake_settle();
	assert_true(dom->vcpu[3]->sched.cpu >= 2);
	assert_int_equal(pool_remove_cpu(pool, 2), 0);
	assert_int_equal(pool_remove_cpu(pool, 3), -XEN_EBUSY);
	assert_int_equal(pool_move_domain(dom, 0), 0);
	assert_int_equal(pool_remove_cpu(pool, 3), 0);
	assert_int_equal(pool_move_domain(dom, pool), -XEN_EBUSY);
	assert_int_equal(pool_destroy(pool), 0);
}

/* What the pool does not have of a wish does not count; the wish comes back with the CPU. */
static void test_affinity(void **state)
{
	struct vcpu *v;
	unsigned int pool;

	(void)state;
	hogs(1);
	v = dom->vcpu[0];
	pin(v, 6);
	fake_settle();
	pool = split(4);
	assert_int_equal(v->sched.hard[0] & 15, 2);
	assert_int_equal(v->sched.asked[0], 6);
	assert_int_equal(cpu_of(v), 1);
	assert_int_equal(pool_remove_cpu(0, 1), 0);
	fake_settle();
	assert_int_equal(v->sched.hard[0] & 15, 9);
	assert_int_equal(pool_remove_cpu(pool, 2), 0);
	assert_int_equal(pool_add_cpu(0, 2), 0);
	fake_settle();
	assert_int_equal(cpu_of(v), 2);
}

static void test_temporary_pin(void **state)
{
	unsigned int pool, cpu;

	(void)state;
	hogs(1);
	pool = split(8);
	cpu = cpu_of(dom->vcpu[0]);
	act_as(cpu);
	assert_int_equal(sched_pin_override(3), -XEN_EINVAL);
	assert_int_equal(sched_pin_override((int)cpu), 0);
	assert_int_equal(pool_remove_cpu(0, cpu), -XEN_EADDRINUSE);
	assert_int_equal(pool_move_domain(dom, pool), 0);
	fake_settle();
	assert_int_equal(cpu_of(dom->vcpu[0]), 3);
	assert_false(dom->vcpu[0]->sched.pinned);
	assert_int_equal(pool_remove_cpu(0, cpu), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_start, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_create, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_cpus, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_remove_under_load, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_move, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_affinity, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_temporary_pin, four_cpus, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
