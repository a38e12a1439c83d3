/* SPDX-License-Identifier: MIT */
#include "sched/runq.h"
#include "sched/cap.h"
#include "cpu/irqflags.h"
#include "cpu/percpu.h"
#include "dom/vtime.h"
#include "lib/log.h"

const struct sched_switch_ops *guest_switch_ops;
nsec_t sched_ratelimit = 500 * NSEC_PER_USEC;

void sched_set_ratelimit(nsec_t ns)
{
	WRITE_ONCE(sched_ratelimit, ns);
}

nsec_t sched_get_ratelimit(void)
{
	return sched_ratelimit;
}

/* --- registers that stay behind in an idle CPU --- */

/* unload: no load follows, so that this CPU has to leave the vcpu's page tables too. */
static void save_lazy(struct runq *rq, bool unload)
{
	struct vcpu *v = rq->lazy;

	atomic_store(&rq->sync_lazy, false);
	if (!v)
		return;
	guest_switch_ops->save(v);
	if (unload && guest_switch_ops->unload)
		guest_switch_ops->unload();
	rq->lazy = NULL;
	atomic_store(&v->sched.lazy_cpu, 0u);
}

/* Asks the CPU that idles with v's registers for them. */
static void request_lazy(unsigned int cpu)
{
	struct runq *rq = &runqs[cpu];

	if (cpu == smp_cpu_id())
		save_lazy(rq, true);
	else if (!atomic_xchg(&rq->sync_lazy, true))
		cpu_raise_hazard(cpu, HAZ_SCHED);
}

/* Spins until no other CPU holds v's registers. No lock is held, and nothing lazy is in this CPU. */
static void fetch_registers(struct vcpu *v)
{
	unsigned int holder;

	while ((holder = atomic_load(&v->sched.lazy_cpu)) != 0) {
		request_lazy(holder - 1);
		if (spin_wait_hook)
			spin_wait_hook();
		cpu_relax();
	}
}

void vcpu_wait_off(struct vcpu *v)
{
	if (v == current)
		return;
	smp_mb();
	while (atomic_load(&v->sched.running)) {
		if (spin_wait_hook)
			spin_wait_hook();
		cpu_relax();
	}
	fetch_registers(v);
}

/* --- the decision --- */

/* With the lock, somebody waits: until when v, which runs, goes first. */
static nsec_t time_left(const struct runq *rq, const struct vcpu *v)
{
	const struct vcpu *first = runq_first(rq);

	return share_left(v->sched.vtime, v->sched.weight, first->sched.node.key,
			  first->sched.weight, share_step(rq->nr));
}

/* With the lock: shall prev, which could go on, make room? */
static bool must_yield(struct runq *rq, struct vcpu *prev, nsec_t now)
{
	if (!rq->nr)
		return false;
	if (prev->sched.yielded)
		return true;
	return now - prev->sched.last_start >= sched_ratelimit && !time_left(rq, prev);
}

/* With the lock: who is to go next. A domain that used up its cap leaves its vcpus in the queues. */
static struct vcpu *take_first(struct runq *rq, nsec_t now)
{
	struct vcpu *v;

	while ((v = runq_first(rq)) != NULL) {
		runq_remove(rq, v);
		if (vcpu_runnable(v))
			break;
		runstate_set(v, runstate_off_cpu(v), now);
	}
	return v;
}

static struct vcpu *pick_next(struct runq *rq, struct vcpu *prev, nsec_t now)
{
	unsigned int cpu = (unsigned int)(rq - runqs);
	bool keep = prev != rq->idle && vcpu_runnable(prev) && runq_cpu_allowed(prev, cpu);
	struct vcpu *next;

	if (keep && !must_yield(rq, prev, now))
		return prev;
	next = take_first(rq, now);
	if (!next && keep)
		return prev;
	if (!next) {
		(void)test_and_set_bit_atomic(cpu, sched_idle_map);
		next = runq_steal(rq);
	}
	if (next && test_bit(cpu, sched_idle_map))
		(void)test_and_clear_bit_atomic(cpu, sched_idle_map);
	return next ? next : rq->idle;
}

/* With the lock: when to think again, although nobody asks. */
static void arm_tick(struct runq *rq, nsec_t now)
{
	struct vcpu *v = rq->curr;
	nsec_t when = now + SCHED_TICK;

	/* An idle CPU lets it run out: that costs less than stopping it each time. */
	if (v == rq->idle)
		return;
	if (rq->nr) {
		when = min(now + SCHED_BALANCE, now + time_left(rq, v));
		when = max(when, v->sched.last_start + sched_ratelimit);
	}
	when = min(when, now + cap_left(v->d, SCHED_TICK));
	if (!timer_pending(&rq->tick) || rq->tick.expires > when)
		timer_set(&rq->tick, when);
}

