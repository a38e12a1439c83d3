/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <xen/sched.h>
#include "cpu/panic.h"
#include "cpu/trace.h"
#include "cpu/percpu.h"
#include "dom/vtime.h"
#include "lib/inject.h"
#include "mm/buddy.h"
#include "mm/guest_copy.h"
#include "mm/heap.h"
#include "mm/m2p.h"
#include "plat/plat.h"
#include "domain_fakes.h"
#include "sched_fakes.h"
#include "time/watchdog.h"

#define NR_FRAMES 4096

char *test_directmap;
struct frame *frame_table;
unsigned long *test_m2p;

/* --- heap --- */

unsigned long allocs_live, allocs_left = ULONG_MAX;

static bool may_alloc(void)
{
	if (!allocs_left || inject_alloc())
		return false;
	allocs_left--;
	return true;
}

void *hv_alloc(size_t size)
{
	if (!may_alloc())
		return NULL;
	allocs_live++;
	return calloc(1, size);
}

void hv_free(void *p)
{
	if (p)
		allocs_live--;
	free(p);
}

void *hv_alloc_pages(unsigned int order)
{
	struct frame *f = may_alloc() ? buddy_alloc(order, BUDDY_ZERO) : NULL;

	allocs_live += f != NULL;
	return f ? frame_to_virt(f) : NULL;
}

void hv_free_pages(void *p, unsigned int order)
{
	allocs_live--;
	buddy_free(mfn_to_frame(virt_to_mfn(p)), order);
}

/* --- the other parts of a domain --- */

unsigned int dom_exc, timer_virqs;

int evtchn_init_domain(struct domain *d, unsigned int max_port)
{
	d->ev.max_port = max_port;
	d->ev.bucket = hv_alloc(64);
	return d->ev.bucket ? 0 : -XEN_ENOMEM;
}

int evtchn_relinquish(struct domain *d)
{
	return d->ev.close_next++ < 3 ? -XEN_ERESTART : 0;
}

void evtchn_destroy_domain(struct domain *d)
{
	assert_non_null(d->ev.bucket);
	hv_free(d->ev.bucket);
	d->ev.bucket = NULL;
}

int grant_init_domain(struct domain *d, unsigned int max_frames)
{
	d->grants.max_frames = max_frames;
	d->grants.frames = hv_alloc(64);
	return d->grants.frames ? 0 : -XEN_ENOMEM;
}

int grant_relinquish(struct domain *d)
{
	return d->grants.track_next++ < 2 ? -XEN_ERESTART : 0;
}

void grant_destroy_domain(struct domain *d)
{
	assert_non_null(d->grants.frames);
	hv_free(d->grants.frames);
	d->grants.frames = NULL;
}

int pirq_init_domain(struct domain *d)
{
	d->pirqs.tbl = hv_alloc(64);
	return d->pirqs.tbl ? 0 : -XEN_ENOMEM;
}

void pirq_destroy_domain(struct domain *d)
{
	assert_non_null(d->pirqs.tbl);
	hv_free(d->pirqs.tbl);
	d->pirqs.tbl = NULL;
}

void send_vcpu_virq(struct vcpu *v, u32 virq)
{
	assert_false(v->d->dying);
	assert_int_equal(virq, VIRQ_TIMER);
	timer_virqs++;
}

void send_global_virq(u32 virq)
{
	assert_int_equal(virq, VIRQ_DOM_EXC);
	dom_exc++;
}

bool vcpu_event_deliverable(const struct vcpu *v)
{
	return v->info->evtchn_upcall_pending && !v->info->evtchn_upcall_mask;
}

void evtchn_vcpu_info_moved(struct vcpu *v)
{
	assert_int_equal(v->info->evtchn_upcall_pending, 1);
}

static void *kind_memory[16];
unsigned int kind_domains, kind_vcpus;
static unsigned int relinquished;

static int kind_domain_init(struct domain *d)
{
	kind_memory[d->id % 16] = hv_alloc(64);
	if (!kind_memory[d->id % 16])
		return -XEN_ENOMEM;
	kind_domains++;
	return 0;
}

