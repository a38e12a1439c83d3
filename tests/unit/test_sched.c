/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cpu/percpu.h"
#include "dom/vtime.h"
#include "mm/heap.h"
#include "sched/runq.h"
#include "sched_rig.h"

static void check_vcpu(struct vcpu *v)
{
	unsigned int cpu = cpu_of(v);

	if (cpu < CONFIG_NR_CPUS) {
		assert_true(test_bit(cpu, v->sched.hard));
		assert_true(vcpu_runnable(v));
		assert_true(v->sched.running && !v->sched.queued);
		assert_int_equal(registers_in(v), cpu + 1);
		assert_int_equal(v->runstate.state, RUNSTATE_running);
		return;
	}
	assert_false(v->sched.running);
	assert_int_equal(v->sched.queued, vcpu_runnable(v));
	assert_int_equal(v->runstate.state, runstate_off_cpu(v));
	for (cpu = 0; v->sched.queued && cpu < nr_cpus; cpu++) {
		/* Nobody waits beside an idle CPU that may run it. */
		if (test_bit(cpu, v->sched.hard))
			assert_ptr_not_equal(running_on(cpu), idle_vcpu(cpu));
	}
}

static void check_all(void)
{
	struct vcpu *v;

	for_each_vcpu (dom, v) {
		check_vcpu(v);
	}
}

/* --- tests --- */

static void test_wakes_on_idle(void **state)
{
	struct vcpu *a = new_vcpu(0), *b = new_vcpu(1);
	unsigned int last;

	(void)state;
	vcpu_up(a);
	fake_settle();
	last = cpu_of(a);
	assert_true(last < 4);
	/* b was last where a runs, and goes to an idle CPU instead. */
	b->sched.cpu = last;
	vcpu_up(b);
	fake_settle();
	assert_true(cpu_of(b) < 4);
	assert_int_not_equal(cpu_of(b), last);
	/* a comes back to where it was, without a switch. */
	block(a);
	assert_int_equal(cpu_of(a), CONFIG_NR_CPUS);
	assert_int_equal(registers_in(a), last + 1);
	fake_switches = 0;
	vcpu_wake(a);
	fake_settle();
	assert_int_equal(cpu_of(a), last);
	assert_int_equal(fake_switches, 0);
}

static void test_soft_affinity_preferred(void **state)
{
	unsigned long soft[BITS_TO_LONGS(CONFIG_NR_CPUS)] = {4};
	struct vcpu *a = new_vcpu(0), *b = new_vcpu(1);

	(void)state;
	sched_set_affinity(a, NULL, soft);
	sched_set_affinity(b, NULL, soft);
	vcpu_up(a);
	fake_settle();
	assert_int_equal(cpu_of(a), 2);
	vcpu_up(b);
	fake_settle();
	assert_true(cpu_of(b) < 4);
}

static void test_affinity_change(void **state)
{
	struct vcpu *a = new_vcpu(0), *b = new_vcpu(1);

	(void)state;
	pin(a, 1);
	pin(b, 1);
	vcpu_up(a);
	vcpu_up(b);
	fake_settle();
	check_all();
	assert_int_equal(cpu_of(a), 0);
	assert_int_equal(cpu_of(b), CONFIG_NR_CPUS);
	pin(b, 8); /* waiting */
	fake_settle();
	assert_int_equal(cpu_of(b), 3);
	pin(a, 2); /* running */
	fake_settle();
	assert_int_equal(cpu_of(a), 1);
	check_all();
}

static void test_pin_override(void **state)
{
	struct vcpu *a = new_vcpu(0);

	(void)state;
	vcpu_up(a);
	fake_settle();
	act_as(cpu_of(a));
	assert_int_equal(sched_pin_override(4), -XEN_EINVAL);
	assert_int_equal(sched_pin_override(1000), -XEN_EINVAL);
	assert_int_equal(sched_pin_override(-1), -XEN_EINVAL);
	assert_int_equal(sched_pin_override(2), 0);
	assert_int_equal(sched_pin_override(1), -XEN_EBUSY);
	fake_settle();
	assert_int_equal(cpu_of(a), 2);
	pin(a, 1); /* takes effect when the override ends */
	fake_settle();
	assert_int_equal(cpu_of(a), 2);
	act_as(2);
	assert_int_equal(sched_pin_override(-1), 0);
	fake_settle();
	assert_int_equal(cpu_of(a), 0);
}

