/* SPDX-License-Identifier: MIT */
/* Limits of a domain's memory and life, each just within and just beyond. */
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

struct boot_e820 boot_e820;
u64 idle_l4[512];
static struct domain *d;

int copy_from_guest(void *dst, const void *src, size_t n)
{
	memcpy(dst, src, n);
	return 0;
}

int grant_get_frame(struct domain *dom, unsigned int idx, unsigned long *mfn)
{
	return -XEN_EINVAL;
}

static int setup(void **state)
{
	domain_setup(state);
	d = make_domain(5, 1);
	assert_non_null(d);
	get_cpu_info()->curr = d->vcpu[0];
	return 0;
}

static int teardown(void **state)
{
	get_cpu_info()->curr = idle_vcpu(0);
	kill_domain(d);
	return domain_teardown(state);
}

static long call(unsigned long cmd, void *arg)
{
	unsigned long a1 = cmd, a2 = (unsigned long)arg;
	long rc;

	while ((rc = do_memory_op(a1, a2, 0, 0, 0)) == CALL_RESTART) {
		a1 = call_next_args()[0];
		a2 = call_next_args()[1];
	}
	return rc;
}

static long reserve(unsigned int cmd, xen_pfn_t *list, unsigned long nr, unsigned int order)
{
	struct xen_memory_reservation r = {
		.nr_extents = nr, .extent_order = order, .domid = DOMID_SELF};

	r.extent_start.p = list;
	return call(cmd, &r);
}

static void largest_extent(void **state)
{
	xen_pfn_t pfn = 0;

	d->max_pages = 4096;
	assert_int_equal(reserve(XENMEM_populate_physmap, &pfn, 1, MEMOP_MAX_ORDER), 1);
	assert_int_equal(reserve(XENMEM_populate_physmap, &pfn, 1, MEMOP_MAX_ORDER + 1), 0);
	assert_int_equal(d->tot_pages, 1u << MEMOP_MAX_ORDER);
}

static void unlike_sums(void **state)
{
	struct xen_memory_exchange x = {.in = {.nr_extents = 4, .domid = DOMID_SELF},
					.out = {.nr_extents = 2, .extent_order = 2,
						.domid = DOMID_SELF}};
	xen_pfn_t in[4] = {1, 2, 3, 4}, out[2] = {0};

	assert_int_equal(reserve(XENMEM_populate_physmap, in, 4, 0), 4);
	x.in.extent_start.p = in;
	x.out.extent_start.p = out;
	assert_int_equal(call(XENMEM_exchange, &x), -XEN_EINVAL);
	x.out.nr_extents = 1;
	assert_int_equal(call(XENMEM_exchange, &x), 0);
}

/* What comes out of an exchange, or of the allocator, was somebody's. */
static void zeroed(void **state)
{
	enum {
		N = 64
	};
	struct xen_memory_exchange x = {.in = {.nr_extents = N, .domid = DOMID_SELF},
					.out = {.nr_extents = N, .domid = DOMID_SELF}};
	xen_pfn_t list[3 * N] = {0}, out[N] = {0};

	for (unsigned int round = 0; round < 2; round++) {
		assert_int_equal(reserve(XENMEM_populate_physmap, list, 3 * N, 0), 3 * N);
		for (unsigned int i = 0; i < 3 * N; i++) {
			assert_int_equal(*(u64 *)mfn_to_virt(list[i]), 0);
			memset(mfn_to_virt(list[i]), 0xaa, PAGE_SIZE);
		}
		if (round)
			break;
		assert_int_equal(reserve(XENMEM_decrease_reservation, list, 3 * N, 0), 3 * N);
	}
	assert_int_equal(reserve(XENMEM_decrease_reservation, list + N, 2 * N, 0), 2 * N);
	x.in.extent_start.p = list;
	x.out.extent_start.p = out;
	assert_int_equal(call(XENMEM_exchange, &x), 0);
	for (unsigned int i = 0; i < N; i++)
		assert_int_equal(*(u64 *)mfn_to_virt(out[i]), 0);
}

/* Below an address, for devices that reach no further: 4 MiB of the 16 that there are. */
static void below_an_address(void **state)
{
	struct frame *f;

	d->max_pages = 4096;
	while ((f = domain_alloc_frames(d, 0, DMF_ADDR_BITS(22))) != NULL)
		assert_true(frame_to_mfn(f) < 1024);
	assert_true(d->tot_pages > 500 && d->tot_pages <= 1024);
	assert_null(domain_alloc_frames(d, 0, DMF_ADDR_BITS(11)));
}

static void dying(void **state)
{
	d->dying = true;
	assert_null(domain_alloc_frames(d, 0, 0));
	d->dying = false;
	assert_non_null(domain_alloc_frames(d, 0, 0));
	d->kill_busy = true;
	assert_int_equal(domain_kill(d), -XEN_EINVAL);
	get_cpu_info()->curr = idle_vcpu(0);
	assert_int_equal(domain_kill(d), -XEN_ERESTART);
	assert_false(d->dying);
	d->kill_busy = false;
}

/* Many frames go in several turns. */
static void turns(void **state)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < 700; i++)
		assert_non_null(domain_alloc_frames(d, 0, 0));
	d->relinquish_next = d->frames.head;
	while (domain_relinquish_frames(d) == -XEN_ERESTART)
		n++;
	assert_true(n >= 2 && n < 700);
	assert_int_equal(d->tot_pages, 0);
}

static void pauses(void **state)
{
	u16 was = d->tool_pauses;

	d->tool_pauses = UINT16_MAX;
	assert_int_equal(domain_pause_by_tool(d), -XEN_EINVAL);
	assert_int_equal(d->tool_pauses, UINT16_MAX);
	d->tool_pauses = was;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(largest_extent), T(unlike_sums), T(zeroed), T(below_an_address),
		T(dying),	   T(turns),	   T(pauses),
	};

	return cmocka_run_group_tests_name("lifetimes", tests, NULL, NULL);
}
