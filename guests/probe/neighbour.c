/* SPDX-License-Identifier: MIT */
/*
 * A bad neighbour: a guest that does for ever what could hurt the others, a word of the command line
 * each. Like the words of load.c they run in the first mapping and want 4 MiB.
 */
#include "hypercall.h"
#include "topics.h"
#include <xen/io/xs_wire.h>

#define MANY_NODES 5000
#define VALUE	   1024

static void say(const char *word)
{
	printf("probe: %s\n", word);
}

/* --- flood-console --- */

/* The ring to the console's daemon, and the hypervisor's own console. */
static void flood_console(void)
{
	static char line[] = "flood-console: 0123456789abcdefghijklmnopqrstuvwxyz\n";

	for (;;) {
		printf("%s", line);
		console_io(CONSOLEIO_write, sizeof(line) - 1, line);
	}
}

/* --- flood-events --- */

/* All ports that there are, and never a pause in the two that dom0's daemons listen to. */
static void flood_events(void)
{
	struct evtchn_send console = {.port = start_copy.console.domU.evtchn};
	struct evtchn_send store = {.port = start_copy.store_evtchn};
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = 0};

	while (!evtchn_op(EVTCHNOP_alloc_unbound, &a))
		a.port = 0;
	for (;;) {
		evtchn_op(EVTCHNOP_send, &console);
		evtchn_op(EVTCHNOP_send, &store);
	}
}

/* --- flood-xenstore --- */

static struct xenstore_domain_interface *store;

static void store_kick(void)
{
	struct evtchn_send send = {.port = start_copy.store_evtchn};

	evtchn_op(EVTCHNOP_send, &send);
}

static void store_write(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		while (ACCESS_ONCE(store->req_prod) - ACCESS_ONCE(store->req_cons) >=
		       XENSTORE_RING_SIZE) {
			store_kick();
			sched_op(SCHEDOP_yield, NULL);
		}
		store->req[MASK_XENSTORE_IDX(store->req_prod)] = s[i];
		barrier();
		store->req_prod++;
	}
}

static void store_read(void *to, size_t n)
{
	char *d = to;

	for (size_t i = 0; i < n; i++) {
		while (ACCESS_ONCE(store->rsp_prod) == ACCESS_ONCE(store->rsp_cons))
			sched_op(SCHEDOP_yield, NULL);
		if (d)
			d[i] = store->rsp[MASK_XENSTORE_IDX(store->rsp_cons)];
		barrier();
		store->rsp_cons++;
	}
}

/* One request and its answer, which nobody reads. */
static void request(u32 type, const char *body, size_t n)
{
	struct xsd_sockmsg h = {.type = type, .len = (u32)n};

	store_write((char *)&h, sizeof(h));
	store_write(body, n);
	store_kick();
	do {
		store_read(&h, sizeof(h));
		store_read(NULL, h.len);
	} while (h.type == XS_WATCH_EVENT);
	store_kick();
}

static size_t __printf(3, 4) print(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return (size_t)n;
}

/* Nodes, watches and transactions until the quotas refuse them, and then on. */
static void flood_xenstore(void)
{
	static char body[64 + VALUE];

	store = (void *)(VIRT_BASE + (mfn_pfn(start_copy.store_mfn) << 12));
	for (unsigned int i = 0;; i = (i + 1) % MANY_NODES) {
		size_t n = print(body, 64, "data/%u", i) + 1;

		memset(body + n, 'x', VALUE);
		request(XS_WRITE, body, n + VALUE);
		memcpy(body + n, body, n);
		request(XS_WATCH, body, 2 * n);
		request(XS_TRANSACTION_START, "", 1);
	}
}

/* --- eat-memory --- */

static unsigned long eat(unsigned int op)
{
	static xen_pfn_t frame;
	struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
	unsigned long n = 0;

	do {
		set_xen_guest_handle(r.extent_start, &frame);
		frame = 0x100000 + n;
	} while (memory_op(op, &r) == 1 && ++n < 1UL << 20);
	return n;
}

/* What the tools allow it, and what the hypervisor keeps for it: frames, ports, grant frames. */
static void eat_memory(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct gnttab_setup_table t = {.dom = DOMID_SELF, .nr_frames = 0};
	unsigned long pages = eat(XENMEM_increase_reservation) + eat(XENMEM_populate_physmap),
		      ports = 0;

	while (!evtchn_op(EVTCHNOP_alloc_unbound, &a))
		ports++;
	while (!grant_op(GNTTABOP_setup_table, &t, 1) && !t.status)
		t.nr_frames++;
	printf("probe: eat-memory: %lu pages more, %lu ports\n", pages, ports);
	for (;;) {
		eat(XENMEM_increase_reservation);
		eat(XENMEM_populate_physmap);
		evtchn_op(EVTCHNOP_alloc_unbound, &a);
	}
}

/* --- masked-spin --- */

/* Never takes an event, so it does not obey xl shutdown either. */
static void masked_spin(void)
{
	vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	upcall_mask(true);
	for (;;)
		barrier();
}

void neighbour(void)
{
	static const struct {
		const char *word;
		void (*fn)(void);
	} words[] = {
		{"flood-console", flood_console},   {"flood-events", flood_events},
		{"flood-xenstore", flood_xenstore}, {"eat-memory", eat_memory},
		{"masked-spin", masked_spin},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		if (option(words[i].word)) {
			say(words[i].word);
			words[i].fn();
		}
}
