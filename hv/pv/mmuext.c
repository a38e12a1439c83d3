/* SPDX-License-Identifier: MIT */
/* mmuext_op (<xen/xen.h>): pins, roots, flushes, LDT. */
#include "pv/mm.h"
#include "pv/flush.h"
#include "pv/pv.h"
#include "pv/xpti.h"
#include "dom/handlers.h"
#include "dom/hypercall.h"
#include "cpu/cpu.h"
#include "lib/string.h"
#include "mm/guest_words.h"
#include "mm/tlb.h"

#define MMUEXT_COST 32

int pv_new_kernel_root(struct vcpu *v, mfn_t mfn, int *budget)
{
	mfn_t old = v->pv.cr3_mfn;
	int rc = pv_get_table(v->d, mfn, 4, budget);

	if (rc)
		return rc;
	pv_show_m2p(mfn, true);
	v->pv.cr3_mfn = mfn;
	if (spec_site_on(SPEC_SITE_XPTI))
		xpti_forget(true);
	pv_load_root(v, mfn);
	pv_put_table(v->d, mfn_to_frame(old), 4, budget);
	return 0;
}

static int new_user_root(struct vcpu *v, mfn_t mfn, int *budget)
{
	mfn_t old = v->pv.user_cr3_mfn;
	int rc = mfn ? pv_get_table(v->d, mfn, 4, budget) : 0;

	if (rc)
		return rc;
	if (mfn)
		pv_show_m2p(mfn, false);
	v->pv.user_cr3_mfn = mfn;
	if (spec_site_on(SPEC_SITE_XPTI))
		xpti_forget(false);
	if (old)
		pv_put_table(v->d, mfn_to_frame(old), 4, budget);
	return 0;
}

static int flush_multi(struct vcpu *v, const struct mmuext_op *op)
{
	DECLARE_BITMAP(cpus, CONFIG_NR_CPUS);
	bool all = op->cmd == MMUEXT_TLB_FLUSH_MULTI;

	if (pv_vcpus_to_cpus(v->d, op->arg2.vcpumask.p, cpus))
		return -XEN_EFAULT;
	tlb_flush_cpus(cpus, all ? TLB_ALL : op->arg1.linear_addr);
	return 0;
}

static int flush_op(struct vcpu *v, const struct mmuext_op *op)
{
	switch (op->cmd) {
	case MMUEXT_TLB_FLUSH_LOCAL:
		tlb_flush_local();
		return 0;
	case MMUEXT_INVLPG_LOCAL:
		tlb_flush_one_local(op->arg1.linear_addr);
		return 0;
	case MMUEXT_TLB_FLUSH_MULTI:
	case MMUEXT_INVLPG_MULTI:
		return flush_multi(v, op);
	case MMUEXT_TLB_FLUSH_ALL:
		tlb_flush_cpus(v->d->pv.dirty_cpus, TLB_ALL);
		return 0;
	default: /* MMUEXT_INVLPG_ALL */
		tlb_flush_cpus(v->d->pv.dirty_cpus, op->arg1.linear_addr);
		return 0;
	}
}

static int flush_cache(struct vcpu *v)
{
	if (!v->d->privileged)
		return -XEN_EACCES;
	__asm__ __volatile__("wbinvd" ::: "memory");
	return 0;
}

static int page_op(struct domain *pg, const struct mmuext_op *op)
{
	struct frame *dst = get_frame_and_writable(op->arg1.mfn, pg->id), *src;

	if (!dst)
		return -XEN_EINVAL;
	if (op->cmd == MMUEXT_CLEAR_PAGE) {
		memset(frame_to_virt(dst), 0, PAGE_SIZE);
		put_frame_and_writable(dst);
		return 0;
	}
	src = get_frame(op->arg2.src_mfn, pg->id);
	if (src) {
		memcpy(frame_to_virt(dst), frame_to_virt(src), PAGE_SIZE);
		put_frame(src);
	}
	put_frame_and_writable(dst);
	return src ? 0 : -XEN_EINVAL;
}

