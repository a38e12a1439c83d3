/* SPDX-License-Identifier: MIT */
#include "call/keys.h"
#include "lib/types.h"
#include <xen/vcpu.h>
#include "cpu/percpu.h"
#include "dom/domain.h"
#include "irq/irq.h"
#include "lib/log.h"
#include "mm/buddy.h"
#include "mm/heap.h"
#include "plat/plat.h"
#include "pv/mm.h"
#include "time/clock.h"

#define NR_KEYS 128

static struct {
	void (*fn)(char key);
	const char *help;
} keys[NR_KEYS];

void debug_key_register(char key, void (*fn)(char key), const char *help)
{
	if (key > 0) {
		keys[(unsigned int)key].fn = fn;
		keys[(unsigned int)key].help = help;
	}
}

void debug_key_run(char key)
{
	if (key <= ' ' || !keys[(unsigned int)key].fn) {
		pr_info("no debug key '%c'; 'h' lists them\n", key > ' ' && key < 0x7f ? key : '?');
		return;
	}
	pr_info("'%c': %s\n", key, keys[(unsigned int)key].help);
	keys[(unsigned int)key].fn(key);
}

static void key_help(char key)
{
	for (unsigned int i = 0; i < NR_KEYS; i++)
		if (keys[i].fn)
			pr_info("  %c  %s\n", (char)i, keys[i].help);
}

/* Calls fn for each domain, without a lock held. */
static void each_domain(void (*fn)(struct domain *d))
{
	struct domain *d;
	u32 next = 0;

	while (next < DOMID_FIRST_RESERVED && (d = domain_get_from((domid_t)next)) != NULL) {
		next = d->id + 1u;
		fn(d);
		domain_put(d);
	}
}

static const char *const state_name[] = {"running", "runnable", "blocked", "offline"};

static void show_vcpu(struct vcpu *v)
{
	struct vcpu_runstate_info r;

	vcpu_get_runstate(v, &r);
	pr_info("  v%u: %s on CPU %u, pause %x/%u, upcall pending %u mask %u, ran %lu ms\n", v->id,
		state_name[r.state & 3], v->sched.cpu, v->sched.pause_flags, v->sched.pause_count,
		v->info->evtchn_upcall_pending, v->info->evtchn_upcall_mask,
		(unsigned long)(r.time[RUNSTATE_running] / NSEC_PER_MSEC));
}

static void show_domain(struct domain *d)
{
	struct vcpu *v;

	pr_info("d%u:%s%s%s refs %u, pauses %u (%u by tools), pages %lu of %lu, shared %lu\n",
		d->id, d->privileged ? " privileged" : "", d->dying ? " dying" : "",
		d->is_shut_down ? " shut down" : "", d->refs, d->pause_count, d->tool_pauses,
		d->tot_pages, d->max_pages, d->xenheap_pages);
	for_each_vcpu (d, v)
		show_vcpu(v);
}

static void key_domains(char key)
{
	each_domain(show_domain);
}

static void key_runq(char key)
{
	sched_dump();
}

static void key_irqs(char key)
{
	irq_dump();
}

static void key_events(char key)
{
	each_domain(evtchn_dump);
}

static void key_grants(char key)
{
	each_domain(grant_dump);
}

static void key_memory(char key)
{
	pr_info("free: %lu KiB; hypervisor heap: %lu KiB; free lists %s\n",
		buddy_free_frames() << 2, heap_frames() << 2, buddy_audit() ? "sound" : "DAMAGED");
	pr_info("of what is free, %lu KiB wait to be cleared; idle CPUs have cleared %lu KiB\n",
		buddy_waiting() << 2, buddy_scrubbed() << 2);
}

static void show_timers(struct domain *d)
{
	nsec_t now = clock_now();
	struct vcpu *v;

	for_each_vcpu (d, v) {
		if (timer_pending(&v->singleshot))
			pr_info("  d%uv%u single shot in %ld us on CPU %u\n", d->id, v->id,
				(long)((v->singleshot.expires - now) / NSEC_PER_USEC),
				v->singleshot.cpu);
		if (timer_pending(&v->periodic))
			pr_info("  d%uv%u every %lu us, next in %ld us\n", d->id, v->id,
				(unsigned long)(v->periodic_period / NSEC_PER_USEC),
				(long)((v->periodic.expires - now) / NSEC_PER_USEC));
		if (timer_pending(&v->poll_timer))
			pr_info("  d%uv%u polls for another %ld us\n", d->id, v->id,
				(long)((v->poll_timer.expires - now) / NSEC_PER_USEC));
	}
}

static void key_timers(char key)
{
	each_domain(show_timers);
}

static void key_time(char key)
{
	nsec_t now = clock_now();
	u64 sec;
	u32 nsec;

	clock_get_wall(&sec, &nsec);
	pr_info("system time %lu.%06lu s, TSC %lu kHz, at start it was %lu s since 1970\n",
		(unsigned long)(now / NSEC_PER_SEC),
		(unsigned long)(now % NSEC_PER_SEC / NSEC_PER_USEC),
		(unsigned long)(clock_tsc_hz() / 1000), (unsigned long)sec);
}

static void key_audit(char key)
{
	pv_audit_all();
	pr_info("audit: free lists %s\n", buddy_audit() ? "in order" : "WRONG");
}

static void key_crash(char key)
{
	panic("debug key C");
}

static void key_reboot(char key)
{
	machine_restart();
}

static void key_all(char key)
{
	static const char all[] = "tmqraie";

	for (unsigned int i = 0; all[i]; i++)
		debug_key_run(all[i]);
}

void debug_keys_init(void)
{
	static const struct {
		char key;
		void (*fn)(char key);
		const char *help;
	} own[] = {
		{'h', key_help, "this list"},
		{'q', key_domains, "domains and vcpus"},
		{'r', key_runq, "run queues"},
		{'i', key_irqs, "interrupt lines"},
		{'e', key_events, "event channels"},
		{'g', key_grants, "grants in use"},
		{'m', key_memory, "memory"},
		{'a', key_timers, "timers of vcpus"},
		{'t', key_time, "time"},
		{'A', key_audit, "recount all frames"},
		{'C', key_crash, "crash the hypervisor"},
		{'R', key_reboot, "reboot the machine"},
		{'*', key_all, "all of the listings"},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(own); i++)
		debug_key_register(own[i].key, own[i].fn, own[i].help);
	console_debug_key_hook = debug_key_run;
}
