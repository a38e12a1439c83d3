/* SPDX-License-Identifier: MIT */
/* memory_op: giving memory back, getting it, exchanging it; what was counted must balance. */
#include "hypercall.h"
#include "topics.h"

static struct xen_memory_reservation reservation(xen_pfn_t *list, unsigned long n,
						 unsigned int order)
{
	struct xen_memory_reservation r = {
		.nr_extents = n, .extent_order = order, .domid = DOMID_SELF};

	set_xen_guest_handle(r.extent_start, list);
	return r;
}

static long decrease(xen_pfn_t *list, unsigned long n)
{
	struct xen_memory_reservation r = reservation(list, n, 0);

	return memory_op(XENMEM_decrease_reservation, &r);
}

static long populate(xen_pfn_t *list, unsigned long n)
{
	struct xen_memory_reservation r = reservation(list, n, 0);

	return memory_op(XENMEM_populate_physmap, &r);
}

static long current_pages(void)
{
	domid_t self = DOMID_SELF;

	return memory_op(XENMEM_current_reservation, &self);
}

/* Gives the page's frame number a new machine frame, as the kernel's tables want it. */
static bool refill(void *page)
{
	xen_pfn_t x = va_pfn(page);

	if (populate(&x, 1) != 1)
		return false;
	p2m[va_pfn(page)] = x;
	return !page_rw(page);
}

static void give_and_take(void)
{
	long before = current_pages();
	u64 *page = page_alloc(), pfn, mfn;
	xen_pfn_t x;

	REQUIRE(page);
	pfn = va_pfn(page);
	mfn = va_mfn(page);
	CHECK_EQ(before, nr_pages);
	page[0] = 0x5ec7e7;
	REQUIRE_OK(page_set(page, 0));
	x = mfn;
	CHECK_EQ(decrease(&x, 1), 1);
	CHECK_EQ(current_pages(), before - 1);
	CHECK(mfn_pfn(mfn) != pfn);
	/* Gone: cannot be mapped or given again. */
	CHECK_REFUSED(win_map(0, mk_pte(mfn, PTE_RO)));
	CHECK_EQ(decrease(&x, 1), 0);
	x = pfn;
	CHECK_EQ(populate(&x, 1), 1);
	CHECK_EQ(current_pages(), before);
	CHECK_EQ(mfn_pfn(x), pfn);
	p2m[pfn] = x;
	REQUIRE_OK(page_rw(page));
	CHECK_EQ(page[0], 0);
	page_free(page);
}

/* Still mapped: the mapping keeps the memory, nobody else may get it. */
static void give_while_mapped(void)
{
	long before = current_pages();
	u64 *page = page_alloc(), mfn;
	xen_pfn_t x;
	long rc;

	REQUIRE(page);
	mfn = va_mfn(page);
	page[1] = 0x1234;
	x = mfn;
	rc = decrease(&x, 1);
	CHECK(rc == 0 || rc == 1);
	CHECK_EQ(page[1], 0x1234);
	if (rc == 1) {
		REQUIRE_OK(page_set(page, 0));
		REQUIRE(refill(page));
	}
	CHECK_EQ(current_pages(), before);
	page_free(page);
}

/* A pinned table that is given away stays a table until it is unpinned. */
static void give_table(void)
{
	long before = current_pages();
	u64 *page = page_alloc(), mfn;
	xen_pfn_t x;
	long rc;

	REQUIRE(page);
	mfn = va_mfn(page);
	REQUIRE_OK(page_ro(page));
	REQUIRE_OK(pin(1, mfn));
	x = mfn;
	rc = decrease(&x, 1);
	CHECK(rc == 0 || rc == 1);
	CHECK_REFUSED(page_rw(page));
	unpin(mfn);
	if (rc == 1) {
		CHECK_OK(page_set(page, 0));
		REQUIRE(refill(page));
	}
	CHECK_EQ(current_pages(), before);
	page_free(page);
}

static void give_strange(void)
{
	static xen_pfn_t x[4];
	long before = current_pages();

	x[0] = 0xffffffffff;
	CHECK_EQ(decrease(x, 1), 0);
	x[0] = ~0UL;
	CHECK_EQ(decrease(x, 1), 0);
	x[0] = 0xfee00;
	CHECK_EQ(decrease(x, 1), 0);
	x[0] = 0;
	CHECK(decrease(x, 1) <= 0);
	/* The shared page is the hypervisor's. */
	x[0] = start_copy.shared_info >> 12;
	CHECK_EQ(decrease(x, 1), 0);
	CHECK_EQ(shared_page.info.vcpu_info[0].evtchn_upcall_mask, 1);
	CHECK_EQ(current_pages(), before);
}

static void some_of_a_list(void)
{
	static xen_pfn_t x[4];
	long before = current_pages();
	void *page[3];

	for (unsigned int i = 0; i < 3; i++) {
		page[i] = page_alloc();
		REQUIRE(page[i]);
		REQUIRE_OK(page_set(page[i], 0));
		x[i + (i == 2)] = va_mfn(page[i]);
	}
	x[2] = 0xffffffffff;
	CHECK_EQ(decrease(x, 4), 2);
	CHECK_EQ(current_pages(), before - 2);
	CHECK(refill(page[0]));
	CHECK(refill(page[1]));
	CHECK_OK(page_rw(page[2]));
	for (unsigned int i = 0; i < 3; i++)
		page_free(page[i]);
	CHECK_EQ(current_pages(), before);
}

