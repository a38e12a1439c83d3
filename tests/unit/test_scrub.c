/* SPDX-License-Identifier: MIT */
/*
 * Clearing what guests have left: what a scrubber holds, and that a dead guest, which writes through a
 * stale TLB entry whenever there still is one, is not seen by anybody.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include "fake/buddy.h"
#include "cpu/percpu.h"
#include "mm/scrub.h"
#include "mm/tlb.h"
#include "mm/zone.h"
#include <xen/xen.h>

#define FRAMES 512u
#define MOST   64

unsigned long cpu_online_map[BITS_TO_LONGS(CONFIG_NR_CPUS)];

/* --- the TLBs: one CPU's, behind a clock near its end --- */

static u64 tlb_time, flushed_at;
static bool stale[FRAMES]; /* the dead guest can write there */
static bool busy;	   /* the CPU would be interrupted */
static unsigned int flushes;

static bool must_flush(u32 stamp)
{
	return tlb_time - flushed_at >= (u32)((u32)tlb_time - stamp);
}

static void flush(u32 stamp)
{
	if (!must_flush(stamp))
		return;
	memset(stale, 0, sizeof(stale));
	flushed_at = tlb_time;
	flushes++;
}

void tlb_flush_since(const unsigned long *cpus, u32 stamp)
{
	assert_ptr_equal(cpus, cpu_online_map);
	flush(stamp);
}

bool tlb_flush_disturbs(u32 stamp)
{
	return busy && must_flush(stamp);
}

static void flush_hook(struct frame *f, u32 stamp)
{
	flush(stamp);
}

static u32 clock_hook(void)
{
	return (u32)tlb_time++;
}

static u64 *word(mfn_t mfn)
{
	return mfn_to_virt(mfn);
}

static void dead_guest_writes(void)
{
	for (mfn_t m = 0; m < FRAMES; m++)
		if (stale[m])
			*word(m) = 0xdead;
}

static unsigned int services;

/* Called after each frame that is cleared. */
void tlb_flush_service(void)
{
	services++;
	dead_guest_writes();
}

/* --- a guest and its memory --- */

static int setup(void **state)
{
	memset(zones, 0, sizeof(zones));
	memset(stale, 0, sizeof(stale));
	spin_lock_init(&buddy_lock);
	frame_clock_hook = clock_hook;
	type_flush_hook = flush_hook;
	spin_wait_hook = NULL;
	tlb_time = 0xffffff00;
	flushed_at = tlb_time - 1;
	busy = false;
	flushes = 0;
	test_cpu_info.hazard = 0;
	fake_ram_reset();
	return 0;
}

static void guest_takes(struct frame *f, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		f[i].owner = 1;
		memset(frame_to_virt(&f[i]), 0xa5, PAGE_SIZE);
	}
}

static void guest_frees(struct frame *f, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++)
		stale[frame_to_mfn(&f[i])] = true;
	buddy_free(f, order);
}

/* A guest has had these frames. */
static void make_wait(mfn_t start, unsigned long nr)
{
	static struct frame *got[FRAMES];
	unsigned int n = 0;

	while ((got[n] = buddy_alloc(0, 0)) != NULL)
		n++;
	while (n--) {
		mfn_t m = frame_to_mfn(got[n]);

		if (m >= start && m < start + nr) {
			guest_takes(got[n], 0);
			guest_frees(got[n], 0);
		} else {
			buddy_free(got[n], 0);
		}
	}
	assert_true(buddy_audit());
}

static unsigned int scrub_all(void)
{
	unsigned int steps = 0;

	while (scrub_step(true) != SCRUB_NOTHING) {
		steps++;
		assert_true(buddy_audit());
	}
	assert_int_equal(buddy_waiting(), 0);
	return steps;
}

static bool all_zero(const struct frame *f, unsigned int order)
{
	const u64 *p = frame_to_virt(f);

	for (size_t i = 0; i < PAGE_SIZE / 8 << order; i++)
		if (p[i])
			return false;
	return true;
}

/* --- what waits, and what becomes of it --- */

