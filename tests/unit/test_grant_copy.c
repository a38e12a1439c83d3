/* SPDX-License-Identifier: MIT */
/* Several copies of grants in one hypercall, which keeps open what the next one names again. */
#include <string.h>
#include "peer_fakes.h"
#include "dom/handlers.h"

#define NR 6

static struct domain *d[3];
static struct grant_entry_v1 *table[3];

static int setup(void **state)
{
	peer_setup(state);
	for (domid_t i = 0; i < 3; i++) {
		unsigned long mfn;

		d[i] = peer_make(i, 1, !i);
		assert_int_equal(grant_init_domain(d[i], 4), 0);
		assert_int_equal(grant_get_frame(d[i], 0, &mfn), 0);
		table[i] = mfn_to_virt(mfn);
	}
	act(d[0]->vcpu[0]);
	return 0;
}

static int teardown(void **state)
{
	for (unsigned int i = 3; i--;)
		peer_kill(d[i]);
	return peer_teardown(state);
}

/* A page that domain i grants to domain 0. */
static struct frame *grant(unsigned int i, grant_ref_t ref)
{
	struct frame *f = peer_frame(d[i]);

	table[i][ref] = (struct grant_entry_v1){
		.flags = GTF_permit_access, .domid = 0, .frame = (u32)frame_to_mfn(f)};
	return f;
}

/* The n-th letter of a page of domain 0 to the n-th place of reference 5 of domain 1. */
static void letters(struct gnttab_copy *op, struct frame *from)
{
	strcpy(frame_to_virt(from), "abcdef");
	for (unsigned int i = 0; i < NR; i++)
		op[i] = (struct gnttab_copy){
			.source = {.u.gmfn = frame_to_mfn(from), .domid = DOMID_SELF, .offset = (u16)i},
			.dest = {.u.ref = 5, .domid = 1, .offset = (u16)i},
			.len = 1,
			.flags = GNTCOPY_dest_gref,
			.status = 77};
}

static long copy(struct gnttab_copy *op, unsigned int n)
{
	return peer_call(do_grant_table_op, GNTTABOP_copy, (unsigned long)op, n);
}

static void all_closed(struct frame **f, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(f[i]->refs, FR_ALLOCATED | 1);
		assert_int_equal(f[i]->type & FT_COUNT, 0);
	}
	for (unsigned int i = 0; i < 3; i++)
		for (grant_ref_t ref = 5; ref <= 6; ref++)
			assert_int_equal(table[i][ref].flags & ~GTF_permit_access, 0);
	assert_int_equal(d[1]->refs + d[2]->refs, 2);
}

/* What a copy names is what it gets, whatever the one before had. */
static void test_names(void **state)
{
	struct frame *f[] = {peer_frame(d[0]), grant(1, 5), grant(1, 6), grant(2, 5)};
	struct gnttab_copy op[NR];

	letters(op, f[0]);
	op[1].dest.u.ref = 6;
	op[3].dest.domid = 2;
	/* A frame of that number is not ours. */
	op[4].dest.domid = 2;
	op[4].flags = 0;
	assert_int_equal(copy(op, NR), 0);
	assert_memory_equal(frame_to_virt(f[1]), "a\0c\0\0f", 6);
	assert_memory_equal(frame_to_virt(f[2]), "\0b\0\0\0\0", 6);
	assert_memory_equal(frame_to_virt(f[3]), "\0\0\0d\0\0", 6);
	for (unsigned int i = 0; i < NR; i++)
		assert_int_equal(op[i].status, i == 4 ? GNTST_permission_denied : GNTST_okay);
	all_closed(f, 4);
}

/* The same number as a grant and as a frame, both our own. */
static void test_kinds(void **state)
{
	struct frame *f[] = {peer_frame(d[0]), grant(0, 5)};
	struct gnttab_copy op[NR];

	letters(op, f[0]);
	op[0].dest.domid = op[1].dest.domid = 0;
	op[1].flags = 0;
	assert_int_equal(copy(op, 2), 0);
	assert_int_equal(op[0].status, GNTST_okay);
	assert_int_equal(op[1].status, GNTST_bad_page);
	assert_memory_equal(frame_to_virt(f[1]), "a\0", 2);
	all_closed(f, 2);
}

/* It ends by a fault, or is restarted after each copy. */
static void test_cut_short(void **state)
{
	struct frame *f[] = {peer_frame(d[0]), grant(1, 5)};
	struct gnttab_copy op[NR];

	letters(op, f[0]);
	fake_bad_addr = &op[3];
	assert_int_equal(copy(op, NR), -XEN_EFAULT);
	fake_bad_addr = NULL;
	assert_memory_equal(frame_to_virt(f[1]), "abc\0", 4);
	all_closed(f, 2);
	fake_preempt = 1;
	assert_int_equal(copy(op, NR), 0);
	fake_preempt = 0;
	assert_memory_equal(frame_to_virt(f[1]), "abcdef", 6);
	all_closed(f, 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_names), T(test_kinds), T(test_cut_short)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
