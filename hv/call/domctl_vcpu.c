/* SPDX-License-Identifier: MIT */
#include "call/domctl.h"
#include "call/bitmap.h"
#include "dom/vtime.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "lib/nospec.h"
#include "sched/pool.h"

#define CR0_TS		  8UL
#define RFLAGS_IOPL_SHIFT 12

static struct vcpu *get_vcpu(struct domain *d, u32 id)
{
	return id < d->max_vcpus ? atomic_load(&d->vcpu[nospec_index(id, d->max_vcpus)]) : NULL;
}

/* One that there cannot be is another mistake than one that is not there yet. */
static int no_vcpu(const struct domain *d, u32 id)
{
	return id < d->max_vcpus ? -XEN_ESRCH : -XEN_EINVAL;
}

int domctl_getvcpuinfo(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_getvcpuinfo *i = &op->u.getvcpuinfo;
	struct vcpu *v = get_vcpu(d, i->vcpu);
	u32 why;

	if (!v)
		return -XEN_ESRCH;
	why = READ_ONCE(v->sched.pause_flags);
	i->online = !(why & VPF_DOWN);
	i->blocked = (why & VPF_BLOCKED) != 0;
	i->running = READ_ONCE(v->sched.running);
	i->cpu_time = vcpu_cpu_time(v);
	i->cpu = READ_ONCE(v->sched.cpu);
	return 0;
}

/* --- contexts --- */

static int set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
	int rc;

	if (!guest_kind_ops || !guest_kind_ops->set_context)
		return -XEN_EOPNOTSUPP;
	if (atomic_xchg(&v->init_busy, true))
		return -XEN_EBUSY;
	rc = guest_kind_ops->set_context(v, c);
	if (!rc) {
		/* The tools have cleared the shared page since the domain was created. */
		if (!v->id)
			vtime_update_wallclock(v->d);
		atomic_store(&v->initialised, true);
		if (c->flags & VGCF_online)
			vcpu_up(v);
	}
	atomic_store(&v->init_busy, false);
	return rc;
}

/* Only for a vcpu without a state; giving an old one a new state belongs to save and restore. */
int domctl_setvcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = get_vcpu(d, op->u.vcpucontext.vcpu);
	struct vcpu_guest_context *c;
	int rc;

	if (!v)
		return -XEN_ESRCH;
	if (!op->u.vcpucontext.ctxt.p)
		return -XEN_EOPNOTSUPP;
	if (d->dying || v->initialised)
		return -XEN_EINVAL;
	c = hv_alloc(sizeof(*c));
	if (!c)
		return -XEN_ENOMEM;
	if (copy_from_guest(c, op->u.vcpucontext.ctxt.p, sizeof(*c)))
		rc = -XEN_EFAULT;
	else
		rc = set_context(v, c);
	hv_free(c);
	return rc;
}

static void get_flags(const struct vcpu *v, struct vcpu_guest_context *c)
{
	c->flags = VGCF_i387_valid;
	c->flags |= v->pv.kernel_mode ? VGCF_in_kernel : 0;
	c->flags |= v->pv.failsafe.mask_events ? VGCF_failsafe_disables_events : 0;
	c->flags |= v->pv.syscall.mask_events ? VGCF_syscall_disables_events : 0;
	c->flags |= READ_ONCE(v->sched.pause_flags) & VPF_DOWN ? 0 : VGCF_online;
}

static void get_registers(const struct vcpu *v, struct vcpu_guest_context *c)
{
	const struct pv_vcpu *p = &v->pv;

	memcpy(&c->fpu_ctxt, p->xsave, sizeof(c->fpu_ctxt));
	c->user_regs = v->regs;
	c->user_regs.error_code = 0;
	c->user_regs.entry_vector = 0;
	c->user_regs.rflags |= (u64)p->iopl << RFLAGS_IOPL_SHIFT;
	c->user_regs.ds = p->ds;
	c->user_regs.es = p->es;
	c->user_regs.fs = p->fs;
	c->user_regs.gs = p->gs;
	c->fs_base = p->fs_base;
	c->gs_base_kernel = p->gs_base_kernel;
	c->gs_base_user = p->gs_base_user;
	c->ctrlreg[0] = (p->cr0 & ~CR0_TS) | (p->ts ? CR0_TS : 0);
	c->ctrlreg[1] = p->user_cr3_mfn << PAGE_SHIFT;
	c->ctrlreg[3] = p->cr3_mfn << PAGE_SHIFT;
	c->ctrlreg[4] = p->cr4;
	memcpy(c->debugreg, p->dr, sizeof(c->debugreg));
}

static void get_tables(const struct vcpu *v, struct vcpu_guest_context *c)
{
	const struct pv_vcpu *p = &v->pv;

	memcpy(c->trap_ctxt, p->traps, sizeof(c->trap_ctxt));
	c->ldt_base = p->ldt_base;
	c->ldt_ents = p->ldt_ents;
	memcpy(c->gdt_frames, p->gdt_frames, sizeof(c->gdt_frames));
	c->gdt_ents = p->gdt_ents;
	c->kernel_ss = p->kernel_ss;
	c->kernel_sp = p->kernel_sp;
	c->event_callback_eip = p->event.addr;
	c->failsafe_callback_eip = p->failsafe.addr;
	c->syscall_callback_eip = p->syscall.addr;
	c->vm_assist = v->d->vm_assist;
}

