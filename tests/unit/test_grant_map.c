/* SPDX-License-Identifier: MIT */
/* Grants in real page-table entries: dom/grant_map.c over pv/grant_map.c. */
#include <string.h>
#include "peer_fakes.h"
#include "cpu/features.h"
#include "dom/handlers.h"
#include "mm/tlb.h"
#include "pv/grant_map.h"
#include "pv/mm.h"

#define VA 0x7f8000403000UL

struct cpu_features cpu_features = {.phys_bits = 48};
static struct domain *d0, *d1;
static struct grant_entry_v1 *table;
static u64 *l1;
static struct frame *l1f, *page;
static unsigned long flushed, flushed_before; /* the last two */

void tlb_flush_cpus(const unsigned long *cpus, unsigned long va)
{
	assert_false(spin_is_locked(&d0->mm_lock));
	flushed_before = flushed;
	flushed = va;
}

static u64 *new_table(unsigned int level, u64 *above, unsigned int i)
{
	struct frame *f = peer_frame(d0);

	f->type = level << 29 | FT_VALIDATED | 1;
	if (above)
		above[i] = make_pte(frame_to_mfn(f), PTE_P | PTE_RW | PTE_US);
	return frame_to_virt(f);
}

static int setup(void **state)
{
	unsigned long mfn;
	u64 *l4;

	peer_setup(state);
	pv_grant_init();
	d0 = peer_make(0, 1, true);
	d1 = peer_make(1, 1, false);
	assert_int_equal(grant_init_domain(d0, 1), 0);
	assert_int_equal(grant_init_domain(d1, 1), 0);
	assert_int_equal(grant_get_frame(d1, 0, &mfn), 0);
	table = mfn_to_virt(mfn);
	l4 = new_table(4, NULL, 0);
	d0->vcpu[0]->pv.cr3_mfn = virt_to_mfn(l4);
	l1 = new_table(1, new_table(2, new_table(3, l4, L4_INDEX(VA)), L3_INDEX(VA)), L2_INDEX(VA));
	l1f = mfn_to_frame(virt_to_mfn(l1));
	page = peer_frame(d1);
	table[1] = (struct grant_entry_v1){
		.flags = GTF_permit_access, .domid = 0, .frame = (u32)frame_to_mfn(page)};
	flushed = 0;
	return 0;
}

static int teardown(void **state)
{
	for (unsigned int i = 0; i < 512; i++)
		pv_l1e_put(d0, l1[i]);
	peer_kill(d0);
	assert_int_equal(page->refs & ~FR_FOREIGN, FR_ALLOCATED | 1);
	assert_int_equal(page->type & FT_COUNT, 0);
	peer_kill(d1);
	return peer_teardown(state);
}

static int map(u64 host_addr, unsigned int flags, grant_handle_t *h)
{
	struct gnttab_map_grant_ref op = {
		.host_addr = host_addr, .flags = GNTMAP_host_map | flags, .ref = 1, .dom = 1};

	act(d0->vcpu[0]);
	assert_int_equal(
		peer_call(do_grant_table_op, GNTTABOP_map_grant_ref, (unsigned long)&op, 1), 0);
	*h = op.handle;
	return op.status;
}

static int unmap(u64 host_addr, u64 new_addr, grant_handle_t h)
{
	struct gnttab_unmap_grant_ref op = {.host_addr = host_addr, .handle = h};
	struct gnttab_unmap_and_replace rep = {
		.host_addr = host_addr, .new_addr = new_addr, .handle = h};

	assert_int_equal(peer_call(do_grant_table_op,
				   new_addr ? GNTTABOP_unmap_and_replace : GNTTABOP_unmap_grant_ref,
				   new_addr ? (unsigned long)&rep : (unsigned long)&op, 1),
			 0);
	return new_addr ? rep.status : op.status;
}

