/* SPDX-License-Identifier: MIT */
/*
 * Domains that only have event channels, grants and frames, for tests of those: the real frame, buddy
 * and heap code over fake RAM, a list of domains, a scheduler that counts kicks and wakes, guest
 * memory that is the test's own. One CPU, whose current vcpu act() sets.
 */
#ifndef TEST_PEER_FAKES_H
#define TEST_PEER_FAKES_H

#include "fake/fake.h"
#include "dom/domain.h"
#include "dom/hypercall.h"

extern unsigned long free_at_start;
extern unsigned int fake_kicks;	  /* vcpu_kick() calls */
extern unsigned int fake_preempt; /* 0: never; n: each n-th call_preempt() says yes */
extern const void *fake_bad_addr; /* copies that touch this byte fail */
extern u32 fake_pirq_port[8];	  /* what pirq_bind() was told */
extern unsigned int fake_pirq_cpu[8];
extern unsigned long fake_next_args[5];
extern void (*fake_before_block)(void); /* runs inside of vcpu_block_current(), before it blocks */

int peer_setup(void **state);
/* Every domain of the test has been ended; nothing may be left. */
int peer_teardown(void **state);

struct domain *peer_make(domid_t id, unsigned int vcpus, bool privileged);
/* The domain's death, in the order of dom/domain.c, then its last reference of the list. */
void peer_kill(struct domain *d);
void act(struct vcpu *v);
/* A frame of the domain, FR_ALLOCATED | 1. */
struct frame *peer_frame(struct domain *d);
/* A hypercall with all its restarts. */
long peer_call(call_fn *fn, unsigned long a1, unsigned long a2, unsigned long a3);

#endif
