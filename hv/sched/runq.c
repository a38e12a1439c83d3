/* SPDX-License-Identifier: MIT */
#include "sched/runq.h"
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
	return READ_ONCE(v->sched.pause_flags) & VPF_BLOCKED ? RUNSTATE_blocked : RUNSTATE_offline;
}

void runq_insert(struct runq *rq, struct vcpu *v, bool front, nsec_t now)
{
	struct list_head *l = v->sched.boosted ? &rq->boosted : &rq->normal;

	ASSERT(!v->sched.queued && !v->sched.running);
	if (!v->sched.boosted && list_empty(&rq->normal))
		rq->normal_served = now;
	if (front)
		list_add(&v->sched.node, l);
	else
		list_add_tail(&v->sched.node, l);
	v->sched.queued = true;
	WRITE_ONCE(rq->nr, rq->nr + 1);
	runstate_set(v, RUNSTATE_runnable, now);
}

void runq_remove(struct runq *rq, struct vcpu *v)
{
	ASSERT(v->sched.queued);
	list_del(&v->sched.node);
	v->sched.queued = false;
	WRITE_ONCE(rq->nr, rq->nr - 1);
}

struct vcpu *runq_first(struct runq *rq, nsec_t now)
{
	bool hogs = !list_empty(&rq->normal);

	if (list_empty(&rq->boosted) || (hogs && now - rq->normal_served > SCHED_STARVE))
		return hogs ? list_first_entry(&rq->normal, struct vcpu, sched.node) : NULL;
	return list_first_entry(&rq->boosted, struct vcpu, sched.node);
}

static struct vcpu *steal_candidate(struct list_head *l, unsigned int cpu)
{
	struct vcpu *v;

	list_for_each_entry (v, l, sched.node) {
		if (test_bit(cpu, v->sched.hard))
			return v;
	}
	return NULL;
}

static struct vcpu *steal_from(struct runq *from, unsigned int cpu)
{
	struct vcpu *v = steal_candidate(&from->boosted, cpu);

	if (!v)
		v = steal_candidate(&from->normal, cpu);
	if (v) {
		runq_remove(from, v);
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

		if (!READ_ONCE(from->nr))
			continue;
		if (!spin_trylock(&from->lock)) {
			missed = true;
			continue;
		}
		v = steal_from(from, cpu);
		spin_unlock(&from->lock);
	}
	/* Not knowing what was in a queue is no reason to sleep. */
	if (!v && missed)
		cpu_raise_hazard(cpu, HAZ_SCHED);
	return v;
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

static unsigned int load_of(unsigned int cpu)
{
	const struct runq *rq = &runqs[cpu];

	return READ_ONCE(rq->nr) + (READ_ONCE(rq->curr) != rq->idle);
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

static void wake_idle_for(const struct list_head *l)
{
	const struct vcpu *v;

	list_for_each_entry (v, l, sched.node) {
		unsigned int idle = find_idle(v, false);

		if (idle < CONFIG_NR_CPUS && test_and_clear_bit_atomic(idle, sched_idle_map))
			cpu_raise_hazard(idle, HAZ_SCHED);
	}
}

static bool any_idle(void)
{
	return find_first_bit(sched_idle_map, CONFIG_NR_CPUS) < CONFIG_NR_CPUS;
}

void runq_pass_on(void)
{
	unsigned int cpu;

	smp_mb();
	for (cpu = 0; cpu < nr_cpus && any_idle(); cpu++) {
		struct runq *rq = &runqs[cpu];

		if (!READ_ONCE(rq->nr))
			continue;
		spin_lock(&rq->lock);
		wake_idle_for(&rq->boosted);
		wake_idle_for(&rq->normal);
		spin_unlock(&rq->lock);
	}
}

/* With the lock: it waits for nothing but a CPU, and is nowhere yet. */
static bool placeable(const struct vcpu *v)
{
	return !v->sched.running && !v->sched.queued && vcpu_runnable(v);
}

void runq_place(struct vcpu *v, bool boost)
{
	bool chosen = false, tell;
	struct runq *rq;
	unsigned int cpu;
	nsec_t now = clock_now();

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
	v->sched.boosted = boost;
	v->sched.slice_left = 0;
	runq_insert(rq, v, false, now);
	/* A second hog changes nothing for the CPU: its slice timer runs already. */
	tell = boost || rq->nr == 1;
	spin_unlock(&rq->lock);
	runq_kick(v, cpu, tell);
}
