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

/* --- what the scheduler calls in its own floor and below --- */

void vtime_enter(struct vcpu *v)
{
	assert_int_equal(v->runstate.state, RUNSTATE_running);
}

void vtime_refresh(struct vcpu *v, nsec_t now)
{
	(void)v;
	(void)now;
}

void vtime_leave(struct vcpu *v)
{
	assert_ptr_equal(v, current);
}

bool vcpu_event_deliverable(const struct vcpu *v)
{
	return v->info->evtchn_upcall_pending && !v->info->evtchn_upcall_mask;
}

void *hv_alloc(size_t size)
{
	return calloc(1, size);
}

void hv_free(void *p)
{
	free(p);
}

struct domain *dom;

struct domain *domain_get_from(domid_t first)
{
	return first <= dom->id ? dom : NULL;
}

void domain_put(struct domain *d)
{
	(void)d;
}

static int machine(void **state, unsigned int cpus)
{
	(void)state;
	fake_machine(cpus);
	dom = fake_domain();
	return 0;
}

int one_cpu(void **state)
{
	return machine(state, 1);
}

int four_cpus(void **state)
{
	return machine(state, 4);
}

int teardown(void **state)
{
	struct vcpu *v;
	unsigned int cpu;

	(void)state;
	dom->dying = true;
	for_each_vcpu (dom, v)
		sched_recheck(v);
	fake_settle();
	for_each_vcpu (dom, v) {
		sched_destroy_vcpu(v);
		assert_int_equal(registers_in(v), 0);
		free(v);
	}
	for (cpu = 0; cpu < nr_cpus; cpu++)
		assert_ptr_equal(running_on(cpu), idle_vcpu(cpu));
	free(dom->vcpu);
	free(dom);
	return 0;
}

/* --- helpers --- */

struct vcpu *new_vcpu(unsigned int id)
{
	return fake_vcpu(dom, id);
}

void pin(struct vcpu *v, unsigned long cpus)
{
	unsigned long m[BITS_TO_LONGS(CONFIG_NR_CPUS)] = {cpus};

	sched_set_affinity(v, m, NULL);
}

unsigned int cpu_of(const struct vcpu *v)
{
	unsigned int cpu;

	for (cpu = 0; cpu < nr_cpus; cpu++) {
		if (running_on(cpu) == v)
			return cpu;
	}
	return CONFIG_NR_CPUS;
}

/* v, wherever it runs, blocks. */
void block(struct vcpu *v)
{
	assert_true(cpu_of(v) < CONFIG_NR_CPUS);
	act_as(cpu_of(v));
	vcpu_block_current();
	fake_settle();
}
