/* SPDX-License-Identifier: MIT */
/*
 * Loads that keep time, for measuring the scheduler: "nap" mostly sleeps and tells how late it was woken,
 * "dodge" and "yield" run all the time but leave the processor just before each multiple of 10 ms.
 */
#include "hypercall.h"
#include "topics.h"

#define MS   1000000UL
#define NAPS 300

/* A port that nothing happens to. */
static u32 quiet_port(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};

	return evtchn_op(EVTCHNOP_alloc_unbound, &a) ? 0 : a.port;
}

static void sleep_until(u32 port, u64 at)
{
	struct sched_poll p = {.nr_ports = 1, .timeout = at};

	set_xen_guest_handle(p.ports, &port);
	while (now_ns() < at)
		sched_op(SCHEDOP_poll, &p);
}

static void sort(u64 *v, unsigned int n)
{
	for (unsigned int i = 1; i < n; i++)
		for (unsigned int k = i; k && v[k] < v[k - 1]; k--) {
			u64 t = v[k];

			v[k] = v[k - 1];
			v[k - 1] = t;
		}
}

static void nap(u32 port)
{
	static u64 late[NAPS];

	for (unsigned int i = 0; i < NAPS; i++) {
		/* Not in step with anybody. */
		u64 at = now_ns() + 10 * MS + i * 997 % 1000 * 5000;

		sleep_until(port, at);
		late[i] = now_ns() - at;
	}
	sort(late, NAPS);
	printf("probe: nap median %lu worst %lu ns\n", late[NAPS / 2], late[NAPS - 1]);
}

static void leave_before_each_10_ms(u32 port, bool yields)
{
	u64 now = now_ns();

	if (now % (10 * MS) < 9800000)
		return;
	if (yields)
		sched_op(SCHEDOP_yield, NULL);
	else
		sleep_until(port, now + MS / 10);
	while (now_ns() / (10 * MS) == now / (10 * MS))
		barrier();
}

void pace(void)
{
	bool naps = option("nap"), yields = option("yield");
	u32 port;

	if (!naps && !yields && !option("dodge"))
		return;
	mem_init();
	port = quiet_port();
	printf("probe: %s\n", naps ? "nap" : yields ? "yield" : "dodge");
	for (;;) {
		if (naps)
			nap(port);
		else
			leave_before_each_10_ms(port, yields);
	}
}
