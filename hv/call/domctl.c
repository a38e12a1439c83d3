/* SPDX-License-Identifier: MIT */
#include "call/call.h"
#include "call/domctl.h"
#include "call/cpu_policy.h"
#include "call/domain_info.h"
#include "lib/string.h"

static spinlock_t domctl_lock = SPINLOCK_INIT;

bool domctl_trylock(void)
{
	return spin_trylock(&domctl_lock);
}

void domctl_unlock(void)
{
	spin_unlock(&domctl_lock);
}

static int getdomaininfo(struct domain *d, struct xen_domctl *op)
{
	op->domain = d->id;
	domain_info(d, &op->u.getdomaininfo);
	return 0;
}

/* --- settings that have one value here --- */

static int set_address_size(struct domain *d, struct xen_domctl *op)
{
	return op->u.address_size.size == 64 ? 0 : -XEN_EINVAL;
}

static int get_address_size(struct domain *d, struct xen_domctl *op)
{
	op->u.address_size.size = 64;
	return 0;
}

/* Guests read the processor's own time stamp counter. */
static int set_tsc_info(struct domain *d, struct xen_domctl *op)
{
	switch (op->u.tsc_info.tsc_mode) {
	case 0: /* native where it is good enough */
	case 2: /* native */
		return 0;
	case 1: /* emulated */
		return -XEN_EOPNOTSUPP;
	default:
		return -XEN_EINVAL;
	}
}

static int get_tsc_info(struct domain *d, struct xen_domctl *op)
{
	op->u.tsc_info = (struct xen_domctl_tsc_info){
		.gtsc_khz = (u32)(clock_tsc_hz() / 1000),
		.elapsed_nsec = (u64)clock_now(),
	};
	return 0;
}

/* Log-dirty and shadow paging: there is none that could be turned off. */
static int shadow_op(struct domain *d, struct xen_domctl *op)
{
	return op->u.shadow_op.op == XEN_DOMCTL_SHADOW_OP_OFF ? -XEN_EINVAL : -XEN_EOPNOTSUPP;
}

static int not_supported(struct domain *d, struct xen_domctl *op)
{
	return -XEN_EOPNOTSUPP;
}

/* Control of caches and of memory bandwidth. */
static int no_device(struct domain *d, struct xen_domctl *op)
{
	return -XEN_ENODEV;
}

/* --- */

#define OUT	  1u  /* copied out on success */
#define OUT_ERROR 2u  /* and on failure */
#define NO_DOMAIN 4u  /* d is NULL */
#define FROM	  8u  /* the domain with the lowest id not below the given one */
#define NOT_SELF  16u /* -XEN_EINVAL for the caller's own domain */

/*
 * Left out, -XEN_ENOSYS: setdebugging, irq/iomem/ioport_permission, subscribe, HVM contexts,
 * bind_pt_irq, memory_mapping, ioport_mapping, ext_vcpucontext, extended state and MSRs of vcpus (for
 * save and restore), set_target, debug_op, vm_event, sharing, set_virq_handler, monitor, soft
 * reset, vuart, vmtrace, gdbsx.
 */