static void test_who_waits(void **state)
{
	struct frame *f;

	fake_buddy_add_dirty(0, 64);
	assert_int_equal(buddy_waiting(), 0);
	assert_false(buddy_neglected());
	assert_int_equal(scrub_step(true), SCRUB_NOTHING);
	f = buddy_alloc(2, BUDDY_ZERO);
	buddy_free(f, 2); /* our own */
	assert_int_equal(buddy_waiting(), 0);
	f = buddy_alloc(2, 0);
	guest_takes(f, 2);
	guest_frees(f, 2);
	assert_int_equal(buddy_waiting(), 4);
	assert_int_equal(buddy_free_frames(), 64);
	assert_true(buddy_neglected());
	/* Of one block a part was a guest's. */
	f = buddy_alloc(3, 0);
	f[5].type = FT_WRITABLE;
	f[6].owner = 3;
	buddy_free(f, 3);
	assert_true(buddy_audit());
	assert_int_equal(buddy_waiting(), 6);
}

static void test_cleared_once(void **state)
{
	unsigned long before = buddy_scrubbed();
	struct frame *f;

	fake_buddy_add_dirty(0, 64);
	make_wait(8, 20);
	assert_int_equal(buddy_waiting(), 20);
	services = 0;
	assert_int_equal(scrub_all(), 3); /* 8..15, 16..23, 24..31 */
	assert_int_equal(buddy_scrubbed() - before, 20);
	assert_int_equal(services, 20);
	/* What never was a guest's is left alone. */
	assert_int_equal(*word(7), 0x5a5a5a5a5a5a5a5a);
	assert_int_equal(*word(28), 0x5a5a5a5a5a5a5a5a);
	for (mfn_t m = 8; m < 28; m++)
		assert_true(all_zero(mfn_to_frame(m), 0));
	/* Somebody changes what is known to be zero: nobody clears it again, so it shows. */
	*word(10) = 1;
	f = buddy_alloc(6, BUDDY_ZERO);
	assert_ptr_equal(f, mfn_to_frame(0));
	assert_int_equal(*word(10), 1);
	for (mfn_t m = 0; m < 64; m++)
		assert_int_equal(mfn_to_frame(m)->type, FT_NONE);
	*word(10) = 0;
	assert_true(all_zero(f, 6));
	/* Once given out, it is not known to be zero any more, with and without zeroing. */
	*word(10) = 2;
	buddy_free(f, 6);
	f = buddy_alloc(6, BUDDY_ZERO);
	assert_true(all_zero(f, 6));
	guest_takes(f, 6);
	guest_frees(f, 6);
	scrub_all();
	f = buddy_alloc(6, 0);
	*word(10) = 3;
	buddy_free(f, 6);
	f = buddy_alloc(6, BUDDY_ZERO);
	assert_true(all_zero(f, 6));
}

/* --- what is with a scrubber --- */

static struct frame *held[SCRUBBERS];
static unsigned int held_order[SCRUBBERS], nr_held, waited;

static void give_one_back(void)
{
	unsigned int order;

	waited++;
	assert_null(buddy_scrub_take(&order)); /* somebody wants them */
	if (waited % 3 || !nr_held)
		return;
	nr_held--;
	buddy_scrub_give(held[nr_held], held_order[nr_held], 0);
}

static void hold(unsigned int n)
{
	for (nr_held = 0; nr_held < n; nr_held++) {
		held[nr_held] = buddy_scrub_take(&held_order[nr_held]);
		assert_non_null(held[nr_held]);
	}
	waited = 0;
}

static void test_held(void **state)
{
	unsigned int order;

	fake_buddy_add_dirty(0, 64);
	make_wait(0, 64);
	hold(SCRUBBERS);
	assert_null(buddy_scrub_take(&order));
	assert_int_equal(scrub_step(true), SCRUB_NOTHING);
	assert_false(buddy_neglected());
	assert_int_equal(buddy_free_frames(), 64);
	assert_int_equal(buddy_waiting(), 64);
	assert_true(buddy_audit());
	while (nr_held--)
		buddy_scrub_give(held[nr_held], held_order[nr_held], 0);
	assert_true(buddy_audit());
	assert_true(buddy_neglected());
	scrub_all();
}

