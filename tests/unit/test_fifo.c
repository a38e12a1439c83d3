/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include "fifo_rig.h"

/* --- tests --- */
static void test_order(void **state)
{
	u32 p[4], got[8];

	start();
	for (unsigned int i = 0; i < 4; i++)
		p[i] = open_ipi(1);
	assert_int_equal(set_priority(p[3], 2), 0);
	send(p[2]);
	assert_int_equal(fake_kicks, 1);
	assert_int_equal(control[1]->ready, 1 << EVTCHN_FIFO_PRIORITY_DEFAULT);
	send(p[0]);
	send(p[0]);
	send(p[1]);
	assert_int_equal(fake_kicks, 1);
	send(p[3]);
	assert_int_equal(upcall(1, got, 8), 4);
	assert_int_equal(got[0], p[3]);
	assert_int_equal(got[1], p[2]);
	assert_int_equal(got[2], p[0]);
	assert_int_equal(got[3], p[1]);
	assert_int_equal(upcall(1, got, 8), 0);
	send(p[1]); /* was the tail */
	assert_int_equal(upcall(1, got, 8), 1);
	assert_int_equal(got[0], p[1]);
}

static void test_masked(void **state)
{
	u32 got[4], p, q;

	start();
	p = ipi(0);
	q = open_ipi(0);
	send(p);
	assert_int_equal(*word(p), PENDING | MASKED);
	assert_int_equal(fake_kicks, 0);
	unmask(p);
	assert_int_equal(fake_kicks, 1);
	assert_int_equal(*word(p), PENDING | LINKED);
	/* Masked while linked: consumed unhandled, linked again by unmask. */
	*word(p) |= MASKED;
	send(q);
	assert_int_equal(upcall(0, got, 4), 1);
	assert_int_equal(*word(p), PENDING | MASKED);
	unmask(p);
	assert_int_equal(upcall(0, got, 4), 1);
	assert_int_equal(got[0], p);
}

static void test_errors(void **state)
{
	struct frame *f = peer_frame(d), *ro = peer_frame(d);
	struct evtchn_expand_array e = {.array_gfn = frame_to_mfn(f)};
	struct evtchn_init_control a = {.control_gfn = frame_to_mfn(f)};
	struct evtchn_reset r = {.dom = DOMID_SELF};
	u32 port = ipi(0);

	ro->type = FT_L1 | FT_VALIDATED | 1;
	assert_int_equal(call(EVTCHNOP_expand_array, &e), -XEN_EOPNOTSUPP);
	assert_int_equal(set_priority(port, 0), -XEN_ENOSYS);
	a.offset = 4;
	assert_int_equal(call(EVTCHNOP_init_control, &a), -XEN_EINVAL);
	a.offset = ~7u;
	assert_int_equal(call(EVTCHNOP_init_control, &a), -XEN_EINVAL);
	a.offset = 4096 - 72;
	a.vcpu = VCPUS;
	assert_int_equal(call(EVTCHNOP_init_control, &a), -XEN_ENOENT);
	a.vcpu = 0;
	a.control_gfn = ~0UL;
	assert_int_equal(call(EVTCHNOP_init_control, &a), -XEN_EINVAL);
	a.control_gfn = frame_to_mfn(ro);
	assert_int_equal(call(EVTCHNOP_init_control, &a), -XEN_EINVAL);
	a.control_gfn = frame_to_mfn(f);
	assert_int_equal(call(EVTCHNOP_init_control, &a), 0);
	assert_int_equal(call(EVTCHNOP_init_control, &a), -XEN_EINVAL);
	e.array_gfn = frame_to_mfn(ro);
	assert_int_equal(call(EVTCHNOP_expand_array, &e), -XEN_EINVAL);
	e.array_gfn = frame_to_mfn(f);
	for (unsigned int i = 0; i < 128; i++)
		assert_int_equal(call(EVTCHNOP_expand_array, &e), 0);
	assert_int_equal(call(EVTCHNOP_expand_array, &e), -XEN_ENOSPC);
	assert_int_equal(set_priority(port, 16), -XEN_EINVAL);
	assert_int_equal(f->refs & FR_COUNT, 130);
	assert_int_equal(f->type, FT_WRITABLE | 129);
	/* Back to 2 levels, and all of it given back. */
	assert_int_equal(call(EVTCHNOP_reset, &r), 0);
	assert_null(d->ev.fifo);
	assert_int_equal(f->refs, FR_ALLOCATED | 1);
	assert_int_equal(f->type & FT_COUNT, 0);
	assert_int_equal(call(EVTCHNOP_init_control, &a), 0);
	ro->type = FT_NONE;
}

