/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "peer_fakes.h"
#include "dom/handlers.h"
#include "mm/heap.h"

static struct domain *d0, *d1;

static int setup(void **state)
{
	peer_setup(state);
	d0 = peer_make(0, 4, true);
	d1 = peer_make(1, 2, false);
	assert_int_equal(evtchn_init_domain(d0, EVTCHN_MAX - 1), 0);
	assert_int_equal(evtchn_init_domain(d1, 1023), 0);
	act(d0->vcpu[0]);
	return 0;
}

static int teardown(void **state)
{
	if (d1)
		peer_kill(d1);
	if (d0)
		peer_kill(d0);
	d0 = d1 = NULL;
	return peer_teardown(state);
}

static long call(struct domain *d, unsigned int op, void *arg)
{
	act(d->vcpu[0]);
	return peer_call(do_event_channel_op, op, (unsigned long)arg, 0);
}

/* --- short forms --- */

static u32 unbound(struct domain *d, domid_t dom, domid_t remote)
{
	struct evtchn_alloc_unbound a = {.dom = dom, .remote_dom = remote};

	assert_int_equal(call(d, EVTCHNOP_alloc_unbound, &a), 0);
	return a.port;
}

static long bind(struct domain *d, domid_t remote, u32 port, u32 *local)
{
	struct evtchn_bind_interdomain b = {.remote_dom = remote, .remote_port = port};
	long rc = call(d, EVTCHNOP_bind_interdomain, &b);

	*local = b.local_port;
	return rc;
}

static long close_port(struct domain *d, u32 port)
{
	struct evtchn_close c = {.port = port};

	return call(d, EVTCHNOP_close, &c);
}

static long send(struct domain *d, u32 port)
{
	struct evtchn_send s = {.port = port};

	return call(d, EVTCHNOP_send, &s);
}

static u32 status_of(struct domain *d, u32 port)
{
	struct evtchn_status s = {.dom = DOMID_SELF, .port = port};

	assert_int_equal(call(d, EVTCHNOP_status, &s), 0);
	return s.status;
}

static u32 ipi(struct domain *d, u32 vcpu)
{
	struct evtchn_bind_ipi b = {.vcpu = vcpu};

	assert_int_equal(call(d, EVTCHNOP_bind_ipi, &b), 0);
	return b.port;
}

static long virq(struct domain *d, u32 virq, u32 vcpu, u32 *port)
{
	struct evtchn_bind_virq b = {.virq = virq, .vcpu = vcpu};
	long rc = call(d, EVTCHNOP_bind_virq, &b);

	*port = b.port;
	return rc;
}

static bool pending(struct domain *d, u32 port)
{
	return test_bit(port, (unsigned long *)d->shared->evtchn_pending);
}

/* What a guest does in its upcall: the selector, then the words; returns how many events it saw. */
static unsigned int consume(struct domain *d, unsigned int vcpu)
{
	struct vcpu_info *i = d->vcpu[vcpu]->info;
	unsigned int n = 0, w, b;
	unsigned long sel;

	i->evtchn_upcall_pending = 0;
	sel = atomic_xchg(&i->evtchn_pending_sel, 0UL);
	for_each_set_bit(w, &sel, 64)
	{
		unsigned long bits = d->shared->evtchn_pending[w] & ~d->shared->evtchn_mask[w];

		for_each_set_bit(b, &bits, 64)
		{
			clear_bit(w * 64 + b, (unsigned long *)d->shared->evtchn_pending);
			n++;
		}
	}
	return n;
}

/* --- tests --- */