static void huge_arguments(void)
{
	static xen_pfn_t x[2];
	struct xen_memory_reservation r = reservation(x, 1, 63);
	long before = current_pages();

	CHECK(memory_op(XENMEM_populate_physmap, &r) <= 0);
	CHECK(memory_op(XENMEM_increase_reservation, &r) <= 0);
	CHECK(memory_op(XENMEM_decrease_reservation, &r) <= 0);
	r.extent_order = 0xffffffff;
	CHECK(memory_op(XENMEM_populate_physmap, &r) <= 0);
	r.extent_order = 0;
	r.nr_extents = ~0UL;
	CHECK(memory_op(XENMEM_decrease_reservation, &r) <= 0);
	CHECK(memory_op(XENMEM_populate_physmap, &r) <= 0);
	r.nr_extents = 1;
	r.domid = 0x1234;
	CHECK(memory_op(XENMEM_populate_physmap, &r) <= 0);
	r.domid = DOMID_XEN;
	CHECK(memory_op(XENMEM_populate_physmap, &r) <= 0);
	CHECK_EQ(current_pages(), before);
}

static long exchange(xen_pfn_t *in, unsigned long nr_in, unsigned int order_in, xen_pfn_t *out,
		     unsigned long nr_out, unsigned int order_out, unsigned long *done)
{
	static struct xen_memory_exchange e;
	long rc;

	memset(&e, 0, sizeof(e));
	e.in = reservation(in, nr_in, order_in);
	e.out = reservation(out, nr_out, order_out);
	rc = memory_op(XENMEM_exchange, &e);
	*done = e.nr_exchanged;
	return rc;
}

static void exchange_one(void)
{
	long before = current_pages();
	u64 *page = page_alloc(), pfn, mfn;
	static xen_pfn_t in, out;
	unsigned long done;

	REQUIRE(page);
	pfn = va_pfn(page);
	mfn = va_mfn(page);
	/* Mapped: in use, cannot be taken. */
	in = mfn;
	out = pfn;
	CHECK_REFUSED(exchange(&in, 1, 0, &out, 1, 0, &done));
	CHECK_EQ(done, 0);
	page[3] = 9;
	CHECK_EQ(page[3], 9);
	REQUIRE_OK(page_set(page, 0));
	out = pfn;
	CHECK_OK(exchange(&in, 1, 0, &out, 1, 0, &done));
	CHECK_EQ(done, 1);
	CHECK(out != mfn);
	CHECK_EQ(mfn_pfn(out), pfn);
	CHECK_REFUSED(win_map(0, mk_pte(mfn, PTE_RO)));
	p2m[pfn] = out;
	REQUIRE_OK(page_rw(page));
	page_free(page);
	CHECK_EQ(current_pages(), before);
}

/* Single frames for one block, and the block for single frames. */
static void exchange_block(void)
{
	static xen_pfn_t single[16], block;
	long before = current_pages();
	void *page[16];
	unsigned long done;

	for (unsigned int i = 0; i < 16; i++) {
		page[i] = page_alloc();
		REQUIRE(page[i]);
		REQUIRE_OK(page_set(page[i], 0));
		single[i] = va_mfn(page[i]);
	}
	block = va_pfn(page[0]);
	CHECK_OK(exchange(single, 16, 0, &block, 1, 4, &done));
	CHECK_EQ(done, 16);
	CHECK_EQ(block & 15, 0);
	for (unsigned int i = 0; i < 16; i++)
		single[i] = va_pfn(page[i]);
	CHECK_OK(exchange(&block, 1, 4, single, 16, 0, &done));
	CHECK_EQ(done, 1);
	for (unsigned int i = 0; i < 16; i++) {
		CHECK_EQ(mfn_pfn(single[i]), va_pfn(page[i]));
		p2m[va_pfn(page[i])] = single[i];
		REQUIRE_OK(page_rw(page[i]));
		page_free(page[i]);
	}
	CHECK_EQ(current_pages(), before);
}

static void exchange_strange(void)
{
	static xen_pfn_t in[2], out[2];
	long before = current_pages();
	unsigned long done;

	in[0] = 0xffffffffff;
	CHECK_REFUSED(exchange(in, 1, 0, out, 1, 0, &done));
	in[0] = root_mfn();
	CHECK_REFUSED(exchange(in, 1, 0, out, 1, 0, &done));
	in[0] = start_copy.shared_info >> 12;
	CHECK_REFUSED(exchange(in, 1, 0, out, 1, 0, &done));
	CHECK_REFUSED(exchange(in, 2, 0, out, 1, 0, &done));
	CHECK_REFUSED(exchange(in, 1, 63, out, 1, 63, &done));
	CHECK_REFUSED(exchange(in, 1, 1, out, 3, 0, &done));
	CHECK_REFUSED(exchange(in, ~0UL, 0, out, ~0UL, 0, &done));
	CHECK_EQ(current_pages(), before);
}

static void questions(void)
{
	domid_t self = DOMID_SELF, none = 0x1234;

	CHECK(memory_op(XENMEM_maximum_ram_page, NULL) > 0);
	CHECK(memory_op(XENMEM_maximum_reservation, &self) >= (long)nr_pages);
	CHECK_REFUSED(memory_op(XENMEM_maximum_reservation, &none));
	CHECK_REFUSED(memory_op(XENMEM_current_reservation, &none));
}

const struct test memory_tests[] = {
	{"give-and-take", give_and_take},
	{"give-mapped", give_while_mapped},
	{"give-table", give_table},
	{"give-strange", give_strange},
	{"part-of-list", some_of_a_list},
	{"huge", huge_arguments},
	{"exchange", exchange_one},
	{"exchange-block", exchange_block},
	{"exchange-strange", exchange_strange},
	{"questions", questions},

	{NULL, NULL},
};
