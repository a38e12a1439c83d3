/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <xen/sched.h>
#include "cpu/panic.h"
#include "cpu/percpu.h"
#include "dom/vtime.h"
#include "mm/buddy.h"
#include "mm/guest_copy.h"
#include "mm/heap.h"
#include "mm/m2p.h"
#include "plat/plat.h"
#include "domain_fakes.h"
#include "sched_fakes.h"

static void test_ids(void **state)
{
	struct domain *a = make_domain(DOMID_INVALID, 1), *b = make_domain(DOMID_INVALID, 1), *c,
		      *g;
	int err;

	(void)state;
	assert_int_equal(b->id, a->id + 1);
	assert_null(domain_create(b->id, 1, false, &err));
	assert_int_equal(err, -XEN_EEXIST);
	assert_null(domain_create(DOMID_FIRST_RESERVED, 1, false, &err));
	assert_int_equal(err, -XEN_EINVAL);
	assert_null(domain_create(DOMID_INVALID, 0, false, &err));
	assert_null(domain_create(DOMID_INVALID, MAX_VCPUS + 1, false, &err));
	assert_int_equal(err, -XEN_EINVAL);
	kill_domain(a);
	/* Not the hole that a left. */
	c = make_domain(DOMID_INVALID, 1);
	assert_int_equal(c->id, b->id + 1);
	a = make_domain(0x7fe0, 1);
	g = domain_get_from(0);
	assert_ptr_equal(g, b);
	domain_put(g);
	g = domain_get_from(c->id + 1);
	assert_ptr_equal(g, a);
	domain_put(g);
	assert_null(domain_get_from(0x7fe1));
	kill_domain(a);
	kill_domain(b);
	kill_domain(c);
}

static void test_unpublished(void **state)
{
	int err;
	struct domain *d = domain_create(DOMID_INVALID, 1, false, &err);

	(void)state;
	assert_null(domain_get(d->id));
	assert_null(domain_get_from(0));
	assert_ptr_equal(domain_of_owner(d->id), d);
	kill_domain(d);
	assert_int_equal(dom_exc, 0);
}

static void test_references(void **state)
{
	struct domain *d = make_domain(DOMID_INVALID, 2), *ref = domain_get(d->id);
	domid_t id = d->id;

	(void)state;
	assert_ptr_equal(ref, d);
	kill_domain(d);
	assert_int_equal(dom_exc, 1);
	assert_null(domain_get(id));
	/* The struct stays, the domain does not. */
	assert_true(ref->finished);
	assert_int_equal(kind_domains, 1);
	domain_put(ref);
	assert_int_equal(kind_domains, 0);
}

static void test_create_with_failures(void **state)
{
	struct domain *d = NULL;
	unsigned long n;

	(void)state;
	for (n = 0; !d; n++) {
		assert_true(n < 100);
		allocs_left = n;
		d = make_domain(DOMID_INVALID, 3);
		allocs_left = ULONG_MAX;
		if (d)
			break;
		assert_int_equal(allocs_live, live_before);
		assert_int_equal(buddy_free_frames(), free_before);
		assert_int_equal(kind_domains + kind_vcpus, 0);
	}
	assert_true(n > 8);
	kill_domain(d);
}

