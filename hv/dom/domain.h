/* SPDX-License-Identifier: MIT */
/*
 * Domains and vcpus: who exists, what each holds, and their lifetimes. A domain is built completely,
 * then published; a reference (domain_get) keeps the struct, not the domain's life.
 */
#ifndef DOM_DOMAIN_H
#define DOM_DOMAIN_H

#include "lib/types.h"
#include <xen/xen.h>
#include <xen/vcpu.h>
#include <xen/event_channel.h>
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

#define MAX_VCPUS   256
#define DOMID_IDLE_ 0x7fffu

/* v->hazard: work for this vcpu before it next runs in guest mode. */
#define VHAZ_NMI   1u
#define VHAZ_TIME  2u /* refresh the time area */
#define VHAZ_DEBUG 4u
#define VHAZ_L1TF  8u /* end the domain: see pv/l1tf.h */

struct vcpu {
	struct domain *d;
	unsigned int id;
	struct sched_vcpu sched; /* sched/sched.h: run state, affinity, pause count */
	u32 hazard;		 /* VHAZ_*, atomically; see vcpu_set_hazard() */

	/* Always valid: in shared_info, in a registered guest frame, or in a private dummy. */
	struct vcpu_info *info;
	struct frame *info_frame; /* reference + writable count when registered, else NULL */
	mfn_t info_mfn;
	struct vcpu_info dummy_info; /* ids past the legacy array, until registered; the dying */
	bool initialised;	     /* VCPUOP_initialise or the builder has given it a state */
	bool init_busy;		     /* VCPUOP_initialise is at work, atomically */

	struct cpu_user_regs regs; /* general registers while not running */
	struct pv_vcpu pv;

	struct vcpu_runstate_info runstate;	   /* owned by the scheduler */
	struct vcpu_runstate_info *runstate_guest; /* guest address, or NULL */
	struct vcpu_time_info *time_guest;	   /* guest address, or NULL */
	struct timer singleshot, periodic, poll_timer;
	u64 periodic_period;   /* ns, 0 = stopped */
	u32 time_version;      /* of the published time, even */
	nsec_t time_updated;   /* when it was published last, 0 = never */
	unsigned int time_cpu; /* and on which CPU; the timers are there too */

	struct evtchn_vcpu ev;
	u32 poll_port; /* port + 1 it polls on; ~0 for several; 0 = not polling */
};

#define NR_WATCHDOGS 2

struct domain_watchdog {
	struct timer timer;
	struct domain *d;
	bool used;
};

struct domain {
	domid_t id;
	bool privileged; /* dom0 */
	bool dying;
	bool is_shut_down;
	bool published;
	bool code_latched; /* SCHEDOP_shutdown_code came before the shutdown */
	u8 shutdown_code;
	u32 refs;
	spinlock_t
		lock; /* lifetimes, accounting limits; see docs of lock order in lib/lock-order.txt */
	struct list_head node; /* all domains by ascending id */
	struct list_head hash;
	u32 built;		/* DB_*: parts that domain_create has made and nobody unmade */
	unsigned int kill_step; /* of domain_kill() */
	u32 relinquish_next;	/* frame number at which the teardown goes on; page_lock */
	bool killed, finished;	/* teardown has done its part; unlisted; page_lock */
	bool kill_busy;		/* a CPU is in domain_kill(), atomically */

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
	void *memory_map; /* of XENMEM_set_memory_map, from the heap: call/memory_map.c; d->lock */
	unsigned int cpupool;	  /* changed by sched/pool.c */
	unsigned int pause_count; /* every domain_pause(), those of the toolstack included */
	unsigned int tool_pauses; /* by the toolstack alone: what it may undo, what it is shown */
	struct sched_domain sched;
	struct domain_watchdog watchdog[NR_WATCHDOGS];
};

/*
 * What differs between kinds of guest, registered once by pv/ (any member may be NULL).
 * vcpu_init/domain_init undo their own work when they fail. relinquish and set_context may return
 * -XEN_ERESTART: they are called again with the same arguments.
 */
struct domain_kind_ops {
	int (*domain_init)(struct domain *d);
	void (*domain_destroy)(struct domain *d); /* last reference gone, all frames gone */
	int (*vcpu_init)(struct vcpu *v);
	void (*vcpu_destroy)(struct vcpu *v);
	/* Dying, every vcpu off its CPU: drop roots, pins, descriptor pages; frames themselves stay. */
	int (*relinquish)(struct domain *d);
	/* VCPUOP_initialise, setvcpucontext: checks all of it, then gives it to a vcpu that is down. */
	int (*set_context)(struct vcpu *v, const struct vcpu_guest_context *ctxt);
	/* v = current: makes the guest kernel's address space the one of copy_to_guest(), and back. */
	void (*kernel_view)(struct vcpu *v, bool on);
};
extern const struct domain_kind_ops *guest_kind_ops;

extern struct domain *dom0;
extern struct domain idle_domain; /* one vcpu a CPU */

static inline bool is_idle_vcpu(const struct vcpu *v)
{
	return v->d == &idle_domain;
}

struct domain_config {
	unsigned int max_vcpus;
	unsigned int max_evtchn_port; /* highest port number */
	unsigned int max_grant_frames;
	unsigned int cpupool; /* one that pool_usable() */
	bool privileged;
};

/*
 * id DOMID_INVALID picks the next free one. NULL with *err (-XEN_E*) on failure. The domain is not
 * published (domain_get does not find it) and paused once: dom0 by a pause of ours for
 * domain_unpause(), others by the toolstack's for domain_unpause_by_tool(). Undo: domain_kill().
 */
