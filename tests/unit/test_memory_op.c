/* SPDX-License-Identifier: MIT */
/* memory_op over the real frame, buddy and domain code: nothing is lost, nothing is had twice. */
#include "fake/fake.h"
#include <stdlib.h>
#include <string.h>
#include "domain_fakes.h"
#include "sched_fakes.h"
#include "call/call.h"
#include "call/memory.h"
#include "mm/buddy.h"
#include "mm/e820.h"
#include "mm/m2p.h"
#include "mm/pgtable.h"

#define MAX_PAGES 1000

struct boot_e820 boot_e820 = {3, {{0, 0x9f000, 1}, {0x9f000, 0x1000, 2}, {0x100000, 0xf00000, 1}}};
u64 idle_l4[512];
static struct domain *d;
static unsigned int restarts;

int copy_from_guest(void *dst, const void *src, size_t n)
{
	if (!src) {
		memset(dst, 0, n);
		return -XEN_EFAULT;
	}
	memcpy(dst, src, n);
	return 0;
}

int grant_get_frame(struct domain *dom, unsigned int idx, unsigned long *mfn)
{
	(void)dom;
	*mfn = 5000 + idx;
	return 0;
}

/* As the entry code does it: again with the advanced arguments. */
static long call(unsigned long cmd, void *arg)
{
	unsigned long a1 = cmd, a2 = (unsigned long)arg;
	long rc;

	restarts = 0;
	while ((rc = do_memory_op(a1, a2, 0, 0, 0)) == CALL_RESTART) {
		const unsigned long *n = call_next_args();

		a1 = n[0];
		a2 = n[1];
		assert_true(++restarts < 10000);
	}
	return rc;
}

static int setup(void **state)
{
	domain_setup(state);
	d = make_domain(5, 1);
	assert_non_null(d);
	d->max_pages = MAX_PAGES;
	get_cpu_info()->curr = d->vcpu[0];
	return 0;
}

static int teardown(void **state)
{
	d->privileged = false;
	get_cpu_info()->curr = idle_vcpu(0);
	kill_domain(d);
	return domain_teardown(state);
}

static struct xen_memory_reservation extents(xen_pfn_t *list, unsigned long nr, unsigned int order)
{
	struct xen_memory_reservation r = {.extent_start = {list},
					   .nr_extents = nr,
					   .extent_order = order,
					   .domid = DOMID_SELF};

	return r;
}

static void populate_and_give_back(void **state)
{
	xen_pfn_t list[600];
	struct xen_memory_reservation r = extents(list, 600, 0);

	(void)state;
	for (unsigned int i = 0; i < 600; i++)
		list[i] = 0x1000 + i;
	assert_int_equal(call(XENMEM_populate_physmap, &r), 600);
	assert_true(restarts >= 2);
	assert_int_equal(d->tot_pages, 600);
	for (unsigned int i = 0; i < 600; i++) {
		assert_int_equal(mfn_to_frame(list[i])->owner, 5);
		assert_int_equal(m2p_get(list[i]), 0x1000 + i);
	}
	assert_int_equal(call(XENMEM_current_reservation, &r.domid), 600);
	assert_int_equal(call(XENMEM_maximum_reservation, &r.domid), MAX_PAGES);
	assert_int_equal(call(XENMEM_decrease_reservation, &r), 600);
	assert_int_equal(d->tot_pages, 0);
	assert_int_equal(m2p_get(list[0]), M2P_INVALID);
	/* They are gone: a second time there is nothing to give back. */
	assert_int_equal(call(XENMEM_decrease_reservation, &r), 0);
}