/* With the lock: prev goes on. */
static void keep_running(struct runq *rq, struct vcpu *v, nsec_t now)
{
	if (v == rq->idle)
		return;
	v->sched.yielded = false;
	arm_tick(rq, now);
}

/* --- the switch --- */

static void stop_running(struct runq *rq, struct vcpu *prev, nsec_t now)
{
	runstate_set(prev, prev == rq->idle ? RUNSTATE_runnable : runstate_off_cpu(prev), now);
}

static void start_running(struct runq *rq, struct vcpu *next, nsec_t now)
{
	rq->curr = next;
	runstate_set(next, RUNSTATE_running, now);
	if (next == rq->idle)
		return;
	next->sched.running = true;
	next->sched.last_start = now;
	WRITE_ONCE(rq->counted_to, now);
	arm_tick(rq, now);
}

/* prev is off the CPU (or its registers are lazily in it): lets others have it, or queues it. */
static void put_prev(struct runq *rq, struct vcpu *prev, nsec_t now)
{
	unsigned int cpu = prev->sched.cpu;
	bool place = false, queued = false, yielded = prev->sched.yielded;

	spin_lock(&rq->lock);
	atomic_store(&prev->sched.running, false);
	prev->sched.yielded = false;
	if (!vcpu_runnable(prev)) {
		runstate_set(prev, runstate_off_cpu(prev), now);
	} else if (runq_cpu_allowed(prev, cpu)) {
		runq_insert(rq, prev, yielded, now);
		arm_tick(rq, now);
		queued = true;
	} else {
		place = true;
	}
	spin_unlock(&rq->lock);
	if (queued)
		runq_kick(prev, cpu, false);
	if (place)
		runq_place(prev);
}

/* A vcpu that only waits for an event will most likely be the next one here. */
static bool worth_keeping(const struct vcpu *v)
{
	return READ_ONCE(v->sched.pause_flags) == VPF_BLOCKED && !READ_ONCE(v->sched.pause_count) &&
	       !READ_ONCE(v->d->pause_count) && !v->d->is_shut_down && !v->d->dying;
}

/* prev's registers go to struct vcpu, or stay; nothing of a third vcpu stays. */
static void leave(struct runq *rq, struct vcpu *prev, struct vcpu *next)
{
	if (prev == rq->idle) {
		if (rq->lazy != next)
			save_lazy(rq, true);
		return;
	}
	vtime_leave(prev);
	if (next == rq->idle && worth_keeping(prev)) {
		rq->lazy = prev;
		atomic_store(&prev->sched.lazy_cpu, (unsigned int)(rq - runqs) + 1);
		return;
	}
	guest_switch_ops->save(prev);
	if (next == rq->idle && guest_switch_ops->unload)
		guest_switch_ops->unload();
}

static void load_registers(struct runq *rq, struct vcpu *next)
{
	if (rq->lazy == next) {
		rq->lazy = NULL;
		atomic_store(&next->sched.lazy_cpu, 0u);
		return;
	}
	fetch_registers(next);
	guest_switch_ops->load(next);
}

static void enter(struct vcpu *next)
{
	vtime_enter(next);
	if (READ_ONCE(next->hazard))
		cpu_raise_hazard(smp_cpu_id(), HAZ_VCPU);
	if (guest_switch_ops->resumed)
		guest_switch_ops->resumed(next);
}

static void switch_vcpu(struct runq *rq, struct vcpu *prev, struct vcpu *next, nsec_t now)
{
	leave(rq, prev, next);
	get_cpu_info()->curr = next;
	if (next != rq->idle)
		load_registers(rq, next);
	/* Not before: until the load, this CPU is on prev's page tables. */
	if (prev != rq->idle)
		put_prev(rq, prev, now);
	if (next != rq->idle)
		enter(next);
}

void schedule(void)
{
	struct runq *rq = &runqs[smp_cpu_id()];
	struct vcpu *prev = current, *next;
	nsec_t now = clock_now();

	if (READ_ONCE(rq->sync_lazy))
		save_lazy(rq, true);
	spin_lock(&rq->lock);
	runq_account(rq, now);
	if (prev != rq->idle)
		runq_balance(rq, now);
	next = pick_next(rq, prev, now);
	if (next == prev) {
		keep_running(rq, prev, now);
		spin_unlock(&rq->lock);
		if (prev != rq->idle)
			vtime_refresh(prev, now);
		return;
	}
	stop_running(rq, prev, now);
	start_running(rq, next, now);
	spin_unlock(&rq->lock);
	if (prev == rq->idle)
		runq_pass_on();
	switch_vcpu(rq, prev, next, now);
}