static void test_taken_back(void **state)
{
	struct frame *f;

	fake_buddy_add_dirty(0, 64);
	make_wait(0, 64);
	spin_wait_hook = give_one_back;
	hold(3);
	f = buddy_alloc(4, 0); /* there is one without */
	assert_non_null(f);
	assert_int_equal(waited, 0);
	buddy_free(f, 4);
	f = buddy_alloc(6, BUDDY_ZERO);
	assert_ptr_equal(f, mfn_to_frame(0));
	assert_int_equal(waited, 9);
	assert_true(all_zero(f, 6));
	/* There is nothing: that is found out, and is no reason to wait for ever. */
	buddy_free(f, 6);
	make_wait(0, 64);
	hold(1);
	assert_null(buddy_alloc(7, 0));
	assert_int_equal(nr_held, 0);
	waited = 0;
	assert_null(buddy_alloc(7, 0));
	assert_int_equal(waited, 0);
	/* Who wanted them is content; scrubbing goes on. */
	assert_int_equal(scrub_step(true), SCRUB_DONE);
}

static void test_hazard_ends_step(void **state)
{
	fake_buddy_add_dirty(0, 64);
	make_wait(0, 64);
	test_cpu_info.hazard = HAZ_SCHED;
	assert_int_equal(scrub_step(true), SCRUB_DONE);
	assert_int_equal(buddy_waiting(), 63);
	assert_int_equal(scrub_all(), 63);
}

/* --- the dead guest --- */

static void test_flush_before_clearing(void **state)
{
	struct frame *f;

	fake_buddy_add_dirty(0, 64);
	make_wait(0, 64);
	busy = true;
	assert_int_equal(scrub_step(false), SCRUB_TOO_SOON);
	assert_int_equal(flushes, 0);
	assert_int_equal(buddy_waiting(), 64);
	assert_true(buddy_neglected() && buddy_audit());
	assert_int_equal(scrub_step(true), SCRUB_DISTURBED);
	assert_int_equal(flushes, 1);
	/* That was good for all: the next ones disturb nobody. */
	assert_int_equal(scrub_step(false), SCRUB_DONE);
	scrub_all();
	assert_int_equal(flushes, 1);
	dead_guest_writes();
	f = buddy_alloc(6, BUDDY_ZERO);
	assert_true(all_zero(f, 6));
	assert_int_equal(flushes, 1);
	/* Another guest dies. */
	guest_takes(f, 6);
	guest_frees(f, 6);
	assert_int_equal(scrub_step(false), SCRUB_TOO_SOON);
	assert_int_equal(scrub_step(true), SCRUB_DISTURBED);
	assert_int_equal(flushes, 2);
}

/* A flush that the guest's last moments had anyway is enough. */
static void test_no_flush_too_many(void **state)
{
	fake_buddy_add_dirty(0, 64);
	make_wait(0, 64);
	busy = true;
	flush((u32)tlb_time);
	assert_int_equal(scrub_step(false), SCRUB_DONE);
	scrub_all();
	assert_int_equal(flushes, 1);
}

/* Of one block some were freed before the flush and some behind it. */
static void test_each_stamp(void **state)
{
	struct frame *f;

	fake_buddy_add_dirty(0, 8);
	f = buddy_alloc(3, 0);
	guest_takes(f, 3);
	for (unsigned int i = 0; i < 8; i++) {
		if (i == 5)
			flush((u32)tlb_time);
		guest_frees(&f[i], 0);
	}
	busy = true;
	assert_int_equal(scrub_step(false), SCRUB_TOO_SOON);
	assert_int_equal(scrub_step(true), SCRUB_DISTURBED);
}

struct held_block {
	struct frame *f;
	unsigned int order;
};

