/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>
#include "fifo_rig.h"

/* --- real concurrency: senders, and a guest that handles, masks and unmasks --- */

#define SENDERS	     2
#define STRESS_PORTS 24
#define FLOOD	     300000
#define SENDS	     20000

static u32 stress_port[STRESS_PORTS];
static u32 sent[STRESS_PORTS]; /* set by a sender, taken by the handler */
static u32 running;

/* A waiter for a ticket must not keep its holder off the CPU. */
static void give_way(void)
{
	sched_yield();
}

static void *sender(void *arg)
{
	unsigned int seed = (unsigned int)(unsigned long)arg;

	for (unsigned int i = 0; i < SENDS; i++) {
		unsigned int k = (unsigned int)rand_r(&seed) % STRESS_PORTS;

		atomic_store(&sent[k], 1u);
		send(stress_port[k]);
	}
	atomic_sub(&running, 1u);
	return NULL;
}

static void handle(const u32 *got, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		(void)atomic_xchg(&sent[got[i] - stress_port[0]], 0u);
}

static void guest_round(unsigned int *seed)
{
	u32 got[4 * STRESS_PORTS], port = stress_port[(unsigned int)rand_r(seed) % STRESS_PORTS];

	for (unsigned int v = 0; v < VCPUS; v++) {
		unsigned int n;

		if (!atomic_load(&d->vcpu[v]->info->evtchn_upcall_pending))
			continue;
		n = upcall(v, got, ARRAY_SIZE(got));
		handle(got, min(n, (unsigned int)ARRAY_SIZE(got)));
	}
	(void)atomic_or(word(port), MASKED);
	unmask(port);
	if (rand_r(seed) % 4 == 0)
		assert_int_equal(set_priority(port, (unsigned int)rand_r(seed) % 16), 0);
}

static void test_concurrent(void **state)
{
	pthread_t t[SENDERS];
	unsigned int seed = 7;

	spin_wait_hook = give_way;
	start();
	for (unsigned int i = 0; i < STRESS_PORTS; i++)
		stress_port[i] = open_ipi(i % VCPUS);
	running = SENDERS;
	for (unsigned long i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, sender, (void *)(i + 1)), 0);
	while (atomic_load(&running))
		guest_round(&seed);
	for (unsigned int i = 0; i < SENDERS; i++)
		pthread_join(t[i], NULL);
	for (unsigned int i = 0; i < 4; i++)
		guest_round(&seed);
	/* Nothing was lost. */
	for (unsigned int i = 0; i < STRESS_PORTS; i++) {
		assert_int_equal(*word(stress_port[i]) & (PENDING | MASKED | LINKED | BUSY), 0);
		assert_int_equal(sent[i], 0);
	}
}

/*
 * A flood by others, who do not have this domain's lock, through one port, which is then the whole queue. Linux masks an event before it handles it, so
 * that the unmasking links it while senders do; and the guest consumes it between two looks at its word.
 */
static void *flooder(void *arg)
{
	for (unsigned int i = 0; i < FLOOD; i++)
		evtchn_raise(d, evtchn_lookup(d, stress_port[0]), stress_port[0]);
	(void)atomic_sub(&running, 1u);
	return arg;
}

static bool flood_round(void)
{
	u32 got[4];

	if (!atomic_load(&d->vcpu[0]->info->evtchn_upcall_pending) || !upcall(0, got, 4))
		return false;
	(void)atomic_or(word(stress_port[0]), MASKED);
	unmask(stress_port[0]);
	return true;
}

static void test_flood(void **state)
{
	pthread_t t[SENDERS];

	alarm(300); /* a port that is linked to itself has no end */
	spin_wait_hook = give_way;
	start();
	stress_port[0] = open_ipi(0);
	running = SENDERS;
	for (unsigned long i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, flooder, (void *)i), 0);
	while (atomic_load(&running))
		(void)flood_round();
	for (unsigned int i = 0; i < SENDERS; i++)
		pthread_join(t[i], NULL);
	while (flood_round())
		continue;
	assert_int_equal(*word(stress_port[0]) & (PENDING | MASKED | LINKED | BUSY), 0);
	/* And it goes on. */
	send(stress_port[0]);
	assert_true(flood_round());
	alarm(0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_concurrent),
		T(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