struct domain *domain_create(domid_t id, unsigned int max_vcpus, bool privileged, int *err);
struct domain *domain_create_config(domid_t id, const struct domain_config *cfg, int *err);
void domain_publish(struct domain *d);
/* A vcpu that is down and has no state yet; NULL when id is out of range, taken, or memory short. */
struct vcpu *vcpu_create(struct domain *d, unsigned int id);

/*
 * Ends a domain: nothing of it runs any more, its connections and frames are given back. Restartable:
 * -XEN_ERESTART asks for another call. 0: done, or what is left goes with the last foreign mapping of
 * its frames. VIRQ_DOM_EXC tells the toolstack at once, so that the daemons drop their mappings, and
 * again when the domain is gone. The caller holds no lock, is not a vcpu of d, and has a reference or
 * is the one who created it. -XEN_EINVAL for dom0.
 */
int domain_kill(struct domain *d);

/* Reference or NULL. DOMID_SELF is accepted. Dying domains are found too: look at d->dying. */
struct domain *domain_get(domid_t id) __must_check;
/*
 * The same for what d asks about, DOMID_SELF too; NULL with *err -XEN_ESRCH, or -XEN_EPERM: another domain
 * than itself is for the privileged.
 */
static inline __must_check struct domain *domain_get_target(struct domain *d, domid_t id, int *err)
{
	struct domain *t;

	if (id == DOMID_SELF)
		id = d->id;
	*err = -XEN_EPERM;
	if (id != d->id && !d->privileged)
		return NULL;
	t = domain_get(id);
	*err = t ? 0 : -XEN_ESRCH;
	return t;
}
void domain_put(struct domain *d);
/* The domain with the lowest id >= first, referenced; NULL at the end. */
struct domain *domain_get_from(domid_t first) __must_check;
/* Live or dying, without a reference: only for an id that owns a frame the caller holds. */
struct domain *domain_of_owner(domid_t id);

/* Stops every vcpu of d, notes the reason, tells the toolstack (VIRQ_DOM_EXC). dom0: acts on the box. */
void domain_shutdown(struct domain *d, u8 reason);
/* Undoes a shutdown (a suspend that was cancelled): its vcpus go on. */
void domain_resume(struct domain *d);
/* A guest did something that cannot be continued: prints registers, shuts it down with reason crash. */
void domain_crash(struct domain *d, const char *why);

/*
 * Counted. After domain_pause() no vcpu of d but current is on a CPU, and their registers are in
 * struct vcpu. The caller holds no lock that a hypercall may spin on, and two vcpus must not pause
 * each other at a time (the domctl lock, taken by trylock, sees to both).
 */
void domain_pause(struct domain *d);
void domain_pause_nosync(struct domain *d);
void domain_unpause(struct domain *d);
/* The toolstack's own count. -XEN_EINVAL when it has not paused d, or too often. */
int domain_pause_by_tool(struct domain *d);
int domain_unpause_by_tool(struct domain *d);

/* Watchdogs: timeout in seconds, see SCHEDOP_watchdog. Returns the new id, 0, or -XEN_E*. */
void domain_init_watchdogs(struct domain *d);
void domain_stop_watchdogs(struct domain *d);
int domain_set_watchdog(struct domain *d, u32 id, u32 timeout);

/* vcpu_info: -XEN_EINVAL (offset, already registered, running elsewhere) or -XEN_EPERM (the frame). */
int vcpu_register_info(struct vcpu *v, mfn_t mfn, u32 offset);

/*
 * Frames. domain_alloc_frames: NULL when dying, over max_pages or out of memory; else the first of
 * 2^order frames, zeroed, each FR_ALLOCATED | 1 and on d->frames. The owner's reference goes by
 * clearing FR_ALLOCATED once, then put_frame().
 */
#define DMF_LOW		 1u		 /* below 4 GiB */
#define DMF_NOZERO	 2u		 /* boot only: the caller fills every byte */
#define DMF_ADDR_BITS(n) ((u32)(n) << 8) /* wholly below 2^n bytes; 0: anywhere */
struct frame *domain_alloc_frames(struct domain *d, unsigned int order, unsigned int memflags);
/* The same for a frame from buddy_alloc() (refs 0). 0, -XEN_EINVAL (dying) or -XEN_E2BIG. */
int domain_assign_frame(struct domain *d, struct frame *f);
/*
 * Makes a page of hv_alloc_pages(0) mappable by d (refs FR_XENHEAP | 1; writable or read only type).
 * From then on it is not freed by hv_free_pages() but by domain_unshare_xenheap(), and goes back to
 * the heap with the last mapping; the domain stays listed as dying until then.
 */
void domain_share_xenheap(struct domain *d, struct frame *f, bool writable);
void domain_unshare_xenheap(struct frame *f);
/* Registers the frame_free_hook; before the first domain. */
void domain_memory_init(void);
/* dom/memory.c for dom/domain.c: gives frames back, -XEN_ERESTART when there are more. */
int domain_relinquish_frames(struct domain *d);
/* The teardown has done its part: true for the caller that has to call domain_finish(). */
bool domain_nothing_left(struct domain *d);
/* Unlists a dead domain of which nothing is left and tells the toolstack. */
void domain_finish(struct domain *d);
/* dom/vcpu.c for the teardown: back to the private vcpu_info; frees a vcpu that nobody knows. */
void vcpu_drop_info(struct vcpu *v);
void vcpu_free(struct vcpu *v);

#define for_each_vcpu(d, v)                                           \
	for (unsigned int i_##v = 0; i_##v < (d)->max_vcpus; i_##v++) \
		if (((v) = (d)->vcpu[i_##v]) != NULL)

#endif
