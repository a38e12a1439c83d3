/* SPDX-License-Identifier: MIT */
#include "dom/domain.h"
#include "cpu/percpu.h"
#include "dom/vtime.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/heap.h"

#define NR_HASH 64

/* domain.built */
#define DB_SHARED 1u
#define DB_EVTCHN 2u
#define DB_GRANTS 4u
#define DB_PIRQS  8u
#define DB_KIND	  16u

struct domain *dom0;
const struct domain_kind_ops *guest_kind_ops;

/* Who exists. A reference is taken under the lock, so that the last one cannot be going away. */
static spinlock_t list_lock = SPINLOCK_INIT;
static struct list_head all = LIST_HEAD_INIT(all);
static struct list_head hash[NR_HASH]; /* empty heads are zeroed until used */
static domid_t last_id;

static struct list_head *bucket(domid_t id)
{
	struct list_head *h = &hash[id % NR_HASH];

	if (!h->next)
		list_init(h);
	return h;
}

/* With list_lock. */
static struct domain *find(domid_t id)
{
	struct domain *d;

	list_for_each_entry (d, bucket(id), hash) {
		if (d->id == id)
			return d;
	}
	return NULL;
}

struct domain *domain_of_owner(domid_t id)
{
	struct domain *d;

	spin_lock(&list_lock);
	d = find(id);
	spin_unlock(&list_lock);
	return d;
}

struct domain *domain_get(domid_t id)
{
	struct domain *d;

	spin_lock(&list_lock);
	d = id == DOMID_SELF ? current->d : find(id);
	if (d && !d->published)
		d = NULL;
	if (d)
		atomic_add(&d->refs, 1u);
	spin_unlock(&list_lock);
	return d;
}

struct domain *domain_get_from(domid_t first)
{
	struct domain *d, *found = NULL;

	spin_lock(&list_lock);
	list_for_each_entry (d, &all, node) {
		if (d->id >= first && d->published) {
			found = d;
			atomic_add(&d->refs, 1u);
			break;
		}
	}
	spin_unlock(&list_lock);
	return found;
}

/* --- identity --- */

/* With list_lock: the one after the last given out, so that an id comes back as late as possible. */
static domid_t next_id(void)
{
	domid_t id = last_id;
	unsigned int i;

	for (i = 1; i < DOMID_FIRST_RESERVED; i++) {
		id = id + 1 < (int)DOMID_FIRST_RESERVED ? id + 1 : 1;
		if (!find(id))
			return id;
	}
	return DOMID_INVALID;
}

static int enlist(struct domain *d, domid_t id)
{
	struct domain *pos;
	struct list_head *where = &all;
	int rc = 0;

	spin_lock(&list_lock);
	if (id == DOMID_INVALID) {
		id = next_id();
		last_id = id != DOMID_INVALID ? id : last_id;
	}
	if (id >= DOMID_FIRST_RESERVED) {
		rc = id == DOMID_INVALID ? -XEN_ENOMEM : -XEN_EINVAL;
	} else if (find(id)) {
		rc = -XEN_EEXIST;
	} else {
		d->id = id;
		list_for_each_entry (pos, &all, node) {
			if (pos->id > id) {
				where = &pos->node;
				break;
			}
		}
		list_add_tail(&d->node, where);
		list_add(&d->hash, bucket(id));
	}
	spin_unlock(&list_lock);
	return rc;
}

static void unlist(struct domain *d)
{
	spin_lock(&list_lock);
	list_del(&d->node);
	list_del(&d->hash);
	spin_unlock(&list_lock);
}

void domain_publish(struct domain *d)
{
	spin_lock(&list_lock);
	d->published = true;
	spin_unlock(&list_lock);
}

/* --- birth --- */

