/* SPDX-License-Identifier: MIT */
/* vcpu_op: every sub-operation names a vcpu of the caller's own domain. */
#include "dom/handlers.h"
#include "dom/hypercall.h"
#include <xen/sched.h>
#include "dom/vtime.h"
#include "mm/heap.h"
#include "lib/nospec.h"

static long op_initialise(struct vcpu *v, const void *arg)
{
	struct vcpu_guest_context *ctxt;
	long rc;

	if (v->initialised)
		return -XEN_EEXIST;
	if (atomic_xchg(&v->init_busy, true))
		return -XEN_EBUSY;
	ctxt = hv_alloc(sizeof(*ctxt));
	if (!ctxt)
		rc = -XEN_ENOMEM;
	else if (copy_from_guest(ctxt, arg, sizeof(*ctxt)))
		rc = -XEN_EFAULT;
	else if (v->initialised)
		rc = -XEN_EEXIST;
	else if (!guest_kind_ops || !guest_kind_ops->set_context)
		rc = -XEN_EOPNOTSUPP;
	else
		rc = guest_kind_ops->set_context(v, ctxt);
	if (!rc)
		atomic_store(&v->initialised, true);
	hv_free(ctxt);
	atomic_store(&v->init_busy, false);
	return rc;
}

static long op_up(struct vcpu *v, const void *arg)
{
	if (!atomic_load(&v->initialised))
		return -XEN_EINVAL;
	vcpu_up(v);
	return 0;
}

static bool any_other_up(const struct vcpu *v)
{
	const struct vcpu *o;

	for_each_vcpu (v->d, o) {
		if (o != v && !(READ_ONCE(o->sched.pause_flags) & VPF_DOWN))
			return true;
	}
	return false;
}

static long op_down(struct vcpu *v, const void *arg)
{
	/* A domain without a vcpu can never get one back: it has ended. */
	if (any_other_up(v))
		vcpu_down(v);
	else
		domain_shutdown(v->d, SHUTDOWN_poweroff);
	return 0;
}

static long op_is_up(struct vcpu *v, const void *arg)
{
	return !(READ_ONCE(v->sched.pause_flags) & VPF_DOWN);
}

static long op_get_runstate(struct vcpu *v, const void *arg)
{
	struct vcpu_runstate_info r;

	vcpu_get_runstate(v, &r);
	return copy_to_guest((void *)arg, &r, sizeof(r));
}

static long op_register_runstate(struct vcpu *v, const void *arg)
{
	struct vcpu_register_runstate_memory_area a;

	if (copy_from_guest(&a, arg, sizeof(a)))
		return -XEN_EFAULT;
	vtime_register_runstate(v, a.addr.v);
	return 0;
}

static long op_register_time(struct vcpu *v, const void *arg)
{
	struct vcpu_register_time_memory_area a;

	if (copy_from_guest(&a, arg, sizeof(a)))
		return -XEN_EFAULT;
	vtime_register_time(v, a.addr.v);
	return 0;
}

/* Timers are a vcpu's own: nobody else may set them. */
static long op_set_periodic(struct vcpu *v, const void *arg)
{
	struct vcpu_set_periodic_timer p;

	if (v != current)
		return -XEN_EINVAL;
	if (copy_from_guest(&p, arg, sizeof(p)))
		return -XEN_EFAULT;
	return vtime_set_periodic(v, p.period_ns);
}

/* Linux stops the timer of a vcpu that it is about to bring up. */
static long op_stop_periodic(struct vcpu *v, const void *arg)
{
	vtime_stop_periodic(v);
	return 0;
}

static long op_set_singleshot(struct vcpu *v, const void *arg)
{
	struct vcpu_set_singleshot_timer s;

	if (v != current)
		return -XEN_EINVAL;
	if (copy_from_guest(&s, arg, sizeof(s)))
		return -XEN_EFAULT;
	if ((s.flags & VCPU_SSHOTTMR_future) && s.timeout_abs_ns <= (u64)clock_now())
		return -XEN_ETIME;
	vtime_set_singleshot(v, s.timeout_abs_ns);
	return 0;
}

static long op_stop_singleshot(struct vcpu *v, const void *arg)
{
	if (v != current)
		return -XEN_EINVAL;
	vtime_stop_singleshot(v);
	return 0;
}

static long op_register_info(struct vcpu *v, const void *arg)
{
	struct vcpu_register_vcpu_info r;

	if (copy_from_guest(&r, arg, sizeof(r)))
		return -XEN_EFAULT;
	return vcpu_register_info(v, r.mfn, r.offset);
}

static long op_send_nmi(struct vcpu *v, const void *arg)
{
	vcpu_set_hazard(v, VHAZ_NMI);
	return 0;
}

/* Means something only where a vcpu stays on one CPU. */
static long op_get_physid(struct vcpu *v, const void *arg)
{
	struct vcpu_get_physid p = {0};
	unsigned int cpu = find_first_bit(v->sched.hard, CONFIG_NR_CPUS);

	if (!v->d->privileged || cpu >= nr_cpus ||
	    find_next_bit(v->sched.hard, CONFIG_NR_CPUS, cpu + 1) < CONFIG_NR_CPUS)
		return -XEN_EINVAL;
	p.phys_id = (u64)cpu_acpi_id[cpu] << 32 | cpu_apic_id[cpu];
	return copy_to_guest((void *)arg, &p, sizeof(p));
}

typedef long vcpu_op_fn(struct vcpu *v, const void *arg);

static vcpu_op_fn *const ops[] = {
	[VCPUOP_initialise] = op_initialise,
	[VCPUOP_up] = op_up,
	[VCPUOP_down] = op_down,
	[VCPUOP_is_up] = op_is_up,
	[VCPUOP_get_runstate_info] = op_get_runstate,
	[VCPUOP_register_runstate_memory_area] = op_register_runstate,
	[VCPUOP_set_periodic_timer] = op_set_periodic,
	[VCPUOP_stop_periodic_timer] = op_stop_periodic,
	[VCPUOP_set_singleshot_timer] = op_set_singleshot,
	[VCPUOP_stop_singleshot_timer] = op_stop_singleshot,
	[VCPUOP_register_vcpu_info] = op_register_info,
	[VCPUOP_send_nmi] = op_send_nmi,
	[VCPUOP_get_physid] = op_get_physid,
	[VCPUOP_register_vcpu_time_memory_area] = op_register_time,
};

long do_vcpu_op(unsigned long cmd, unsigned long id, unsigned long arg, unsigned long a4,
		unsigned long a5)
{
	struct domain *d = current->d;
	struct vcpu *v;
	long rc;

	if (cmd >= ARRAY_SIZE(ops))
		return -XEN_ENOSYS;
	if (id >= d->max_vcpus)
		return -XEN_ENOENT;
	v = atomic_load(&d->vcpu[nospec_index(id, d->max_vcpus)]);
	if (!v)
		return -XEN_ENOENT;
	rc = ops[nospec_index(cmd, ARRAY_SIZE(ops))](v, (const void *)arg);
	return rc == -XEN_ERESTART ? call_restart(cmd, id, arg, a4, a5) : rc;
}