/* Events from before: of the 2-level time, before the page, before the control block. */
static void test_early(void **state)
{
	u32 got[4], p = ipi(0), q = ipi(1), r;

	send(p);
	init_control(0);
	r = ipi(0);
	send(r);
	assert_int_equal(evtchn_port_poll(d, r), 1);
	send(q);
	expand(0);
	assert_int_equal(*word(p), PENDING | MASKED);
	assert_int_equal(*word(r), PENDING | MASKED);
	unmask(p);
	unmask(r);
	assert_int_equal(upcall(0, got, 4), 2);
	assert_int_equal(got[0], p);
	assert_int_equal(got[1], r);
	unmask(q);
	assert_int_equal(*word(q), PENDING);
	init_control(1);
	assert_int_equal(upcall(1, got, 4), 1);
	assert_int_equal(got[0], q);
}

/* A port that moves must not tie two queues together. */
static void test_move(void **state)
{
	struct evtchn_alloc_unbound au = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};
	struct evtchn_bind_vcpu bv;
	u32 got[8], other, p;

	start();
	assert_int_equal(call(EVTCHNOP_alloc_unbound, &au), 0);
	p = b.remote_port = au.port;
	assert_int_equal(call(EVTCHNOP_bind_interdomain, &b), 0);
	unmask(p);
	other = open_ipi(0);
	send(b.local_port); /* p is tail of vcpu 0's queue */
	assert_int_equal(upcall(0, got, 8), 1);
	bv = (struct evtchn_bind_vcpu){.port = p, .vcpu = 1};
	assert_int_equal(call(EVTCHNOP_bind_vcpu, &bv), 0);
	send(b.local_port); /* linked on vcpu 1 */
	send(other);	    /* must not hang behind p */
	assert_int_equal(upcall(0, got, 8), 1);
	assert_int_equal(got[0], other);
	assert_int_equal(upcall(1, got, 8), 1);
	assert_int_equal(got[0], p);
	/* The same while it is still linked on the old one: it is delivered there, once. */
	send(b.local_port);
	bv.vcpu = 0;
	assert_int_equal(call(EVTCHNOP_bind_vcpu, &bv), 0);
	send(b.local_port);
	assert_int_equal(upcall(0, got, 8), 0);
	assert_int_equal(upcall(1, got, 8), 1);
	send(b.local_port);
	assert_int_equal(upcall(0, got, 8), 1);
}

/* A port comes back to a queue that has got another since: the other is still the end of it. */
static void test_back_behind_another(void **state)
{
	u32 got[4], p, q;

	start();
	p = open_ipi(0);
	q = open_ipi(0);
	send(p);
	assert_int_equal(upcall(0, got, 4), 1);
	send(q);
	send(p);
	assert_int_equal(upcall(0, got, 4), 2);
	assert_int_equal(got[0], q);
	assert_int_equal(got[1], p);
}

/* What came too early for a port that is closed is not for who has its number next. */
static void test_close_early(void **state)
{
	struct evtchn_close c;
	u32 p;

	init_control(0);
	p = ipi(0);
	send(p);
	c.port = p;
	assert_int_equal(call(EVTCHNOP_close, &c), 0);
	assert_int_equal(ipi(0), p);
	expand(0);
	assert_int_equal(*word(p), MASKED);
}

static void test_close_linked(void **state)
{
	struct evtchn_close c;
	u32 got[4], p, q;

	start();
	p = open_ipi(0);
	q = open_ipi(0);
	send(p);
	send(q);
	c.port = p;
	assert_int_equal(call(EVTCHNOP_close, &c), 0);
	assert_int_equal(*word(p) & (PENDING | LINKED), LINKED);
	assert_int_equal(open_ipi(2), p); /* again, elsewhere, and still linked here */
	send(p);
	assert_int_equal(upcall(0, got, 4), 2); /* the guest finds it where it was */
	send(p);
	assert_int_equal(upcall(2, got, 4), 1);
	assert_int_equal(got[0], p);
}

/* Any values in the pages: no crash, no hang, and nothing of ours believes them. */
static void test_hostile(void **state)
{
	u32 p[16];

	start();
	for (unsigned int i = 0; i < 16; i++)
		p[i] = open_ipi(i % VCPUS);
	for (unsigned int round = 0; round < 20000; round++) {
		u32 port = p[fake_below(16)];

		switch (fake_below(6)) {
		case 0:
			array[0][fake_below(1024)] = fake_random();
			break;
		case 1:
			*word(port) = fake_random() | LINKED;
			break;
		case 2:
			control[fake_below(VCPUS)]->head[fake_below(16)] = fake_random();
			break;
		case 3:
			control[fake_below(VCPUS)]->ready = fake_random();
			break;
		case 4:
			assert_int_equal(evtchn_op_unmask(d, port), 0);
			break;
		default:
			assert_int_equal(set_priority(port, fake_below(16)), 0);
			send(port);
		}
	}
	/* It can come back to reason. */
	for (unsigned int i = 0; i < 1024; i++)
		array[0][i] = 0;
	for (unsigned int v = 0; v < VCPUS; v++) {
		control[v]->ready = 0;
		memset(head[v], 0, sizeof(head[v]));
	}
	for (unsigned int i = 0; i < 16; i++) {
		u32 got[4];

		send(p[i]);
		assert_int_equal(upcall(i % VCPUS, got, 4), 1);
		assert_int_equal(got[0], p[i]);
	}
}