static struct vcpu *ping, *pong;
static nsec_t pong_waited;

/* Two that wake each other and never leave the CPU free. */
static void ping_pong(void)
{
	struct vcpu *v = running_on(0);

	if (v != ping && v != pong)
		return;
	if (fake_now - v->sched.last_start < 200 * NSEC_PER_USEC)
		return;
	vcpu_wake(v == ping ? pong : ping);
	block(v);
}

static void test_no_starvation(void **state)
{
	struct vcpu *hog[3];
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		hog[i] = new_vcpu(i);
		vcpu_up(hog[i]);
	}
	ping = new_vcpu(3);
	pong = new_vcpu(4);
	vcpu_up(ping);
	vcpu_up(pong);
	fake_settle();
	fake_run(3 * NSEC_PER_SEC, ping_pong);
	for (i = 0; i < 3; i++)
		assert_true(vcpu_cpu_time(hog[i]) > 20 * NSEC_PER_MSEC);
	check_all();
}

static void wait_for_ping(void)
{
	if (running_on(0) != ping)
		pong_waited += 50 * NSEC_PER_USEC;
	else
		block(ping);
}

static void test_waker_preempts_hogs(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++)
		vcpu_up(new_vcpu(i));
	ping = new_vcpu(4);
	vcpu_up(ping);
	fake_settle();
	while (running_on(0) != ping)
		fake_run(NSEC_PER_MSEC, NULL);
	block(ping);
	/* It has run as much as the hogs: it is no mostly idle one yet. */
	fake_run(100 * NSEC_PER_MSEC, NULL);
	for (i = 0; i < 50; i++) {
		fake_run(7 * NSEC_PER_MSEC, NULL);
		pong_waited = 0;
		vcpu_wake(ping);
		fake_settle();
		while (ping->sched.queued || running_on(0) == ping)
			fake_run(50 * NSEC_PER_USEC, wait_for_ping);
		assert_true(pong_waited <= 600 * NSEC_PER_USEC);
	}
}

static void test_yield(void **state)
{
	struct vcpu *a = new_vcpu(0), *b = new_vcpu(1), *first;

	(void)state;
	vcpu_up(a);
	vcpu_up(b);
	fake_settle();
	first = running_on(0);
	vcpu_yield_current();
	fake_settle();
	assert_ptr_not_equal(running_on(0), first);
	vcpu_yield_current();
	fake_settle();
	assert_ptr_equal(running_on(0), first);
}

static void test_block_with_event(void **state)
{
	struct vcpu *a = new_vcpu(0);

	(void)state;
	vcpu_up(a);
	fake_settle();
	a->info->evtchn_upcall_pending = 1;
	block(a);
	assert_int_equal(cpu_of(a), 0);
	a->info->evtchn_upcall_pending = 0;
	block(a);
	assert_ptr_equal(running_on(0), idle_vcpu(0));
	/* An event behind the mask ends a block, but not a poll for another port. */
	a->info->evtchn_upcall_mask = 1;
	a->poll_port = 5;
	vcpu_kick(a);
	fake_settle();
	assert_ptr_equal(running_on(0), idle_vcpu(0));
	vcpu_set_hazard(a, VHAZ_NMI);
	fake_settle();
	assert_ptr_equal(running_on(0), a);
	assert_true(test_cpu_info.hazard == 0 && a->poll_port == 0);
}

