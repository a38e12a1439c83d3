/* SPDX-License-Identifier: MIT */
#include "sched/runq.h"
#include "sched/cap.h"
#include "sched/pool.h"
#include "cpu/irqflags.h"
#include "cpu/percpu.h"
#include "lib/log.h"

struct runq runqs[CONFIG_NR_CPUS];
unsigned long sched_idle_map[BITS_TO_LONGS(CONFIG_NR_CPUS)];

struct runq *runq_lock_of(const struct vcpu *v)
{
	for (;;) {
		unsigned int cpu = READ_ONCE(v->sched.cpu);
		struct runq *rq = &runqs[cpu];

		spin_lock(&rq->lock);
		if (likely(v->sched.cpu == cpu))
			return rq;
		spin_unlock(&rq->lock);
	}
}

bool runq_cpu_allowed(const struct vcpu *v, unsigned int cpu)
{
	return test_bit(cpu, v->sched.hard) && test_bit(cpu, cpu_online_map);
}

void runstate_set(struct vcpu *v, int state, nsec_t now)
{
	struct vcpu_runstate_info *r = &v->runstate;

	if (r->state == state)
		return;
	/* Clocks of two CPUs may differ by a few ns: the sum of the times must not. */
	if ((u64)now > r->state_entry_time) {
		r->time[r->state] += (u64)now - r->state_entry_time;
		r->state_entry_time = (u64)now;
	}
	r->state = state;
}

int runstate_off_cpu(const struct vcpu *v)
{
	if (vcpu_runnable(v))
		return RUNSTATE_runnable;
	if (READ_ONCE(v->sched.pause_flags) & VPF_BLOCKED)
		return RUNSTATE_blocked;
	return vcpu_stopped(v) ? RUNSTATE_offline : RUNSTATE_runnable;
}

/* --- the order --- */

static struct vcpu *of_node(struct heap_node *n)
{
	return n ? container_of(n, struct vcpu, sched.node) : NULL;
}

struct vcpu *runq_first(const struct runq *rq)
{
	return of_node(rq->heap.root);
}

/* The clock follows the least virtual time of all who want to run. */
static void move_clock(struct runq *rq)
{
	const struct vcpu *first = runq_first(rq);
	bool busy = rq->curr != rq->idle;
	u64 least;

	if (!busy && !first)
		return;
	/* analyze-ok nullPointerRedundantCheck: one of the two is there, see above. */
	least = busy ? rq->curr->sched.vtime : first->sched.node.key;
	if (busy && first && heap_less(first->sched.node.key, least))
		least = first->sched.node.key;
	if (heap_less(rq->clock, least)) {
		WRITE_ONCE(rq->served, rq->served + (nsec_t)((least - rq->clock) >> 16));
		WRITE_ONCE(rq->clock, least);
	}
}

/* One that is owed something runs at half the price until it has it. */
static u64 pay_back(struct vcpu *v, u64 price)
{
	u64 paid = min(price / 2, v->sched.owed);

	v->sched.owed -= paid;
	return price - paid;
}

void runq_account(struct runq *rq, nsec_t now)
{
	struct vcpu *v = rq->curr;
	nsec_t ran;
	u64 price;

	if (v == rq->idle)
		return;
	ran = now - rq->counted_to;
	if (ran <= 0)
		return;
	WRITE_ONCE(rq->counted_to, now);
	/* A machine that was stopped for a while is no reason to punish who was running. */
	ran = min(ran, 2 * SCHED_TICK);
	price = share_vtime(ran, v->sched.weight);
	if (unlikely(v->sched.owed))
		price = pay_back(v, price);
	v->sched.vtime += price;
	cap_charge(v->d, ran);
	move_clock(rq);
}

void runq_insert(struct runq *rq, struct vcpu *v, bool last, nsec_t now)
{
	const struct vcpu *first = runq_first(rq);
	u64 key = v->sched.vtime;

	ASSERT(!v->sched.queued && !v->sched.running);
	if (last && first && heap_less(key, first->sched.node.key + 1))
		key = first->sched.node.key + 1;
	heap_insert(&rq->heap, &v->sched.node, key);
	v->sched.queued = true;
	WRITE_ONCE(rq->nr, rq->nr + 1);
	runstate_set(v, RUNSTATE_runnable, now);
}

void runq_remove(struct runq *rq, struct vcpu *v)
{
	ASSERT(v->sched.queued);
	heap_remove(&rq->heap, &v->sched.node);
	v->sched.queued = false;
	WRITE_ONCE(rq->nr, rq->nr - 1);
}

/* To the timeline of another queue. */
static void rebase(struct vcpu *v, u64 from, u64 to)
{
	s64 ahead = (s64)(v->sched.vtime - from);

	v->sched.vtime = to + (u64)share_clamp(ahead, v->sched.weight);
}

/* --- from one queue to another --- */

/* With so many waiting for one CPU, a look at all of them would keep its lock for too long. */
#define STEAL_LOOK 512

/* One that may run on cpu, rather one that goes soon. */
static struct vcpu *steal_candidate(const struct runq *from, unsigned int cpu)
{
	struct heap_node *n = from->heap.root;

