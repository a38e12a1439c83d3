/* SPDX-License-Identifier: MIT */
/* Event channels at the edges: numbers just out of range, ports in a state that an operation is not for. */
#include <string.h>
#include "peer_fakes.h"
#include "dom/evtchn_priv.h"
#include "dom/grant_priv.h"
#include "dom/handlers.h"

static struct domain *d0, *d1;

static int setup(void **state)
{
	peer_setup(state);
	d0 = peer_make(0, 2, true);
	d1 = peer_make(VIRQ_DEBUG, 2, false);
	assert_int_equal(evtchn_init_domain(d0, EVTCHN_MAX - 1), 0);
	assert_int_equal(evtchn_init_domain(d1, 1023), 0);
	return 0;
}

static int teardown(void **state)
{
	peer_kill(d1);
	peer_kill(d0);
	return peer_teardown(state);
}

static long call(struct domain *d, unsigned int op, void *arg)
{
	act(d->vcpu[0]);
	return peer_call(do_event_channel_op, op, (unsigned long)arg, 0);
}

/* The first port beyond the table that there is, for all operations on a port. */
static void test_behind_the_table(void **state)
{
	struct evtchn_bind_ipi ipi = {.vcpu = 0};
	u32 port;

	assert_int_equal(call(d0, EVTCHNOP_bind_ipi, &ipi), 0);
	port = d0->ev.nr_buckets * EVTCHN_BUCKET;
	for (unsigned int i = 0; i < 2; i++, port++) {
		struct evtchn_bind_interdomain b = {.remote_dom = 0, .remote_port = port};
		struct evtchn_bind_vcpu v = {.port = port, .vcpu = 1};
		struct evtchn_status s = {.dom = DOMID_SELF, .port = port};
		struct evtchn_send one = {.port = port};

		assert_int_equal(call(d0, EVTCHNOP_send, &one), -XEN_EINVAL);
		assert_int_equal(call(d0, EVTCHNOP_close, &one), -XEN_EINVAL);
		assert_int_equal(call(d0, EVTCHNOP_unmask, &one), -XEN_EINVAL);
		assert_int_equal(call(d0, EVTCHNOP_bind_vcpu, &v), -XEN_EINVAL);
		assert_int_equal(call(d1, EVTCHNOP_bind_interdomain, &b), -XEN_EINVAL);
		assert_int_equal(call(d0, EVTCHNOP_status, &s), 0);
		assert_int_equal(s.status, EVTCHNSTAT_closed);
		assert_int_equal(evtchn_port_poll(d0, port), -XEN_EINVAL);
		evtchn_pirq_pending(d0, port);
	}
}

/* The number in a port means a domain only while it is unbound. */
static void test_number_is_no_domain(void **state)
{
	struct evtchn_bind_virq v = {.virq = VIRQ_DEBUG};
	struct evtchn_bind_interdomain b = {.remote_dom = 0};

	assert_int_equal(call(d0, EVTCHNOP_bind_virq, &v), 0);
	b.remote_port = v.port;
	assert_int_equal(call(d1, EVTCHNOP_bind_interdomain, &b), -XEN_EINVAL);
}

/* An interrupt for a port that has become something else meanwhile. */
static void test_late_interrupt(void **state)
{
	struct evtchn_bind_ipi ipi = {.vcpu = 0};

	assert_int_equal(call(d0, EVTCHNOP_bind_ipi, &ipi), 0);
	evtchn_pirq_pending(d0, ipi.port);
	assert_int_equal(evtchn_port_poll(d0, ipi.port), 0);
	assert_int_equal(call(d0, EVTCHNOP_send, &ipi.port), 0);
	assert_int_equal(evtchn_port_poll(d0, ipi.port), 1);
}

static void test_flags(void **state)
{
	for (unsigned int bit = 1; bit < 32; bit++) {
		struct evtchn_bind_pirq p = {.pirq = 1, .flags = 1u << bit};

		assert_int_equal(call(d0, EVTCHNOP_bind_pirq, &p), -XEN_EINVAL);
	}
	assert_int_equal(d0->ev.nr_active, 0);
}

static long init_control(u32 vcpu, u32 offset)
{
	struct frame *f = peer_frame(d0);
	struct evtchn_init_control a = {
		.control_gfn = frame_to_mfn(f), .offset = offset, .vcpu = vcpu};

	return call(d0, EVTCHNOP_init_control, &a);
}