static void limits(void **state)
{
	xen_pfn_t list[4] = {0};
	struct xen_memory_reservation r = extents(list, 4, 9);

	(void)state;
	/* One of 512 fits into 1000. */
	assert_int_equal(call(XENMEM_populate_physmap, &r), 1);
	r.extent_order = 10;
	assert_int_equal(call(XENMEM_populate_physmap, &r), 0);
	r.extent_order = 0xffffffff;
	assert_int_equal(call(XENMEM_populate_physmap, &r), 0);
	r.extent_order = 0;
	r.nr_extents = ~0UL;
	assert_int_equal(call(XENMEM_populate_physmap, &r), -XEN_EINVAL);
	r.nr_extents = 2;
	assert_int_equal(call(XENMEM_populate_physmap | 3UL << MEMOP_EXTENT_SHIFT, &r),
			 -XEN_EINVAL);
	assert_int_equal(call(XENMEM_populate_physmap | 1UL << MEMOP_EXTENT_SHIFT, &r), 2);
	r.mem_flags = 1u << 31;
	assert_int_equal(call(XENMEM_populate_physmap, &r), -XEN_EINVAL);
	r.mem_flags = 11; /* no frame lies below 2 KiB */
	assert_int_equal(call(XENMEM_populate_physmap, &r), 0);
	r.mem_flags = 0;
	r.domid = 0;
	assert_int_equal(call(XENMEM_populate_physmap, &r), -XEN_EPERM);
	r.domid = DOMID_SELF;
	r.extent_start.p = NULL;
	assert_int_equal(call(XENMEM_populate_physmap, &r), 0);
	assert_int_equal(call(XENMEM_increase_reservation, &r), 2);
	assert_int_equal(call(XENMEM_populate_physmap, NULL), -XEN_EFAULT);
	assert_int_equal(call(63, NULL), -XEN_ENOSYS);
}

/* Frames that are not the caller's: wild numbers, the hypervisor's own, another domain's. */
static void foreign_frames(void **state)
{
	struct domain *other = make_domain(6, 1);
	struct frame *theirs = domain_alloc_frames(other, 0, 0);
	xen_pfn_t bad[] = {0,
			   ~0UL,
			   1UL << 52,
			   max_mfn,
			   max_mfn - 1,
			   frame_to_mfn(theirs),
			   virt_to_mfn(d->shared)};
	struct xen_memory_reservation r = extents(bad, 1, 0);

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		r.extent_start.p = &bad[i];
		assert_int_equal(call(XENMEM_decrease_reservation, &r), 0);
	}
	assert_int_equal(theirs->owner, 6);
	r.domid = 6;
	assert_int_equal(call(XENMEM_decrease_reservation, &r), -XEN_EPERM);
	d->privileged = true;
	bad[0] = frame_to_mfn(theirs);
	r.extent_start.p = bad;
	assert_int_equal(call(XENMEM_decrease_reservation, &r), 1);
	assert_int_equal(other->tot_pages, 0);
	r.domid = 7;
	assert_int_equal(call(XENMEM_decrease_reservation, &r), -XEN_ESRCH);
	kill_domain(other);
}

/* A frame that is still mapped stays the domain's until it is not. */
static void mapped_frames(void **state)
{
	xen_pfn_t mfn = 7;
	struct xen_memory_reservation r = extents(&mfn, 1, 0);
	struct frame *f;

	(void)state;
	assert_int_equal(call(XENMEM_populate_physmap, &r), 1);
	f = get_frame_and_writable(mfn, 5);
	assert_non_null(f);
	assert_int_equal(call(XENMEM_decrease_reservation, &r), 1);
	assert_int_equal(f->owner, 5);
	assert_int_equal(d->tot_pages, 1);
	put_frame_and_writable(f);
	assert_int_equal(d->tot_pages, 0);
	assert_int_equal(f->owner, DOMID_INVALID);
}

static void fill(xen_pfn_t *list, unsigned int nr)
{
	struct xen_memory_reservation r = extents(list, nr, 0);

	for (unsigned int i = 0; i < nr; i++)
		list[i] = 0x2000 + i;
	assert_int_equal(call(XENMEM_populate_physmap, &r), nr);
}

static struct xen_memory_exchange exchange(xen_pfn_t *in, unsigned long nr_in,
					   unsigned int in_order, xen_pfn_t *out,
					   unsigned long nr_out, unsigned int out_order)
{
	struct xen_memory_exchange x = {.in = extents(in, nr_in, in_order),
					.out = extents(out, nr_out, out_order)};

	return x;
}

