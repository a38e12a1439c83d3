/* SPDX-License-Identifier: MIT */
/* References and writable types of frames, alone and under many threads. */
#include "fake/fake.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>
#include "lib/atomic.h"
#include "lib/spinlock.h"
#include "mm/buddy.h"
#include "mm/heap.h"

#define FIRST  32u
#define FRAMES 256u
#define DOM    5u

static unsigned int hook_calls;

static void hook(struct frame *f)
{
	atomic_add(&hook_calls, 1);
	f->owner = DOMID_INVALID;
	buddy_free(f, 0);
}

static int setup_ram(void **state)
{
	fake_ram_reset();
	fake_ram_add(FIRST, FRAMES);
	buddy_add_range(FIRST, FRAMES);
	return 0;
}

static int setup(void **state)
{
	frame_free_hook = NULL;
	frame_clock_hook = NULL;
	type_flush_hook = NULL;
	hook_calls = 0;
	return 0;
}

static struct frame *give(u16 owner)
{
	struct frame *f = buddy_alloc(0, 0);

	assert_non_null(f);
	f->owner = owner;
	atomic_store(&f->refs, FR_ALLOCATED | 1);
	return f;
}

static void take_away(struct frame *f)
{
	atomic_and(&f->refs, ~FR_ALLOCATED);
	put_frame(f);
}

static void test_who_may(void **state)
{
	struct frame *f = give(DOM);
	mfn_t mfn = frame_to_mfn(f);

	assert_null(get_frame(mfn, DOM + 1));
	assert_null(get_frame(mfn, DOMID_INVALID));
	assert_null(get_frame(0, DOM));		     /* in a section, not RAM */
	assert_null(get_frame(FIRST + FRAMES, DOM)); /* past the last */
	assert_null(get_frame(~0UL, DOM));
	assert_null(get_frame(1UL << 32, DOM));
	assert_ptr_equal(get_frame(mfn, DOM), f);
	assert_int_equal(f->refs, FR_ALLOCATED | 2);
	put_frame(f);
	take_away(f);
	assert_int_equal(f->state, FS_FREE);
	assert_null(get_frame(mfn, DOM));
	assert_int_equal(buddy_free_frames(), FRAMES);
}

static void test_last_reference_frees(void **state)
{
	struct frame *f = give(DOM);

	frame_free_hook = hook;
	assert_non_null(get_frame(frame_to_mfn(f), DOM));
	take_away(f);
	assert_int_equal(hook_calls, 0);
	assert_int_equal(f->refs, 1);
	put_frame(f);
	assert_int_equal(hook_calls, 1);
	assert_int_equal(buddy_free_frames(), FRAMES);
}

static void test_too_many_puts(void **state)
{
	struct frame *f = give(DOM);

	expect_assert_failure(put_frame(f)); /* the owner's, which it still has */
	f->refs = 0;
	expect_assert_failure(put_frame(f));
	expect_assert_failure(put_frame_writable(f));
	f->type = FT_L1 | 1;
	expect_assert_failure(put_frame_writable(f));
	f->refs = 0;
	f->owner = DOMID_INVALID;
	buddy_free(f, 0);
}

/* Without a reference, as while it is being exchanged, nobody gets at it, whoever the owner is. */
static void test_without_reference(void **state)
{
	struct frame *f = give(DOM);

	f->refs = 0;
	assert_null(get_frame(frame_to_mfn(f), DOM));
	f->refs = FR_FOREIGN;
	assert_null(get_frame(frame_to_mfn(f), DOM));
	f->refs = FR_ALLOCATED | 1;
	take_away(f);
}

static void test_overflow(void **state)
{
	struct frame *f = give(DOM);
	mfn_t mfn = frame_to_mfn(f);

	f->refs = FR_ALLOCATED | (FR_COUNT - 1);
	assert_non_null(get_frame(mfn, DOM));
	assert_null(get_frame(mfn, DOM));
	assert_int_equal(f->refs, FR_ALLOCATED | FR_COUNT);
	put_frame(f);
	assert_non_null(get_frame(mfn, DOM));

	f->type = FT_WRITABLE | (FT_COUNT - 1);
	assert_true(get_frame_writable(f));
	assert_false(get_frame_writable(f));
	assert_int_equal(f->type, FT_WRITABLE | FT_COUNT);
	f->refs = FR_ALLOCATED | 1;
	assert_null(get_frame_and_writable(mfn, DOM));
	assert_int_equal(f->refs, FR_ALLOCATED | 1);
	f->type = 0;
	take_away(f);
}

static void test_xenheap(void **state)
{
	void *p = hv_alloc_pages(0);
	struct frame *f = mfn_to_frame(virt_to_mfn(p));

	f->owner = DOM;
	f->refs = FR_XENHEAP | FR_ALLOCATED | 1;
	assert_non_null(get_frame(virt_to_mfn(p), DOM));
	put_frame(f);
	assert_int_equal(heap_frames(), 1);
	f->owner = DOMID_INVALID;
	take_away(f);
	assert_int_equal(heap_frames(), 0);
	assert_int_equal(buddy_free_frames(), FRAMES);
}

static u32 now, flushes, flushed;

static u32 clock_hook(void)
{
	return now;
}

static void flush_hook(struct frame *f, u32 stamp)
{
	flushes++;
	flushed = stamp;
}

