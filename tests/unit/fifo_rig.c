/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "fifo_rig.h"

struct domain *d;
u32 *array[PAGES];
struct evtchn_fifo_control_block *control[VCPUS];
u32 head[VCPUS][EVTCHN_FIFO_MAX_QUEUES]; /* the guest's own copy of HEADs */

int setup(void **state)
{
	peer_setup(state);
	d = peer_make(0, VCPUS, true);
	assert_int_equal(evtchn_init_domain(d, EVTCHN_MAX - 1), 0);
	memset(array, 0, sizeof(array));
	memset(control, 0, sizeof(control));
	memset(head, 0, sizeof(head));
	act(d->vcpu[0]);
	return 0;
}

int teardown(void **state)
{
	peer_kill(d);
	return peer_teardown(state);
}

long call(unsigned int op, void *arg)
{
	return peer_call(do_event_channel_op, op, (unsigned long)arg, 0);
}

/* --- the guest, as Linux does it --- */

u32 *word(u32 port)
{
	return &array[port / 1024][port % 1024];
}

void init_control(unsigned int vcpu)
{
	struct frame *f = peer_frame(d);
	struct evtchn_init_control a = {.control_gfn = frame_to_mfn(f), .offset = 64, .vcpu = vcpu};

	control[vcpu] = (void *)((char *)frame_to_virt(f) + 64);
	memset(head[vcpu], 0, sizeof(head[vcpu]));
	assert_int_equal(call(EVTCHNOP_init_control, &a), 0);
	assert_int_equal(a.link_bits, EVTCHN_FIFO_LINK_BITS);
}

void expand(unsigned int page)
{
	struct frame *f = peer_frame(d);
	struct evtchn_expand_array a = {.array_gfn = frame_to_mfn(f)};

	array[page] = frame_to_virt(f);
	for (unsigned int i = 0; i < 1024; i++)
		array[page][i] = MASKED;
	assert_int_equal(call(EVTCHNOP_expand_array, &a), 0);
}

void unmask(u32 port)
{
	struct evtchn_unmask u = {.port = port};
	u32 w = atomic_load(word(port));

	for (;;) {
		if (!(w & MASKED))
			return;
		if (w & PENDING) {
			assert_int_equal(evtchn_op_unmask(d, u.port), 0);
			return;
		}
		w &= ~BUSY;
		if (atomic_cmpxchg(word(port), &w, w & ~MASKED))
			return;
	}
}

/* The next port of queue q, or 0; *more: the queue goes on. */
u32 consume_one(unsigned int vcpu, unsigned int q, bool *more)
{
	u32 port = head[vcpu][q], w, bits;

	if (!port)
		port = atomic_load(&control[vcpu]->head[q]);
	w = atomic_load(word(port));
	while (!atomic_cmpxchg(word(port), &w, w & ~(LINKED | LINK)))
		continue;
	head[vcpu][q] = w & LINK;
	*more = head[vcpu][q] != 0;
	bits = atomic_load(word(port));
	if (!(bits & PENDING) || (bits & MASKED))
		return 0;
	(void)atomic_and(word(port), ~PENDING);
	return port;
}

/* One upcall: ports in the order in which they are handled. */
unsigned int upcall(unsigned int vcpu, u32 *ports, unsigned int max)
{
	unsigned long ready;
	unsigned int n = 0;

	(void)atomic_xchg(&d->vcpu[vcpu]->info->evtchn_upcall_pending, (u8)0);
	ready = atomic_xchg(&control[vcpu]->ready, 0u);
	while (ready) {
		unsigned int q = ffs_long(ready);
		bool more;
		u32 port = consume_one(vcpu, q, &more);

		if (!more)
			ready &= ~(1UL << q);
		if (port && n < max)
			ports[n] = port;
		n += port != 0;
		ready |= atomic_xchg(&control[vcpu]->ready, 0u);
	}
	return n;
}

u32 ipi(unsigned int vcpu)
{
	struct evtchn_bind_ipi b = {.vcpu = vcpu};

	assert_int_equal(call(EVTCHNOP_bind_ipi, &b), 0);
	return b.port;
}

u32 open_ipi(unsigned int vcpu)
{
	u32 port = ipi(vcpu);

	unmask(port);
	return port;
}

void send(u32 port)
{
	assert_int_equal(evtchn_op_send(d, port), 0);
}

long set_priority(u32 port, u32 prio)
{
	struct evtchn_set_priority p = {.port = port, .priority = prio};

	return call(EVTCHNOP_set_priority, &p);
}

void start(void)
{
	for (unsigned int i = 0; i < VCPUS; i++)
		init_control(i);
	expand(0);
}
