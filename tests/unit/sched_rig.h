/* SPDX-License-Identifier: MIT */
/* Under the tests of the scheduler: a machine with one domain, and what its vcpus do. */
#ifndef TEST_SCHED_RIG_H
#define TEST_SCHED_RIG_H

#include "sched_fakes.h"

extern struct domain *dom;

/* Set-up and teardown of a test. */
int one_cpu(void **state);
int four_cpus(void **state);
int teardown(void **state);

struct vcpu *new_vcpu(unsigned int id);
void pin(struct vcpu *v, unsigned long cpus);
/* CONFIG_NR_CPUS: none. */
unsigned int cpu_of(const struct vcpu *v);
/* v, wherever it runs, blocks. */
void block(struct vcpu *v);

#endif