static void test_interdomain(void **state)
{
	struct evtchn_status s;
	u32 a = unbound(d1, DOMID_SELF, 0), b;

	assert_int_equal(a, 1);
	assert_int_equal(status_of(d1, a), EVTCHNSTAT_unbound);
	assert_int_equal(send(d1, a), 0);
	assert_int_equal(bind(d0, 1, a, &b), 0);
	assert_int_equal(b, 1);
	/* The local port is marked, the other not. */
	assert_true(pending(d0, b));
	assert_false(pending(d1, a));
	assert_int_equal(fake_kicks, 1);
	assert_int_equal(consume(d0, 0), 1);

	s = (struct evtchn_status){.dom = 1, .port = a};
	assert_int_equal(call(d0, EVTCHNOP_status, &s), 0);
	assert_int_equal(s.status, EVTCHNSTAT_interdomain);
	assert_int_equal(s.u.interdomain.dom, 0);
	assert_int_equal(s.u.interdomain.port, b);

	assert_int_equal(send(d0, b), 0);
	assert_true(pending(d1, a));
	assert_int_equal(d1->vcpu[0]->info->evtchn_pending_sel, 1);
	assert_int_equal(d1->vcpu[0]->info->evtchn_upcall_pending, 1);
	assert_int_equal(fake_kicks, 2);
	/* Twice is once. */
	assert_int_equal(send(d0, b), 0);
	assert_int_equal(fake_kicks, 2);
	assert_int_equal(consume(d1, 0), 1);
	assert_int_equal(send(d1, a), 0);
	assert_int_equal(consume(d0, 0), 1);
	assert_int_equal(consume(d0, 0), 0);

	assert_int_equal(close_port(d0, b), 0);
	assert_int_equal(status_of(d0, b), EVTCHNSTAT_closed);
	assert_int_equal(status_of(d1, a), EVTCHNSTAT_unbound);
	assert_int_equal(send(d1, a), 0);
	assert_int_equal(send(d0, b), -XEN_EINVAL);
	/* And again. */
	assert_int_equal(bind(d0, 1, a, &b), 0);
	assert_int_equal(close_port(d1, a), 0);
	assert_int_equal(status_of(d0, b), EVTCHNSTAT_unbound);
	assert_int_equal(d0->ev.nr_active, 1);
	assert_int_equal(d1->ev.nr_active, 0);
}

static void test_bind_errors(void **state)
{
	struct evtchn_alloc_unbound a = {.dom = 0, .remote_dom = 1};
	struct evtchn_status s = {.dom = 0, .port = 1};
	u32 p = unbound(d1, DOMID_SELF, 5), local;

	assert_int_equal(call(d1, EVTCHNOP_alloc_unbound, &a), -XEN_EPERM);
	a.dom = 9;
	assert_int_equal(call(d0, EVTCHNOP_alloc_unbound, &a), -XEN_ESRCH);
	a.dom = 1;
	a.remote_dom = DOMID_SELF;
	assert_int_equal(call(d0, EVTCHNOP_alloc_unbound, &a), 0);
	assert_int_equal(a.port, 2);
	assert_int_equal(call(d1, EVTCHNOP_status, &s), -XEN_EPERM);

	assert_int_equal(bind(d0, 1, p, &local), -XEN_EINVAL);	 /* meant for domain 5 */
	assert_int_equal(bind(d0, 1, 77, &local), -XEN_EINVAL);	 /* closed */
	assert_int_equal(bind(d0, 1, ~0u, &local), -XEN_EINVAL); /* never was */
	assert_int_equal(bind(d0, 1, 0, &local), -XEN_EINVAL);
	assert_int_equal(bind(d0, 9, 1, &local), -XEN_ESRCH);
	assert_int_equal(d0->ev.nr_active, 0);
	assert_int_equal(bind(d0, 1, 2, &local), 0);
	assert_int_equal(bind(d0, 1, 2, &local), -XEN_EINVAL); /* taken */
	assert_int_equal(close_port(d0, 0), -XEN_EINVAL);
	assert_int_equal(close_port(d0, 99), -XEN_EINVAL);
	assert_int_equal(send(d0, 0), -XEN_EINVAL);
	assert_int_equal(send(d0, ~0u), -XEN_EINVAL);
	s = (struct evtchn_status){.dom = DOMID_SELF, .port = EVTCHN_MAX};
	assert_int_equal(call(d0, EVTCHNOP_status, &s), -XEN_EINVAL);
	s.port = 0;
	assert_int_equal(call(d0, EVTCHNOP_status, &s), -XEN_EINVAL);
}

static void test_hypercall_errors(void **state)
{
	struct evtchn_send s = {.port = 1};
	struct evtchn_bind_ipi b = {.vcpu = 0};

	assert_int_equal(call(d0, 14, &s), -XEN_ENOSYS);
	assert_int_equal(call(d0, 1000, &s), -XEN_ENOSYS);
	assert_int_equal(peer_call(do_event_channel_op, ~0UL, (unsigned long)&s, 0), -XEN_ENOSYS);
	assert_int_equal(call(d0, EVTCHNOP_send, NULL), -XEN_EFAULT);
	assert_int_equal(call(d0, EVTCHNOP_close, NULL), -XEN_EFAULT);
	fake_bad_addr = &b.port;
	assert_int_equal(call(d0, EVTCHNOP_bind_ipi, &b), -XEN_EFAULT);
}