static int make_shared_info(struct domain *d)
{
	unsigned int i;

	d->shared = hv_alloc_pages(0);
	if (!d->shared)
		return -XEN_ENOMEM;
	for (i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		d->shared->vcpu_info[i].evtchn_upcall_mask = 1;
	domain_share_xenheap(d, mfn_to_frame(virt_to_mfn(d->shared)), true);
	return 0;
}

/* What a domain consists of beside its vcpus, in order; built says how far it came. */
static int build(struct domain *d, const struct domain_config *cfg)
{
	int rc = make_shared_info(d);

	if (rc)
		return rc;
	d->built |= DB_SHARED;
	vtime_update_wallclock(d);
	rc = evtchn_init_domain(d, cfg->max_evtchn_port);
	if (rc)
		return rc;
	d->built |= DB_EVTCHN;
	rc = grant_init_domain(d, cfg->max_grant_frames);
	if (rc)
		return rc;
	d->built |= DB_GRANTS;
	rc = pirq_init_domain(d);
	if (rc)
		return rc;
	d->built |= DB_PIRQS;
	if (guest_kind_ops && guest_kind_ops->domain_init)
		rc = guest_kind_ops->domain_init(d);
	if (!rc)
		d->built |= DB_KIND;
	return rc;
}

static bool unbuild(struct domain *d, u32 part)
{
	bool there = d->built & part;

	d->built &= ~part;
	return there;
}

/* Ports first: they release pirqs. Nobody sends events to d afterwards. */
static void drop_connections(struct domain *d)
{
	struct vcpu *v;

	if (unbuild(d, DB_EVTCHN))
		evtchn_destroy_domain(d);
	if (unbuild(d, DB_PIRQS))
		pirq_destroy_domain(d);
	for_each_vcpu (d, v)
		vcpu_drop_info(v);
}

static void drop_grants(struct domain *d)
{
	if (unbuild(d, DB_GRANTS))
		grant_destroy_domain(d);
}

/* Somebody else may still map it: then it lives on, and so does the listing of d. */
static void drop_shared_info(struct domain *d)
{
	static union {
		struct shared_info info;
		char page[PAGE_SIZE];
	} dead;
	struct shared_info *s = d->shared;

	if (!unbuild(d, DB_SHARED))
		return;
	spin_lock(&d->lock);
	d->shared = &dead.info;
	spin_unlock(&d->lock);
	domain_unshare_xenheap(mfn_to_frame(virt_to_mfn(s)));
}

static void free_domain(struct domain *d)
{
	unsigned int i;

	for (i = 0; i < d->max_vcpus; i++) {
		if (d->vcpu[i])
			vcpu_free(d->vcpu[i]);
	}
	if (unbuild(d, DB_KIND) && guest_kind_ops->domain_destroy)
		guest_kind_ops->domain_destroy(d);
	hv_free(d->memory_map);
	hv_free(d->vcpu);
	hv_free(d);
}

static struct domain *new_domain(const struct domain_config *cfg)
{
	struct domain *d = hv_alloc(sizeof(*d));

	if (!d)
		return NULL;
	d->vcpu = hv_alloc(cfg->max_vcpus * sizeof(*d->vcpu));
	if (!d->vcpu) {
		hv_free(d);
		return NULL;
	}
	d->max_vcpus = cfg->max_vcpus;
	d->privileged = cfg->privileged;
	d->cpupool = cfg->cpupool;
	d->refs = 1;
	d->pause_count = 1;
	d->tool_pauses = cfg->privileged ? 0 : 1;
	d->max_pages = cfg->privileged ? ULONG_MAX / 2 : 0;
	d->relinquish_next = FRAME_NIL;
	spin_lock_init(&d->lock);
	spin_lock_init(&d->page_lock);
	spin_lock_init(&d->mm_lock);
	list_init(&d->node);
	list_init(&d->hash);
	frame_list_init(&d->frames);
	domain_init_watchdogs(d);
	sched_init_domain(d);
	return d;
}

struct domain *domain_create_config(domid_t id, const struct domain_config *cfg, int *err)
{
	struct domain *d;

	*err = -XEN_EINVAL;
	if (!cfg->max_vcpus || cfg->max_vcpus > MAX_VCPUS)
		return NULL;
	*err = -XEN_ENOMEM;
	d = new_domain(cfg);
	if (!d)
		return NULL;
	*err = enlist(d, id);
	if (!*err)
		*err = build(d, cfg);
	if (*err) {
		d->dying = true;
		drop_connections(d);
		drop_grants(d);
		drop_shared_info(d);
		unlist(d);
		free_domain(d);
		return NULL;
	}
	if (d->privileged && !d->id)
		dom0 = d;
	return d;
}

struct domain *domain_create(domid_t id, unsigned int max_vcpus, bool privileged, int *err)
{
	struct domain_config cfg = {
		.max_vcpus = max_vcpus,
		.max_evtchn_port = EVTCHN_MAX - 1,
		.max_grant_frames = GRANT_MAX_FRAMES_DEFAULT,
		.privileged = privileged,
	};

	return domain_create_config(id, &cfg, err);
}

/* --- death --- */

static int kill_stop(struct domain *d)
{
	struct vcpu *v;

	domain_stop_watchdogs(d);
	sched_stop_domain(d);
	for_each_vcpu (d, v)
		sched_recheck(v);
	for_each_vcpu (d, v) {
		vcpu_wait_off(v);
		vtime_stop_vcpu(v);
	}
	spin_lock(&d->page_lock);
	d->relinquish_next = d->frames.head;
	spin_unlock(&d->page_lock);
	return 0;
}

static int kill_connections(struct domain *d)
{
	int rc = evtchn_relinquish(d);

	if (!rc)
		drop_connections(d);
	return rc;
}

/* Page tables go before the grants they map, so that each mapping's count finds its frame. */
static int kill_tables(struct domain *d)
{
	int rc = 0;

	if (guest_kind_ops && guest_kind_ops->relinquish)
		rc = guest_kind_ops->relinquish(d);
	if (rc)
		return rc;
	spin_lock(&d->page_lock);
	d->relinquish_next = d->frames.head;
	spin_unlock(&d->page_lock);
	return 0;
}

static int kill_grants(struct domain *d)
{
	int rc = grant_relinquish(d);

	if (!rc)
		drop_grants(d);
	return rc;
}

static int kill_shared_info(struct domain *d)
{
	drop_shared_info(d);
	return 0;
}

static int run_steps(struct domain *d)
{
	static int (*const steps[])(struct domain *) = {
		kill_stop,   kill_connections,	       kill_tables,
		kill_grants, domain_relinquish_frames, kill_shared_info,
	};

	while (d->kill_step < ARRAY_SIZE(steps)) {
		int rc = steps[d->kill_step](d);

		if (rc)
			return rc;
		d->kill_step++;
	}
	return 0;
}

static void tell_toolstack(const struct domain *d)
{
	if (d->published)
		send_global_virq(VIRQ_DOM_EXC);
}

int domain_kill(struct domain *d)
{
	bool done;
	int rc;

	if (d == dom0 || d == current->d)
		return -XEN_EINVAL;
	if (atomic_xchg(&d->kill_busy, true))
		return -XEN_ERESTART;
	atomic_add(&d->refs, 1u);
	spin_lock(&d->lock);
	spin_lock(&d->page_lock);
	d->dying = true;
	spin_unlock(&d->page_lock);
	spin_unlock(&d->lock);
	done = d->killed;
	rc = done ? 0 : run_steps(d);
	if (!rc && !done) {
		if (domain_nothing_left(d))
			domain_finish(d);
		else
			tell_toolstack(d);
	}
	atomic_store(&d->kill_busy, false);
	domain_put(d);
	return rc;
}

void domain_finish(struct domain *d)
{
	unlist(d);
	tell_toolstack(d);
	domain_put(d);
}

void domain_put(struct domain *d)
{
	if (atomic_sub(&d->refs, 1u))
		return;
	ASSERT(d->finished);
	free_domain(d);
}