static void kind_domain_destroy(struct domain *d)
{
	hv_free(kind_memory[d->id % 16]);
	kind_domains--;
}

static int kind_vcpu_init(struct vcpu *v)
{
	v->pv.xsave = hv_alloc(64);
	if (!v->pv.xsave)
		return -XEN_ENOMEM;
	kind_vcpus++;
	return 0;
}

static void kind_vcpu_destroy(struct vcpu *v)
{
	hv_free(v->pv.xsave);
	kind_vcpus--;
}

static int kind_relinquish(struct domain *d)
{
	assert_true(d->dying);
	return ++relinquished % 4 ? -XEN_ERESTART : 0;
}

static const struct domain_kind_ops kind_ops = {
	.domain_init = kind_domain_init,
	.domain_destroy = kind_domain_destroy,
	.vcpu_init = kind_vcpu_init,
	.vcpu_destroy = kind_vcpu_destroy,
	.relinquish = kind_relinquish,
};

/* --- the rest of the machine --- */

static unsigned int copies;

int copy_to_guest(void *dst, const void *src, size_t n)
{
	memcpy(dst, src, n);
	copies++;
	return 0;
}

void clock_fill_vcpu_time(struct vcpu_time_info *t)
{
	t->tsc_timestamp = (u64)fake_now * 3;
	t->system_time = (u64)fake_now;
	t->tsc_to_system_mul = 0x55555555;
}

void clock_get_wall(u64 *sec, u32 *nsec)
{
	*sec = 0x123456789;
	*nsec = 5;
}

bool opt_noreboot;
jmp_buf machine_off;

void machine_poweroff(void)
{
	longjmp(machine_off, 1);
}

void machine_restart(void)
{
	longjmp(machine_off, 2);
}

void machine_halt(void)
{
	longjmp(machine_off, 3);
}

void watchdog_stop(void)
{
}

void console_end_in_order(void)
{
}

void show_regs(const struct cpu_user_regs *r)
{
	(void)r;
}

unsigned long free_before, live_before;

int domain_setup(void **state)
{
	unsigned int i;

	(void)state;
	if (!test_directmap) {
		test_directmap = aligned_alloc(PAGE_SIZE, NR_FRAMES * PAGE_SIZE);
		frame_table = calloc(NR_FRAMES, sizeof(*frame_table));
		test_m2p = calloc(NR_FRAMES, sizeof(*test_m2p));
		max_mfn = NR_FRAMES;
		frame_sections[0] = 1;
		for (i = 0; i < NR_FRAMES; i++) {
			frame_table[i].owner = DOMID_INVALID;
			frame_table[i].state = FS_RESERVED;
		}
		buddy_add_range(16, NR_FRAMES - 16);
		domain_memory_init();
	}
	fake_machine(2);
	guest_kind_ops = &kind_ops;
	allocs_left = ULONG_MAX;
	free_before = buddy_free_frames();
	live_before = allocs_live;
	dom_exc = 0;
	return 0;
}

/* Whatever a test did: nothing may be left of it. */
int domain_teardown(void **state)
{
	(void)state;
	allocs_left = ULONG_MAX;
	assert_int_equal(allocs_live, live_before);
	assert_int_equal(buddy_free_frames(), free_before);
	assert_true(buddy_audit());
	assert_int_equal(kind_domains, 0);
	assert_int_equal(kind_vcpus, 0);
	assert_null(domain_get_from(0));
	return 0;
}

void kill_domain(struct domain *d)
{
	unsigned int calls = 0;

	while (domain_kill(d))
		assert_true(++calls < 1000);
}

struct domain *make_domain(domid_t id, unsigned int vcpus)
{
	struct domain *d;
	unsigned int i;
	int err;

	d = domain_create(id, vcpus, false, &err);
	if (!d)
		return NULL;
	for (i = 0; i < vcpus; i++) {
		if (!vcpu_create(d, i)) {
			kill_domain(d);
			return NULL;
		}
	}
	d->max_pages = 1000;
	domain_publish(d);
	return d;
}
