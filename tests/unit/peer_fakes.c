/* SPDX-License-Identifier: MIT */
#include "peer_fakes.h"
#include <stdlib.h>
#include <string.h>
#include "cpu/percpu.h"
#include "mm/buddy.h"
#include "mm/guest_copy.h"
#include "mm/heap.h"

#define NR_FRAMES 8192
#define NR_PEERS  8

unsigned long free_at_start;
unsigned int fake_kicks, fake_preempt;
const void *fake_bad_addr;
u32 fake_pirq_port[8];
unsigned int fake_pirq_cpu[8];
unsigned long fake_next_args[5];
void (*fake_before_block)(void);
struct domain *dom0;

static struct domain *peers[NR_PEERS];
static nsec_t now;

/* --- domains --- */

struct domain *domain_get(domid_t id)
{
	for (unsigned int i = 0; i < NR_PEERS; i++) {
		if (peers[i] && peers[i]->id == id) {
			atomic_add(&peers[i]->refs, 1u);
			return peers[i];
		}
	}
	return NULL;
}

void vcpu_set_hazard(struct vcpu *v, u32 bits)
{
	v->hazard |= bits;
}

void domain_put(struct domain *d)
{
	struct vcpu *v;

	assert_true(d->refs > 0);
	if (atomic_sub(&d->refs, 1u))
		return;
	for_each_vcpu (d, v)
		free(v);
	free(d->vcpu);
	free(d->shared);
	free(d);
}

struct domain *peer_make(domid_t id, unsigned int vcpus, bool privileged)
{
	struct domain *d = calloc(1, sizeof(*d));
	unsigned int i = 0;

	d->id = id;
	d->privileged = privileged;
	d->refs = 1;
	d->max_vcpus = vcpus;
	d->max_pages = 10000;
	d->vcpu = calloc(vcpus, sizeof(*d->vcpu));
	d->shared = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	memset(d->shared, 0, PAGE_SIZE);
	frame_list_init(&d->frames);
	while (peers[i])
		i++;
	peers[i] = d;
	for (i = 0; i < vcpus; i++) {
		struct vcpu *v = calloc(1, sizeof(*v));

		v->d = d;
		v->id = i;
		v->sched.cpu = i;
		v->info = i < XEN_LEGACY_MAX_VCPUS ? &d->shared->vcpu_info[i] : &v->dummy_info;
		d->vcpu[i] = v;
	}
	if (privileged)
		dom0 = d;
	return d;
}

void peer_kill(struct domain *d)
{
	unsigned int i = 0;

	d->dying = true;
	if (d->ev.bucket)
		evtchn_destroy_domain(d);
	if (d->grants.frames)
		grant_destroy_domain(d);
	for (u32 n = d->frames.head, next; n != FRAME_NIL; n = next) {
		struct frame *f = &frame_table[n];

		next = f->next;
		if (atomic_and(&f->refs, ~FR_ALLOCATED) & FR_ALLOCATED)
			put_frame(f);
	}
	while (peers[i] != d)
		i++;
	peers[i] = NULL;
	if (dom0 == d)
		dom0 = NULL;
	domain_put(d);
}

void act(struct vcpu *v)
{
	get_cpu_info()->curr = v;
}

/* --- frames --- */

static struct domain *frame_owner(const struct frame *f)
{
	struct domain *d = domain_get(f->owner);

	if (d)
		domain_put(d);
	return d;
}

static void free_frame(struct frame *f)
{
	struct domain *d = frame_owner(f);

	if (f->refs & FR_XENHEAP) {
		if (d)
			d->xenheap_pages--;
		f->refs = f->type = 0;
		hv_free_pages(frame_to_virt(f), 0);
		return;
	}
	if (d)
		frame_list_del(&d->frames, f);
	buddy_free(f, 0);
}

void domain_share_xenheap(struct domain *d, struct frame *f, bool writable)
{
	assert_int_equal(f->refs, 0);
	f->type = (writable ? FT_WRITABLE : FT_NONE) | 1;
	f->owner = d->id;
	d->xenheap_pages++;
	f->refs = FR_XENHEAP | 1;
}

void domain_unshare_xenheap(struct frame *f)
{
	assert_true(f->refs & FR_XENHEAP);
	put_frame(f);
}

struct frame *peer_frame(struct domain *d)
{
	struct frame *f = buddy_alloc(0, BUDDY_ZERO);

	assert_non_null(f);
	f->owner = d->id;
	f->refs = FR_ALLOCATED | 1;
	frame_list_add(&d->frames, f);
	return f;
}