static void test_types(void **state)
{
	static const u32 others[] = {FT_L1, FT_L2, FT_L3, FT_L4, FT_SEGDESC};
	struct frame *f = give(DOM);

	frame_clock_hook = clock_hook;
	type_flush_hook = flush_hook;
	flushes = 0;
	assert_true(get_frame_writable(f));
	assert_true(get_frame_writable(f));
	assert_int_equal(f->type, FT_WRITABLE | 2);
	now = 77;
	put_frame_writable(f);
	assert_int_not_equal(f->stamp, 77);
	put_frame_writable(f);
	assert_int_equal(f->stamp, 77);
	assert_int_equal(f->type, FT_WRITABLE);
	assert_int_equal(flushes, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		f->type = others[i] | 1;
		assert_false(get_frame_writable(f));
		f->type = others[i] | FT_PINNED;
		assert_false(get_frame_writable(f));
		f->type = others[i];
		f->stamp = 1000 + i;
		assert_true(get_frame_writable(f));
		assert_int_equal(f->type, FT_WRITABLE | 1);
		assert_int_equal(flushes, i + 1);
		assert_int_equal(flushed, 1000 + i);
		put_frame_writable(f);
	}
	type_flush_hook = NULL;
	take_away(f);
}

static void test_lists(void **state)
{
	struct frame *f = buddy_alloc(3, 0);
	struct frame_list l;
	u32 n = 0, first;

	assert_non_null(f);
	first = (u32)frame_to_mfn(f);
	frame_list_init(&l);
	for (unsigned int i = 0; i < 5; i++)
		frame_list_add(&l, f + i);
	assert_int_equal(l.nr, 5);
	frame_list_del(&l, f);	   /* head */
	frame_list_del(&l, f + 4); /* tail */
	frame_list_del(&l, f + 2); /* between */
	for (u32 m = l.head; m != FRAME_NIL; m = frame_table[m].next)
		n = n * 1000 + m;
	assert_int_equal(n, (first + 1) * 1000 + first + 3);
	frame_list_del(&l, f + 1);
	frame_list_del(&l, f + 3);
	assert_int_equal(l.nr, 0);
	assert_int_equal(l.head, FRAME_NIL);
	assert_int_equal(l.tail, FRAME_NIL);
	expect_assert_failure(frame_list_del(&l, f));
	buddy_free(f, 3);
}

#define THREADS 4
#define ROUNDS	20000
#define SHARED	4

static struct frame *shared[SHARED];
static unsigned int got;

/* One domain each half; frames change hands while the others try to get them. */
static void *hammer(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned int n = (unsigned int)rand_r(&seed) % SHARED;
		u16 dom = (u16)(DOM + (unsigned int)rand_r(&seed) % 2);
		struct frame *f = get_frame_and_writable(frame_to_mfn(shared[n]), dom);

		if (!f)
			continue;
		atomic_add(&got, 1);
		if (READ_ONCE(f->owner) != dom)
			abort();
		put_frame_and_writable(f);
	}
	return NULL;
}

/* The last put gives the frame to the other domain, as fast as nothing else can. */
static void pass_on(struct frame *f)
{
	u16 other = f->owner == DOM ? DOM + 1 : DOM;

	atomic_add(&hook_calls, 1);
	if (f->type & FT_COUNT)
		abort();
	WRITE_ONCE(f->owner, other);
	atomic_store(&f->refs, FR_ALLOCATED | 1);
}

static void test_threads(void **state)
{
	pthread_t t[THREADS];

	frame_free_hook = pass_on;
	got = 0;
	for (int i = 0; i < SHARED; i++)
		shared[i] = give(DOM);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hammer, (void *)(i + 1)), 0);
	for (int i = 0; i < ROUNDS; i++) {
		struct frame *f = shared[i % SHARED];

		if (atomic_and(&f->refs, ~FR_ALLOCATED) & FR_ALLOCATED)
			put_frame(f);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_true(got > 100);
	assert_true(hook_calls > 100);
	frame_free_hook = NULL;
	for (int i = 0; i < SHARED; i++) {
		assert_int_equal(shared[i]->refs, FR_ALLOCATED | 1);
		assert_int_equal(shared[i]->type & FT_COUNT, 0);
		take_away(shared[i]);
	}
	assert_int_equal(buddy_free_frames(), FRAMES);
	assert_true(buddy_audit());
}

/* More threads than processors: a ticket may belong to one that does not run. */
static void yield(void)
{
	sched_yield();
}

static void *alloc_free(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS / 4; i++) {
		unsigned int order = (unsigned int)rand_r(&seed) % 4;
		struct frame *f = buddy_alloc(order, 0);
		void *p = hv_alloc((unsigned int)rand_r(&seed) % 3000);

		if (p)
			hv_free(p);
		if (f)
			buddy_free(f, order);
	}
	return NULL;
}

static void test_allocator_threads(void **state)
{
	pthread_t t[THREADS];

	spin_wait_hook = yield;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, alloc_free, (void *)(i + 1)), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(heap_frames(), 0);
	assert_int_equal(buddy_free_frames(), FRAMES);
	assert_true(buddy_audit());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_who_may, setup),
		cmocka_unit_test_setup(test_last_reference_frees, setup),
		cmocka_unit_test_setup(test_too_many_puts, setup),
		cmocka_unit_test_setup(test_without_reference, setup),
		cmocka_unit_test_setup(test_overflow, setup),
		cmocka_unit_test_setup(test_xenheap, setup),
		cmocka_unit_test_setup(test_types, setup),
		cmocka_unit_test_setup(test_lists, setup),
		cmocka_unit_test_setup(test_threads, setup),
		cmocka_unit_test_setup(test_allocator_threads, setup),
	};

	return cmocka_run_group_tests_name("frame", tests, setup_ram, NULL);
}
