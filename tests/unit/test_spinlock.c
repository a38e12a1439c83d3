/* SPDX-License-Identifier: MIT */
#include "fake/fake.h"
#include <pthread.h>
#include <sched.h>
#include "lib/spinlock.h"

#define THREADS 4
#define ROUNDS	20000

static spinlock_t lock = SPINLOCK_INIT;
static unsigned long counter, waits;
static bool in_use;

static void hook(void)
{
	atomic_add(&waits, 1);
	sched_yield(); /* more threads than processors: the next ticket's may not run */
}

static void test_alone(void **state)
{
	spinlock_t l;

	spin_lock_init(&l);
	for (int i = 0; i < 70000; i++) { /* past 16 bits */
		assert_false(spin_is_locked(&l));
		spin_lock(&l);
		assert_true(spin_is_locked(&l));
		assert_false(spin_trylock(&l));
		spin_unlock(&l);
		assert_true(spin_trylock(&l));
		spin_unlock(&l);
	}
}

/* After a panic has stopped the holder for good. */
static void test_ignored(void **state)
{
	spinlock_t l = SPINLOCK_INIT;

	spin_lock(&l);
	spin_ignored = true;
	spin_lock(&l);
	spin_ignored = false;
	assert_true(spin_is_locked(&l));
	spin_unlock(&l);
}

static void *worker(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (arg && i % 3)
			while (!spin_trylock(&lock))
				sched_yield();
		else
			spin_lock(&lock);
		if (in_use)
			return (void *)1;
		WRITE_ONCE(in_use, true);
		counter++;
		WRITE_ONCE(in_use, false);
		spin_unlock(&lock);
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t t[THREADS];
	void *bad;

	spin_wait_hook = hook;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, worker, (void *)(i & 1)), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
	assert_int_equal(counter, THREADS * ROUNDS);
	assert_false(spin_is_locked(&lock));
}

static void *releaser(void *arg)
{
	while (READ_ONCE(waits) < 3)
		sched_yield();
	spin_unlock(&lock);
	return NULL;
}

/* Who waits calls the hook, so that it can serve others. */
static void test_hook(void **state)
{
	pthread_t t;

	waits = 0;
	spin_lock(&lock);
	pthread_create(&t, NULL, releaser, NULL);
	spin_lock(&lock);
	assert_true(waits >= 3);
	spin_unlock(&lock);
	pthread_join(t, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_ignored),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_hook),
	};

	return cmocka_run_group_tests_name("spinlock", tests, NULL, NULL);
}