static void test_frames(void **state)
{
	struct domain *d = make_domain(DOMID_INVALID, 1);
	struct frame *f, *g, *h;

	(void)state;
	d->max_pages = 5;
	f = domain_alloc_frames(d, 2, 0);
	assert_non_null(f);
	assert_int_equal(d->tot_pages, 4);
	assert_int_equal(f[3].refs, FR_ALLOCATED | 1);
	assert_int_equal(f[3].owner, d->id);
	assert_null(domain_alloc_frames(d, 1, 0));
	assert_null(domain_alloc_frames(d, MAX_ORDER + 1, 0));
	assert_null(domain_alloc_frames(d, 64, 0));
	assert_null(domain_alloc_frames(d, 0, DMF_ADDR_BITS(3)));
	g = domain_alloc_frames(d, 0, DMF_ADDR_BITS(20));
	assert_true(frame_to_mfn(g) < 256);
	h = buddy_alloc(0, 0);
	assert_int_equal(domain_assign_frame(d, h), -XEN_E2BIG);
	buddy_free(h, 0);

	/* Given back: forgotten, unknown to the table; wiped for whoever has it next. */
	m2p_set(frame_to_mfn(f), 77);
	memset(frame_to_virt(f), 0xaa, PAGE_SIZE);
	f->refs &= ~FR_ALLOCATED;
	put_frame(f);
	assert_int_equal(d->tot_pages, 4);
	assert_int_equal(d->frames.nr, 4);
	assert_int_equal(m2p_get(frame_to_mfn(f)), M2P_INVALID);
	/* That is the one who takes all there is. */
	d->max_pages = UINT_MAX;
	while ((g = domain_alloc_frames(d, 0, 0)) != NULL && g != f)
		;
	assert_ptr_equal(g, f);
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(((char *)frame_to_virt(f))[i], 0);
	kill_domain(d);
}

static void test_zombie(void **state)
{
	struct domain *d = make_domain(DOMID_INVALID, 1), *z;
	struct frame *f, *shared;
	domid_t id = d->id;

	(void)state;
	d->max_pages = 2000;
	f = domain_alloc_frames(d, 9, 0);
	assert_non_null(f);
	f = get_frame(frame_to_mfn(f) + 100, id);
	shared = get_frame_and_writable(virt_to_mfn(d->shared), id);
	assert_non_null(shared);
	kill_domain(d);
	/* Somebody still has two of its frames. */
	z = domain_get(id);
	assert_ptr_equal(z, d);
	assert_int_equal(d->tot_pages, 1);
	assert_int_equal(d->xenheap_pages, 1);
	assert_int_equal(dom_exc, 1);
	assert_int_equal(domain_kill(d), 0);
	domain_put(z);
	put_frame(f);
	assert_int_equal(dom_exc, 1);
	put_frame_and_writable(shared);
	assert_int_equal(dom_exc, 2);
	assert_null(domain_of_owner(id));
}

static void test_shared_types(void **state)
{
	struct domain *d = make_domain(DOMID_INVALID, 1);
	void *p = hv_alloc_pages(0);
	struct frame *f = mfn_to_frame(virt_to_mfn(p));

	(void)state;
	domain_share_xenheap(d, f, false);
	assert_null(get_frame_and_writable(frame_to_mfn(f), d->id));
	assert_int_equal(d->xenheap_pages, 2);
	assert_int_equal(d->tot_pages, 0);
	domain_unshare_xenheap(f);
	assert_int_equal(d->xenheap_pages, 1);
	kill_domain(d);
}

static void test_vcpu_info(void **state)
{
	struct domain *d = make_domain(DOMID_INVALID, 33);
	struct vcpu *v = d->vcpu[0];
	struct frame *f = domain_alloc_frames(d, 0, 0);
	mfn_t mfn = frame_to_mfn(f);
	struct vcpu_info *info;

	(void)state;
	assert_ptr_equal(v->info, &d->shared->vcpu_info[0]);
	assert_ptr_equal(d->vcpu[32]->info, &d->vcpu[32]->dummy_info);
	assert_int_equal(d->vcpu[32]->info->evtchn_upcall_mask, 1);
	assert_int_equal(v->info->evtchn_upcall_mask, 1);
	v->info->arch.cr2 = 0x1234;
	assert_int_equal(vcpu_register_info(v, mfn, PAGE_SIZE - 63), -XEN_EINVAL);
	assert_int_equal(vcpu_register_info(v, mfn, PAGE_SIZE - 56), -XEN_EINVAL);
	assert_int_equal(vcpu_register_info(v, mfn, 4), -XEN_EINVAL);
	assert_int_equal(vcpu_register_info(v, mfn, 0xffffffff), -XEN_EINVAL);
	assert_int_equal(vcpu_register_info(v, INVALID_MFN, 0), -XEN_EPERM);
	assert_int_equal(vcpu_register_info(v, 3, 0), -XEN_EPERM);
	assert_int_equal(f->refs, FR_ALLOCATED | 1);
	assert_int_equal(vcpu_register_info(v, mfn, PAGE_SIZE - 64), 0);
	info = (void *)((char *)frame_to_virt(f) + PAGE_SIZE - 64);
	assert_ptr_equal(v->info, info);
	assert_int_equal(info->arch.cr2, 0x1234);
	assert_int_equal(info->evtchn_pending_sel, ~0UL);
	assert_int_equal(info->time.version % 2, 0);
	assert_int_equal(f->refs, FR_ALLOCATED | 2);
	assert_int_equal(f->type, FT_WRITABLE | 1);
	assert_int_equal(vcpu_register_info(v, mfn, 0), -XEN_EINVAL);
	assert_int_equal(f->refs, FR_ALLOCATED | 2);
	kill_domain(d);
}

