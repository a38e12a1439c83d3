/* SPDX-License-Identifier: MIT */
/* A guest of the FIFO event channels, as Linux is one, for the tests of them. */
#ifndef TEST_FIFO_RIG_H
#define TEST_FIFO_RIG_H

#include "peer_fakes.h"
#include "dom/evtchn_priv.h"
#include "dom/handlers.h"

#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED	(1u << EVTCHN_FIFO_MASKED)
#define LINKED	(1u << EVTCHN_FIFO_LINKED)
#define BUSY	(1u << EVTCHN_FIFO_BUSY)
#define LINK	((u32)EVTCHN_FIFO_LINK_MASK)
#define PAGES	4
#define VCPUS	4

extern struct domain *d;
extern u32 *array[PAGES];
extern struct evtchn_fifo_control_block *control[VCPUS];
extern u32 head[VCPUS][EVTCHN_FIFO_MAX_QUEUES]; /* the guest's own copy of HEADs */

int setup(void **state), teardown(void **state);
long call(unsigned int op, void *arg);
u32 *word(u32 port);
void init_control(unsigned int vcpu);
void expand(unsigned int page);
/* All control blocks and the first page of words. */
void start(void);
void unmask(u32 port);
/* The next port of queue q, or 0; *more: the queue goes on. */
u32 consume_one(unsigned int vcpu, unsigned int q, bool *more);
/* One upcall: how many ports it handles, and up to max of them in their order. */
unsigned int upcall(unsigned int vcpu, u32 *ports, unsigned int max);
u32 ipi(unsigned int vcpu), open_ipi(unsigned int vcpu);
void send(u32 port);
long set_priority(u32 port, u32 prio);

#endif