static void test_control_block(void **state)
{
	u32 last = PAGE_SIZE - sizeof(struct evtchn_fifo_control_block);
	struct evtchn_bind_ipi ipi = {.vcpu = 0};

	for (u32 offset = last + 1; offset < last + 4096; offset++)
		assert_int_equal(init_control(0, offset), -XEN_EINVAL);
	assert_int_equal(init_control(0, ~7u), -XEN_EINVAL);
	for (u32 odd = 1; odd < 8; odd++)
		assert_int_equal(init_control(0, odd), -XEN_EINVAL);
	assert_int_equal(init_control(2, 0), -XEN_ENOENT);
	assert_int_equal(init_control(0, last), 0);
	/* With a single port in use nothing is taken apart. */
	assert_int_equal(call(d0, EVTCHNOP_bind_ipi, &ipi), 0);
	assert_int_equal(fifo_destroy(d0), -XEN_EAGAIN);
	assert_non_null(d0->ev.fifo);
	assert_int_equal(call(d0, EVTCHNOP_close, &ipi.port), 0);
	assert_int_equal(fifo_destroy(d0), 0);
	assert_null(d0->ev.fifo);
}

/* Timeouts are absolute, and some are beyond what a timer can be set to. */
static void test_timeouts(void **state)
{
	static const u64 far[] = {~0ul >> 1, 1ul << 62, 1ul << 61};
	struct vcpu *v = d0->vcpu[0];

	act(v);
	for (unsigned int i = 0; i < ARRAY_SIZE(far); i++) {
		struct sched_poll p = {.timeout = far[i]};

		assert_int_equal(evtchn_poll(&p), 0);
		assert_true(v->poll_timer.expires > 0);
		assert_true(v->poll_timer.expires <= 1l << 60);
	}
}

/* Entries of kinds that are not offered. */
static void test_kinds_of_grants(void **state)
{
	static const u16 kinds[] = {GTF_permit_access | GTF_sub_page, GTF_invalid,
				    GTF_accept_transfer, GTF_transitive};
	struct frame *page = peer_frame(d1), *f;
	struct grant_entry_v1 *table;
	unsigned long mfn;

	assert_int_equal(grant_init_domain(d1, 1), 0);
	assert_int_equal(grant_get_frame(d1, 0, &mfn), 0);
	table = mfn_to_virt(mfn);
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		table[3] = (struct grant_entry_v1){
			.flags = kinds[i], .domid = 0, .frame = (u32)frame_to_mfn(page)};
		assert_int_equal(grant_pin(d1, 0, 3, false, &f), GNTST_bad_gntref);
		assert_int_equal(table[3].flags, kinds[i]);
	}
	assert_int_equal(page->refs & FR_COUNT, 1);
}

/* References and frames just behind the end of a grant table. */
static void test_grant_table_end(void **state)
{
	struct gnttab_swap_grant_ref s = {.ref_a = 1, .ref_b = 2};
	struct frame *page = peer_frame(d1), *f;
	struct grant_entry_v1 *table;
	unsigned long mfn;

	assert_int_equal(grant_init_domain(d1, 2), 0);
	assert_int_equal(grant_get_frame(d1, 1, &mfn), 0);
	assert_int_equal(grant_get_frame(d1, 2, &mfn), -XEN_EINVAL);
	assert_int_equal(grant_get_frame(d1, ~0u, &mfn), -XEN_EINVAL);
	act(d1->vcpu[0]);
	for (unsigned int i = 0; i < 2; i++) {
		u32 end = 2 * PAGE_SIZE / sizeof(*table) + i;

		assert_int_equal(grant_swap(d1, 1, end), GNTST_bad_gntref);
		assert_int_equal(grant_swap(d1, end, 1), GNTST_bad_gntref);
		assert_int_equal(grant_pin(d1, 0, end, false, &f), GNTST_bad_gntref);
	}
	assert_int_equal(grant_get_frame(d1, 0, &mfn), 0);
	table = mfn_to_virt(mfn);
	table[2] = (struct grant_entry_v1){
		.flags = GTF_permit_access, .domid = 0, .frame = (u32)frame_to_mfn(page)};
	assert_int_equal(grant_pin(d1, 0, 2, false, &f), 0);
	assert_int_equal(
		peer_call(do_grant_table_op, GNTTABOP_swap_grant_ref, (unsigned long)&s, 1), 0);
	assert_int_equal(s.status, GNTST_eagain);
	grant_put(f, false);
	grant_unpin(d1, 2, false);
}

/* Each kind of batch ends its turn when it is told to. */
static void test_batches_are_cut(void **state)
{
	static const unsigned int cmds[] = {GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref,
					    GNTTABOP_transfer,	    GNTTABOP_copy,
					    GNTTABOP_unmap_and_replace, GNTTABOP_swap_grant_ref};
	static u64 args[64];

	assert_int_equal(grant_init_domain(d1, 1), 0);
	act(d1->vcpu[0]);
	fake_preempt = 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
		assert_int_equal(do_grant_table_op(cmds[i], (unsigned long)args, 3, 0, 0),
				 CALL_RESTART);
		assert_int_equal(fake_next_args[2], 2);
		assert_true(fake_next_args[1] > (unsigned long)args);
	}
	fake_preempt = 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_behind_the_table), T(test_number_is_no_domain), T(test_late_interrupt),
		T(test_flags),		  T(test_control_block),	T(test_timeouts),
		T(test_kinds_of_grants),  T(test_grant_table_end),	T(test_batches_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