/* --- the scheduler, time --- */

void vcpu_wake(struct vcpu *v)
{
	if (!(atomic_and(&v->sched.pause_flags, ~VPF_BLOCKED) & VPF_BLOCKED))
		return;
	v->poll_port = 0;
}

void vcpu_kick(struct vcpu *v)
{
	atomic_add(&fake_kicks, 1u);
	if ((v->sched.pause_flags & VPF_BLOCKED) && (!v->poll_port || vcpu_event_deliverable(v)))
		vcpu_wake(v);
}

void vcpu_block_current(void)
{
	struct vcpu *v = current;
	bool polling;

	if (fake_before_block)
		fake_before_block();
	polling = v->poll_port != 0;
	v->sched.pause_flags |= VPF_BLOCKED;
	if (vcpu_event_deliverable(v) || (polling && !v->poll_port)) {
		v->poll_port = 0;
		v->sched.pause_flags &= ~VPF_BLOCKED;
	}
}

nsec_t clock_now(void)
{
	return now;
}

void timer_set(struct timer *t, nsec_t expires)
{
	t->expires = expires;
	t->node.in = true;
}

void timer_stop(struct timer *t)
{
	t->node.in = false;
}

/* --- pirqs: 0..7 are mapped --- */

int pirq_bind(struct domain *d, u32 pirq, u32 port, bool share)
{
	assert_false(spin_is_locked(&d->ev.lock));
	if (pirq >= ARRAY_SIZE(fake_pirq_port))
		return -XEN_EINVAL;
	if (fake_pirq_port[pirq])
		return -XEN_EEXIST;
	fake_pirq_port[pirq] = port;
	return 0;
}

void pirq_unbind(struct domain *d, u32 pirq)
{
	assert_false(spin_is_locked(&d->ev.lock));
	fake_pirq_port[pirq] = 0;
}

void pirq_set_affinity(struct domain *d, u32 pirq, unsigned int cpu)
{
	assert_false(spin_is_locked(&d->ev.lock));
	fake_pirq_cpu[pirq] = cpu;
}

/* --- hypercalls --- */

static bool touches(const void *p, size_t n)
{
	return fake_bad_addr && (const char *)fake_bad_addr >= (const char *)p &&
	       (const char *)fake_bad_addr < (const char *)p + n;
}

int copy_from_guest(void *dst, const void *src, size_t n)
{
	if (!src || touches(src, n)) {
		memset(dst, 0, n);
		return -XEN_EFAULT;
	}
	memcpy(dst, src, n);
	return 0;
}

int copy_u32_from_guest(u32 *dst, const void *src)
{
	return copy_from_guest(dst, src, sizeof(*dst));
}

int copy_to_guest(void *dst, const void *src, size_t n)
{
	if (!dst || touches(dst, n))
		return -XEN_EFAULT;
	memcpy(dst, src, n);
	return 0;
}

long call_restart(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4,
		  unsigned long a5)
{
	unsigned long args[5] = {a1, a2, a3, a4, a5};

	memcpy(fake_next_args, args, sizeof(args));
	return CALL_RESTART;
}

bool call_preempt(unsigned int *done)
{
	return fake_preempt && ++*done % fake_preempt == 0;
}

long peer_call(call_fn *fn, unsigned long a1, unsigned long a2, unsigned long a3)
{
	long rc = fn(a1, a2, a3, 0, 0);
	unsigned int rounds = 0;

	while (rc == CALL_RESTART) {
		const unsigned long *a = fake_next_args;

		assert_true(++rounds < 100000);
		rc = fn(a[0], a[1], a[2], a[3], a[4]);
	}
	return rc;
}

/* --- start and end --- */

int peer_setup(void **state)
{
	/* Once: the allocators do not forget. */
	if (!frame_table) {
		fake_ram_reset();
		fake_ram_add(16, NR_FRAMES);
		buddy_add_range(16, NR_FRAMES);
		frame_free_hook = free_frame;
	}
	free_at_start = buddy_free_frames();
	fake_kicks = fake_preempt = 0;
	fake_bad_addr = NULL;
	fake_before_block = NULL;
	memset(fake_pirq_port, 0, sizeof(fake_pirq_port));
	now = 1000;
	return 0;
}

int peer_teardown(void **state)
{
	for (unsigned int i = 0; i < NR_PEERS; i++)
		assert_null(peers[i]);
	assert_int_equal(buddy_free_frames(), free_at_start);
	assert_true(buddy_audit());
	return 0;
}
