/* SPDX-License-Identifier: MIT */
/*
 * Rows of the bench: events between two. Two domains on one CPU, which so have to take turns; and two vcpus
 * of one domain on two CPUs, where the emulator's plugin counts what the hypervisor does on both. The
 * loops that wait say so to the emulator by PAUSE: it then goes on with the other CPU.
 */
#include "hypercall.h"
#include "bench.h"
#include "child.h"

#define SETTLE 20 /* turns of the emulator in which the other side comes to rest */

/* --- two domains --- */

static struct child other;
static struct evtchn_send there;

/* In the child: arg 0 is dom0's port, 1 says that we are ready, 2 that it is enough. */
static void answer(void)
{
	struct evtchn_bind_interdomain b = {.remote_port = (u32)me->arg[0]};
	struct evtchn_send back;

	REQUIRE_OK(evtchn_op(EVTCHNOP_bind_interdomain, &b));
	back.port = b.local_port;
	port_mask(back.port);
	port_clear(back.port); /* binding has set it */
	me->arg[1] = 1;
	while (!me->arg[2]) {
		bench_wait_port(back.port);
		evtchn_op(EVTCHNOP_send, &back);
	}
}

static void op_turn(void)
{
	evtchn_op(EVTCHNOP_send, &there);
	bench_wait_port(there.port);
}

static bool turn_before(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF};

	if (!is_dom0() || !child_make(&other, answer))
		return false;
	a.remote_dom = other.id;
	if (evtchn_op(EVTCHNOP_alloc_unbound, &a))
		return false;
	there.port = a.port;
	port_mask(there.port);
	other.page->arg[0] = a.port;
	if (child_unpause(&other))
		return false;
	while (!other.page->arg[1] && !other.page->done)
		sched_op(SCHEDOP_yield, NULL);
	port_clear(there.port);
	return !other.page->done;
}

static void turn_after(void)
{
	struct evtchn_close c = {.port = there.port};

	other.page->arg[2] = 1;
	op_turn();
	child_wait(&other);
	evtchn_op(EVTCHNOP_close, &c);
	child_end(&other);
}

const struct bench_row bench_turn_rows[] = {
	{.name = "event to another domain and back, one CPU",
	 .op = op_turn,
	 .before = turn_before,
	 .after = turn_after},
	{.name = NULL},
};

/* --- two CPUs --- */

static u32 received;
static volatile bool stop;

static void run_on(void *arg)
{
	upcall_mask(false);
	while (!stop)
		cpu_relax();
	upcall_mask(true);
}

static void sleep_on(void *arg)
{
	while (!stop) {
		upcall_mask(true);
		sched_op(SCHEDOP_block, NULL);
	}
	upcall_mask(true);
}

static void op_send(void)
{
	u64 before = port_count[received];

	evtchn_op(EVTCHNOP_send, &there);
	while (port_count[received] == before)
		cpu_relax();
	for (unsigned int i = 0; i < SETTLE; i++)
		cpu_relax();
}

static bool receiver(void (*fn)(void *))
{
	struct evtchn_bind_vcpu b = {.vcpu = 1};

	if (nr_vcpus() < 2 || !bench_pair(&there.port, &received) || cpu_pin(0, 0) || cpu_pin(1, 1))
		return false;
	b.port = received;
	if (evtchn_op(EVTCHNOP_bind_vcpu, &b) || cpu_up(1))
		return false;
	port_unmask(received);
	stop = false;
	cpu_run(1, fn, NULL);
	return true;
}

static bool running_before(void)
{
	return receiver(run_on);
}

static bool idle_before(void)
{
	return receiver(sleep_on);
}

static void receiver_after(void)
{
	stop = true;
	evtchn_op(EVTCHNOP_send, &there);
	cpu_wait(1);
	port_mask(received);
	cpu_down(1);
}

const struct bench_row bench_two_rows[] = {
	{.name = "event to a running vcpu, handled",
	 .op = op_send,
	 .before = running_before,
	 .after = receiver_after},
	{.name = "event to an idle vcpu, handled, idle again",
	 .op = op_send,
	 .before = idle_before,
	 .after = receiver_after},
	{.name = NULL},
};
