/* SPDX-License-Identifier: MIT */
/*
 * What domains are made of, for tests of dom/: the real frame and buddy code over 16 MiB of fake RAM, a
 * heap that can fail, counted fakes of event channels, grants, pirqs and of a kind of guest.
 */
#ifndef TEST_DOMAIN_FAKES_H
#define TEST_DOMAIN_FAKES_H

#include <setjmp.h>
#include "dom/domain.h"

extern unsigned long allocs_live;
extern unsigned long allocs_left; /* so many more succeed */
extern unsigned int dom_exc, timer_virqs;
extern unsigned int kind_domains, kind_vcpus;
extern unsigned long free_before, live_before; /* frames, allocations at the start of the test */
extern jmp_buf machine_off;		       /* 1: power off, 2: restart, 3: halt */

int domain_setup(void **state);
/* Whatever a test did: nothing may be left of it. */
int domain_teardown(void **state);
void kill_domain(struct domain *d); /* with all restarts */
struct domain *make_domain(domid_t id,
			   unsigned int vcpus); /* published; NULL when memory is short */

#endif
