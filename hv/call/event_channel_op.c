/* SPDX-License-Identifier: MIT */
#include "dom/handlers.h"
#include "dom/hypercall.h"
#include "lib/nospec.h"

/* Operations that have something to say besides their result copy the whole argument back. */
union evtchn_arg {
	struct evtchn_alloc_unbound alloc_unbound;
	struct evtchn_bind_interdomain bind_interdomain;
	struct evtchn_bind_virq bind_virq;
	struct evtchn_bind_pirq bind_pirq;
	struct evtchn_bind_ipi bind_ipi;
	struct evtchn_close close;
	struct evtchn_status status;
	struct evtchn_bind_vcpu bind_vcpu;
	struct evtchn_unmask unmask;
	struct evtchn_reset reset;
	struct evtchn_init_control init_control;
	struct evtchn_expand_array expand_array;
	struct evtchn_set_priority set_priority;
};

typedef int evtchn_fn(struct domain *d, union evtchn_arg *a);

static int bind_interdomain(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_bind_interdomain(d, &a->bind_interdomain);
}

static int bind_virq(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_bind_virq(d, &a->bind_virq);
}

static int bind_pirq(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_bind_pirq(d, &a->bind_pirq);
}

static int close(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_close(d, a->close.port);
}

static int status(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_status(d, &a->status);
}

static int alloc_unbound(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_alloc_unbound(d, &a->alloc_unbound);
}

static int bind_ipi(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_bind_ipi(d, &a->bind_ipi);
}

static int bind_vcpu(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_bind_vcpu(d, &a->bind_vcpu);
}

static int unmask(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_unmask(d, a->unmask.port);
}

static int reset(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_reset(d, a->reset.dom);
}

static int init_control(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_init_control(d, &a->init_control);
}

static int expand_array(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_expand_array(d, &a->expand_array);
}

static int set_priority(struct domain *d, union evtchn_arg *a)
{
	return evtchn_op_set_priority(d, &a->set_priority);
}

#define IN(n)  [EVTCHNOP_##n] = {n, sizeof(struct evtchn_##n), false}
#define OUT(n) [EVTCHNOP_##n] = {n, sizeof(struct evtchn_##n), true}

static const struct {
	evtchn_fn *fn;
	u8 size;
	bool out;
} ops[] = {
	OUT(bind_interdomain), OUT(bind_virq),	 OUT(bind_pirq),   IN(close),  OUT(status),
	OUT(alloc_unbound),    OUT(bind_ipi),	 IN(bind_vcpu),	   IN(unmask), IN(reset),
	OUT(init_control),     IN(expand_array), IN(set_priority),
};

/*
 * A port whose number cannot be told to the guest stays bound: it is the guest's, which may close
 * it by number, and goes with the domain.
 */
static __attribute__((noinline)) long other_op(unsigned long cmd, unsigned long arg)
{
	union evtchn_arg a;
	long rc;

	if (cmd >= ARRAY_SIZE(ops))
		return -XEN_ENOSYS;
	cmd = nospec_index(cmd, ARRAY_SIZE(ops));
	if (!ops[cmd].fn)
		return -XEN_ENOSYS;
	memset(&a, 0, sizeof(a));
	if (copy_from_guest(&a, (const void *)arg, ops[cmd].size))
		return -XEN_EFAULT;
	rc = ops[cmd].fn(current->d, &a);
	if (rc == -XEN_ERESTART)
		return call_restart(cmd, arg, 0, 0, 0);
	if (!rc && ops[cmd].out && copy_to_guest((void *)arg, &a, ops[cmd].size))
		rc = -XEN_EFAULT;
	return rc;
}

/* By far the most frequent one has a way of its own. */
long do_event_channel_op(unsigned long cmd, unsigned long arg, unsigned long a3, unsigned long a4,
			 unsigned long a5)
{
	u32 port;

	BUILD_BUG_ON(sizeof(struct evtchn_send) != sizeof(port));
	if (unlikely(cmd != EVTCHNOP_send))
		return other_op(cmd, arg);
	if (unlikely(copy_u32_from_guest(&port, (const void *)arg)))
		return -XEN_EFAULT;
	return evtchn_op_send(current->d, port);
}
