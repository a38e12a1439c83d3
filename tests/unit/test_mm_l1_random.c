/* SPDX-License-Identifier: MIT */
/*
 * L1 entries: thousands of changes, any bit, beside a model that asks of each whether it would be allowed
 * if nothing had been there before; after each the counts of all frames are recounted.
 */
#include <string.h>
#include "peer_fakes.h"
#include "cpu/features.h"
#include "pv/mm.h"

#define ENTRIES 8u
#define FRAMES	5u
#define BAD	(0xfUL << 59)
#define CACHE	(PTE_PWT | PTE_PCD | PTE_PAT)
#define FREE	(PTE_A | PTE_D | PTE_AVAIL | PTE_NX | (0x7fUL << 52))

struct cpu_features cpu_features = {.phys_bits = 48};
static struct domain *d0, *d1;
/* Three pages of d0, one of d1, one of d0 that is a page table. */
static struct frame *frames[FRAMES];
static u64 table[ENTRIES];

static int setup(void **state)
{
	peer_setup(state);
	d0 = peer_make(0, 1, false);
	d1 = peer_make(1, 1, false);
	for (unsigned int i = 0; i < FRAMES; i++)
		frames[i] = peer_frame(i == 3 ? d1 : d0);
	frames[4]->type = FT_L1 | FT_VALIDATED | 1;
	memset(table, 0, sizeof(table));
	return 0;
}

static int teardown(void **state)
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		pv_l1e_put(d0, table[i]);
	frames[4]->type = FT_NONE;
	peer_kill(d0);
	peer_kill(d1);
	return peer_teardown(state);
}

static void recount(void)
{
	for (unsigned int f = 0; f < FRAMES; f++) {
		u32 refs = 1, writable = 0;

		for (unsigned int i = 0; i < ENTRIES; i++) {
			if (!(table[i] & PTE_P) || pte_mfn(table[i]) != frame_to_mfn(frames[f]))
				continue;
			refs++;
			writable += table[i] & PTE_RW ? 1 : 0;
		}
		assert_int_equal(frames[f]->refs & FR_COUNT, refs);
		if (f == 4)
			assert_int_equal(frames[f]->type, FT_L1 | FT_VALIDATED | 1);
		else
			assert_int_equal(frames[f]->type & FT_COUNT, writable);
	}
}

static int owner_allows(domid_t pg, u64 new)
{
	const struct frame *f;

	if (pv_mfn_is_io(pte_mfn(new)))
		return -XEN_EPERM;
	f = mfn_to_frame(pte_mfn(new));
	if (!(f->refs & FR_COUNT) || f->owner != pg)
		return -XEN_EINVAL;
	return (new & PTE_RW) && (f->type & FT_KIND) == FT_L1 ? -XEN_EINVAL : 0;
}

/* What the change from old to new must answer, and the entry that it must leave. */
static int model(domid_t pg, u64 old, u64 new, u64 *after)
{
	int rc;

	*after = new & PTE_P ? (new | PTE_US) & ~PTE_G : new;
	if (!(new & PTE_P))
		return 0;
	if (new & BAD)
		return -XEN_EINVAL;
	if ((old & PTE_P) && !((old ^ *after) & ~FREE))
		return 0;
	rc = owner_allows(pg, new);
	return rc == 0 && (new & CACHE) ? -XEN_EINVAL : rc;
}

static u64 random_entry(u64 old)
{
	u64 e = fake_below(2) ? old : make_pte(frame_to_mfn(frames[fake_below(FRAMES)]), PTE_P);

	if (fake_below(4))
		e = (e & ~PTE_RW) | (fake_below(2) ? PTE_RW : 0) | PTE_P;
	if (!fake_below(3))
		e ^= 1UL << fake_below(12);
	if (!fake_below(6))
		e ^= 1UL << (52 + fake_below(12));
	if (!fake_below(50))
		e = make_pte(FAKE_MAX_MFN + fake_below(9), PTE_P | (e & PTE_RW));
	return e;
}

/* As if the processor had set a bit meanwhile: nothing may change. */
static void change_too_late(unsigned int i, u64 new)
{
	u64 old = table[i], after;
	int want = model(0, old ^ PTE_A, new, &after);

	assert_int_equal(pv_l1e_cmpxchg(d0, &table[i], old ^ PTE_A, new), want ? want : -XEN_EAGAIN);
	assert_true(table[i] == old);
	recount();
}

static void change(unsigned int i, u64 new, domid_t pg)
{
	u64 old = table[i], after;
	bool ad = fake_below(3) == 0;
	int want = model(pg, old, new, &after), rc;

	if (pg == 0 && (old & PTE_P) && fake_below(2)) {
		change_too_late(i, new);
		rc = pv_l1e_cmpxchg(d0, &table[i], old, new);
	} else {
		rc = pv_l1e_set(d0, pg, &table[i], new, ad);
		if (ad && (new & PTE_P))
			after |= old & (PTE_A | PTE_D);
	}
	assert_int_equal(rc, want);
	assert_true(table[i] == (rc ? old : after));
	recount();
}

static void test_random(void **state)
{
	for (unsigned int round = 0; round < 100000; round++) {
		unsigned int i = fake_below(ENTRIES);

		change(i, random_entry(table[i]), fake_below(8) ? 0 : 1);
	}
}

/* Each bit alone, from each kind of entry that a page may have. */
static void test_each_bit(void **state)
{
	for (unsigned int f = 0; f < FRAMES; f++) {
		for (unsigned int bit = 0; bit < 128; bit++) {
			u64 e = make_pte(frame_to_mfn(frames[f]), PTE_P);

			if ((bit & 64) && f < 3)
				e |= PTE_RW;
			change(0, 0, 0);
			change(0, e, f == 3 ? 1 : 0);
			assert_true(table[0] & PTE_P);
			change(0, table[0] ^ 1UL << (bit & 63), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_bit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