static void test_loopback(void **state)
{
	u32 a = unbound(d0, DOMID_SELF, DOMID_SELF), b;

	assert_int_equal(bind(d0, DOMID_SELF, a, &b), 0);
	assert_int_equal(consume(d0, 0), 1);
	assert_int_equal(send(d0, b), 0);
	assert_true(pending(d0, a));
	assert_int_equal(close_port(d0, a), 0);
	assert_false(pending(d0, a)); /* the next owner does not inherit it */
	assert_int_equal(status_of(d0, b), EVTCHNSTAT_unbound);
	assert_int_equal(bind(d0, 0, b, &a), 0);
}

static void test_mask(void **state)
{
	struct evtchn_unmask u = {.port = ipi(d0, 2)};
	struct vcpu_info *i = d0->vcpu[2]->info;

	set_bit(u.port, (unsigned long *)d0->shared->evtchn_mask);
	assert_true(evtchn_port_masked(d0, u.port));
	assert_int_equal(send(d0, u.port), 0);
	assert_true(pending(d0, u.port));
	assert_int_equal(fake_kicks, 0);
	assert_int_equal(i->evtchn_pending_sel, 0);
	assert_int_equal(call(d0, EVTCHNOP_unmask, &u), 0);
	assert_int_equal(fake_kicks, 1);
	assert_int_equal(i->evtchn_pending_sel, 1);
	assert_int_equal(call(d0, EVTCHNOP_unmask, &u), 0);
	assert_int_equal(fake_kicks, 1);
	assert_false(evtchn_port_masked(d0, u.port));
	assert_int_equal(consume(d0, 2), 1);
	u.port = 50;
	assert_int_equal(call(d0, EVTCHNOP_unmask, &u), -XEN_EINVAL);
	assert_true(evtchn_port_masked(d0, 50));
}

static void test_virq(void **state)
{
	struct evtchn_bind_vcpu bv;
	u32 t1, exc, p;

	assert_int_equal(virq(d0, VIRQ_TIMER, 1, &t1), 0);
	assert_int_equal(virq(d0, VIRQ_TIMER, 1, &p), -XEN_EEXIST);
	assert_int_equal(virq(d0, VIRQ_TIMER, 4, &p), -XEN_ENOENT);
	assert_int_equal(virq(d0, NR_VIRQS, 0, &p), -XEN_EINVAL);
	assert_int_equal(virq(d0, VIRQ_DOM_EXC, 1, &p), -XEN_EINVAL);
	assert_int_equal(virq(d1, VIRQ_DOM_EXC, 0, &p), -XEN_EPERM);
	assert_int_equal(virq(d0, VIRQ_DOM_EXC, 0, &exc), 0);
	assert_int_equal(virq(d0, VIRQ_DOM_EXC, 0, &p), -XEN_EEXIST);
	assert_int_equal(virq(d1, VIRQ_DEBUG, 1, &p), 0);

	send_vcpu_virq(d0->vcpu[0], VIRQ_TIMER); /* not bound */
	assert_int_equal(fake_kicks, 0);
	send_vcpu_virq(d0->vcpu[1], VIRQ_TIMER);
	assert_int_equal(consume(d0, 1), 1);
	send_global_virq(VIRQ_DOM_EXC);
	send_global_virq(VIRQ_CONSOLE);
	assert_int_equal(consume(d0, 0), 1);
	assert_int_equal(send(d0, t1), -XEN_EINVAL);

	bv = (struct evtchn_bind_vcpu){.port = exc, .vcpu = 3};
	assert_int_equal(call(d0, EVTCHNOP_bind_vcpu, &bv), 0);
	send_global_virq(VIRQ_DOM_EXC);
	assert_int_equal(consume(d0, 3), 1);
	bv.port = t1;
	assert_int_equal(call(d0, EVTCHNOP_bind_vcpu, &bv), -XEN_EINVAL);
	bv = (struct evtchn_bind_vcpu){.port = exc, .vcpu = 4};
	assert_int_equal(call(d0, EVTCHNOP_bind_vcpu, &bv), -XEN_ENOENT);
	assert_int_equal(close_port(d0, exc), 0);
	assert_int_equal(close_port(d0, t1), 0);
	send_global_virq(VIRQ_DOM_EXC);
	send_vcpu_virq(d0->vcpu[1], VIRQ_TIMER);
	assert_int_equal(consume(d0, 3) + consume(d0, 1), 0);
	assert_int_equal(virq(d0, VIRQ_DOM_EXC, 0, &exc), 0);
}

