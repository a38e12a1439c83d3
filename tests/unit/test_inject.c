/* SPDX-License-Identifier: MIT */
/* Domains and their memory when an allocation fails, and when each check whether to stop says yes. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <xen/memory.h>
#include "call/memory.h"
#include "cpu/percpu.h"
#include "domain_fakes.h"
#include "dom/handlers.h"
#include "dom/hypercall.h"
#include "lib/inject.h"
#include "mm/buddy.h"
#include "mm/e820.h"
#include "mm/guest_copy.h"
#include "mm/pgtable.h"
#include "sched_fakes.h"

#define MOST 200
#define NR   20

struct boot_e820 boot_e820;
u64 idle_l4[512];

int copy_from_guest(void *dst, const void *src, size_t n)
{
	memcpy(dst, src, n);
	return 0;
}

int grant_get_frame(struct domain *dom, unsigned int idx, unsigned long *mfn)
{
	return -XEN_EINVAL;
}

static void check_as_before(void)
{
	assert_int_equal(allocs_live, live_before);
	assert_int_equal(buddy_free_frames(), free_before);
	assert_int_equal(kind_domains + kind_vcpus, 0);
	assert_true(buddy_audit());
}

static void test_create(void **state)
{
	struct domain *d = NULL;
	u32 n = 0;

	while (!d) {
		assert_true(++n < MOST);
		inject_arm(INJECT_ALLOC, n);
		d = make_domain(DOMID_INVALID, 3);
		if (!d)
			check_as_before();
	}
	assert_true(inject_arm(INJECT_ALLOC, 0) < n);
	assert_true(n > 8);
	kill_domain(d);
	check_as_before();
}

/* With memory, and a death that stops at every place where it can. */
static void test_destroy(void **state)
{
	bool fired = true;

	for (u32 n = 1; fired; n++) {
		struct domain *d = make_domain(DOMID_INVALID, 2);

		assert_true(n < MOST);
		for (unsigned int i = 0; i < NR; i++)
			assert_non_null(domain_alloc_frames(d, i % 3, 0));
		inject_arm(INJECT_PREEMPT, n);
		kill_domain(d);
		fired = inject_arm(INJECT_PREEMPT, 0) >= n;
		check_as_before();
	}
}

static long memory(struct domain *d, unsigned int cmd, xen_pfn_t *list, unsigned int nr)
{
	struct xen_memory_reservation r = {.nr_extents = nr, .domid = DOMID_SELF};
	long rc;

	set_xen_guest_handle(r.extent_start, list);
	get_cpu_info()->curr = d->vcpu[0];
	rc = do_memory_op(cmd, (unsigned long)&r, 0, 0, 0);
	while (call_is_restart(rc)) {
		const unsigned long *a = call_next_args();

		rc = do_memory_op(a[0], a[1], a[2], a[3], a[4]);
	}
	return rc;
}

/* As many as were there before the fault, and no page more or less. */
static void test_populate(void **state)
{
	struct domain *d = make_domain(DOMID_INVALID, 1);
	unsigned long pages = d->tot_pages;
	xen_pfn_t list[NR];
	long got = 0;

	for (u32 n = 1; got < NR; n++) {
		for (unsigned int i = 0; i < NR; i++)
			list[i] = 0x100 + i;
		inject_arm(INJECT_ALLOC, n);
		got = memory(d, XENMEM_populate_physmap, list, NR);
		inject_arm(INJECT_ALLOC, 0);
		assert_int_equal(got, min(n - 1, (u32)NR));
		assert_int_equal(d->tot_pages, pages + (unsigned long)got);
		if (got)
			assert_int_equal(
				memory(d, XENMEM_decrease_reservation, list, (unsigned int)got),
				got);
		assert_int_equal(d->tot_pages, pages);
	}
	get_cpu_info()->curr = idle_vcpu(0);
	kill_domain(d);
}

/* Stopped and gone on with: the result is the same as without. */
static void test_restart(void **state)
{
	struct domain *d = make_domain(DOMID_INVALID, 1);
	xen_pfn_t list[NR];

	for (u32 n = 1; n < 2 * NR; n++) {
		for (unsigned int i = 0; i < NR; i++)
			list[i] = 0x100 + i;
		inject_arm(INJECT_PREEMPT, n);
		assert_int_equal(memory(d, XENMEM_populate_physmap, list, NR), NR);
		assert_int_equal(d->tot_pages, NR);
		assert_int_equal(memory(d, XENMEM_decrease_reservation, list, NR), NR);
		assert_int_equal(d->tot_pages, 0);
		assert_true(n >= 2 * NR - 1 || inject_arm(INJECT_PREEMPT, 0) >= n);
	}
	get_cpu_info()->curr = idle_vcpu(0);
	kill_domain(d);
}

static int disarm(void **state)
{
	inject_arm(INJECT_ALLOC, 0);
	inject_arm(INJECT_PREEMPT, 0);
	return domain_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_create, domain_setup, disarm),
		cmocka_unit_test_setup_teardown(test_destroy, domain_setup, disarm),
		cmocka_unit_test_setup_teardown(test_populate, domain_setup, disarm),
		cmocka_unit_test_setup_teardown(test_restart, domain_setup, disarm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