	for (unsigned int i = 0; n && i < STEAL_LOOK; i++, n = heap_next(n))
		if (test_bit(cpu, of_node(n)->sched.hard) && vcpu_runnable(of_node(n)))
			return of_node(n);
	return NULL;
}

static struct vcpu *take_from(struct runq *from, unsigned int cpu)
{
	struct vcpu *v = steal_candidate(from, cpu);

	if (v) {
		runq_remove(from, v);
		rebase(v, from->clock, runqs[cpu].clock);
		v->sched.cpu = cpu;
	}
	return v;
}

struct vcpu *runq_steal(struct runq *rq)
{
	unsigned int cpu = (unsigned int)(rq - runqs), i;
	struct vcpu *v = NULL;
	bool missed = false;

	for (i = 1; i < nr_cpus && !v; i++) {
		unsigned int other = (cpu + i) % nr_cpus;
		struct runq *from = &runqs[other];

		if (!READ_ONCE(from->nr) || !pool_same(cpu, other))
			continue;
		if (!spin_trylock(&from->lock)) {
			missed = true;
			continue;
		}
		v = take_from(from, cpu);
		spin_unlock(&from->lock);
	}
	/*
	 * Not knowing what was in a queue is no reason to sleep. But on a processor that is itself
	 * virtual, who holds the lock may wait for this one to let go.
	 */
	if (!v && missed) {
		cpu_relax();
		cpu_raise_hazard(cpu, HAZ_SCHED);
	}
	return v;
}

/* Who wants to run there, the running one included. */
static unsigned int load_of(unsigned int cpu)
{
	const struct runq *rq = &runqs[cpu];

	return READ_ONCE(rq->nr) + (READ_ONCE(rq->curr) != rq->idle);
}

/* One that runs alone is accounted for late. Without the lock, so a little more or less. */
static nsec_t served_until(const struct runq *rq, nsec_t now)
{
	nsec_t served = READ_ONCE(rq->served);

	if (READ_ONCE(rq->curr) != rq->idle && !READ_ONCE(rq->nr))
		served += max(now - READ_ONCE(rq->counted_to), (nsec_t)0);
	return served;
}

/* Of the CPUs with less to do than this one, the one whose vcpus were served most. */
static struct runq *richest(const struct runq *rq, unsigned int cpu, nsec_t now)
{
	struct runq *found = NULL;
	unsigned int other;
	nsec_t most = 0;

	for_each_online_cpu (other) {
		struct runq *q = &runqs[other];

		if (other == cpu || !pool_same(cpu, other) || load_of(other) >= load_of(cpu))
			continue;
		if (!found || served_until(q, now) > most) {
			found = q;
			most = served_until(q, now);
		}
	}
	/* One less there than here is reason only if they also had more. */
	if (found && load_of((unsigned int)(found - runqs)) + 2 > load_of(cpu) &&
	    most < rq->served + SHARE_STEP)
		found = NULL;
	return found;
}

void runq_balance(struct runq *rq, nsec_t now)
{
	unsigned int cpu = (unsigned int)(rq - runqs), other;
	struct runq *to;
	struct vcpu *v;
	nsec_t owed;

	if (!rq->nr || now - rq->balanced < SCHED_BALANCE)
		return;
	rq->balanced = now;
	to = richest(rq, cpu, now);
	if (!to || !spin_trylock(&to->lock))
		return;
	runq_account(to, now);
	other = (unsigned int)(to - runqs);
	/* What is older is history: there was nobody who could have changed queues. */
	owed = max(to->served - rq->served, (nsec_t)0);
	if (owed > SHARE_DEBT)
		rq->served = to->served - SHARE_DEBT;
	v = take_from(rq, other);
	if (v) {
		v->sched.owed += (u64)min(owed, (nsec_t)SHARE_DEBT) << 16;
		runq_insert(to, v, false, now);
		cpu_raise_hazard(other, HAZ_SCHED);
	}
	spin_unlock(&to->lock);
}

/* --- placement --- */

/* An idle CPU that v may use, its last one and its soft affinity preferred; CONFIG_NR_CPUS if none. */
static unsigned int find_idle(const struct vcpu *v, bool soft)
{
	unsigned int w;

	for (w = 0; w < ARRAY_SIZE(sched_idle_map); w++) {
		unsigned long m = READ_ONCE(sched_idle_map[w]) & v->sched.hard[w];

		if (soft)
			m &= v->sched.soft[w];
		if (m)
			return w * BITS_PER_LONG + ffs_long(m);
	}
	return CONFIG_NR_CPUS;
}

/* The least loaded CPU of the hard affinity; among equals the last one it ran on. */
static unsigned int least_loaded(const struct vcpu *v)
{
	unsigned int cpu, best = CONFIG_NR_CPUS, load = UINT_MAX, last = v->sched.cpu;

	for_each_online_cpu (cpu) {
		unsigned int l;

		if (!test_bit(cpu, v->sched.hard))
			continue;
		l = load_of(cpu);
		if (l < load || (l == load && cpu == last)) {
			load = l;
			best = cpu;
		}
	}
	/* The affinity names no CPU that is there: better anywhere than nowhere. */
	return best < CONFIG_NR_CPUS ? best : find_first_bit(cpu_online_map, CONFIG_NR_CPUS);
}

