/* SPDX-License-Identifier: MIT */
#include "dom/vtime.h"
#include "cpu/percpu.h"
#include "lib/string.h"
#include "mm/guest_copy.h"
#include "time/clock.h"

#define REFRESH_AFTER (500 * NSEC_PER_MSEC)
#define PERIOD_MIN    (1 * NSEC_PER_MSEC)
#define PERIOD_MAX    (3600 * NSEC_PER_SEC)
#define FAR_FUTURE    (1LL << 60) /* 36 years, and no sum with it overflows */

/* --- timers --- */

static bool wants_timers(const struct vcpu *v)
{
	return !READ_ONCE(v->d->dying) && !READ_ONCE(v->d->is_shut_down);
}

static void singleshot_expired(void *arg)
{
	send_vcpu_virq(arg, VIRQ_TIMER);
}

static void periodic_expired(void *arg)
{
	struct vcpu *v = arg;
	u64 period = READ_ONCE(v->periodic_period);
	nsec_t now = clock_now(), next;

	if (!period || v->d->dying)
		return;
	if (wants_timers(v))
		send_vcpu_virq(v, VIRQ_TIMER);
	/* Ticks that were missed are not made up for. */
	next = v->periodic.expires + (nsec_t)period;
	timer_set(&v->periodic, next > now ? next : now + (nsec_t)period);
}

static void poll_expired(void *arg)
{
	struct vcpu *v = arg;

	if (READ_ONCE(v->poll_port))
		vcpu_wake(v);
}

void vtime_init_vcpu(struct vcpu *v)
{
	timer_init(&v->singleshot, singleshot_expired, v, v->sched.cpu);
	timer_init(&v->periodic, periodic_expired, v, v->sched.cpu);
	timer_init(&v->poll_timer, poll_expired, v, v->sched.cpu);
	v->time_cpu = v->sched.cpu;
}

void vtime_stop_vcpu(struct vcpu *v)
{
	vtime_stop_periodic(v);
	timer_stop(&v->singleshot);
	timer_stop(&v->poll_timer);
}

void vtime_set_singleshot(struct vcpu *v, u64 when)
{
	if (when <= (u64)clock_now()) {
		timer_stop(&v->singleshot);
		send_vcpu_virq(v, VIRQ_TIMER);
		return;
	}
	timer_set(&v->singleshot, (nsec_t)min(when, (u64)FAR_FUTURE));
}

void vtime_stop_singleshot(struct vcpu *v)
{
	timer_stop(&v->singleshot);
}

int vtime_set_periodic(struct vcpu *v, u64 period)
{
	if (period < (u64)PERIOD_MIN || period > (u64)PERIOD_MAX)
		return -XEN_EINVAL;
	WRITE_ONCE(v->periodic_period, period);
	timer_set(&v->periodic, clock_now() + (nsec_t)period);
	return 0;
}

void vtime_stop_periodic(struct vcpu *v)
{
	/* The callback sets the timer again unless it sees this; one that has, is stopped after it. */
	WRITE_ONCE(v->periodic_period, 0);
	timer_stop(&v->periodic);
	timer_stop(&v->periodic);
}

static void move_timers(struct vcpu *v, unsigned int cpu)
{
	timer_migrate(&v->singleshot, cpu);
	timer_migrate(&v->periodic, cpu);
	timer_migrate(&v->poll_timer, cpu);
}

/* --- areas in guest memory --- */

static void kernel_view(struct vcpu *v, bool on)
{
	if (guest_kind_ops && guest_kind_ops->kernel_view)
		guest_kind_ops->kernel_view(v, on);
}

/*
 * A page that is not there or not writable is the guest's own loss. With the update flag the guest
 * can tell a half-written area: bit 63 of the entry time is set first and cleared last.
 */
static void write_runstate(struct vcpu *v)
{
	struct vcpu_runstate_info *g = v->runstate_guest, r;

	memset(&r, 0, sizeof(r));
	r.state = v->runstate.state;
	r.state_entry_time = v->runstate.state_entry_time;
	memcpy(r.time, v->runstate.time, sizeof(r.time));
	if (!(v->d->vm_assist & (1u << VMASST_TYPE_runstate_update_flag))) {
		(void)!copy_to_guest(g, &r, sizeof(r));
		return;
	}
	r.state_entry_time |= XEN_RUNSTATE_UPDATE;
	if (copy_to_guest(&g->state_entry_time, &r.state_entry_time, sizeof(r.state_entry_time)) ||
	    copy_to_guest(g, &r, sizeof(r)))
		return;
	r.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
	(void)!copy_to_guest(&g->state_entry_time, &r.state_entry_time, sizeof(r.state_entry_time));
}

