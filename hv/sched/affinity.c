/* SPDX-License-Identifier: MIT */
#include "sched/pool.h"
#include "sched/runq.h"
#include "cpu/percpu.h"
#include "lib/log.h"
#include "lib/string.h"

/* Unlocks. After its affinity changed: away from a CPU it may no longer use, to an idle one it now may. */
static void affinity_changed(struct vcpu *v, struct runq *rq)
{
	unsigned int cpu = v->sched.cpu;
	bool allowed = runq_cpu_allowed(v, cpu), queued = v->sched.queued;

	if (queued && !allowed)
		runq_remove(rq, v);
	else if (v->sched.running && !allowed)
		cpu_raise_hazard(cpu, HAZ_SCHED);
	spin_unlock(&rq->lock);
	if (queued && allowed)
		runq_kick(v, cpu, false);
	else if (queued)
		runq_place(v);
}

/*
 * With the lock: where it may run. Of a wish that its pool does not know a single CPU of, nothing is left
 * but the pool.
 */
static void set_hard(struct vcpu *v)
{
	DECLARE_BITMAP(cpus, CONFIG_NR_CPUS);
	unsigned long any = 0;

	pool_cpus(v->d->cpupool, cpus);
	for (unsigned int w = 0; w < ARRAY_SIZE(cpus); w++)
		any |= cpus[w] & v->sched.asked[w] & cpu_online_map[w];
	for (unsigned int w = 0; w < ARRAY_SIZE(cpus); w++)
		v->sched.hard[w] = any ? cpus[w] & v->sched.asked[w] : cpus[w];
}

void sched_set_affinity(struct vcpu *v, const unsigned long *hard, const unsigned long *soft)
{
	struct runq *rq = runq_lock_of(v);

	if (hard)
		memcpy(v->sched.asked, hard, sizeof(v->sched.asked));
	if (soft)
		memcpy(v->sched.soft, soft, sizeof(v->sched.soft));
	if (!v->sched.pinned)
		set_hard(v);
	affinity_changed(v, rq);
}

void sched_pool_changed(struct vcpu *v)
{
	struct runq *rq = runq_lock_of(v);

	if (v->sched.pinned &&
	    !pool_has(v->d->cpupool, find_first_bit(v->sched.hard, CONFIG_NR_CPUS)))
		v->sched.pinned = false;
	if (!v->sched.pinned)
		set_hard(v);
	affinity_changed(v, rq);
}

int sched_pin_override(int cpu)
{
	struct vcpu *v = current;
	struct sched_vcpu *s = &v->sched;
	struct runq *rq;

	if (cpu >= CONFIG_NR_CPUS || (cpu >= 0 && !test_bit((unsigned int)cpu, cpu_online_map)))
		return -XEN_EINVAL;
	rq = runq_lock_of(v);
	if (cpu >= 0 && !pool_has(v->d->cpupool, (unsigned int)cpu)) {
		spin_unlock(&rq->lock);
		return -XEN_EINVAL;
	}
	if ((cpu >= 0) == s->pinned) {
		spin_unlock(&rq->lock);
		return cpu >= 0 ? -XEN_EBUSY : -XEN_EINVAL;
	}
	s->pinned = cpu >= 0;
	if (s->pinned) {
		memset(s->hard, 0, sizeof(s->hard));
		set_bit((unsigned int)cpu, s->hard);
	} else {
		set_hard(v);
	}
	affinity_changed(v, rq);
	return 0;
}

/* --- what it has done --- */

void vcpu_get_runstate(const struct vcpu *v, void *vcpu_runstate_info)
{
	struct vcpu_runstate_info *out = vcpu_runstate_info;
	struct runq *rq = runq_lock_of(v);
	u64 now = (u64)clock_now();

	memset(out, 0, sizeof(*out));
	out->state = v->runstate.state;
	out->state_entry_time = v->runstate.state_entry_time;
	memcpy(out->time, v->runstate.time, sizeof(out->time));
	spin_unlock(&rq->lock);
	if (now > out->state_entry_time)
		out->time[out->state] += now - out->state_entry_time;
}

u64 vcpu_cpu_time(const struct vcpu *v)
{
	struct vcpu_runstate_info r;

	vcpu_get_runstate(v, &r);
	return r.time[RUNSTATE_running];
}

u64 sched_idle_time(unsigned int cpu)
{
	return idle_vcpu(cpu) ? vcpu_cpu_time(idle_vcpu(cpu)) : 0;
}

void sched_dump(void)
{
	const struct vcpu *next;
	unsigned int cpu;

	for_each_online_cpu (cpu) {
		struct runq *rq = &runqs[cpu];

		spin_lock(&rq->lock);
		pr_info("CPU %u: runs d%uv%u, %u waiting%s\n", cpu, rq->curr->d->id, rq->curr->id,
			rq->nr, test_bit(cpu, sched_idle_map) ? ", idle" : "");
		next = runq_first(rq);
		if (next)
			pr_info("    next: d%uv%u, %ld us after the queue's clock\n", next->d->id,
				next->id, (long)(next->sched.vtime - rq->clock) / 65536 / 1000);
		spin_unlock(&rq->lock);
	}
}
