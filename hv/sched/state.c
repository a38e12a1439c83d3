/* SPDX-License-Identifier: MIT */
#include "sched/runq.h"
#include "sched/cap.h"
#include "sched/pool.h"
#include "cpu/percpu.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/heap.h"

static struct vcpu *idle_vcpus[CONFIG_NR_CPUS];
struct domain idle_domain = {
	.id = DOMID_IDLE_,
	.refs = 1,
	.max_vcpus = CONFIG_NR_CPUS,
	.vcpu = idle_vcpus,
};

/* --- start --- */

static void tick(void *arg)
{
	struct runq *rq = arg;

	cpu_raise_hazard((unsigned int)(rq - runqs), HAZ_SCHED);
}

void sched_init(void)
{
	unsigned int cpu;

	memset(sched_idle_map, 0, sizeof(sched_idle_map));
	pool_init();
	for (cpu = 0; cpu < CONFIG_NR_CPUS; cpu++) {
		struct runq *rq = &runqs[cpu];

		memset(rq, 0, sizeof(*rq));
		spin_lock_init(&rq->lock);
	}
}

void sched_init_cpu(unsigned int cpu)
{
	struct vcpu *v = hv_alloc(sizeof(*v));
	struct runq *rq = &runqs[cpu];

	if (!v)
		panic("no memory for the idle vcpu of CPU %u", cpu);
	v->d = &idle_domain;
	v->id = cpu;
	v->info = &v->dummy_info;
	v->dummy_info.evtchn_upcall_mask = 1;
	v->info_mfn = INVALID_MFN;
	v->sched.cpu = cpu;
	v->runstate.state = RUNSTATE_running;
	v->runstate.state_entry_time = (u64)clock_now();
	idle_vcpus[cpu] = v;
	rq->idle = rq->curr = v;
	timer_init(&rq->tick, tick, rq, cpu);
	cpu_infos[cpu]->curr = v;
	/* Its first schedule() announces it as idle. No IPI: it may not be up yet. */
	atomic_or(&cpu_infos[cpu]->hazard, HAZ_SCHED);
}

struct vcpu *idle_vcpu(unsigned int cpu)
{
	return idle_vcpus[cpu];
}

int sched_init_vcpu(struct vcpu *v)
{
	struct sched_vcpu *s = &v->sched;

	memset(s, 0, sizeof(*s));
	s->pause_flags = VPF_DOWN;
	s->cpu = v->id % nr_cpus;
	s->vtime = READ_ONCE(runqs[s->cpu].clock);
	s->weight = WEIGHT_DEFAULT;
	memset(s->asked, 0xff, sizeof(s->asked));
	pool_cpus(v->d->cpupool, s->hard);
	memset(s->soft, 0xff, sizeof(s->soft));
	v->runstate.state = RUNSTATE_offline;
	v->runstate.state_entry_time = (u64)clock_now();
	return 0;
}

void sched_destroy_vcpu(struct vcpu *v)
{
	atomic_or(&v->sched.pause_flags, VPF_DOWN);
	sched_recheck(v);
	vcpu_wait_off(v);
	ASSERT(!v->sched.queued);
}

/* --- what keeps a vcpu from running --- */

bool vcpu_stopped(const struct vcpu *v)
{
	return READ_ONCE(v->sched.pause_flags) || READ_ONCE(v->sched.pause_count) ||
	       READ_ONCE(v->d->pause_count) || READ_ONCE(v->d->is_shut_down) ||
	       READ_ONCE(v->d->dying);
}

bool vcpu_runnable(const struct vcpu *v)
{
	return !vcpu_stopped(v) && !cap_parked(v->d);
}

void sched_recheck(struct vcpu *v)
{
	struct runq *rq;
	bool place = false;

	smp_mb();
	rq = runq_lock_of(v);
	if (vcpu_runnable(v)) {
		place = !v->sched.queued && !v->sched.running;
	} else if (v->sched.queued) {
		runq_remove(rq, v);
		runstate_set(v, runstate_off_cpu(v), clock_now());
	} else if (v->sched.running) {
		cpu_raise_hazard(v->sched.cpu, HAZ_SCHED);
	} else {
		runstate_set(v, runstate_off_cpu(v), clock_now());
	}
	spin_unlock(&rq->lock);
	if (place)
		runq_place(v);
}

void vcpu_wake(struct vcpu *v)
{
	if (!(READ_ONCE(v->sched.pause_flags) & VPF_BLOCKED))
		return;
	WRITE_ONCE(v->poll_port, 0);
	if (atomic_and(&v->sched.pause_flags, ~VPF_BLOCKED) & VPF_BLOCKED)
		runq_place(v);
}

/* Brings it to its exit path if it is in guest mode; the current vcpu is on its way there. */
static void nudge(struct vcpu *v)
{
	if (READ_ONCE(v->sched.running) && v != current)
		cpu_raise_hazard(READ_ONCE(v->sched.cpu), HAZ_VCPU);
}

void vcpu_kick(struct vcpu *v)
{
	smp_mb();
	if (!(READ_ONCE(v->sched.pause_flags) & VPF_BLOCKED))
		nudge(v);
	else if (!READ_ONCE(v->poll_port) || vcpu_event_deliverable(v))
		vcpu_wake(v);
}

void vcpu_set_hazard(struct vcpu *v, u32 bits)
{
	atomic_or(&v->hazard, bits);
	smp_mb();
	if (v == current) {
		cpu_raise_hazard(smp_cpu_id(), HAZ_VCPU);
		return;
	}
	if (bits & VHAZ_NMI)
		vcpu_wake(v);
	nudge(v);
}

void vcpu_up(struct vcpu *v)
{
	if (atomic_and(&v->sched.pause_flags, ~(VPF_DOWN | VPF_BLOCKED)) & VPF_DOWN)
		runq_place(v);
}

void vcpu_down(struct vcpu *v)
{
	if (!(atomic_or(&v->sched.pause_flags, VPF_DOWN) & VPF_DOWN))
		sched_recheck(v);
}

void vcpu_block_current(void)
{
	struct vcpu *v = current;
	bool polling = v->poll_port != 0;

	atomic_or(&v->sched.pause_flags, VPF_BLOCKED);
	/* Whoever comes from here on sees the flag; what came before, we see. */
	if (vcpu_event_deliverable(v) || (READ_ONCE(v->hazard) & VHAZ_NMI) ||
	    (polling && !READ_ONCE(v->poll_port))) {
		WRITE_ONCE(v->poll_port, 0);
		atomic_and(&v->sched.pause_flags, ~VPF_BLOCKED);
		return;
	}
	cpu_raise_hazard(smp_cpu_id(), HAZ_SCHED);
}

void vcpu_yield_current(void)
{
	current->sched.yielded = true;
	cpu_raise_hazard(smp_cpu_id(), HAZ_SCHED);
}

void vcpu_pause_nosync(struct vcpu *v)
{
	if (atomic_add(&v->sched.pause_count, 1u) == 1)
		sched_recheck(v);
}

void vcpu_pause_sync(struct vcpu *v)
{
	vcpu_pause_nosync(v);
	vcpu_wait_off(v);
}

void vcpu_unpause(struct vcpu *v)
{
	if (atomic_sub(&v->sched.pause_count, 1u) == 0)
		sched_recheck(v);
}
