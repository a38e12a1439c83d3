/* SPDX-License-Identifier: MIT */
/* Event channels with the FIFO ABI; EVTCHNOP_reset leads back to the 2-level one. */
#include "hypercall.h"
#include "events.h"
#include "topics.h"

static struct evtchn_fifo_control_block *control;
static u32 *words;
static u32 order[64];
static unsigned int nr_order;
static u32 head[16];

static u32 clear_linked(volatile u32 *w)
{
	u32 old, new;

	do {
		old = *w;
		new = old & ~((1u << EVTCHN_FIFO_LINKED) | EVTCHN_FIFO_LINK_MASK);
	} while (!__sync_bool_compare_and_swap(w, old, new));
	return old & EVTCHN_FIFO_LINK_MASK;
}

static void consume(unsigned int q, struct cpu *c)
{
	if (!head[q])
		head[q] = ACCESS_ONCE(control->head[q]);
	while (head[q]) {
		u32 port = head[q];
		volatile u32 *w = &words[port];

		head[q] = clear_linked(w);
		if (!(*w & 1u << EVTCHN_FIFO_MASKED) &&
		    (__sync_fetch_and_and(w, ~(1u << EVTCHN_FIFO_PENDING)) &
		     1u << EVTCHN_FIFO_PENDING)) {
			if (nr_order < ARRAY_SIZE(order))
				order[nr_order++] = port;
			__sync_fetch_and_add(&port_count[port], 1);
			port_cpu[port] = c->id;
		}
	}
}

static void fifo_dispatch(struct cpu *c)
{
	u32 ready;

	vcpu_info(c->id)->evtchn_upcall_pending = 0;
	mb();
	ready = __sync_lock_test_and_set(&control->ready, 0);
	while (ready) {
		unsigned int q = (unsigned int)__builtin_ctz(ready);

		consume(q, c);
		ready &= ~(1u << q);
		ready |= __sync_lock_test_and_set(&control->ready, 0);
	}
}

static long init_control(u64 mfn, u32 offset, u32 vcpu)
{
	struct evtchn_init_control i = {.control_gfn = mfn, .offset = offset, .vcpu = vcpu};

	return evtchn_op(EVTCHNOP_init_control, &i);
}

static long expand(u64 mfn)
{
	struct evtchn_expand_array e = {.array_gfn = mfn};

	return evtchn_op(EVTCHNOP_expand_array, &e);
}

static long priority(u32 port, u32 prio)
{
	struct evtchn_set_priority s = {.port = port, .priority = prio};

	return evtchn_op(EVTCHNOP_set_priority, &s);
}

static long send(u32 port)
{
	struct evtchn_send s = {.port = port};

	return evtchn_op(EVTCHNOP_send, &s);
}

static bool fifo_on(void)
{
	control = page_alloc();
	words = page_alloc();
	if (!control || !words || !console_hold() || init_control(va_mfn(control), 0, 0))
		return false;
	nr_order = 0;
	memset(head, 0, sizeof(head));
	other_dispatch = fifo_dispatch;
	return !expand(va_mfn(words));
}

static void fifo_off(void)
{
	struct evtchn_reset r = {.dom = DOMID_SELF};
	long rc;

	upcall_mask(true);
	do
		rc = evtchn_op(EVTCHNOP_reset, &r);
	while (rc == -85);
	other_dispatch = NULL;
	this_info()->evtchn_upcall_pending = 0;
	console_release();
	CHECK_OK(rc);
	page_free(control);
	page_free(words);
}

static u32 new_port(void)
{
	struct evtchn_bind_ipi i = {.vcpu = 0};

	if (evtchn_op(EVTCHNOP_bind_ipi, &i))
		return 0;
	port_count[i.port] = 0;
	return i.port;
}

static void unmask(u32 port)
{
	struct evtchn_unmask u = {.port = port};

	evtchn_op(EVTCHNOP_unmask, &u);
}

static void delivery(void)
{
	u32 p;

	REQUIRE(fifo_on());
	p = new_port();
	CHECK(p);
	__sync_fetch_and_or(&words[p], 1u << EVTCHN_FIFO_MASKED);
	CHECK_OK(send(p));
	CHECK(words[p] & 1u << EVTCHN_FIFO_PENDING);
	CHECK(!(words[p] & 1u << EVTCHN_FIFO_LINKED));
	unmask(p);
	CHECK(words[p] & 1u << EVTCHN_FIFO_LINKED);
	CHECK_EQ(control->head[7], p);
	CHECK(control->ready & 1u << 7);
	upcall_mask(false);
	CHECK_EQ(port_count[p], 1);
	CHECK_OK(send(p));
	CHECK_EQ(port_count[p], 2);
	fifo_off();
}

