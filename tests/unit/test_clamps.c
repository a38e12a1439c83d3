/* SPDX-License-Identifier: MIT */
/*
 * Numbers that a guest chooses are clamped behind their check (lib/nospec.h), which no result shows: each
 * is seen to go through the clamp, with its bound.
 */
#include <string.h>
#include "peer_fakes.h"
#include "dom/evtchn_priv.h"
#include "dom/grant_priv.h"
#include "dom/handlers.h"
#include "lib/nospec.h"
#include "pv/mm.h"

#define MOST 256

static struct pair {
	unsigned long i, n;
} seen[MOST];
static unsigned int nr_seen;
static struct domain *d0, *d1;
static struct grant_entry_v1 *table;

void nospec_seen(unsigned long i, unsigned long n)
{
	if (nr_seen < MOST)
		seen[nr_seen++] = (struct pair){i, n};
}

/* n: 0 when the bound is known to nobody else. */
static void check_seen(unsigned long i, unsigned long n)
{
	unsigned int k = 0;

	while (k < nr_seen && (seen[k].i != i || (n ? seen[k].n != n : i >= seen[k].n)))
		k++;
	if (k == nr_seen)
		fail_msg("%lu was not clamped to below %lu", i, n);
}

static int setup(void **state)
{
	unsigned long mfn;

	peer_setup(state);
	d0 = peer_make(0, 3, true);
	d1 = peer_make(1, 3, false);
	assert_int_equal(evtchn_init_domain(d0, EVTCHN_MAX - 1), 0);
	assert_int_equal(grant_init_domain(d0, 1), 0);
	assert_int_equal(grant_init_domain(d1, 1), 0);
	assert_int_equal(grant_get_frame(d1, 0, &mfn), 0);
	table = mfn_to_virt(mfn);
	act(d0->vcpu[0]);
	nr_seen = 0;
	return 0;
}

static int teardown(void **state)
{
	peer_kill(d1);
	peer_kill(d0);
	return peer_teardown(state);
}

static long event_call(unsigned int op, void *arg)
{
	nr_seen = 0;
	return peer_call(do_event_channel_op, op, (unsigned long)arg, 0);
}

static void test_events(void **state)
{
	struct evtchn_bind_ipi ipi = {.vcpu = 2};
	struct evtchn_bind_virq virq = {.virq = VIRQ_DEBUG, .vcpu = 1};
	struct evtchn_bind_vcpu move = {.vcpu = 2};
	struct evtchn_send send;

	assert_int_equal(event_call(EVTCHNOP_bind_ipi, &ipi), 0);
	check_seen(2, 3);
	assert_int_equal(event_call(EVTCHNOP_bind_virq, &virq), 0);
	check_seen(VIRQ_DEBUG, NR_VIRQS);
	virq = (struct evtchn_bind_virq){.virq = VIRQ_TIMER, .vcpu = 2};
	assert_int_equal(event_call(EVTCHNOP_bind_virq, &virq), 0);
	check_seen(2, 3);
	move.port = ipi.port;
	(void)event_call(EVTCHNOP_bind_vcpu, &move);
	check_seen(EVTCHNOP_bind_vcpu, 0);
	send.port = ipi.port;
	assert_int_equal(event_call(EVTCHNOP_send, &send), 0);
	check_seen(ipi.port, d0->ev.nr_buckets * EVTCHN_BUCKET);
}

static void test_queues(void **state)
{
	struct frame *f = peer_frame(d0), *words = peer_frame(d0);
	struct evtchn_init_control a = {.control_gfn = frame_to_mfn(f), .vcpu = 2};
	struct evtchn_expand_array e = {.array_gfn = frame_to_mfn(words)};
	struct evtchn_bind_ipi ipi = {.vcpu = 2};
	struct evtchn_send send;

	assert_int_equal(event_call(EVTCHNOP_init_control, &a), 0);
	check_seen(2, 3);
	assert_int_equal(event_call(EVTCHNOP_expand_array, &e), 0);
	assert_int_equal(event_call(EVTCHNOP_bind_ipi, &ipi), 0);
	send.port = ipi.port;
	assert_int_equal(event_call(EVTCHNOP_send, &send), 0);
	check_seen(0, 1); /* the page that has the port's word */
}

static int create(u64 host_addr, unsigned long mfn, unsigned int flags)
{
	return 0;
}

static int destroy(u64 host_addr, u64 new_addr, unsigned long mfn, unsigned int flags)
{
	return 0;
}

static void flush(unsigned long va)
{
}

static const struct grant_map_ops map_ops = {create, destroy, flush};

static long grant_call(unsigned int op, void *arg)
{
	nr_seen = 0;
	return peer_call(do_grant_table_op, op, (unsigned long)arg, 1);
}

static void test_grants(void **state)
{
	struct frame *f = peer_frame(d1);
	struct gnttab_map_grant_ref map = {
		.host_addr = PAGE_SIZE, .flags = GNTMAP_host_map, .ref = 7, .dom = 1};
	struct gnttab_unmap_grant_ref unmap = {.host_addr = PAGE_SIZE};

	grant_map_ops = &map_ops;
	table[7] = (struct grant_entry_v1){
		.flags = GTF_permit_access, .domid = 0, .frame = (u32)frame_to_mfn(f)};
	assert_int_equal(grant_call(GNTTABOP_map_grant_ref, &map), 0);
	assert_int_equal(map.status, 0);
	check_seen(7, GRANTS_PER_FRAME);
	unmap.handle = map.handle;
	assert_int_equal(grant_call(GNTTABOP_unmap_grant_ref, &unmap), 0);
	assert_int_not_equal(map.handle, GNTTABOP_unmap_grant_ref);
	check_seen(map.handle, 0);
	check_seen(GNTTABOP_unmap_grant_ref, 0);
}

static void test_frames(void **state)
{
	struct frame *f = peer_frame(d1);
	mfn_t mfn = frame_to_mfn(f);

	nr_seen = 0;
	assert_ptr_equal(mfn_to_frame_nospec(mfn), f);
	check_seen(mfn, max_mfn);
	nr_seen = 0;
	assert_ptr_equal(get_frame_inline(mfn, 1), f);
	check_seen(mfn, frames_whole);
	put_frame(f);
	/* As if there were a hole below it. */
	frames_whole = 0;
	nr_seen = 0;
	assert_true(mfn_valid(mfn));
	check_seen(mfn, max_mfn);
	nr_seen = 0;
	assert_ptr_equal(get_frame_inline(mfn, 1), f);
	assert_int_equal(nr_seen, 3); /* whether it is beyond, its validity, its place in the table */
	put_frame(f);
	/* Clamped is not valid. */
	assert_false(mfn_valid(max_mfn));
	assert_false(mfn_valid(1UL << 40));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_events),
		T(test_queues),
		T(test_grants),
		T(test_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