static void test_pause_counts(void **state)
{
	struct domain *d = make_domain(DOMID_INVALID, 1);
	struct vcpu *v = d->vcpu[0];

	(void)state;
	vcpu_up(v);
	fake_settle();
	assert_false(v->sched.running);
	assert_int_equal(domain_pause_by_tool(d), 0);
	assert_int_equal(domain_unpause_by_tool(d), 0);
	fake_settle();
	assert_false(v->sched.running);
	assert_int_equal(domain_unpause_by_tool(d), 0);
	fake_settle();
	assert_true(v->sched.running);
	assert_int_equal(domain_unpause_by_tool(d), -XEN_EINVAL);
	act_as(v->sched.cpu == 0);
	kill_domain(d);
	fake_settle();
	assert_int_equal(dom_exc, 1);
}

static void test_shutdown(void **state)
{
	struct domain *d = make_domain(DOMID_INVALID, 1);

	(void)state;
	vcpu_up(d->vcpu[0]);
	domain_unpause_by_tool(d);
	fake_settle();
	domain_shutdown(d, SHUTDOWN_suspend);
	domain_shutdown(d, SHUTDOWN_crash);
	fake_settle();
	assert_int_equal(dom_exc, 1);
	assert_int_equal(d->shutdown_code, SHUTDOWN_suspend);
	assert_false(d->vcpu[0]->sched.running);
	domain_resume(d);
	fake_settle();
	assert_true(d->vcpu[0]->sched.running);
	act_as(d->vcpu[0]->sched.cpu == 0);
	kill_domain(d);
	fake_settle();
}

static void test_dom0_ends(void **state)
{
	int err;
	struct domain *d = domain_create(0, 1, true, &err);

	(void)state;
	assert_ptr_equal(dom0, d);
	assert_int_equal(domain_kill(d), -XEN_EINVAL);
	if (!setjmp(machine_off)) {
		domain_shutdown(d, SHUTDOWN_poweroff);
		fail();
	}
	opt_noreboot = true;
	if (setjmp(machine_off) == 0)
		domain_crash(d, "test");
	opt_noreboot = false;
	if (setjmp(machine_off) == 0)
		domain_shutdown(d, SHUTDOWN_reboot);
	dom0 = NULL;
	kill_domain(d);
}

static void test_watchdog(void **state)
{
	struct domain *d = make_domain(DOMID_INVALID, 1);

	(void)state;
	assert_int_equal(domain_set_watchdog(d, 0, 0), -XEN_EINVAL);
	assert_int_equal(domain_set_watchdog(d, 3, 1), -XEN_EINVAL);
	assert_int_equal(domain_set_watchdog(d, 1, 1), -XEN_EINVAL);
	assert_int_equal(domain_set_watchdog(d, 0, 1), 1);
	assert_int_equal(domain_set_watchdog(d, 0, 1), 2);
	assert_int_equal(domain_set_watchdog(d, 0, 1), -XEN_ENOSPC);
	/* Not that it is clamped to. */
	assert_int_equal(domain_set_watchdog(d, 3, 1), -XEN_EINVAL);
	assert_int_equal(domain_set_watchdog(d, 1, 0), 0);
	fake_run(NSEC_PER_SEC / 2, NULL);
	assert_int_equal(domain_set_watchdog(d, 2, 1), 0);
	fake_run(NSEC_PER_SEC * 3 / 4, NULL);
	assert_false(d->is_shut_down);
	fake_run(NSEC_PER_SEC / 2, NULL);
	assert_true(d->is_shut_down);
	assert_int_equal(d->shutdown_code, SHUTDOWN_watchdog);
	kill_domain(d);
}