static void fifo_order(void)
{
	u32 p[8];

	REQUIRE(fifo_on());
	for (unsigned int i = 0; i < 8; i++) {
		p[i] = new_port();
		unmask(p[i]);
		CHECK_OK(priority(p[i], i == 5 ? 0 : i == 2 ? 15 : 7));
	}
	for (unsigned int i = 0; i < 8; i++)
		CHECK_OK(send(p[7 - i]));
	upcall_mask(false);
	CHECK_EQ(nr_order, 8);
	CHECK_EQ(order[0], p[5]);
	CHECK_EQ(order[1], p[7]);
	CHECK_EQ(order[2], p[6]);
	CHECK_EQ(order[7], p[2]);
	fifo_off();
}

static void many(void)
{
	u32 p = 0;

	REQUIRE(fifo_on());
	for (unsigned int i = 0; i < 500; i++) {
		p = new_port();
		unmask(p);
		send(p);
	}
	upcall_mask(false);
	for (u32 q = p - 499; q <= p; q++)
		if (!CHECK_EQ(port_count[q], 1))
			break;
	fifo_off();
}

/* The guest scribbles over its own pages: nothing but its own events suffers. */
static void scribble(void)
{
	u32 p[4];

	REQUIRE(fifo_on());
	for (unsigned int i = 0; i < 4; i++) {
		p[i] = new_port();
		unmask(p[i]);
	}
	for (u32 seed = 1; seed < 2000; seed++) {
		for (unsigned int i = 0; i < 1024; i += 7)
			words[i] = seed * 2654435761u * (i + 1);
		for (unsigned int i = 0; i < 16; i++)
			control->head[i] = seed * 40503u * (i + 3);
		for (unsigned int i = 0; i < 4; i++)
			send(p[i]);
	}
	memset(words, 0, PAGE_SIZE);
	memset(control, 0, sizeof(*control));
	fifo_off();
}

static void arguments(void)
{
	u64 *page = page_alloc();

	REQUIRE(page);
	CHECK_REFUSED(init_control(va_mfn(page), 4, 0));
	CHECK_REFUSED(init_control(va_mfn(page), 4096 - 64, 0));
	CHECK_REFUSED(init_control(va_mfn(page), 0xfffffff8, 0));
	CHECK_REFUSED(init_control(va_mfn(page), 0, 9999));
	CHECK_REFUSED(init_control(0xffffffffff, 0, 0));
	CHECK_REFUSED(init_control(root_mfn(), 0, 0));
	CHECK_REFUSED(expand(va_mfn(page)));
	REQUIRE(fifo_on());
	CHECK_REFUSED(init_control(va_mfn(page), 0, 0));
	CHECK_REFUSED(expand(root_mfn()));
	CHECK_REFUSED(expand(0xffffffffff));
	CHECK_REFUSED(priority(1, 16));
	CHECK_REFUSED(priority(0xffffffff, 1));
	CHECK_REFUSED(priority(200000, 1));
	fifo_off();
	page_free(page);
}

/* The pages are the hypervisor's to write: they must not become tables meanwhile. */
static void pages_are_writable(void)
{
	REQUIRE(fifo_on());
	REQUIRE_OK(page_ro(words));
	REQUIRE_OK(page_ro(control));
	CHECK_REFUSED(pin(1, va_mfn(words)));
	CHECK_REFUSED(pin(1, va_mfn(control)));
	fifo_off();
}

static void grow(void)
{
	static void *pages[8];
	u32 last = 0;

	REQUIRE(fifo_on());
	for (unsigned int i = 0; i < 8; i++) {
		pages[i] = page_alloc();
		REQUIRE(pages[i]);
		CHECK_OK(expand(va_mfn(pages[i])));
	}
	for (u32 i = 0, p = 1; i < 2000 && p; i++) {
		p = new_port();
		last = p ?: last;
	}
	if (last < 1024) {
		/* The tools may set a limit to a domain, and that is their usual one. */
		CHECK_EQ(last, is_dom0() ? 0 : 1023);
		outcome_set(SKIP, __FILE__, __LINE__, "the domain may not have more ports");
	} else {
		u32 *w = (u32 *)pages[last / 1024 - 1] + last % 1024;

		CHECK_OK(send(last));
		CHECK(*w & 1u << EVTCHN_FIFO_PENDING);
	}
	fifo_off();
	for (unsigned int i = 0; i < 8; i++)
		page_free(pages[i]);
}

const struct test fifo_tests[] = {
	{"delivery", delivery},	  {"order", fifo_order},
	{"many", many},		  {"scribble", scribble},
	{"arguments", arguments}, {"pages", pages_are_writable},
	{"grow", grow},		  {NULL, NULL},
};
