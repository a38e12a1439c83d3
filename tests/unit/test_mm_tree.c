/* SPDX-License-Identifier: MIT */
/*
 * Tables of the upper levels: thousands of changes of any entry, and tables taken and given back whole,
 * stopped anywhere; after each the frame audit, which looks at every entry of every table, recounts
 * what mm_types.c has counted without looking at those that it knows to be empty.
 */
#include <string.h>
#include "mm_fakes.h"
#include "lib/inject.h"
#include "pv/grant_map.h"
#include "pv/mm.h"

#define EACH   3u /* tables of each level */
#define LEVELS 4u

struct cpu_features cpu_features = {.phys_bits = 48};
static struct domain *d0;
static u64 gdt_ptes[32];
static struct frame *data, *table[LEVELS + 1][EACH];
static bool pinned[LEVELS + 1][EACH];

/* All bits of it are in the way of whatever shares the word. */
u32 tlb_clock_now(void)
{
	return 0xffffffff;
}

struct domain *domain_get_from(domid_t from)
{
	return from ? NULL : domain_get(0);
}

static int setup(void **state)
{
	peer_setup(state);
	type_flush_hook = no_flush;
	pv_grant_init();
	for (unsigned int i = HV_SLOT_FIRST; i <= HV_SLOT_LAST; i++)
		idle_l4[i] = make_pte(i, PTE_P);
	d0 = peer_make(0, 1, true);
	d0->pv.demoting = FRAME_NIL;
	d0->vcpu[0]->pv.gdt_ptes = gdt_ptes;
	data = peer_frame(d0);
	for (unsigned int l = 1; l <= LEVELS; l++)
		for (unsigned int i = 0; i < EACH; i++) {
			table[l][i] = peer_frame(d0);
			memset(frame_to_virt(table[l][i]), 0, PAGE_SIZE);
			pinned[l][i] = false;
		}
	act(d0->vcpu[0]);
	return 0;
}

static int teardown(void **state)
{
	inject_arm(INJECT_PREEMPT, 0);
	peer_kill(d0);
	return peer_teardown(state);
}

/* A table of that level, or the data page below the last. */
static u64 entry_for(unsigned int level)
{
	struct frame *f = level ? table[level][fake_below(EACH)] : data;

	return fake_below(3) ? make_pte(frame_to_mfn(f), PTE_P | PTE_US | PTE_RW) : 0;
}

/* Slots at the ends of what is looked at together are the likely ones. */
static unsigned int some_slot(unsigned int level)
{
	unsigned int i = fake_below(2) ? fake_below(512) : fake_below(17) * 32;

	i = i == 512 ? 511 : i ? i - fake_below(2) : 0;
	return level == 4 && pv_hv_slot(i) ? 0 : i;
}

static void settle(void)
{
	int budget;

	do
		budget = PV_BUDGET;
	while (pv_drain(d0, &budget) == PV_AGAIN);
}

/* As the guest does it: a page that is no table is written to, a table is changed by hypercall. */
static void change(unsigned int level, struct frame *f)
{
	unsigned int slot = some_slot(level);
	u64 e = entry_for(level - 1);
	int budget = PV_BUDGET, rc;

	if (!(f->type & (FT_VALIDATED | FT_PARTIAL))) {
		((u64 *)frame_to_virt(f))[slot] = e;
		return;
	}
	if (!(f->type & FT_VALIDATED))
		return;
	if (level == 1)
		rc = pv_l1e_set(d0, 0, (u64 *)frame_to_virt(f) + slot, e, false);
	else
		while ((rc = pv_table_entry_set(d0, f, level, slot, e, false, &budget)) == PV_AGAIN)
			budget = PV_BUDGET;
	assert_true(!rc || rc == -XEN_EINVAL);
}

/* Stopped once on the way, anywhere. */
static void pin_or_unpin(unsigned int level, unsigned int i)
{
	mfn_t mfn = frame_to_mfn(table[level][i]);
	int rc, budget;

	inject_arm(INJECT_PREEMPT, 1 + fake_below(40));
	do {
		budget = PV_BUDGET;
		rc = pv_drain(d0, &budget);
		if (!rc)
			rc = pinned[level][i] ? pv_unpin(d0, mfn, &budget)
					      : pv_pin(d0, mfn, level, &budget);
		assert_int_equal(pv_audit_all(), 0);
	} while (rc == PV_AGAIN);
	inject_arm(INJECT_PREEMPT, 0);
	if (!rc)
		pinned[level][i] = !pinned[level][i];
}

static void step(void)
{
	unsigned int level = 1 + fake_below(LEVELS), i = fake_below(EACH);

	if (fake_below(8))
		change(level, table[level][i]);
	else
		pin_or_unpin(level, i);
	settle();
	assert_int_equal(pv_audit_all(), 0);
}

static void end_all(void)
{
	for (unsigned int l = 1; l <= LEVELS; l++)
		for (unsigned int i = 0; i < EACH; i++)
			if (pinned[l][i])
				pin_or_unpin(l, i);
	settle();
	for (unsigned int l = 1; l <= LEVELS; l++)
		for (unsigned int i = 0; i < EACH; i++) {
			assert_int_equal(table[l][i]->type & FT_COUNT, 0);
			assert_int_equal(table[l][i]->refs & FR_COUNT, 1);
			memset(frame_to_virt(table[l][i]), 0, PAGE_SIZE);
		}
	assert_int_equal(data->refs & FR_COUNT, 1);
	assert_int_equal(data->type & FT_COUNT, 0);
}

static void test_random(void **state)
{
	unsigned long tables = 0;

	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < 400; i++) {
			step();
			tables += !!(table[4][0]->type & FT_VALIDATED);
		}
		end_all();
	}
	/* Not all was refused. */
	assert_true(tables > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