static void write_time_area(struct vcpu *v, const struct vcpu_time_info *now)
{
	struct vcpu_time_info *g = v->time_guest, t = *now;

	t.version = v->time_version - 1;
	if (copy_to_guest(&g->version, &t.version, sizeof(t.version)) ||
	    copy_to_guest(g, &t, sizeof(t)))
		return;
	t.version = v->time_version;
	(void)!copy_to_guest(&g->version, &t.version, sizeof(t.version));
}

/* The version protocol of struct vcpu_time_info; the guest's own scribbles do not matter to us. */
static void publish(struct vcpu *v, struct vcpu_time_info *now)
{
	struct vcpu_time_info *t = &v->info->time;

	clock_fill_vcpu_time(now);
	v->time_version += 2;
	WRITE_ONCE(t->version, v->time_version - 1);
	smp_wmb();
	t->tsc_timestamp = now->tsc_timestamp;
	t->system_time = now->system_time;
	t->tsc_to_system_mul = now->tsc_to_system_mul;
	t->tsc_shift = now->tsc_shift;
	t->flags = now->flags;
	smp_wmb();
	WRITE_ONCE(t->version, v->time_version);
}

static void update_areas(struct vcpu *v, bool time, bool runstate)
{
	struct vcpu_time_info now;

	memset(&now, 0, sizeof(now));
	if (time) {
		publish(v, &now);
		v->time_updated = (nsec_t)now.system_time;
	}
	time = time && v->time_guest;
	runstate = runstate && v->runstate_guest;
	if (!time && !runstate)
		return;
	kernel_view(v, true);
	if (time)
		write_time_area(v, &now);
	if (runstate)
		write_runstate(v);
	kernel_view(v, false);
}

void vtime_enter(struct vcpu *v)
{
	unsigned int cpu = smp_cpu_id();
	bool moved = v->time_cpu != cpu;

	if (moved) {
		v->time_cpu = cpu;
		move_timers(v, cpu);
	}
	update_areas(v, moved || !v->time_updated || clock_now() - v->time_updated > REFRESH_AFTER,
		     true);
}

void vtime_refresh(struct vcpu *v, nsec_t now)
{
	if (now - v->time_updated > REFRESH_AFTER)
		update_areas(v, true, false);
}

void vtime_leave(struct vcpu *v)
{
	update_areas(v, false, true);
}

void vtime_update(struct vcpu *v)
{
	update_areas(v, true, false);
}

void vtime_info_moved(struct vcpu *v)
{
	struct vcpu_time_info now;

	memset(&now, 0, sizeof(now));
	publish(v, &now);
}

void vtime_register_runstate(struct vcpu *v, struct vcpu_runstate_info *va)
{
	WRITE_ONCE(v->runstate_guest, va);
	/* That of another vcpu is written when it next runs, in its own address space. */
	if (v == current)
		update_areas(v, false, true);
}

void vtime_register_time(struct vcpu *v, struct vcpu_time_info *va)
{
	WRITE_ONCE(v->time_guest, va);
	if (v == current)
		update_areas(v, true, false);
	else
		v->time_updated = 0;
}

/* --- the wall clock --- */

void vtime_update_wallclock(struct domain *d)
{
	struct shared_info *s;
	u64 sec;
	u32 nsec, ver;

	spin_lock(&d->lock);
	clock_get_wall(&sec, &nsec);
	s = d->shared;
	sec += (u64)(s64)d->time_offset;
	ver = READ_ONCE(s->wc_version) | 1;
	WRITE_ONCE(s->wc_version, ver);
	smp_wmb();
	WRITE_ONCE(s->wc_sec, (u32)sec);
	WRITE_ONCE(s->wc_sec_hi, (u32)(sec >> 32));
	WRITE_ONCE(s->wc_nsec, nsec);
	smp_wmb();
	WRITE_ONCE(s->wc_version, ver + 1);
	spin_unlock(&d->lock);
}

void vtime_wallclock_changed(void)
{
	struct domain *d;
	domid_t next = 0;

	while ((d = domain_get_from(next)) != NULL) {
		next = d->id + 1;
		vtime_update_wallclock(d);
		domain_put(d);
	}
}
