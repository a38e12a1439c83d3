/* SPDX-License-Identifier: MIT */
/*
 * Domains and vcpus: who exists, what each holds, and their lifetimes. A domain is built completely,
 * then published; a reference (domain_get) keeps the struct, not the domain's life.
 */
#ifndef DOM_DOMAIN_H
#define DOM_DOMAIN_H

#include <xen/xen.h>
#include <xen/vcpu.h>
#include <xen/event_channel.h>
#include "lib/types.h"
#include "lib/list.h"
#include "lib/spinlock.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "time/timer.h"
#include "dom/evtchn.h"
#include "dom/grant.h"
#include "dom/pv_state.h"
#include "dom/pirq.h"
#include "sched/sched.h"

#define MAX_VCPUS 256
#define DOMID_IDLE_ 0x7fffu

/* v->hazard: work for this vcpu before it next runs in guest mode. */
#define VHAZ_NMI   1u
#define VHAZ_TIME  2u /* refresh the time area */
#define VHAZ_DEBUG 4u

struct vcpu {
	struct domain *d;
	unsigned int id;
	struct sched_vcpu sched; /* sched/sched.h: run state, affinity, pause count */
	u32 hazard;		 /* VHAZ_*, atomically */

	/* Always valid: in shared_info, in a registered guest frame, or in a private dummy. */
	struct vcpu_info *info;
	struct frame *info_frame; /* reference + writable count when registered, else NULL */
	mfn_t info_mfn;
	bool initialised; /* VCPUOP_initialise or the builder has given it a state */

	struct cpu_user_regs regs; /* general registers while not running */
	struct pv_vcpu pv;

	struct vcpu_runstate_info runstate; /* owned by the scheduler */
	struct vcpu_runstate_info *runstate_guest; /* guest address, or NULL */
	struct timer singleshot, periodic, poll_timer;
	u64 periodic_period; /* ns, 0 = stopped */

	struct evtchn_vcpu ev;
	u32 poll_port;		      /* port + 1 it polls on; ~0 for several; 0 = not polling */
};

struct domain {
	domid_t id;
	bool privileged; /* dom0 */
	bool dying;
	bool is_shut_down;
	u8 shutdown_code;
	u32 refs;
	spinlock_t lock; /* lifetimes, accounting limits; see docs of lock order in lib/lock-order.txt */
	struct list_head node; /* all domains by ascending id */

	unsigned int max_vcpus;
	struct vcpu **vcpu; /* [max_vcpus], entries NULL until allocated */

	spinlock_t page_lock; /* the frame list and its counts */
	struct frame_list frames;
	unsigned long tot_pages, max_pages;
	unsigned long xenheap_pages;

	spinlock_t mm_lock; /* every page-table type and entry of frames it owns */
	struct pv_domain pv;

	struct shared_info *shared; /* hypervisor page the guest may map */
	struct evtchn_domain ev;
	struct grant_table grants;
	struct pirq_domain pirqs;

	u8 handle[16];
	u32 vm_assist;
	s32 time_offset;
	u32 ssidref;
	unsigned int cpupool;
	unsigned int pause_count; /* by toolstack */
};

extern struct domain *dom0;
extern struct domain idle_domain; /* one vcpu a CPU */

/* id DOMID_INVALID picks the next free one. NULL with *err on failure. Unpublished, paused. */
struct domain *domain_create(domid_t id, unsigned int max_vcpus, bool privileged, int *err);
void domain_publish(struct domain *d);
struct vcpu *vcpu_create(struct domain *d, unsigned int id);

/* Reference or NULL. DOMID_SELF is accepted. */
struct domain *domain_get(domid_t id) __must_check;
void domain_put(struct domain *d);
/* The domain with the lowest id >= first, referenced; NULL at the end. */
struct domain *domain_get_from(domid_t first) __must_check;

/* Stops every vcpu of d, notes the reason, tells the toolstack (VIRQ_DOM_EXC). dom0: acts on the box. */
void domain_shutdown(struct domain *d, u8 reason);
/* A guest did something that cannot be continued: prints registers, shuts it down with reason crash. */
void domain_crash(struct domain *d, const char *why);

void domain_pause(struct domain *d);
void domain_unpause(struct domain *d);

/* Frames. domain_alloc_frames: NULL when over max_pages or out of memory. */
struct frame *domain_alloc_frames(struct domain *d, unsigned int order, unsigned int memflags);
int domain_assign_frame(struct domain *d, struct frame *f); /* refs must be 0 */
/* Makes hypervisor pages mappable by d (refs FR_XENHEAP; writable or read only type). */
void domain_share_xenheap(struct domain *d, struct frame *f, bool writable);

#define for_each_vcpu(d, v)                                                                        \
	for (unsigned int i_##v = 0; i_##v < (d)->max_vcpus; i_##v++)                              \
		if (((v) = (d)->vcpu[i_##v]) != NULL)

#endif
