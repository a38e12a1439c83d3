/* SPDX-License-Identifier: MIT */
#include "guests.h"
#include <stdlib.h>
#include <string.h>
#include "cpu/percpu.h"
#include "sched/pool.h"
#include "sched/runq.h"

#define MARGIN (200 * NSEC_PER_USEC) /* a cheat leaves so long before the moment it fears */

struct guest *guests[MAX_GUESTS];
unsigned int nr_guests, check_every;
static unsigned int nr_started, instants;

static struct guest *guest_of(struct vcpu *v)
{
	return container_of(v, struct guest, v);
}

nsec_t guest_ran(const struct guest *g)
{
	return g->ran + (g->since >= 0 ? sim_now - g->since : 0);
}

/* --- what they do --- */

static void go_to_sleep(struct guest *g, nsec_t how_long)
{
	machine_act_as(g->v.sched.cpu);
	vcpu_block_current();
	event_set(&g->event, sim_now + how_long);
}

static void wake(struct guest *g)
{
	bool exact = g->kind == DEBTOR;

	if (g->kind == SLEEPER || exact)
		g->left = exact ? g->run : sim_delay(g->run);
	g->wants = sim_now;
	g->woken = true;
	/* From anywhere: an event of another guest, an interrupt. */
	machine_act_as((unsigned int)sim_below(nr_cpus));
	vcpu_wake(&g->v);
}

/* The next moment before which a cheat leaves. */
static nsec_t feared(const struct guest *g)
{
	return (sim_now + MARGIN) / g->run * g->run + g->run - MARGIN;
}

/* It runs: how long, if nobody takes it off? */
static void arm(struct guest *g)
{
	switch (g->kind) {
	case HOG:
		return;
	case CHEAT_SLEEP:
	case CHEAT_YIELD:
		event_set(&g->event, feared(g));
		return;
	default:
		event_set(&g->event, sim_now + max(g->left, (nsec_t)0));
	}
}

static void run_ends(struct guest *g)
{
	switch (g->kind) {
	case SLEEPER:
		go_to_sleep(g, sim_delay(g->sleep));
		return;
	case CHEAT_SLEEP:
	case DEBTOR:
		go_to_sleep(g, g->sleep);
		return;
	case YIELDER:
		g->left = sim_delay(g->run);
		g->ran += sim_now - g->since;
		g->since = sim_now;
		break;
	default:
		break;
	}
	machine_act_as(g->v.sched.cpu);
	vcpu_yield_current();
	arm(g);
}

static void happens(struct event *e)
{
	struct guest *g = container_of(e, struct guest, event);

	if (g->since >= 0)
		run_ends(g);
	else
		wake(g);
}

/* --- what the scheduler does to them --- */

void guests_comes(struct vcpu *v)
{
	struct guest *g = guest_of(v);

	if (!runq_cpu_allowed(v, smp_cpu_id()))
		fail("d%uv%u runs on CPU %u, where it may not", v->d->id, v->id, smp_cpu_id());
	if (g->since >= 0)
		fail("d%uv%u comes twice", v->d->id, v->id);
	g->since = sim_now;
	if (g->wants >= 0 && !g->disturbed) {
		if (g->woken && g->late)
			stats_add(g->late, sim_now - g->wants);
		g->longest = max(g->longest, sim_now - g->wants);
	}
	g->wants = -1;
	g->woken = g->disturbed = false;
	arm(g);
}

void guests_leaves(struct vcpu *v)
{
	struct guest *g = guest_of(v);

	if (g->since < 0)
		fail("d%uv%u leaves, but was not there", v->d->id, v->id);
	g->ran += sim_now - g->since;
	g->left -= sim_now - g->since;
	g->since = -1;
	if (v->sched.pause_flags & VPF_BLOCKED)
		return;
	event_stop(&g->event);
	g->wants = sim_now;
}

/* An idle CPU, and somebody who waits and may run there. */
static void find_missed(unsigned long idle)
{
	for (unsigned int i = 0; i < nr_started; i++) {
		const struct vcpu *v = &guests[i]->v;

		if (v->sched.queued && (v->sched.hard[0] & idle) && vcpu_runnable(v))
			fail("d%uv%u waits in the queue of CPU %u (%u there), but may run on an "
			     "idle CPU (of %#lx)",
			     v->d->id, v->id, v->sched.cpu, runqs[v->sched.cpu].nr,
			     v->sched.hard[0] & idle);
	}
}

