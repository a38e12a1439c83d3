/* SPDX-License-Identifier: MIT */
#include "dom/handlers.h"
#include "dom/hypercall.h"
#include "lib/nospec.h"
#include <xen/sched.h>

static long op_yield(const void *arg)
{
	vcpu_yield_current();
	return 0;
}

/* The mask goes first: an event that comes from here on finds it open and is deliverable. */
static long op_block(const void *arg)
{
	struct vcpu *v = current;

	WRITE_ONCE(v->info->evtchn_upcall_mask, 0);
	smp_mb();
	if (!READ_ONCE(v->info->evtchn_upcall_pending))
		vcpu_block_current();
	return 0;
}

static int copy_reason(unsigned int *reason, const void *arg)
{
	struct sched_shutdown s;

	if (copy_from_guest(&s, arg, sizeof(s)))
		return -XEN_EFAULT;
	*reason = s.reason;
	return s.reason > SHUTDOWN_MAX ? -XEN_EINVAL : 0;
}

/* dom0 has nobody who could suspend or reset it. */
static bool reason_fits(const struct domain *d, unsigned int reason)
{
	return !d->privileged || (reason != SHUTDOWN_suspend && reason != SHUTDOWN_soft_reset);
}

static long op_shutdown(const void *arg)
{
	unsigned int reason;
	int rc = copy_reason(&reason, arg);

	if (rc)
		return rc;
	if (!reason_fits(current->d, reason))
		return -XEN_EINVAL;
	domain_shutdown(current->d, (u8)reason);
	return 0;
}

static long op_shutdown_code(const void *arg)
{
	struct domain *d = current->d;
	unsigned int reason;
	int rc = copy_reason(&reason, arg);

	if (rc)
		return rc;
	spin_lock(&d->lock);
	if (!d->is_shut_down) {
		d->shutdown_code = (u8)reason;
		d->code_latched = true;
	}
	spin_unlock(&d->lock);
	return 0;
}

static long op_remote_shutdown(const void *arg)
{
	struct sched_remote_shutdown r;
	struct domain *d;
	long rc = 0;

	if (copy_from_guest(&r, arg, sizeof(r)))
		return -XEN_EFAULT;
	if (!current->d->privileged)
		return -XEN_EPERM;
	if (r.reason > SHUTDOWN_MAX)
		return -XEN_EINVAL;
	d = domain_get(r.domain_id);
	if (!d)
		return -XEN_ESRCH;
	if (reason_fits(d, r.reason))
		domain_shutdown(d, (u8)r.reason);
	else
		rc = -XEN_EINVAL;
	domain_put(d);
	return rc;
}

static long op_poll(const void *arg)
{
	struct sched_poll p;

	if (copy_from_guest(&p, arg, sizeof(p)))
		return -XEN_EFAULT;
	return evtchn_poll(&p);
}

static long op_watchdog(const void *arg)
{
	struct sched_watchdog w;

	if (copy_from_guest(&w, arg, sizeof(w)))
		return -XEN_EFAULT;
	return domain_set_watchdog(current->d, w.id, w.timeout);
}

static long op_pin_override(const void *arg)
{
	struct sched_pin_override p;

	if (copy_from_guest(&p, arg, sizeof(p)))
		return -XEN_EFAULT;
	if (!current->d->privileged)
		return -XEN_EPERM;
	return sched_pin_override(p.pcpu);
}

typedef long sched_op_fn(const void *arg);

static sched_op_fn *const ops[] = {
	[SCHEDOP_yield] = op_yield,
	[SCHEDOP_block] = op_block,
	[SCHEDOP_shutdown] = op_shutdown,
	[SCHEDOP_poll] = op_poll,
	[SCHEDOP_remote_shutdown] = op_remote_shutdown,
	[SCHEDOP_shutdown_code] = op_shutdown_code,
	[SCHEDOP_watchdog] = op_watchdog,
	[SCHEDOP_pin_override] = op_pin_override,
};

long do_sched_op(unsigned long cmd, unsigned long arg, unsigned long a3, unsigned long a4,
		 unsigned long a5)
{
	if (cmd >= ARRAY_SIZE(ops))
		return -XEN_ENOSYS;
	return ops[nospec_index(cmd, ARRAY_SIZE(ops))]((const void *)arg);
}