static void test_pause_fetches_registers(void **state)
{
	struct vcpu *a = new_vcpu(0), *b = new_vcpu(1);
	unsigned int cpu;

	(void)state;
	pin(a, 6);
	vcpu_up(a);
	fake_settle();
	cpu = cpu_of(a);
	block(a);
	assert_int_equal(registers_in(a), cpu + 1);
	act_as(0);
	vcpu_pause_sync(a);
	assert_int_equal(registers_in(a), 0);
	vcpu_wake(a);
	fake_settle();
	assert_int_equal(cpu_of(a), CONFIG_NR_CPUS);
	vcpu_unpause(a);
	fake_settle();
	assert_true(cpu_of(a) < 4);
	/* Left in one idle CPU, wanted by another. */
	cpu = cpu_of(a);
	block(a);
	pin(b, 1UL << cpu);
	pin(a, 1);
	vcpu_wake(a);
	fake_settle();
	assert_int_equal(cpu_of(a), 0);
	vcpu_up(b);
	fake_settle();
	check_all();
}

static void test_domain_stops(void **state)
{
	struct vcpu *v;
	unsigned int i;

	(void)state;
	for (i = 0; i < 9; i++)
		vcpu_up(new_vcpu(i));
	fake_settle();
	dom->is_shut_down = true;
	for_each_vcpu (dom, v)
		sched_recheck(v);
	fake_settle();
	for (i = 0; i < 4; i++)
		assert_ptr_equal(running_on(i), idle_vcpu(i));
	check_all();
	dom->is_shut_down = false;
	for_each_vcpu (dom, v)
		sched_recheck(v);
	fake_settle();
	for (i = 0; i < 4; i++)
		assert_ptr_not_equal(running_on(i), idle_vcpu(i));
	check_all();
}

/* Behind many that may not leave their CPU waits one that may. */
static void test_idle_looks_far(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 60; i++) {
		pin(new_vcpu(i), 1);
		vcpu_up(dom->vcpu[i]);
	}
	fake_settle();
	fake_run(NSEC_PER_SEC, NULL);
	for (i = 0; i < 60; i++) {
		if (cpu_of(dom->vcpu[i]) < CONFIG_NR_CPUS)
			continue;
		pin(dom->vcpu[i], 3);
		fake_settle();
		assert_int_equal(cpu_of(dom->vcpu[i]), 1);
		pin(dom->vcpu[i], 1);
		fake_settle();
	}
}

static void random_op(struct vcpu *v)
{
	unsigned int cpu = cpu_of(v);

	act_as((unsigned int)rand() % nr_cpus);
	switch (rand() % 9) {
	case 0:
	case 1:
	case 2:
		vcpu_wake(v);
		break;
	case 3:
	case 4:
		if (cpu < nr_cpus) {
			act_as(cpu);
			vcpu_block_current();
		}
		break;
	case 5:
		if (!v->sched.pause_count)
			vcpu_pause_nosync(v);
		break;
	case 6:
		if (v->sched.pause_count)
			vcpu_unpause(v);
		break;
	case 7:
		pin(v, 1 + (unsigned long)rand() % 15);
		break;
	case 8:
		if (cpu < nr_cpus) {
			act_as(cpu);
			vcpu_yield_current();
		}
		break;
	}
}

static void test_storm(void **state)
{
	struct vcpu_runstate_info r;
	struct vcpu *v;
	unsigned int i;

	(void)state;
	srand(2);
	for (i = 0; i < 12; i++)
		vcpu_up(new_vcpu(i));
	for (i = 0; i < 30000; i++) {
		random_op(dom->vcpu[rand() % 12]);
		if (rand() % 3)
			continue;
		fake_run(rand() % 4 ? 50 * NSEC_PER_USEC : 2 * NSEC_PER_MSEC, NULL);
		check_all();
	}
	for_each_vcpu (dom, v) {
		vcpu_get_runstate(v, &r);
		assert_int_equal(r.time[0] + r.time[1] + r.time[2] + r.time[3], fake_now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_wakes_on_idle, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_soft_affinity_preferred, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_affinity_change, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_pin_override, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_no_starvation, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_waker_preempts_hogs, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_yield, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_block_with_event, one_cpu, teardown),
		cmocka_unit_test_setup_teardown(test_pause_fetches_registers, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_domain_stops, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_idle_looks_far, four_cpus, teardown),
		cmocka_unit_test_setup_teardown(test_storm, four_cpus, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