int domctl_getvcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = get_vcpu(d, op->u.vcpucontext.vcpu);
	struct vcpu_guest_context *c;
	int rc;

	if (!v)
		return -XEN_ESRCH;
	if (!v->initialised || d->dying)
		return -XEN_ENODATA;
	c = hv_alloc(sizeof(*c));
	if (!c)
		return -XEN_ENOMEM;
	domain_pause(d);
	get_flags(v, c);
	get_registers(v, c);
	get_tables(v, c);
	domain_unpause(d);
	rc = copy_to_guest(op->u.vcpucontext.ctxt.p, c, sizeof(*c));
	hv_free(c);
	return rc;
}

/* --- where they run --- */

static bool and_maps(unsigned long *to, const unsigned long *a, const unsigned long *b)
{
	unsigned long any = 0;

	for (unsigned int i = 0; i < BITS_TO_LONGS(CONFIG_NR_CPUS); i++)
		any |= to[i] = a[i] & b[i];
	return any != 0;
}

int domctl_setvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = get_vcpu(d, a->vcpu);
	DECLARE_BITMAP(hard, CONFIG_NR_CPUS);
	DECLARE_BITMAP(soft, CONFIG_NR_CPUS);
	DECLARE_BITMAP(eff, CONFIG_NR_CPUS);
	DECLARE_BITMAP(pool, CONFIG_NR_CPUS);
	bool set_hard = a->flags & XEN_VCPUAFFINITY_HARD,
	     set_soft = a->flags & XEN_VCPUAFFINITY_SOFT;

	if (!v)
		return no_vcpu(d, a->vcpu);
	if (!set_hard && !set_soft)
		return -XEN_EINVAL;
	if ((set_hard && bitmap_from_guest(hard, CONFIG_NR_CPUS, &a->cpumap_hard)) ||
	    (set_soft && bitmap_from_guest(soft, CONFIG_NR_CPUS, &a->cpumap_soft)))
		return -XEN_EFAULT;
	pool_cpus(d->cpupool, pool);
	and_maps(pool, pool, cpu_online_map);
	if (set_hard && !and_maps(eff, hard, pool))
		return -XEN_EINVAL;
	if (set_soft && !and_maps(eff, soft, cpu_online_map))
		return -XEN_EINVAL;
	sched_set_affinity(v, set_hard ? hard : NULL, set_soft ? soft : NULL);
	/* What will be used: the tools print when it is less than what they asked for. */
	and_maps(eff, v->sched.hard, cpu_online_map);
	if (set_hard && bitmap_to_guest(&a->cpumap_hard, eff, CONFIG_NR_CPUS))
		return -XEN_EFAULT;
	and_maps(eff, eff, v->sched.soft);
	if (set_soft && bitmap_to_guest(&a->cpumap_soft, eff, CONFIG_NR_CPUS))
		return -XEN_EFAULT;
	return 0;
}

int domctl_getvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = get_vcpu(d, a->vcpu);

	if (!v)
		return no_vcpu(d, a->vcpu);
	if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
		return -XEN_EINVAL;
	if ((a->flags & XEN_VCPUAFFINITY_HARD) &&
	    bitmap_to_guest(&a->cpumap_hard, v->sched.asked, CONFIG_NR_CPUS))
		return -XEN_EFAULT;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) &&
	    bitmap_to_guest(&a->cpumap_soft, v->sched.soft, CONFIG_NR_CPUS))
		return -XEN_EFAULT;
	return 0;
}

/* There is one node. */
int domctl_setnodeaffinity(struct domain *d, struct xen_domctl *op)
{
	unsigned long nodes[1];

	if (bitmap_from_guest(nodes, 64, &op->u.nodeaffinity.nodemap))
		return -XEN_EFAULT;
	return nodes[0] & 1 ? 0 : -XEN_EINVAL;
}

int domctl_getnodeaffinity(struct domain *d, struct xen_domctl *op)
{
	unsigned long nodes[1] = {1};

	return bitmap_to_guest(&op->u.nodeaffinity.nodemap, nodes, 64);
}

/* --- shares --- */

int domctl_scheduler_op(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;
	struct xen_domctl_sched_credit2 *c = &s->u.credit2;

	if (s->sched_id != XEN_SCHEDULER_CREDIT2)
		return -XEN_EINVAL;
	switch (s->cmd) {
	case XEN_DOMCTL_SCHEDOP_getinfo:
		c->weight = sched_get_weight(d);
		c->cap = d->sched.cap;
		return 0;
	case XEN_DOMCTL_SCHEDOP_putinfo:
		/* A weight of 0 leaves it as it is. */
		sched_set_share(d, c->weight ? c->weight : sched_get_weight(d), c->cap);
		return 0;
	default:
		return -XEN_EINVAL;
	}
}

int domctl_sendtrigger(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = get_vcpu(d, op->u.sendtrigger.vcpu);

	if (!v)
		return -XEN_ESRCH;
	switch (op->u.sendtrigger.trigger) {
	case XEN_DOMCTL_SENDTRIGGER_NMI:
		vcpu_set_hazard(v, VHAZ_NMI);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_POWER:
	case XEN_DOMCTL_SENDTRIGGER_SLEEP:
		/* Buttons of a PC that a PV guest is not in. */
		return -XEN_EINVAL;
	default:
		return -XEN_ENOSYS;
	}
}
