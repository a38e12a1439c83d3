/* SPDX-License-Identifier: MIT */
#include "dom/domain.h"
#include "cpu/percpu.h"
#include "dom/vtime.h"
#include "lib/string.h"
#include "mm/heap.h"

static void use_private_info(struct vcpu *v)
{
	v->dummy_info.evtchn_upcall_mask = 1;
	v->info = &v->dummy_info;
	v->info_mfn = INVALID_MFN;
}

struct vcpu *vcpu_create(struct domain *d, unsigned int id)
{
	struct vcpu *v;

	if (id >= d->max_vcpus || d->vcpu[id])
		return NULL;
	v = hv_alloc(sizeof(*v));
	if (!v)
		return NULL;
	v->d = d;
	v->id = id;
	use_private_info(v);
	if (id < XEN_LEGACY_MAX_VCPUS)
		v->info = &d->shared->vcpu_info[id];
	if (sched_init_vcpu(v)) {
		hv_free(v);
		return NULL;
	}
	vtime_init_vcpu(v);
	if (guest_kind_ops && guest_kind_ops->vcpu_init && guest_kind_ops->vcpu_init(v)) {
		sched_destroy_vcpu(v);
		hv_free(v);
		return NULL;
	}
	atomic_store(&d->vcpu[id], v);
	return v;
}

void vcpu_free(struct vcpu *v)
{
	v->d->vcpu[v->id] = NULL;
	sched_destroy_vcpu(v);
	vtime_stop_vcpu(v);
	if (guest_kind_ops && guest_kind_ops->vcpu_destroy)
		guest_kind_ops->vcpu_destroy(v);
	hv_free(v);
}

void vcpu_drop_info(struct vcpu *v)
{
	struct frame *f = v->info_frame;

	use_private_info(v);
	v->info_frame = NULL;
	if (f)
		put_frame_and_writable(f);
}

/*
 * What arrives in the old place while it is copied is not lost: every selector bit is set, and the
 * guest looks into all of the bit maps (FIFO: into all queues).
 */
static void move_info(struct vcpu *v, struct vcpu_info *to)
{
	memcpy(to, v->info, sizeof(*to));
	atomic_store(&v->info, to);
	smp_mb();
	vtime_info_moved(v);
	(void)atomic_or(&to->evtchn_pending_sel, ~0UL);
	atomic_store(&to->evtchn_upcall_pending, (u8)1);
	evtchn_vcpu_info_moved(v);
}

int vcpu_register_info(struct vcpu *v, mfn_t mfn, u32 offset)
{
	struct domain *d = v->d;
	struct frame *f;

	if (offset > PAGE_SIZE - sizeof(struct vcpu_info) || offset % __alignof__(struct vcpu_info))
		return -XEN_EINVAL;
	if (v != current && !(READ_ONCE(v->sched.pause_flags) & VPF_DOWN))
		return -XEN_EINVAL;
	f = get_frame_and_writable(mfn, d->id);
	if (!f)
		return -XEN_EPERM;
	spin_lock(&d->lock);
	if (d->dying || v->info_frame) {
		spin_unlock(&d->lock);
		put_frame_and_writable(f);
		return -XEN_EINVAL;
	}
	v->info_frame = f;
	v->info_mfn = mfn;
	move_info(v, (struct vcpu_info *)((char *)mfn_to_virt(mfn) + offset));
	spin_unlock(&d->lock);
	return 0;
}
