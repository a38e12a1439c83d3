/* SPDX-License-Identifier: MIT */
#include "dom/domain.h"
#include <xen/sched.h>
#include "cpu/panic.h"
#include "cpu/trace.h"
#include "cpu/percpu.h"
#include "lib/log.h"
#include "lib/nospec.h"
#include "plat/plat.h"
#include "time/watchdog.h"

/* --- pausing --- */

static void recheck_all(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu (d, v)
		sched_recheck(v);
}

void domain_pause_nosync(struct domain *d)
{
	if (atomic_add(&d->pause_count, 1u) == 1)
		recheck_all(d);
}

void domain_pause(struct domain *d)
{
	struct vcpu *v;

	domain_pause_nosync(d);
	for_each_vcpu (d, v)
		vcpu_wait_off(v);
}

void domain_unpause(struct domain *d)
{
	if (atomic_sub(&d->pause_count, 1u) == 0)
		recheck_all(d);
}

int domain_pause_by_tool(struct domain *d)
{
	int rc = 0;

	spin_lock(&d->lock);
	if (d->tool_pauses == UINT16_MAX)
		rc = -XEN_EINVAL;
	else
		d->tool_pauses++;
	spin_unlock(&d->lock);
	if (!rc)
		domain_pause(d);
	return rc;
}

int domain_unpause_by_tool(struct domain *d)
{
	int rc = 0;

	spin_lock(&d->lock);
	if (!d->tool_pauses)
		rc = -XEN_EINVAL;
	else
		d->tool_pauses--;
	spin_unlock(&d->lock);
	if (!rc)
		domain_unpause(d);
	return rc;
}

/* --- shutdown --- */

/* When dom0 goes, so does the machine. */
static void __noreturn host_shutdown(u8 reason)
{
	watchdog_stop();
	if (reason == SHUTDOWN_poweroff || reason == SHUTDOWN_reboot)
		console_end_in_order();
	if (reason == SHUTDOWN_poweroff) {
		pr_info("dom0 has powered off\n");
		machine_poweroff();
	}
	if (reason == SHUTDOWN_reboot)
		pr_info("dom0 reboots the machine\n");
	else
		pr_err("dom0 has %s\n",
		       reason == SHUTDOWN_watchdog ? "missed its watchdog" : "crashed");
	if (opt_noreboot) {
		pr_err("noreboot: the machine stays as it is, reset it by hand\n");
		machine_halt();
	}
	machine_restart();
}

void domain_shutdown(struct domain *d, u8 reason)
{
	bool first;

	if (d == dom0)
		host_shutdown(reason);
	spin_lock(&d->lock);
	first = !d->is_shut_down;
	if (first) {
		if (!d->code_latched)
			d->shutdown_code = reason;
		d->is_shut_down = true;
	}
	spin_unlock(&d->lock);
	if (!first)
		return;
	recheck_all(d);
	if (!d->dying)
		send_global_virq(VIRQ_DOM_EXC);
}

void domain_resume(struct domain *d)
{
	domain_pause(d);
	spin_lock(&d->lock);
	d->is_shut_down = false;
	d->code_latched = false;
	d->shutdown_code = 0;
	spin_unlock(&d->lock);
	domain_unpause(d);
}

void domain_crash(struct domain *d, const char *why)
{
	/* Once in a domain's life, so it needs no rate limit. */
	if (!d->is_shut_down && !d->dying) {
		pr_err("d%u has crashed: %s\n", d->id, why);
		if (current->d == d) {
			pr_err("d%uv%u on CPU %u:\n", d->id, current->id, smp_cpu_id());
			show_regs(guest_regs());
		}
	}
	domain_shutdown(d, SHUTDOWN_crash);
}

/* --- watchdogs --- */

static void watchdog_expired(void *arg)
{
	struct domain_watchdog *w = arg;
	struct domain *d = w->d;

	if (!w->used || d->dying || d->is_shut_down)
		return;
	pr_warn("d%u: watchdog not served in time\n", d->id);
	domain_shutdown(d, SHUTDOWN_watchdog);
}

void domain_init_watchdogs(struct domain *d)
{
	unsigned int i;

	for (i = 0; i < NR_WATCHDOGS; i++) {
		d->watchdog[i].d = d;
		timer_init(&d->watchdog[i].timer, watchdog_expired, &d->watchdog[i], smp_cpu_id());
	}
}

void domain_stop_watchdogs(struct domain *d)
{
	unsigned int i;

	for (i = 0; i < NR_WATCHDOGS; i++)
		timer_stop(&d->watchdog[i].timer);
}

static int new_watchdog(struct domain *d, u32 timeout)
{
	unsigned int i;

	if (!timeout)
		return -XEN_EINVAL;
	for (i = 0; i < NR_WATCHDOGS; i++) {
		if (d->watchdog[i].used)
			continue;
		d->watchdog[i].used = true;
		timer_set(&d->watchdog[i].timer, clock_now() + timeout * NSEC_PER_SEC);
		return (int)i + 1;
	}
	return -XEN_ENOSPC;
}

int domain_set_watchdog(struct domain *d, u32 id, u32 timeout)
{
	struct domain_watchdog *w;
	int rc = 0;

	if (id > NR_WATCHDOGS)
		return -XEN_EINVAL;
	w = &d->watchdog[id ? nospec_index(id - 1, NR_WATCHDOGS) : 0];
	/* Not under the lock: it waits for the callback, which takes it. */
	if (id && !timeout)
		timer_stop(&w->timer);
	spin_lock(&d->lock);
	if (!id)
		rc = new_watchdog(d, timeout);
	else if (!w->used)
		rc = -XEN_EINVAL;
	else if (!timeout)
		w->used = false;
	else
		timer_set(&w->timer, clock_now() + timeout * NSEC_PER_SEC);
	spin_unlock(&d->lock);
	return rc;
}
