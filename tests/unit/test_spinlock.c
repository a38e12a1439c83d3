/* SPDX-License-Identifier: MIT */
#include "fake/fake.h"
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include "lib/spinlock.h"

#define THREADS 4
#define ROUNDS	20000

static spinlock_t lock = SPINLOCK_INIT;
static unsigned long counter, waits;
static bool in_use;

static void hook(void)
{
	atomic_add(&waits, 1);
	sched_yield(); /* more threads than processors: the head of the line may not run */
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

static void ignore(void)
{
	if (++waits > SPIN_PATIENCE)
		spin_ignored = true;
}

/* Of a test that has failed nothing is left for the next one. */
static int reset(void **state)
{
	spin_ignored = false;
	spin_wait_hook = NULL;
	lock = (spinlock_t)SPINLOCK_INIT;
	return 0;
}

/* The same with a line that nobody will move on. */
static void test_ignored_in_line(void **state)
{
	spinlock_t l = {.serving = 7};

	waits = 0;
	spin_wait_hook = ignore;
	spin_lock(&l);
	spin_lock(&l);
	assert_int_equal(l.next, 1);
	l = (spinlock_t){.held = SPIN_HELD};
	waits = 0;
	spin_ignored = false;
	spin_lock(&l);
	spin_ignored = false;
	spin_wait_hook = NULL;
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

static unsigned int looks;

/* All others take turns, and never miss one. */
static void steal(void)
{
	assert_true(++looks <= SPIN_PATIENCE + 1);
	if (!spin_is_locked(&lock))
		return;
	spin_unlock(&lock);
	spin_trylock(&lock);
}

/* However much the others want a lock, who has waited for long enough is the next. */
static void test_patience(void **state)
{
	looks = 0;
	spin_wait_hook = steal;
	spin_lock(&lock);
	spin_lock_slow(&lock);
	assert_int_equal(looks, SPIN_PATIENCE + 1);
	assert_true(spin_is_locked(&lock));
	assert_false(lock.claimed);
	spin_unlock(&lock);
	spin_wait_hook = hook;
	test_alone(state);
}

static unsigned int order[THREADS], done;

/* To yield at each of so many looks is slow on a busy machine. */
static void yield_rarely(void)
{
	if (atomic_add(&waits, 1) % 256 == 0)
		sched_yield();
}

static void *in_line(void *arg)
{
	spin_lock(&lock);
	order[done++] = (unsigned int)(uintptr_t)arg;
	spin_unlock(&lock);
	return NULL;
}

/* Who has lost patience first is first; the numbers may wrap. */
static void test_line(void **state)
{
	pthread_t t[THREADS];
	u16 first = 0xffff;
	time_t end;

	spin_wait_hook = yield_rarely;
	done = 0;
	lock = (spinlock_t){.next = first, .serving = first};
	spin_lock(&lock);
	for (uintptr_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&t[i], NULL, in_line, (void *)i), 0);
		for (end = time(NULL) + 60; READ_ONCE(lock.next) != (u16)(first + i + 1);) {
			sched_yield();
			assert_true(time(NULL) < end);
		}
	}
	spin_unlock(&lock);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(order[i], i);
	assert_int_equal(lock.word, 0);
	assert_int_equal(lock.serving, (u16)(first + THREADS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_ignored),
		cmocka_unit_test_teardown(test_ignored_in_line, reset),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_hook),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests_name("spinlock", tests, NULL, NULL);
}
