/* SPDX-License-Identifier: MIT */
/* Event channels with the 2-level ABI. */
#include "hypercall.h"
#include "topics.h"

#define BAD_DOMAIN 0x1234

static long send(unsigned int port)
{
	struct evtchn_send s = {.port = port};

	return evtchn_op(EVTCHNOP_send, &s);
}

static long close(unsigned int port)
{
	struct evtchn_close c = {.port = port};

	return evtchn_op(EVTCHNOP_close, &c);
}

static long status(unsigned int port, struct evtchn_status *s)
{
	*s = (struct evtchn_status){.dom = DOMID_SELF, .port = port};
	return evtchn_op(EVTCHNOP_status, s);
}

static long unbound(unsigned int remote, evtchn_port_t *port)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = (domid_t)remote};
	long rc = evtchn_op(EVTCHNOP_alloc_unbound, &a);

	*port = a.port;
	return rc;
}

static long bind(unsigned int dom, unsigned int remote, evtchn_port_t *port)
{
	struct evtchn_bind_interdomain b = {.remote_dom = (domid_t)dom, .remote_port = remote};
	long rc = evtchn_op(EVTCHNOP_bind_interdomain, &b);

	*port = b.local_port;
	return rc;
}

static bool pair(evtchn_port_t *a, evtchn_port_t *b)
{
	if (unbound(DOMID_SELF, a) || bind(DOMID_SELF, *a, b))
		return false;
	port_mask(*a);
	port_mask(*b);
	return true;
}

static void pairs(void)
{
	struct evtchn_status s;
	evtchn_port_t a, b, c;

	REQUIRE(!unbound(DOMID_SELF, &a));
	CHECK(a > 0);
	REQUIRE_OK(status(a, &s));
	CHECK_EQ(s.status, EVTCHNSTAT_unbound);
	/* Sending to nobody is not an error, and sets nothing. */
	CHECK_OK(send(a));
	REQUIRE_OK(bind(DOMID_SELF, a, &b));
	CHECK(b != a);
	/* What was sent to the unbound end may have been for us. */
	CHECK(port_pending(b));
	CHECK_REFUSED(bind(DOMID_SELF, a, &c));
	REQUIRE_OK(status(b, &s));
	CHECK_EQ(s.status, EVTCHNSTAT_interdomain);
	CHECK_EQ(s.u.interdomain.port, a);
	port_mask(a);
	port_mask(b);
	port_clear(a);
	port_clear(b);
	CHECK_OK(send(a));
	CHECK(port_pending(b));
	CHECK(!port_pending(a));
	CHECK_OK(send(b));
	CHECK(port_pending(a));
	CHECK_OK(close(b));
	REQUIRE_OK(status(a, &s));
	CHECK_EQ(s.status, EVTCHNSTAT_unbound);
	CHECK_RC(close(b), -XEN_EINVAL);
	CHECK_OK(close(a));
	REQUIRE_OK(status(a, &s));
	CHECK_EQ(s.status, EVTCHNSTAT_closed);
	port_clear(a);
	port_clear(b);
}