static void test_by_va(void **state)
{
	u64 *e = &l1[L1_INDEX(VA)];
	struct frame *old = peer_frame(d0);
	grant_handle_t h;

	/* Over a mapping of its own, which goes. */
	*e = make_pte(frame_to_mfn(old), PTE_P | PTE_RW | PTE_US);
	assert_non_null(get_frame_and_writable(frame_to_mfn(old), 0));
	assert_int_equal(map(VA, 0, &h), 0);
	assert_int_equal(*e, make_pte(frame_to_mfn(page), PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D));
	assert_int_equal(flushed, VA);
	assert_int_equal(old->refs & FR_COUNT, 1);
	assert_int_equal(old->type & FT_COUNT, 0);
	assert_int_equal(page->refs & FR_COUNT, 3);
	/* Noted for the day when the page becomes a table, although the mapping is gone by then. */
	assert_true(page->refs & FR_FOREIGN);
	flushed = 0;
	assert_int_equal(unmap(VA, 0, h), 0);
	assert_true(page->refs & FR_FOREIGN);
	assert_int_equal(*e, 0);
	assert_int_equal(flushed, VA);
	assert_int_equal(page->refs & FR_COUNT, 1);
}

static void test_by_pte(void **state)
{
	u64 at = ((u64)frame_to_mfn(l1f) << PAGE_SHIFT) + 24;
	unsigned int flags = GNTMAP_contains_pte | GNTMAP_readonly | 1u << _GNTMAP_guest_avail0;
	grant_handle_t h;

	assert_int_equal(map(at, flags, &h), 0);
	assert_int_equal(l1[3] & (PTE_P | PTE_RW | PTE_AVAIL), PTE_P | 0x200);
	assert_false(page->refs & FR_FOREIGN); /* nobody can write through it */
	l1[3] |= 0x400;
	assert_int_equal(unmap(at, 0, h), 0);
	assert_int_equal(l1[3], 0);
	assert_true(flushed == TLB_ALL);
	assert_int_equal(l1f->refs & FR_COUNT, 1);
	/* Not an entry; no table; another level; somebody else's table. */
	assert_int_equal(map(at + 1, flags, &h), GNTST_general_error);
	l1f->type = FT_WRITABLE;
	assert_int_equal(map(at, flags, &h), GNTST_general_error);
	l1f->type = FT_L2 | FT_VALIDATED | 1;
	assert_int_equal(map(at, flags, &h), GNTST_general_error);
	l1f->type = FT_L1 | FT_VALIDATED | 1;
	l1f->owner = 1;
	assert_int_equal(map(at, flags, &h), GNTST_general_error);
	l1f->owner = 0;
	assert_int_equal(map(~7ULL, flags, &h), GNTST_general_error);
	assert_int_equal(page->refs & FR_COUNT, 1);
	assert_false(spin_is_locked(&d0->mm_lock));
}

static void test_odd_addresses(void **state)
{
	grant_handle_t h, h2;

	assert_int_equal(map(VA ^ 1UL << 60, 0, &h), GNTST_bad_virt_addr);
	assert_int_equal(map(VA + (1UL << 21), 0, &h), GNTST_bad_virt_addr);
	assert_int_equal(map(HV_VA_START, 0, &h), GNTST_bad_virt_addr);
	assert_int_equal(map(~0UL, 0, &h), GNTST_bad_virt_addr);
	assert_int_equal(page->refs & FR_COUNT, 1);
	assert_int_equal(map(VA, 0, &h), 0);
	assert_int_equal(map(VA + PAGE_SIZE, GNTMAP_readonly, &h2), 0);
	/* With other rights it is not that mapping. */
	assert_int_equal(unmap(VA + PAGE_SIZE, 0, h), GNTST_general_error);
	assert_int_equal(unmap(VA, 0, h2), GNTST_general_error);
	assert_int_equal(unmap(VA + 2 * PAGE_SIZE, 0, h), GNTST_general_error);
	assert_int_equal(unmap(VA, 0, h), 0);
	assert_int_equal(unmap(VA + PAGE_SIZE, 0, h2), 0);
}

static void test_replace(void **state)
{
	struct frame *own = peer_frame(d0);
	u64 e = make_pte(frame_to_mfn(own), PTE_P | PTE_RW | PTE_US);
	grant_handle_t h;

	assert_non_null(get_frame_and_writable(frame_to_mfn(own), 0));
	l1[L1_INDEX(VA) + 1] = e;
	assert_int_equal(map(VA, 0, &h), 0);
	assert_int_equal(unmap(VA, VA, h), GNTST_bad_virt_addr);
	assert_int_equal(unmap(VA, VA + (1UL << 40), h), GNTST_bad_virt_addr);
	assert_int_equal(unmap(VA, VA + PAGE_SIZE, h), 0);
	assert_true(flushed == VA && flushed_before == VA + PAGE_SIZE);
	assert_int_equal(l1[L1_INDEX(VA)], e);
	assert_int_equal(l1[L1_INDEX(VA) + 1], 0);
	assert_int_equal(own->refs & FR_COUNT, 2);
	assert_int_equal(page->refs & FR_COUNT, 1);
}