/* What the next functions find where their variables will be. */
static __attribute__((noinline)) void leave_traces(void)
{
	volatile char area[16384];

	for (size_t i = 0; i < sizeof(area); i++)
		area[i] = (char)0xa5;
}

static void test_time(void **state)
{
	struct domain *d = make_domain(DOMID_INVALID, 1);
	struct vcpu *v = d->vcpu[0];
	struct vcpu_runstate_info rs;
	u32 version, later;

	(void)state;
	assert_int_equal(d->shared->wc_sec, 0x23456789);
	assert_int_equal(d->shared->wc_sec_hi, 1);
	assert_int_equal(d->shared->wc_version % 2, 0);
	d->vm_assist = 1u << VMASST_TYPE_runstate_update_flag;
	vtime_register_runstate(v, &rs);
	vcpu_up(v);
	domain_unpause_by_tool(d);
	fake_settle();
	assert_int_equal(rs.state, RUNSTATE_running);
	assert_int_equal(rs.state_entry_time >> 63, 0);
	/* Behind the state there are four bytes that nobody writes. */
	leave_traces();
	vtime_leave(v);
	assert_int_equal(((u32 *)&rs)[1], 0);
	version = v->info->time.version;
	assert_int_equal(version, 2);
	v->info->time.version = 99; /* not ours to believe */
	fake_run(3 * NSEC_PER_SEC, NULL);
	later = v->info->time.version;
	assert_true(later > version && later < 12);
	assert_in_range(v->info->time.system_time, NSEC_PER_SEC, 4 * NSEC_PER_SEC);

	timer_virqs = 0;
	assert_int_equal(vtime_set_periodic(v, 999999), -XEN_EINVAL);
	assert_int_equal(vtime_set_periodic(v, ~0UL), -XEN_EINVAL);
	assert_int_equal(vtime_set_periodic(v, NSEC_PER_SEC / 100), 0);
	fake_run(NSEC_PER_SEC, NULL);
	assert_in_range(timer_virqs, 99, 101);
	/* Ticks of a second in which nobody looked are not made up for. */
	timer_virqs = 0;
	fake_now += NSEC_PER_SEC;
	fake_run(NSEC_PER_SEC / 100, NULL);
	assert_in_range(timer_virqs, 1, 3);
	vtime_stop_periodic(v);
	timer_virqs = 0;
	vtime_set_singleshot(v, 5);
	assert_int_equal(timer_virqs, 1);
	vtime_set_singleshot(v, ~0UL);
	fake_run(NSEC_PER_SEC, NULL);
	assert_int_equal(timer_virqs, 1);
	act_as(v->sched.cpu == 0);
	kill_domain(d);
	fake_settle();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ids, domain_setup, domain_teardown),
		cmocka_unit_test_setup_teardown(test_unpublished, domain_setup, domain_teardown),
		cmocka_unit_test_setup_teardown(test_references, domain_setup, domain_teardown),
		cmocka_unit_test_setup_teardown(test_create_with_failures, domain_setup,
						domain_teardown),
		cmocka_unit_test_setup_teardown(test_frames, domain_setup, domain_teardown),
		cmocka_unit_test_setup_teardown(test_zombie, domain_setup, domain_teardown),
		cmocka_unit_test_setup_teardown(test_shared_types, domain_setup, domain_teardown),
		cmocka_unit_test_setup_teardown(test_vcpu_info, domain_setup, domain_teardown),
		cmocka_unit_test_setup_teardown(test_pause_counts, domain_setup, domain_teardown),
		cmocka_unit_test_setup_teardown(test_shutdown, domain_setup, domain_teardown),
		cmocka_unit_test_setup_teardown(test_dom0_ends, domain_setup, domain_teardown),
		cmocka_unit_test_setup_teardown(test_watchdog, domain_setup, domain_teardown),
		cmocka_unit_test_setup_teardown(test_time, domain_setup, domain_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