static void test_pirq(void **state)
{
	struct evtchn_bind_pirq b = {.pirq = 3, .flags = BIND_PIRQ__WILL_SHARE};
	struct evtchn_bind_vcpu bv;

	assert_int_equal(call(d0, EVTCHNOP_bind_pirq, &b), 0);
	assert_int_equal(fake_pirq_port[3], b.port);
	assert_int_equal(status_of(d0, b.port), EVTCHNSTAT_pirq);
	evtchn_pirq_pending(d0, b.port);
	assert_int_equal(consume(d0, 0), 1);
	bv = (struct evtchn_bind_vcpu){.port = b.port, .vcpu = 2};
	assert_int_equal(call(d0, EVTCHNOP_bind_vcpu, &bv), 0);
	assert_int_equal(fake_pirq_cpu[3], 2);
	evtchn_pirq_pending(d0, b.port);
	assert_int_equal(consume(d0, 2), 1);
	assert_int_equal(close_port(d0, b.port), 0);
	assert_int_equal(fake_pirq_port[3], 0);
	evtchn_pirq_pending(d0, bv.port);
	assert_int_equal(consume(d0, 0), 0);

	assert_int_equal(call(d0, EVTCHNOP_bind_pirq, &b), 0);
	assert_int_equal(call(d0, EVTCHNOP_bind_pirq, &b), -XEN_EEXIST);
	b.pirq = 100;
	assert_int_equal(call(d0, EVTCHNOP_bind_pirq, &b), -XEN_EINVAL);
	b.flags = 2;
	assert_int_equal(call(d0, EVTCHNOP_bind_pirq, &b), -XEN_EINVAL);
	assert_int_equal(d0->ev.nr_active, 1);
}

static void test_bind_vcpu(void **state)
{
	u32 a = unbound(d0, DOMID_SELF, DOMID_SELF), b;
	struct evtchn_bind_vcpu bv = {.port = a, .vcpu = 1};

	assert_int_equal(call(d0, EVTCHNOP_bind_vcpu, &bv), 0);
	assert_int_equal(bind(d0, DOMID_SELF, a, &b), 0);
	assert_int_equal(consume(d0, 0), 1);
	assert_int_equal(send(d0, b), 0);
	assert_int_equal(consume(d0, 1), 1);
	/* Back to vcpu 0 for the next owner. */
	assert_int_equal(close_port(d0, a), 0);
	assert_int_equal(unbound(d0, DOMID_SELF, 1), a);
	assert_int_equal(bind(d1, 0, a, &b), 0);
	assert_int_equal(send(d1, b), 0);
	assert_int_equal(consume(d0, 1), 0);
	assert_int_equal(consume(d0, 0), 1);
	bv.port = ipi(d0, 0);
	assert_int_equal(call(d0, EVTCHNOP_bind_vcpu, &bv), -XEN_EINVAL);
	bv.port = 99;
	assert_int_equal(call(d0, EVTCHNOP_bind_vcpu, &bv), -XEN_EINVAL);
}

static void test_full(void **state)
{
	struct evtchn_bind_ipi b = {.vcpu = 0};
	u32 i;

	/* d1: its own limit; d0: that of the 2-level ABI. */
	for (i = 1; i <= 1023; i++)
		assert_int_equal(ipi(d1, 0), i);
	assert_int_equal(call(d1, EVTCHNOP_bind_ipi, &b), -XEN_ENOSPC);
	assert_int_equal(call(d1, EVTCHNOP_bind_ipi, &b), -XEN_ENOSPC);
	assert_int_equal(close_port(d1, 700), 0);
	assert_int_equal(close_port(d1, 3), 0);
	assert_int_equal(ipi(d1, 1), 3);
	assert_int_equal(ipi(d1, 1), 700);
	assert_int_equal(call(d1, EVTCHNOP_bind_ipi, &b), -XEN_ENOSPC);
	for (i = 1; i <= 4095; i++)
		assert_int_equal(ipi(d0, 0), i);
	assert_int_equal(call(d0, EVTCHNOP_bind_ipi, &b), -XEN_ENOSPC);
}

static void test_odd_limits(void **state)
{
	struct domain *d = peer_make(7, 1, false);
	struct evtchn_bind_ipi b = {.vcpu = 0};

	assert_int_equal(evtchn_init_domain(d, 130), 0);
	for (u32 i = 1; i <= 130; i++)
		assert_int_equal(ipi(d, 0), i);
	assert_int_equal(call(d, EVTCHNOP_bind_ipi, &b), -XEN_ENOSPC);
	peer_kill(d);
	d = peer_make(7, 1, false);
	assert_int_equal(evtchn_init_domain(d, 0), 0);
	assert_int_equal(call(d, EVTCHNOP_bind_ipi, &b), -XEN_ENOSPC);
	peer_kill(d);
}