/* The guest takes the entry away itself: references balance, the pin stays until the end. */
static void test_taken_away(void **state)
{
	grant_handle_t h;

	assert_int_equal(map(VA, 0, &h), 0);
	assert_int_equal(pv_l1e_set(d0, 0, &l1[L1_INDEX(VA)], 0, false), 0);
	assert_int_equal(page->refs & FR_COUNT, 2);
	assert_int_equal(page->type & FT_COUNT, 0);
	assert_int_equal(unmap(VA, 0, h), GNTST_general_error);
	assert_int_equal(page->refs & FR_COUNT, 2);
}

/* Something else, with the same rights, is not that mapping. */
static void test_changed(void **state)
{
	struct frame *own = peer_frame(d0);
	grant_handle_t h;

	assert_int_equal(map(VA, 0, &h), 0);
	assert_int_equal(pv_l1e_set(d0, 0, &l1[L1_INDEX(VA)],
				    make_pte(frame_to_mfn(own), PTE_P | PTE_RW | PTE_US), false),
			 0);
	assert_int_equal(unmap(VA, 0, h), GNTST_general_error);
	assert_int_equal(pte_mfn(l1[L1_INDEX(VA)]), frame_to_mfn(own));
	assert_int_equal(own->refs & FR_COUNT, 2);
}

/* Several in one call: one flush, of everything. */
static void test_two_at_once(void **state)
{
	struct gnttab_unmap_grant_ref op[2] = {{.host_addr = VA}, {.host_addr = VA + PAGE_SIZE}};

	assert_int_equal(map(VA, 0, &op[0].handle), 0);
	assert_int_equal(map(VA + PAGE_SIZE, 0, &op[1].handle), 0);
	flushed = 0;
	assert_int_equal(
		peer_call(do_grant_table_op, GNTTABOP_unmap_grant_ref, (unsigned long)op, 2), 0);
	assert_int_equal(op[0].status | op[1].status, 0);
	assert_true(flushed == TLB_ALL);
}

/* Handles that nobody uses take one page; the last one to go gives back the others. */
static void test_handles_come_back(void **state)
{
	enum {
		N = 300
	};
	static grant_handle_t h[N];
	struct gnttab_map_grant_ref m;
	struct gnttab_unmap_grant_ref u;

	act(d0->vcpu[0]);
	for (unsigned int i = 0; i < 3 * N; i++) {
		m = (struct gnttab_map_grant_ref){.flags = GNTMAP_device_map, .ref = 1, .dom = 1};
		assert_int_equal(
			peer_call(do_grant_table_op, GNTTABOP_map_grant_ref, (unsigned long)&m, 1),
			0);
		assert_int_equal(m.status, 0);
		h[i % N] = m.handle;
		if ((i + 1) % N)
			continue;
		assert_int_equal(d0->grants.nr_track_frames, 3);
		for (unsigned int j = 0; j < N; j++) {
			assert_int_equal(d0->grants.nr_track_frames, 3);
			u = (struct gnttab_unmap_grant_ref){.dev_bus_addr = m.dev_bus_addr,
							    .handle = h[j]};
			assert_int_equal(peer_call(do_grant_table_op, GNTTABOP_unmap_grant_ref,
						   (unsigned long)&u, 1),
					 0);
			assert_int_equal(u.status, 0);
		}
		assert_int_equal(d0->grants.nr_maps, 0);
		assert_int_equal(d0->grants.nr_track_frames, 1);
		assert_int_equal(unmap(VA, 0, h[N - 1]), GNTST_bad_handle);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_by_va),	 T(test_by_pte),     T(test_odd_addresses),
		T(test_replace), T(test_taken_away), T(test_handles_come_back),
		T(test_changed), T(test_two_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