static void one_alloc(struct held_block *b)
{
	unsigned int flags = fake_below(4) ? BUDDY_ZERO : 0;

	b->order = fake_below(fake_below(8) ? 3 : 8);
	b->f = buddy_alloc(b->order, flags);
	dead_guest_writes();
	if (b->f && flags)
		assert_true(all_zero(b->f, b->order));
	if (!b->f)
		return;
	for (unsigned int i = 0; i < 1u << b->order; i++)
		assert_false(stale[frame_to_mfn(&b->f[i])]);
	if (fake_below(3))
		guest_takes(b->f, b->order);
	else
		memset(frame_to_virt(b->f), 0x77, PAGE_SIZE << b->order);
}

static void test_random(void **state)
{
	static struct held_block blocks[MOST];
	unsigned int nr = 0;

	fake_buddy_add_dirty(0, FRAMES);
	busy = true;
	for (unsigned int round = 0; round < 30000; round++) {
		unsigned int what = fake_below(16);

		test_cpu_info.hazard = fake_below(4) ? 0 : HAZ_SCHED;
		dead_guest_writes();
		if (what < 6 && nr < MOST) {
			one_alloc(&blocks[nr]);
			nr += blocks[nr].f != NULL;
		} else if (what < 11 && nr) {
			unsigned int i = fake_below(nr);

			if (blocks[i].f->owner == 1)
				guest_frees(blocks[i].f, blocks[i].order);
			else
				buddy_free(blocks[i].f, blocks[i].order);
			blocks[i] = blocks[--nr];
		} else {
			scrub_step(what & 1);
		}
		if (!(round % 16))
			assert_true(buddy_audit());
	}
	assert_true(flushes > 100 && buddy_scrubbed() > 1000);
	while (nr--)
		buddy_free(blocks[nr].f, blocks[nr].order);
	assert_true(buddy_audit());
	assert_int_equal(buddy_free_frames(), FRAMES);
	assert_non_null(buddy_alloc(9, 0));
}

/* --- several CPUs --- */

static bool stop;

static void give_way(void)
{
	sched_yield();
}

static void *idle_cpu(void *arg)
{
	unsigned long *steps = arg;

	while (!READ_ONCE(stop))
		if (scrub_step(true) != SCRUB_NOTHING)
			++*steps;
		else
			sched_yield();
	return NULL;
}

/* All that is free can be had at any moment, in one piece. */
static void test_threads(void **state)
{
	unsigned long steps[3] = {0};
	pthread_t t[3];

	fake_buddy_add_dirty(0, FRAMES);
	frame_clock_hook = NULL;
	type_flush_hook = NULL;
	spin_wait_hook = give_way;
	WRITE_ONCE(stop, false);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, idle_cpu, &steps[i]), 0);
	for (unsigned int round = 0; round < 2000; round++) {
		struct frame *f = buddy_alloc(9, BUDDY_ZERO);

		assert_non_null(f);
		if (!(round % 16))
			assert_true(all_zero(f, 9));
		for (unsigned int i = 0; i < FRAMES; i++) {
			f[i].owner = fake_below(2) ? 1 : DOMID_INVALID;
			*word(i) = 1;
		}
		for (unsigned int i = 0; i < FRAMES; i += 16)
			buddy_free(f + i, 4);
		if (fake_below(2))
			sched_yield();
	}
	WRITE_ONCE(stop, true);
	for (unsigned int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	assert_true(steps[0] && steps[1] && steps[2]);
	assert_true(buddy_audit());
	assert_int_equal(buddy_free_frames(), FRAMES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_who_waits, setup),
		cmocka_unit_test_setup(test_cleared_once, setup),
		cmocka_unit_test_setup(test_held, setup),
		cmocka_unit_test_setup(test_taken_back, setup),
		cmocka_unit_test_setup(test_hazard_ends_step, setup),
		cmocka_unit_test_setup(test_flush_before_clearing, setup),
		cmocka_unit_test_setup(test_no_flush_too_many, setup),
		cmocka_unit_test_setup(test_each_stamp, setup),
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test_setup(test_threads, setup),
	};

	return cmocka_run_group_tests_name("scrub", tests, NULL, NULL);
}