static void test_reset(void **state)
{
	struct evtchn_reset r = {.dom = DOMID_SELF};
	struct evtchn_bind_pirq bp = {.pirq = 1};
	u32 a = unbound(d1, DOMID_SELF, 0), b, p;

	assert_int_equal(bind(d0, 1, a, &b), 0);
	assert_int_equal(call(d0, EVTCHNOP_bind_pirq, &bp), 0);
	assert_int_equal(virq(d0, VIRQ_TIMER, 0, &p), 0);
	for (unsigned int i = 0; i < 2000; i++)
		ipi(d0, 1);
	/* It takes more than one execution. */
	assert_int_equal(do_event_channel_op(EVTCHNOP_reset, (unsigned long)&r, 0, 0, 0),
			 CALL_RESTART);
	assert_int_equal(call(d0, EVTCHNOP_reset, &r), 0);
	assert_int_equal(d0->ev.nr_active, 0);
	assert_int_equal(fake_pirq_port[1], 0);
	assert_int_equal(status_of(d1, a), EVTCHNSTAT_unbound);
	assert_int_equal(ipi(d0, 0), 1);
	assert_int_equal(virq(d0, VIRQ_TIMER, 0, &p), 0);
	r.dom = 0;
	assert_int_equal(call(d1, EVTCHNOP_reset, &r), -XEN_EPERM);
	r.dom = 1;
	assert_int_equal(call(d0, EVTCHNOP_reset, &r), 0);
	assert_int_equal(d1->ev.nr_active, 0);
	r.dom = 9;
	assert_int_equal(call(d0, EVTCHNOP_reset, &r), -XEN_ESRCH);
}

static void test_death(void **state)
{
	struct evtchn_alloc_unbound au = {.dom = 1, .remote_dom = 0};
	u32 a = unbound(d1, DOMID_SELF, 0), b, p;
	struct domain *d = domain_get(1);

	assert_int_equal(bind(d0, 1, a, &b), 0);
	assert_int_equal(virq(d1, VIRQ_TIMER, 1, &p), 0);
	evtchn_destroy_domain(d1);
	/* A corpse answers, and takes nothing. */
	assert_int_equal(status_of(d0, b), EVTCHNSTAT_unbound);
	assert_int_equal(send(d0, b), 0);
	assert_int_equal(call(d0, EVTCHNOP_alloc_unbound, &au), -XEN_ESRCH);
	assert_int_equal(bind(d0, 1, a, &p), -XEN_EINVAL);
	send_vcpu_virq(d1->vcpu[1], VIRQ_TIMER);
	assert_int_equal(evtchn_port_poll(d1, a), -XEN_EINVAL);
	evtchn_dump(d1);
	evtchn_dump(d0);
	peer_kill(d1);
	domain_put(d);
	d1 = NULL;
	assert_int_equal(close_port(d0, b), 0);
}

static void test_moved(void **state)
{
	struct vcpu *v = d0->vcpu[1];

	v->info = &v->dummy_info;
	evtchn_vcpu_info_moved(v);
	assert_int_equal(v->info->evtchn_upcall_pending, 1);
	assert_true(v->info->evtchn_pending_sel == ~0UL);
	assert_int_equal(fake_kicks, 1);
	assert_true(vcpu_event_deliverable(v));
	v->info->evtchn_upcall_mask = 1;
	assert_false(vcpu_event_deliverable(v));
}

/* Frames that the heap still has from failed attempts show up in teardown. */
static void test_no_memory(void **state)
{
	struct domain *d = peer_make(7, 1, false);
	struct evtchn_bind_ipi b = {.vcpu = 0};
	void *hold[9000];
	unsigned int n = 0;

	while (n < ARRAY_SIZE(hold) && (hold[n] = hv_alloc_pages(0)))
		n++;
	assert_int_equal(call(d0, EVTCHNOP_bind_ipi, &b), -XEN_ENOMEM);
	assert_int_equal(evtchn_init_domain(d, EVTCHN_MAX - 1), -XEN_ENOMEM);
	while (n)
		hv_free_pages(hold[--n], 0);
	peer_kill(d);
	assert_int_equal(call(d0, EVTCHNOP_bind_ipi, &b), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_interdomain), T(test_bind_errors), T(test_hypercall_errors),
		T(test_loopback),    T(test_mask),	  T(test_virq),
		T(test_pirq),	     T(test_bind_vcpu),	  T(test_full),
		T(test_odd_limits),  T(test_reset),	  T(test_death),
		T(test_moved),	     T(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