static void bad_arguments(void)
{
	struct evtchn_alloc_unbound u = {.dom = BAD_DOMAIN, .remote_dom = DOMID_SELF};
	struct evtchn_bind_virq v = {.virq = VIRQ_DEBUG};
	struct evtchn_bind_ipi i = {.vcpu = 9999};
	struct evtchn_unmask m = {.port = 0xffffffff};
	struct evtchn_bind_vcpu bv = {.port = 5000, .vcpu = 0};
	struct evtchn_status s;
	evtchn_port_t p;
	static const u32 ports[] = {0, 4095, 4096, 131072, 0x7fffffff, 0xffffffff};

	CHECK_REFUSED(evtchn_op(EVTCHNOP_alloc_unbound, &u));
	CHECK_REFUSED(bind(BAD_DOMAIN, 1, &p));
	CHECK_REFUSED(bind(DOMID_SELF, 0xffffffff, &p));
	for (unsigned int k = 0; k < ARRAY_SIZE(ports); k++) {
		CHECK_REFUSED(send(ports[k]));
		CHECK_REFUSED(close(ports[k]));
		CHECK_REFUSED(bind(DOMID_SELF, ports[k], &p));
	}
	CHECK_REFUSED(status(0xffffffff, &s));
	CHECK_RC(evtchn_op(EVTCHNOP_unmask, &m), -XEN_EINVAL);
	CHECK_REFUSED(evtchn_op(EVTCHNOP_bind_vcpu, &bv));
	CHECK_RC(evtchn_op(EVTCHNOP_bind_ipi, &i), -XEN_ENOENT);
	v.vcpu = 9999;
	CHECK_RC(evtchn_op(EVTCHNOP_bind_virq, &v), -XEN_ENOENT);
	v.vcpu = 0;
	v.virq = NR_VIRQS;
	CHECK_RC(evtchn_op(EVTCHNOP_bind_virq, &v), -XEN_EINVAL);
	v.virq = 0xffffffff;
	CHECK_RC(evtchn_op(EVTCHNOP_bind_virq, &v), -XEN_EINVAL);
	if (nr_vcpus() > 1) {
		v.virq = VIRQ_DOM_EXC;
		v.vcpu = 1;
		CHECK_RC(evtchn_op(EVTCHNOP_bind_virq, &v), -XEN_EINVAL);
	}
}

static void masking(void)
{
	evtchn_port_t a, b;
	u64 events;

	REQUIRE(pair(&a, &b));
	upcall_mask(false);
	upcall_mask(true);
	events = this_cpu()->nr_events;
	port_count[b] = 0;
	/* Masked: pending, and no upcall even when upcalls are open. */
	CHECK_OK(send(a));
	upcall_mask(false);
	upcall_mask(true);
	CHECK(port_pending(b));
	CHECK_EQ(port_count[b], 0);
	CHECK_EQ(this_cpu()->nr_events, events);
	/* Unmasked with the upcall mask on: waits. */
	port_unmask(b);
	CHECK_EQ(this_info()->evtchn_upcall_pending, 1);
	CHECK(this_info()->evtchn_pending_sel >> (b / 64) & 1);
	CHECK_EQ(port_count[b], 0);
	upcall_mask(false);
	CHECK_EQ(port_count[b], 1);
	/* Unmasked and open: at once, on the way out of the hypercall. */
	CHECK_OK(send(a));
	CHECK_EQ(port_count[b], 2);
	port_mask(b);
	CHECK_OK(send(a));
	CHECK_EQ(port_count[b], 2);
	port_unmask(b);
	CHECK_EQ(port_count[b], 3);
	upcall_mask(true);
	CHECK_OK(close(a));
	CHECK_OK(close(b));
}

/* A port that was pending when it was closed is not so when it is used again. */
static void close_clears(void)
{
	evtchn_port_t a, b;

	REQUIRE(pair(&a, &b));
	CHECK_OK(send(a));
	CHECK(port_pending(b));
	CHECK_OK(close(b));
	CHECK(!port_pending(b));
	CHECK_OK(close(a));
}

static void virq(void)
{
	struct evtchn_bind_virq v = {.virq = VIRQ_DEBUG};
	struct evtchn_bind_vcpu bv = {.vcpu = 0};
	struct evtchn_status s;

	REQUIRE_OK(evtchn_op(EVTCHNOP_bind_virq, &v));
	CHECK_RC(evtchn_op(EVTCHNOP_bind_virq, &v), -XEN_EEXIST);
	REQUIRE_OK(status(v.port, &s));
	CHECK_EQ(s.status, EVTCHNSTAT_virq);
	CHECK_EQ(s.u.virq, VIRQ_DEBUG);
	CHECK_EQ(s.vcpu, 0);
	bv.port = v.port;
	CHECK_REFUSED(evtchn_op(EVTCHNOP_bind_vcpu, &bv));
	CHECK_REFUSED(send(v.port));
	CHECK_OK(close(v.port));
	CHECK_OK(evtchn_op(EVTCHNOP_bind_virq, &v));
	CHECK_OK(close(v.port));
}

