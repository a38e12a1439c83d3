/* SPDX-License-Identifier: MIT */
/* Event channels with the 2-level ABI: who was called how often; fifo.c brings its own dispatch. */
#include "hypercall.h"
#include "events.h"

volatile u64 port_count[1024];
volatile u32 port_cpu[1024];
void (*other_dispatch)(struct cpu *c);

static void dispatch_word(struct cpu *c, unsigned int w)
{
	u64 bits;

	while ((bits = ACCESS_ONCE(shared.evtchn_pending[w]) &
		       ~ACCESS_ONCE(shared.evtchn_mask[w]))) {
		unsigned int port = w * 64 + (unsigned int)__builtin_ctzl(bits);

		port_clear(port);
		if (port < ARRAY_SIZE(port_count)) {
			port_cpu[port] = c->id;
			__sync_fetch_and_add(&port_count[port], 1);
		}
	}
}

void event_dispatch(struct cpu *c)
{
	struct vcpu_info *info = vcpu_info(c->id);

	c->nr_events++;
	if (other_dispatch) {
		other_dispatch(c);
		return;
	}
	do {
		u64 sel;

		info->evtchn_upcall_pending = 0;
		mb();
		sel = __sync_lock_test_and_set(&info->evtchn_pending_sel, 0);
		while (sel) {
			unsigned int w = (unsigned int)__builtin_ctzl(sel);

			sel &= sel - 1;
			dispatch_word(c, w);
		}
	} while (ACCESS_ONCE(info->evtchn_upcall_pending));
}

/* A PV guest is not told which domain it is; a channel to itself knows. */
domid_t own_domid(void)
{
	domid_t self = DOMID_INVALID;
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_status s = {.dom = DOMID_SELF};
	struct evtchn_close c;

	if (evtchn_op(EVTCHNOP_alloc_unbound, &a))
		return self;
	s.port = a.port;
	if (!evtchn_op(EVTCHNOP_status, &s))
		self = s.u.unbound.dom;
	c.port = a.port;
	evtchn_op(EVTCHNOP_close, &c);
	return self;
}

void upcall_mask(bool on)
{
	struct vcpu_info *info = this_info();

	ACCESS_ONCE(info->evtchn_upcall_mask) = on;
	barrier();
	if (!on && ACCESS_ONCE(info->evtchn_upcall_pending))
		xen_version(XENVER_version, NULL);
}

void port_mask(unsigned int port)
{
	__sync_fetch_and_or(&shared.evtchn_mask[port / 64], 1UL << (port % 64));
}

void port_unmask(unsigned int port)
{
	struct evtchn_unmask u = {.port = port};

	evtchn_op(EVTCHNOP_unmask, &u);
}

bool port_pending(unsigned int port)
{
	return ACCESS_ONCE(shared.evtchn_pending[port / 64]) >> (port % 64) & 1;
}

void port_clear(unsigned int port)
{
	__sync_fetch_and_and(&shared.evtchn_pending[port / 64], ~(1UL << (port % 64)));
}

bool wait_count(volatile u64 *n, u64 at_least, u64 ns)
{
	u64 end = now_ns() + ns;

	upcall_mask(false);
	while (*n < at_least && now_ns() < end)
		cpu_relax();
	upcall_mask(true);
	return *n >= at_least;
}