/* pg: owner of the frames that the op names; mm_lock of pg is held, and pg is drained. */
static int mmuext_one(struct vcpu *v, struct domain *pg, const struct mmuext_op *op, int *budget)
{
	if (op->cmd >= MMUEXT_TLB_FLUSH_LOCAL && op->cmd <= MMUEXT_INVLPG_ALL)
		return flush_op(v, op);
	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE:
	case MMUEXT_PIN_L2_TABLE:
	case MMUEXT_PIN_L3_TABLE:
	case MMUEXT_PIN_L4_TABLE:
		return pv_pin(pg, op->arg1.mfn, op->cmd - MMUEXT_PIN_L1_TABLE + 1, budget);
	case MMUEXT_UNPIN_TABLE:
		return pv_unpin(pg, op->arg1.mfn, budget);
	case MMUEXT_CLEAR_PAGE:
	case MMUEXT_COPY_PAGE:
		return page_op(pg, op);
	case MMUEXT_FLUSH_CACHE:
	case MMUEXT_FLUSH_CACHE_GLOBAL:
		return flush_cache(v);
	default:
		break;
	}
	/* The rest concerns the calling vcpu itself. */
	if (pg != v->d)
		return -XEN_EPERM;
	switch (op->cmd) {
	case MMUEXT_NEW_BASEPTR:
		return pv_new_kernel_root(v, op->arg1.mfn, budget);
	case MMUEXT_NEW_USER_BASEPTR:
		return new_user_root(v, op->arg1.mfn, budget);
	case MMUEXT_SET_LDT:
		return pv_set_ldt(v, op->arg1.linear_addr, op->arg2.nr_ents);
	default:
		return -XEN_ENOSYS;
	}
}

static inline int read_op(struct mmuext_op *op, const struct mmuext_op *from)
{
	const u64 *p = (const u64 *)from;
	u64 cmd;

	BUILD_BUG_ON(sizeof(*op) != 3 * 8 || offsetof(struct mmuext_op, arg1) != 8);
	if (unlikely(!guest_words_begin(p, 3)))
		return -XEN_EFAULT;
	guest_read(cmd, p, fault);
	guest_read(op->arg1.linear_addr, p + 1, fault);
	guest_read(op->arg2.src_mfn, p + 2, fault);
	guest_words_end();
	op->cmd = (unsigned int)cmd;
	return 0;
fault:
	return guest_words_fault();
}

static int mmuext_batch(struct domain *pg, unsigned long uops, unsigned long count,
			unsigned long *i)
{
	struct vcpu *v = current;
	int budget = PV_BUDGET, rc;

	/* Its tables are being taken apart: nothing new is built. */
	if (pg->dying)
		return -XEN_EINVAL;
	rc = pv_drain(pg, &budget);
	for (; !rc && *i < count; ++*i) {
		struct mmuext_op op;

		if (pv_spent(&budget, MMUEXT_COST))
			return PV_AGAIN;
		if (read_op(&op, (struct mmuext_op *)uops + *i))
			return -XEN_EFAULT;
		rc = mmuext_one(v, pg, &op, &budget);
		if (rc)
			break;
	}
	return rc;
}

long do_mmuext_op(unsigned long uops, unsigned long count, unsigned long pdone,
		  unsigned long foreigndom, unsigned long a5)
{
	struct domain *self = current->d, *pg = self;
	domid_t id = (domid_t)foreigndom;
	unsigned long i = 0;
	u32 done = 0;
	int rc;

	if (count & PV_RESUMED) {
		count &= ~PV_RESUMED;
		if (pdone && copy_from_guest(&done, (void *)pdone, sizeof(done)))
			return -XEN_EFAULT;
	}
	count = (u32)count;
	if (id != DOMID_SELF && id != self->id) {
		if (!self->privileged)
			return -XEN_EPERM;
		pg = domain_get(id);
		if (!pg)
			return -XEN_ESRCH;
	}
	spin_lock(&pg->mm_lock);
	rc = mmuext_batch(pg, uops, count, &i);
	spin_unlock(&pg->mm_lock);
	if (pg != self)
		domain_put(pg);
	done += (u32)i;
	if (pdone && copy_to_guest((void *)pdone, &done, sizeof(done)))
		rc = -XEN_EFAULT;
	if (rc == PV_AGAIN)
		return call_restart(uops + i * sizeof(struct mmuext_op), (count - i) | PV_RESUMED,
				    pdone, foreigndom, 0);
	return rc;
}