static void ipi(void)
{
	struct evtchn_bind_ipi i = {.vcpu = 0};
	struct evtchn_status s;

	REQUIRE_OK(evtchn_op(EVTCHNOP_bind_ipi, &i));
	port_count[i.port] = 0;
	port_unmask(i.port);
	REQUIRE_OK(status(i.port, &s));
	CHECK_EQ(s.status, EVTCHNSTAT_ipi);
	CHECK_OK(send(i.port));
	CHECK_EQ(port_count[i.port], 0);
	upcall_mask(false);
	CHECK_EQ(port_count[i.port], 1);
	upcall_mask(true);
	port_mask(i.port);
	CHECK_OK(close(i.port));
}

static void poll(void)
{
	struct evtchn_bind_ipi i = {.vcpu = 0};
	static evtchn_port_t ports[200];
	struct sched_poll p = {.nr_ports = 1};
	u64 t;

	REQUIRE_OK(evtchn_op(EVTCHNOP_bind_ipi, &i));
	port_mask(i.port);
	ports[0] = i.port;
	set_xen_guest_handle(p.ports, ports);
	CHECK_OK(send(i.port));
	CHECK_OK(sched_op(SCHEDOP_poll, &p));
	port_clear(i.port);
	t = now_ns();
	p.timeout = t + 20000000;
	CHECK_OK(sched_op(SCHEDOP_poll, &p));
	CHECK(now_ns() >= t + 20000000);
	CHECK(now_ns() < t + 2000000000);
	p.timeout = 1;
	CHECK_OK(sched_op(SCHEDOP_poll, &p));
	p.nr_ports = 129;
	CHECK_RC(sched_op(SCHEDOP_poll, &p), -XEN_EINVAL);
	p.nr_ports = 0xffffffff;
	CHECK_RC(sched_op(SCHEDOP_poll, &p), -XEN_EINVAL);
	p.nr_ports = 1;
	ports[0] = 0xffffffff;
	CHECK_RC(sched_op(SCHEDOP_poll, &p), -XEN_EINVAL);
	p.nr_ports = 0;
	p.timeout = now_ns() + 1000000;
	CHECK_OK(sched_op(SCHEDOP_poll, &p));
	set_xen_guest_handle(p.ports, win(70));
	p.nr_ports = 1;
	CHECK_RC(sched_op(SCHEDOP_poll, &p), -XEN_EFAULT);
	CHECK_OK(close(i.port));
}

/* All ports there are, and all back. */
static void every_port(void)
{
	static u32 ports[5000];
	unsigned int n = 0;
	long rc = 0;

	while (n < ARRAY_SIZE(ports)) {
		evtchn_port_t p;

		rc = unbound(DOMID_SELF, &p);
		if (rc)
			break;
		ports[n++] = p;
	}
	CHECK_EQ(rc, -XEN_ENOSPC);
	CHECK(n > 900 && n < 4096);
	for (unsigned int i = 0; i < n; i++)
		CHECK_OK(close(ports[i]));
}

/* Sleeps until there is something; the mask is open afterwards. */
static void block(void)
{
	struct evtchn_bind_ipi i = {.vcpu = 0};

	REQUIRE_OK(evtchn_op(EVTCHNOP_bind_ipi, &i));
	port_unmask(i.port);
	port_count[i.port] = 0;
	CHECK_OK(send(i.port));
	CHECK_OK(sched_op(SCHEDOP_block, NULL));
	CHECK_EQ(this_info()->evtchn_upcall_mask, 0);
	CHECK_EQ(port_count[i.port], 1);
	upcall_mask(true);
	port_mask(i.port);
	CHECK_OK(close(i.port));
}

const struct test evtchn_tests[] = {
	{"pairs", pairs},     {"bad-arguments", bad_arguments},
	{"masking", masking}, {"close-clears", close_clears},
	{"virq", virq},	      {"ipi", ipi},
	{"poll", poll},	      {"every-port", every_port},
	{"block", block},     {NULL, NULL},
};