static void test_many_ports(void **state)
{
	struct evtchn_reset r = {.dom = DOMID_SELF};
	u32 got[8], p = 0;

	start();
	for (unsigned int i = 1; i < PAGES; i++)
		expand(i);
	while (p < PAGES * 1024 - 1)
		p = ipi(p % VCPUS);
	for (u32 q = 1; q <= p; q += 500) {
		unmask(q);
		send(q);
	}
	assert_int_equal(upcall(0, got, 8) + upcall(1, got, 8) + upcall(2, got, 8) +
				 upcall(3, got, 8),
			 p / 500 + 1);
	/* Beyond the 2-level limit; without a page it waits. */
	for (; p < 5000; p = ipi(0))
		continue;
	send(p);
	assert_int_equal(evtchn_port_poll(d, p), 1);
	assert_int_equal(call(EVTCHNOP_reset, &r), 0);
	assert_int_equal(d->ev.nr_active, 0);
}

/* --- poll --- */

static long poll(unsigned int vcpu, u32 *ports, unsigned int nr, u64 timeout)
{
	struct sched_poll sp = {.nr_ports = nr, .timeout = timeout};

	sp.ports.p = ports;
	act(d->vcpu[vcpu]);
	return evtchn_poll(&sp);
}

static bool sleeps(unsigned int vcpu)
{
	return d->vcpu[vcpu]->sched.pause_flags & VPF_BLOCKED;
}

static u32 race_port;

static void send_before_block(void)
{
	send(race_port);
}

static void poll_tests(void)
{
	u32 a = ipi(0), b = ipi(1), ports[3] = {a, b, 99}, many[129] = {0};
	struct vcpu *v = d->vcpu[0];

	for (unsigned int i = 0; i < VCPUS; i++)
		d->vcpu[i]->info->evtchn_upcall_mask = 1;
	assert_int_equal(poll(0, many, 129, 0), -XEN_EINVAL);
	assert_int_equal(poll(0, ports, 3, 0), -XEN_EINVAL);
	assert_false(sleeps(0));
	assert_int_equal(v->poll_port, 0);

	/* A masked port of another vcpu, too, ends it. */
	assert_int_equal(poll(0, &b, 1, 0), 0);
	assert_true(sleeps(0));
	assert_int_equal(v->poll_port, b + 1);
	send(a);
	assert_true(sleeps(0));
	send(b);
	assert_false(sleeps(0));
	assert_int_equal(v->poll_port, 0);
	/* Pending already. */
	assert_int_equal(poll(0, &b, 1, 0), 0);
	/* In the past; in the future. */
	ports[0] = ipi(0);
	assert_int_equal(poll(0, ports, 1, 999), 0);
	assert_false(sleeps(0));
	assert_int_equal(poll(0, ports, 1, 5000), 0);
	assert_true(sleeps(0));
	assert_true(timer_pending(&v->poll_timer));
	assert_int_equal(v->poll_timer.expires, 5000);
	vcpu_wake(v);
	/* The old timer must not end the next one. */
	assert_int_equal(poll(0, ports, 1, 0), 0);
	assert_false(timer_pending(&v->poll_timer));
	vcpu_wake(v);
	/* Several; several sleepers. */
	ports[1] = ipi(2);
	assert_int_equal(poll(0, ports, 2, ~0ULL), 0);
	assert_int_equal(poll(3, ports, 1, 0), 0);
	assert_int_equal(poll(2, NULL, 0, 0), 0);
	send(ports[1]);
	assert_false(sleeps(0));
	assert_true(sleeps(3));
	send(ports[0]);
	assert_false(sleeps(3));
	assert_true(sleeps(2));
	assert_int_equal(poll(2, &race_port, 1, 0), -XEN_EINVAL);
	/* It comes between the look and the block. */
	race_port = ipi(1);
	fake_before_block = send_before_block;
	assert_int_equal(poll(1, &race_port, 1, 0), 0);
	assert_false(sleeps(1));
}

static void test_poll_2l(void **state)
{
	memset(d->shared->evtchn_mask, 0xff, sizeof(d->shared->evtchn_mask));
	poll_tests();
}

static void test_poll_fifo(void **state)
{
	start();
	poll_tests();
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_order),	 T(test_masked),       T(test_errors),	T(test_early),
		T(test_move),	 T(test_close_linked),
		T(test_close_early),	 T(test_back_behind_another),
		T(test_hostile), T(test_many_ports),
		T(test_poll_2l), T(test_poll_fifo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