void guests_settled(void)
{
	unsigned long idle = 0;
	unsigned int cpu, waiting = 0;

	if (++instants % check_every)
		return;
	for_each_online_cpu (cpu) {
		if (!machine_running(cpu))
			idle |= 1UL << cpu;
		waiting += runqs[cpu].nr;
	}
	if (idle && waiting)
		find_missed(idle);
}

void guests_check_times(void)
{
	for (unsigned int i = 0; i < nr_started; i++) {
		const struct guest *g = guests[i];
		u64 told = vcpu_cpu_time(&g->v);

		if ((nsec_t)told != guest_ran(g))
			fail("d%u ran %ld ns, but the scheduler counts %lu", g->v.d->id,
			     guest_ran(g), told);
	}
}

/* --- birth --- */

static void free_all(void)
{
	for (unsigned int i = 0; i < nr_guests; i++) {
		struct domain *d = guests[i]->v.d;

		if (d->vcpu[d->max_vcpus - 1] == &guests[i]->v) {
			free(d->vcpu);
			free(d);
		}
		free(guests[i]);
	}
	nr_guests = nr_started = 0;
}

void guests_reset(unsigned int cpus, u64 seed)
{
	free_all();
	check_every = 1;
	machine_init(cpus, seed);
}

static struct guest *one_more(struct domain *d, unsigned int id, enum guest_kind kind)
{
	struct guest *g = calloc(1, sizeof(*g));

	if (!g || nr_guests == MAX_GUESTS)
		fail("too many guests");
	guests[nr_guests++] = g;
	g->v.d = d;
	g->v.id = id;
	g->v.info = &g->v.dummy_info;
	g->kind = kind;
	g->event.fn = happens;
	g->since = g->wants = -1;
	d->vcpu[id] = &g->v;
	sched_init_vcpu(&g->v);
	return g;
}

struct guest *guest_new(unsigned int vcpus, enum guest_kind kind, nsec_t run, nsec_t sleep)
{
	struct domain *d = calloc(1, sizeof(*d));
	struct guest *first = NULL;

	if (!d)
		fail("no memory");
	d->id = (domid_t)(nr_guests + 1);
	d->max_vcpus = vcpus;
	d->vcpu = calloc(vcpus, sizeof(*d->vcpu));
	sched_init_domain(d);
	for (unsigned int id = 0; id < vcpus; id++) {
		struct guest *g = one_more(d, id, kind);

		g->run = run;
		g->sleep = sleep;
		g->left = kind == YIELDER || kind == SLEEPER ? sim_delay(run) : run;
		first = first ? first : g;
	}
	return first;
}

void guest_start(struct guest *g)
{
	g->wants = sim_now;
	machine_act_as(0);
	vcpu_up(&g->v);
}

void guests_start(void)
{
	while (nr_started < nr_guests)
		guest_start(guests[nr_started++]);
}

/* --- what the toolstack does to them --- */

/* A domain's number is that of its first guest, plus one. */
struct domain *domain_get_from(domid_t first)
{
	unsigned int i = first ? first - 1u : 0;

	while (i < nr_guests && guests[i]->v.id)
		i++;
	return i < nr_guests ? guests[i]->v.d : NULL;
}

void domain_put(struct domain *d)
{
	(void)d;
}

static void disturb(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu (d, v)
		guest_of(v)->disturbed = true;
}

void guest_weight(struct guest *g, u16 weight, u16 cap)
{
	machine_act_as(0);
	disturb(g->v.d);
	sched_set_share(g->v.d, weight, cap);
}

void guest_pin(struct guest *g, unsigned long cpus)
{
	unsigned long m[BITS_TO_LONGS(CONFIG_NR_CPUS)] = {cpus};

	machine_act_as(0);
	g->disturbed = true;
	sched_set_affinity(&g->v, m, NULL);
}

void guest_move(struct guest *g, unsigned int pool)
{
	machine_act_as(0);
	disturb(g->v.d);
	if (pool_move_domain(g->v.d, pool))
		fail("d%u does not move to pool %u", g->v.d->id, pool);
}

void guest_pause(struct guest *g, bool pause)
{
	machine_act_as(0);
	g->disturbed = true;
	if (pause)
		vcpu_pause_nosync(&g->v);
	else
		vcpu_unpause(&g->v);
}