static const struct {
	u8 cmd, flags;
	domctl_fn *fn;
} ops[] = {
	{XEN_DOMCTL_createdomain, OUT | NO_DOMAIN, domctl_createdomain},
	{XEN_DOMCTL_destroydomain, NOT_SELF, domctl_destroydomain},
	{XEN_DOMCTL_pausedomain, NOT_SELF, domctl_pause},
	{XEN_DOMCTL_unpausedomain, 0, domctl_unpause},
	{XEN_DOMCTL_getdomaininfo, OUT | FROM, getdomaininfo},
	{XEN_DOMCTL_setvcpuaffinity, OUT, domctl_setvcpuaffinity},
	{XEN_DOMCTL_shadow_op, 0, shadow_op},
	{XEN_DOMCTL_max_mem, 0, domctl_max_mem},
	{XEN_DOMCTL_setvcpucontext, NOT_SELF, domctl_setvcpucontext},
	{XEN_DOMCTL_getvcpucontext, NOT_SELF, domctl_getvcpucontext},
	{XEN_DOMCTL_getvcpuinfo, OUT, domctl_getvcpuinfo},
	{XEN_DOMCTL_max_vcpus, 0, domctl_max_vcpus},
	{XEN_DOMCTL_scheduler_op, OUT, domctl_scheduler_op},
	{XEN_DOMCTL_setdomainhandle, 0, domctl_set_handle},
	{XEN_DOMCTL_hypercall_init, 0, domctl_hypercall_init},
	{XEN_DOMCTL_settimeoffset, 0, domctl_set_time_offset},
	{XEN_DOMCTL_getvcpuaffinity, OUT, domctl_getvcpuaffinity},
	{XEN_DOMCTL_resumedomain, NOT_SELF, domctl_resume},
	{XEN_DOMCTL_sendtrigger, 0, domctl_sendtrigger},
	{XEN_DOMCTL_set_address_size, 0, set_address_size},
	{XEN_DOMCTL_get_address_size, OUT, get_address_size},
	{XEN_DOMCTL_assign_device, NO_DOMAIN, not_supported},
	{XEN_DOMCTL_test_assign_device, NO_DOMAIN, not_supported},
	{XEN_DOMCTL_deassign_device, NO_DOMAIN, not_supported},
	{XEN_DOMCTL_get_device_group, NO_DOMAIN, not_supported},
	{XEN_DOMCTL_gettscinfo, OUT, get_tsc_info},
	{XEN_DOMCTL_settscinfo, 0, set_tsc_info},
	{XEN_DOMCTL_getpageframeinfo3, 0, domctl_pageframeinfo},
	{XEN_DOMCTL_setnodeaffinity, 0, domctl_setnodeaffinity},
	{XEN_DOMCTL_getnodeaffinity, 0, domctl_getnodeaffinity},
	{XEN_DOMCTL_setvnumainfo, 0, not_supported},
	{XEN_DOMCTL_psr_cmt_op, 0, no_device},
	{XEN_DOMCTL_psr_alloc, 0, no_device},
	{XEN_DOMCTL_get_cpu_policy, OUT, domctl_get_cpu_policy},
	{XEN_DOMCTL_set_cpu_policy, OUT | OUT_ERROR, domctl_set_cpu_policy},
	{XEN_DOMCTL_get_paging_mempool_size, 0, not_supported},
	{XEN_DOMCTL_set_paging_mempool_size, 0, not_supported},
};

static int run(unsigned int i, struct xen_domctl *op)
{
	struct domain *d;
	int rc;

	if (ops[i].flags & NO_DOMAIN)
		return ops[i].fn(NULL, op);
	d = ops[i].flags & FROM ? domain_get_from(op->domain) : domain_get(op->domain);
	if (!d)
		return -XEN_ESRCH;
	if ((ops[i].flags & NOT_SELF) && d == current->d)
		rc = -XEN_EINVAL;
	else
		rc = ops[i].fn(d, op);
	domain_put(d);
	return rc;
}

static int find_op(u32 cmd)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		if (ops[i].cmd == cmd)
			return (int)i;
	return -1;
}

long do_domctl(unsigned long arg, unsigned long a2, unsigned long a3, unsigned long a4,
	       unsigned long a5)
{
	struct xen_domctl op;
	int i, rc;

	if (!current->d->privileged)
		return -XEN_EPERM;
	if (copy_from_guest(&op, (const void *)arg, sizeof(op)))
		return -XEN_EFAULT;
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -XEN_EACCES;
	i = find_op(op.cmd);
	if (i < 0)
		return -XEN_ENOSYS;
	if (!spin_trylock(&domctl_lock))
		return call_restart(arg, 0, 0, 0, 0);
	rc = run((unsigned int)i, &op);
	spin_unlock(&domctl_lock);
	if (rc == -XEN_ERESTART)
		return call_restart(arg, 0, 0, 0, 0);
	if ((rc ? ops[i].flags & OUT_ERROR : ops[i].flags & OUT) &&
	    copy_to_guest((void *)arg, &op, sizeof(op)))
		rc = -XEN_EFAULT;
	return rc;
}