static unsigned int choose_cpu(const struct vcpu *v)
{
	unsigned int last = v->sched.cpu, cpu;

	bool last_idle = test_bit(last, sched_idle_map) && test_bit(last, v->sched.hard);

	if (last_idle && test_bit(last, v->sched.soft))
		return last;
	cpu = find_idle(v, true);
	if (cpu == CONFIG_NR_CPUS)
		cpu = last_idle ? last : find_idle(v, false);
	return cpu < CONFIG_NR_CPUS ? cpu : least_loaded(v);
}

void runq_kick(const struct vcpu *v, unsigned int cpu, bool tell_owner)
{
	unsigned int idle;

	smp_mb();
	/* Who clears the bit has taken on to wake that CPU; it sets the bit again if it finds nothing. */
	if (test_and_clear_bit_atomic(cpu, sched_idle_map)) {
		cpu_raise_hazard(cpu, HAZ_SCHED);
		return;
	}
	for (idle = find_idle(v, false); idle < CONFIG_NR_CPUS; idle = find_idle(v, false)) {
		if (test_and_clear_bit_atomic(idle, sched_idle_map)) {
			cpu_raise_hazard(idle, HAZ_SCHED);
			break;
		}
	}
	if (tell_owner)
		cpu_raise_hazard(cpu, HAZ_SCHED);
}

/* Whether a CPU that may take from this one's queue is idle. */
static bool idle_beside(unsigned int cpu)
{
	unsigned int idle;

	for_each_set_bit(idle, sched_idle_map, CONFIG_NR_CPUS)
	{
		if (pool_same(idle, cpu))
			return true;
	}
	return false;
}

void sched_nudge_idle(void)
{
	unsigned int cpu = find_first_bit(sched_idle_map, CONFIG_NR_CPUS);

	/* It stays announced as idle: who has a vcpu for it may choose it nevertheless. */
	if (cpu < CONFIG_NR_CPUS)
		cpu_raise_hazard(cpu, HAZ_SCHED);
}

void runq_pass_on(void)
{
	unsigned int cpu, idle, i;

	smp_mb();
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		struct runq *rq = &runqs[cpu];
		struct heap_node *n;

		if (!READ_ONCE(rq->nr) || !idle_beside(cpu))
			continue;
		spin_lock(&rq->lock);
		for (n = rq->heap.root, i = 0; n && i < STEAL_LOOK; n = heap_next(n), i++) {
			idle = vcpu_runnable(of_node(n)) ? find_idle(of_node(n), false)
							 : CONFIG_NR_CPUS;
			if (idle < CONFIG_NR_CPUS &&
			    test_and_clear_bit_atomic(idle, sched_idle_map))
				cpu_raise_hazard(idle, HAZ_SCHED);
		}
		spin_unlock(&rq->lock);
	}
}

/* With the lock: it waits for nothing but a CPU, and is nowhere yet. */
static bool placeable(const struct vcpu *v)
{
	return !v->sched.running && !v->sched.queued && vcpu_runnable(v);
}

/* With the lock: its virtual time, after it was away from a queue with the clock `from`. */
static void join(struct runq *rq, struct vcpu *v, u64 from, bool moved, nsec_t now)
{
	s64 ahead = (s64)(v->sched.vtime - from);

	if (now - (nsec_t)v->runstate.state_entry_time > SHARE_FORGET)
		ahead = INT64_MIN;
	v->sched.vtime = rq->clock + (u64)(moved ? share_clamp(ahead, v->sched.weight)
						 : share_credit(ahead, v->sched.weight));
}

void runq_place(struct vcpu *v)
{
	u64 from = READ_ONCE(runqs[v->sched.cpu].clock);
	unsigned int cpu, old = v->sched.cpu;
	nsec_t now = clock_now();
	bool chosen = false, first;
	struct runq *rq;

	for (;;) {
		rq = runq_lock_of(v);
		if (!placeable(v)) {
			/* On a CPU, schedule() sees to its state; in a queue it is runnable. */
			if (!v->sched.running && !v->sched.queued)
				runstate_set(v, runstate_off_cpu(v), now);
			spin_unlock(&rq->lock);
			return;
		}
		cpu = v->sched.cpu;
		if (!chosen || !runq_cpu_allowed(v, cpu))
			v->sched.cpu = choose_cpu(v);
		chosen = true;
		if (v->sched.cpu == cpu)
			break;
		spin_unlock(&rq->lock);
	}
	runq_account(rq, now);
	join(rq, v, cpu == old ? rq->clock : from, cpu != old, now);
	runq_insert(rq, v, false, now);
	/* One that is not the first changes nothing for the CPU: its tick comes soon enough. */
	first = runq_first(rq) == v;
	spin_unlock(&rq->lock);
	runq_kick(v, cpu, first);
}