/* As Linux's swiotlb does: 64 single frames for one of order 6, and back. */
static void exchange_sizes(void **state)
{
	xen_pfn_t in[64], out = 0x3000, back[64];
	struct xen_memory_exchange x = exchange(in, 64, 0, &out, 1, 6);

	(void)state;
	fill(in, 64);
	mfn_to_frame(in[7])->refs |= FR_FOREIGN;
	assert_int_equal(call(XENMEM_exchange, &x), 0);
	assert_int_equal(x.nr_exchanged, 64);
	assert_int_equal(out & 63, 0);
	assert_int_equal(d->tot_pages, 64);
	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(m2p_get(out + i), 0x3000 + i);
		assert_int_equal(mfn_to_frame(out + i)->refs, FR_ALLOCATED | 1);
		assert_int_equal(mfn_to_frame(out + i)->owner, 5);
		back[i] = 0x4000 + i;
	}
	x = exchange(&out, 1, 6, back, 64, 0);
	assert_int_equal(call(XENMEM_exchange, &x), 0);
	assert_int_equal(x.nr_exchanged, 1);
	assert_int_equal(d->tot_pages, 64);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(m2p_get(back[i]), 0x4000 + i);
}

/* At the limit of what it may have, and many at a time. */
/* Somebody has had all that is free, and left something. */
static void dirty_free_memory(void)
{
	static struct frame *got[1 << 14];
	unsigned int n = 0;

	while (n < ARRAY_SIZE(got) && (got[n] = buddy_alloc(0, 0)) != NULL)
		memset(frame_to_virt(got[n++]), 0x77, PAGE_SIZE);
	while (n--)
		buddy_free(got[n], 0);
}

static void exchange_many(void **state)
{
	static xen_pfn_t in[900], out[900];
	struct xen_memory_exchange x;

	(void)state;
	fill(in, 896);
	d->max_pages = 100;
	for (unsigned int i = 0; i < 900; i++)
		out[i] = 0x5000 + i;
	dirty_free_memory();
	x = exchange(in, 896, 0, out, 7, 7);
	assert_int_equal(call(XENMEM_exchange, &x), 0);
	assert_int_equal(*(u64 *)mfn_to_virt(out[0]), 0);
	assert_int_equal(*(u64 *)mfn_to_virt(out[6] + 127), 0);
	assert_true(restarts >= 2);
	assert_int_equal(x.nr_exchanged, 896);
	assert_int_equal(d->tot_pages, 896);
	assert_int_equal(m2p_get(out[6] + 127), 0x5006 + 127);
}

static void exchange_refused(void **state)
{
	xen_pfn_t in[64], out[64] = {0};
	struct xen_memory_exchange x = exchange(in, 64, 0, out, 1, 6);
	unsigned long free_now;
	struct frame *f;

	(void)state;
	fill(in, 64);
	free_now = buddy_free_frames();
	/* Below 256 KiB there is nothing free in one piece. */
	x.out.mem_flags = 18;
	assert_int_equal(call(XENMEM_exchange, &x), -XEN_ENOMEM);
	x.out.mem_flags = 3;
	assert_int_equal(call(XENMEM_exchange, &x), -XEN_ENOMEM);
	x.out.mem_flags = 0;
	/* One that is mapped. */
	f = get_frame(in[40], 5);
	assert_int_equal(call(XENMEM_exchange, &x), -XEN_EINVAL);
	put_frame(f);
	/* One twice. */
	in[1] = in[0];
	assert_int_equal(call(XENMEM_exchange, &x), -XEN_EINVAL);
	assert_int_equal(x.nr_exchanged, 0);
	assert_int_equal(buddy_free_frames(), free_now);
	for (unsigned int i = 2; i < 64; i++)
		assert_int_equal(mfn_to_frame(in[i])->refs & ~FR_FOREIGN, FR_ALLOCATED | 1);
	/* Sums that do not agree, foreign domains, wild sizes. */
	x.out.nr_extents = 2;
	assert_int_equal(call(XENMEM_exchange, &x), -XEN_EINVAL);
	x = exchange(in, 1UL << 60, 4, out, 1UL << 60, 4);
	assert_int_equal(call(XENMEM_exchange, &x), -XEN_EINVAL);
	x = exchange(in, 64, 0, out, 1, 6);
	x.nr_exchanged = 65;
	assert_int_equal(call(XENMEM_exchange, &x), -XEN_EINVAL);
	x.nr_exchanged = 1;
	assert_int_equal(call(XENMEM_exchange, &x), -XEN_EINVAL);
	x.nr_exchanged = 0;
	x.in.domid = x.out.domid = 6;
	assert_int_equal(call(XENMEM_exchange, &x), -XEN_EPERM);
	x = exchange(in, 64, 0, out, 1, 6);
	x.out.extent_order = 70;
	assert_int_equal(call(XENMEM_exchange, &x), -XEN_EPERM);
	x = exchange(NULL, 64, 0, out, 1, 6);
	assert_int_equal(call(XENMEM_exchange, &x), -XEN_EFAULT);
}

