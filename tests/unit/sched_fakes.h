/* SPDX-License-Identifier: MIT */
/*
 * A machine of a few CPUs in one thread, for tests of floor 4: a clock that is moved by hand, timers,
 * hazard words, and act_as() to be one CPU after the other. fake_run() lets all CPUs do what they have
 * to, in turn.
 */
#ifndef TEST_SCHED_FAKES_H
#define TEST_SCHED_FAKES_H

#include "dom/domain.h"

extern nsec_t fake_now;
extern unsigned int fake_switches; /* load operations */

void fake_machine(unsigned int cpus); /* anew: clock 0, sched_init, one idle vcpu a CPU */
void act_as(unsigned int cpu);
struct vcpu *running_on(unsigned int cpu);
/* Until no CPU has anything to do. */
void fake_settle(void);
/* Lets time pass in small steps, with timers; step() (may be NULL) is called after each. */
void fake_run(nsec_t duration, void (*step)(void));

/* A vcpu outside of any real domain: up, any CPU, not placed yet. */
struct domain *fake_domain(void);
struct vcpu *fake_vcpu(struct domain *d, unsigned int id);
/* Where the fake switch operations say that its registers are: CPU + 1, 0 = in struct vcpu. */
unsigned int registers_in(const struct vcpu *v);

#endif
