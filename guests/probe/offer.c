/* SPDX-License-Identifier: MIT */
/* The offering side of peer.h. */
#include "hypercall.h"
#include "topics.h"
#include "peer.h"

#define TABLE_WIN 410
#define NOBODY	  0x1234

static grant_entry_v1_t *table;
static void *pages[REF_END];
static struct office *office;
static domid_t taker;

static void grant(unsigned int ref, u16 flags, domid_t whom)
{
	table[ref].domid = whom;
	table[ref].frame = (u32)(ref == REF_ROOT ? root_mfn() : va_mfn(pages[ref]));
	mb();
	table[ref].flags = GTF_permit_access | flags;
	office->frame[ref] = table[ref].frame;
}

static bool make_pages(void)
{
	static xen_pfn_t frame;
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 1};

	set_xen_guest_handle(s.frame_list, &frame);
	if (grant_op(GNTTABOP_setup_table, &s, 1) || s.status ||
	    win_map(TABLE_WIN, mk_pte(frame, PTE_KERNEL)))
		return false;
	table = win(TABLE_WIN);
	for (unsigned int i = REF_OFFICE; i < REF_END; i++) {
		pages[i] = page_alloc();
		if (!pages[i])
			return false;
		*(u64 *)pages[i] = PEER_MAGIC;
	}
	office = pages[REF_OFFICE];
	*(u64 *)pages[REF_TABLE] = 0;
	return !page_ro(pages[REF_TABLE]) && !pin(1, va_mfn(pages[REF_TABLE]));
}

static bool make_channels(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = taker};
	struct evtchn_alloc_unbound b = {.dom = DOMID_SELF, .remote_dom = NOBODY};

	if (evtchn_op(EVTCHNOP_alloc_unbound, &a) || evtchn_op(EVTCHNOP_alloc_unbound, &b))
		return false;
	office->port = a.port;
	office->others_port = b.port;
	port_count[a.port] = 0;
	return true;
}

static long try_pin(void *page)
{
	long rc;

	memset(page, 0, PAGE_SIZE);
	rc = page_ro(page);
	if (!rc)
		rc = pin(1, va_mfn(page));
	if (!rc)
		unpin(va_mfn(page));
	page_rw(page);
	*(u64 *)page = PEER_MAGIC;
	return rc;
}

static long give_away(void)
{
	xen_pfn_t x = va_mfn(pages[REF_GIVEN_AWAY]);
	struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

	page_set(pages[REF_GIVEN_AWAY], 0);
	set_xen_guest_handle(r.extent_start, &x);
	return memory_op(XENMEM_decrease_reservation, &r);
}

static void watch(void)
{
	u64 end = now_ns() + 120000000000UL;
	unsigned int used;

	do {
		used = 0;
		for (unsigned int i = REF_OFFICE; i < REF_END; i++)
			if (table[i].flags & (GTF_reading | GTF_writing))
				used = i;
		sched_op(SCHEDOP_yield, NULL);
	} while (used && now_ns() < end);
	printf("probe: offer: %s\n", used ? "a page is still mapped" : "all pages are back");
}

static s64 carry_out(enum order o, u64 arg)
{
	struct evtchn_send send = {.port = office->port};
	struct evtchn_close close = {.port = office->port};
	unsigned int ref = arg < REF_END ? (unsigned int)arg : 0;

	switch (o) {
	case ORDER_PIN:
		return try_pin(pages[ref]);
	case ORDER_REVOKE:
		table[ref].flags = 0;
		return 0;
	case ORDER_GRANT:
		grant(ref, 0, taker);
		return 0;
	case ORDER_FLAGS:
		return table[ref].flags;
	case ORDER_FRAME:
		table[REF_ANY_FRAME].frame = (u32)arg;
		return 0;
	case ORDER_GIVE:
		return give_away();
	case ORDER_SEND:
		return evtchn_op(EVTCHNOP_send, &send);
	case ORDER_COUNT:
		upcall_mask(false);
		upcall_mask(true);
		return (s64)port_count[office->port];
	case ORDER_CLOSE:
		return evtchn_op(EVTCHNOP_close, &close);
	default:
		return 0;
	}
}

void offer(void)
{
	enum order o;

	taker = own_domid() + 1;
	if (!make_pages() || !make_channels()) {
		printf("probe: offer: nothing to offer\n");
		return;
	}
	for (unsigned int i = REF_OFFICE; i < REF_END; i++)
		grant(i, i == REF_READ_ONLY ? GTF_readonly : 0, i == REF_OTHERS ? NOBODY : taker);
	office->magic = PEER_MAGIC;
	printf("probe: offer: domain %u for domain %u\n", own_domid(), taker);
	do {
		while (!(o = (enum order)office->order))
			sched_op(SCHEDOP_yield, NULL);
		office->result = carry_out(o, office->arg);
		mb();
		office->order = ORDER_NONE;
	} while (o != ORDER_WATCH && o != ORDER_END);
	if (o == ORDER_WATCH)
		watch();
}