static void maps(void **state)
{
	struct e820_entry buf[4] = {0};
	struct xen_memory_map m = {4, {buf}};
	struct xen_foreign_memory_map fm = {5, {2, {boot_e820.e}}};
	struct xen_machphys_mapping mm;

	(void)state;
	assert_int_equal(call(XENMEM_machine_memory_map, &m), -XEN_EPERM);
	assert_int_equal(call(XENMEM_memory_map, &m), -XEN_ENOSYS);
	assert_int_equal(call(XENMEM_set_memory_map, &fm), -XEN_EPERM);
	d->privileged = true;
	assert_int_equal(call(XENMEM_machine_memory_map, &m), 0);
	assert_int_equal(m.nr_entries, 3);
	assert_int_equal(buf[2].addr, 0x100000);
	m.nr_entries = 1;
	assert_int_equal(call(XENMEM_machine_memory_map, &m), 0);
	assert_int_equal(m.nr_entries, 1);
	m.buffer.p = NULL;
	assert_int_equal(call(XENMEM_machine_memory_map, &m), 0);
	assert_int_equal(m.nr_entries, 3);
	assert_int_equal(call(XENMEM_set_memory_map, &fm), 0);
	assert_int_equal(call(XENMEM_set_memory_map, &fm), 0);
	m = (struct xen_memory_map){4, {buf}};
	assert_int_equal(call(XENMEM_memory_map, &m), 0);
	assert_int_equal(m.nr_entries, 2);
	fm.map.nr_entries = 129;
	assert_int_equal(call(XENMEM_set_memory_map, &fm), -XEN_EINVAL);
	fm.map.nr_entries = 2;
	fm.map.buffer.p = NULL;
	assert_int_equal(call(XENMEM_set_memory_map, &fm), -XEN_EFAULT);
	assert_int_equal(call(XENMEM_machphys_mapping, &mm), 0);
	assert_true(mm.v_start == 0xffff800000000000UL && mm.max_mfn == max_mfn - 1);
}

static void resources(void **state)
{
	xen_pfn_t list[4] = {0};
	struct xen_mem_acquire_resource r = {.domid = 5, .type = XENMEM_resource_grant_table};
	struct xen_memory_reservation claim = {.nr_extents = 100, .domid = 5};

	(void)state;
	assert_int_equal(call(XENMEM_acquire_resource, &r), -XEN_EPERM);
	assert_int_equal(call(XENMEM_claim_pages, &claim), -XEN_EPERM);
	d->privileged = true;
	assert_int_equal(call(XENMEM_acquire_resource, &r), 0);
	assert_int_equal(r.nr_frames, 64);
	r.frame_list.p = list;
	r.frame = 62;
	r.nr_frames = 2;
	assert_int_equal(call(XENMEM_acquire_resource, &r), 0);
	assert_int_equal(list[1], 5063);
	r.nr_frames = 3;
	assert_int_equal(call(XENMEM_acquire_resource, &r), -XEN_EINVAL);
	r.frame = ~0ULL;
	assert_int_equal(call(XENMEM_acquire_resource, &r), -XEN_EINVAL);
	r.type = XENMEM_resource_ioreq_server;
	assert_int_equal(call(XENMEM_acquire_resource, &r), -XEN_EOPNOTSUPP);
	assert_int_equal(call(XENMEM_claim_pages, &claim), 0);
	claim.nr_extents = 999;
	d->max_pages = 1 << 30;
	assert_int_equal(call(XENMEM_claim_pages, &claim), 0);
	claim.nr_extents = 100000;
	assert_int_equal(call(XENMEM_claim_pages, &claim), -XEN_ENOMEM);
	claim.mem_flags = 1;
	assert_int_equal(call(XENMEM_claim_pages, &claim), -XEN_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(populate_and_give_back, setup, teardown),
		cmocka_unit_test_setup_teardown(limits, setup, teardown),
		cmocka_unit_test_setup_teardown(foreign_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(mapped_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(exchange_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(exchange_many, setup, teardown),
		cmocka_unit_test_setup_teardown(exchange_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(maps, setup, teardown),
		cmocka_unit_test_setup_teardown(resources, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
