/* SPDX-License-Identifier: MIT */
#include "dom/handlers.h"
#include "dom/hypercall.h"
#include "lib/nospec.h"
#include <xen/grant_table.h>

/*
 * Operations on the whole array `arg` of `count` elements return how many of them are done, fewer
 * than count when the call is to be restarted for the rest, or -XEN_E*.
 */
typedef long grant_fn(struct domain *d, unsigned long arg, unsigned int count);

/* --- batches --- */

static long map_grant_ref(struct domain *d, unsigned long arg, unsigned int count)
{
	struct gnttab_map_grant_ref *u = (void *)arg, op;
	unsigned int i, done = 0;

	for (i = 0; i < count; i++) {
		if (copy_from_guest(&op, u + i, sizeof(op)))
			return -XEN_EFAULT;
		grant_map(d, &op);
		if (copy_to_guest(u + i, &op, sizeof(op)))
			return -XEN_EFAULT;
		if (call_preempt(&done))
			return i + 1;
	}
	return count;
}

/* Element i of the guest's array, for one of two forms of unmapping, in and out. */
typedef int unmap_in_fn(unsigned long arg, unsigned int i, struct grant_unmap *u);
typedef int unmap_out_fn(unsigned long arg, unsigned int i, const struct grant_unmap *u);

static int unmap_in(unsigned long arg, unsigned int i, struct grant_unmap *u)
{
	struct gnttab_unmap_grant_ref op;

	if (copy_from_guest(&op, (struct gnttab_unmap_grant_ref *)arg + i, sizeof(op)))
		return -XEN_EFAULT;
	*u = (struct grant_unmap){
		.host_addr = op.host_addr,
		.dev_bus_addr = op.dev_bus_addr,
		.handle = op.handle,
	};
	return 0;
}

static int unmap_out(unsigned long arg, unsigned int i, const struct grant_unmap *u)
{
	struct gnttab_unmap_grant_ref *g = (struct gnttab_unmap_grant_ref *)arg + i;

	return copy_to_guest(&g->status, &u->status, sizeof(g->status));
}

static int replace_in(unsigned long arg, unsigned int i, struct grant_unmap *u)
{
	struct gnttab_unmap_and_replace op;

	if (copy_from_guest(&op, (struct gnttab_unmap_and_replace *)arg + i, sizeof(op)))
		return -XEN_EFAULT;
	*u = (struct grant_unmap){
		.host_addr = op.host_addr,
		.new_addr = op.new_addr,
		.handle = op.handle,
	};
	return 0;
}

static int replace_out(unsigned long arg, unsigned int i, const struct grant_unmap *u)
{
	struct gnttab_unmap_and_replace *g = (struct gnttab_unmap_and_replace *)arg + i;

	return copy_to_guest(&g->status, &u->status, sizeof(g->status));
}

/* In groups: one TLB flush each. What was read before a fault is still carried out. */
static long unmap(struct domain *d, unsigned long arg, unsigned int count, unmap_in_fn *in,
		  unmap_out_fn *out)
{
	struct grant_unmap u[GRANT_UNMAP_BATCH];
	unsigned int i = 0, done = 0;

	while (i < count) {
		unsigned int n = 0, k;
		bool stop = false;
		int rc = 0;

		while (n < GRANT_UNMAP_BATCH && i + n < count && !stop && !rc) {
			rc = in(arg, i + n, &u[n]);
			n += !rc;
			stop = call_preempt(&done);
		}
		grant_unmap(d, u, n);
		for (k = 0; k < n; k++)
			if (out(arg, i + k, &u[k]))
				rc = -XEN_EFAULT;
		if (rc)
			return rc;
		i += n;
		if (stop)
			break;
	}
	return i;
}

static long unmap_grant_ref(struct domain *d, unsigned long arg, unsigned int count)
{
	return unmap(d, arg, count, unmap_in, unmap_out);
}

static long unmap_and_replace(struct domain *d, unsigned long arg, unsigned int count)
{
	return unmap(d, arg, count, replace_in, replace_out);
}

static long copies(struct domain *d, struct gnttab_copy *u, unsigned int count,
		   struct grant_copies *open)
{
	struct gnttab_copy op;
	unsigned int i, done = 0;

	for (i = 0; i < count; i++) {
		if (copy_from_guest(&op, u + i, sizeof(op)))
			return -XEN_EFAULT;
		grant_copy(d, &op, open);
		if (copy_to_guest(&u[i].status, &op.status, sizeof(op.status)))
			return -XEN_EFAULT;
		if (call_preempt(&done))
			return i + 1;
	}
	return count;
}

static long copy(struct domain *d, unsigned long arg, unsigned int count)
{
	struct grant_copies open = {};
	long rc = copies(d, (struct gnttab_copy *)arg, count, &open);

	grant_copy_end(&open);
	return rc;
}

/* Not offered: GNTST_bad_page is the one error after which the page is still the caller's. */
static long transfer(struct domain *d, unsigned long arg, unsigned int count)
{
	struct gnttab_transfer *u = (void *)arg;
	s16 status = GNTST_bad_page;
	unsigned int i, done = 0;

	for (i = 0; i < count; i++) {
		if (copy_to_guest(&u[i].status, &status, sizeof(status)))
			return -XEN_EFAULT;
		if (call_preempt(&done))
			return i + 1;
	}
	return count;
}

static long swap_grant_ref(struct domain *d, unsigned long arg, unsigned int count)
{
	struct gnttab_swap_grant_ref *u = (void *)arg, op;
	unsigned int i, done = 0;

	for (i = 0; i < count; i++) {
		if (copy_from_guest(&op, u + i, sizeof(op)))
			return -XEN_EFAULT;
		op.status = (s16)grant_swap(d, op.ref_a, op.ref_b);
		if (copy_to_guest(&u[i].status, &op.status, sizeof(op.status)))
			return -XEN_EFAULT;
		if (call_preempt(&done))
			return i + 1;
	}
	return count;
}

/* --- one at a time --- */

/* A referenced domain that d may ask about, or NULL with a GNTST_* code. */
static struct domain *get_target(struct domain *d, domid_t id, s16 *status)
{
	int err;
	struct domain *t = domain_get_target(d, id, &err);

	if (t)
		*status = GNTST_okay;
	else
		*status = err == -XEN_EPERM ? GNTST_permission_denied : GNTST_bad_domain;
	return t;
}

/* 0, GNTST_* as a positive number never; -XEN_EFAULT. The table grows by what is asked for. */
static int list_frames(struct domain *t, struct gnttab_setup_table *op)
{
	op->status = GNTST_general_error;
	if (op->nr_frames > t->grants.max_frames)
		return 0;
	for (unsigned int i = 0; i < op->nr_frames; i++) {
		unsigned long mfn;
		xen_pfn_t pfn;

		if (grant_get_frame(t, i, &mfn))
			return 0;
		pfn = mfn;
		if (copy_to_guest(op->frame_list.p + i, &pfn, sizeof(pfn)))
			return -XEN_EFAULT;
	}
	op->status = GNTST_okay;
	return 0;
}

static long setup_table(struct domain *d, unsigned long arg, unsigned int count)
{
	struct gnttab_setup_table *u = (void *)arg, op;
	struct domain *t;
	int rc = 0;

	if (count != 1)
		return -XEN_EINVAL;
	if (copy_from_guest(&op, u, sizeof(op)))
		return -XEN_EFAULT;
	t = get_target(d, op.dom, &op.status);
	if (t) {
		rc = list_frames(t, &op);
		domain_put(t);
	}
	if (!rc && copy_to_guest(&u->status, &op.status, sizeof(op.status)))
		rc = -XEN_EFAULT;
	return rc ? rc : 1;
}

static long query_size(struct domain *d, unsigned long arg, unsigned int count)
{
	struct gnttab_query_size *u = (void *)arg, op;
	struct domain *t;

	if (count != 1)
		return -XEN_EINVAL;
	if (copy_from_guest(&op, u, sizeof(op)))
		return -XEN_EFAULT;
	t = get_target(d, op.dom, &op.status);
	if (t) {
		op.nr_frames = READ_ONCE(t->grants.nr_frames);
		op.max_nr_frames = READ_ONCE(t->grants.max_frames);
		domain_put(t);
	}
	return copy_to_guest(u, &op, sizeof(op)) ? -XEN_EFAULT : 1;
}

/* There is version 1 only; the version in use is told in every case. */
static long set_version(struct domain *d, unsigned long arg, unsigned int count)
{
	struct gnttab_set_version *u = (void *)arg, op;
	u32 wanted;

	if (copy_from_guest(&op, u, sizeof(op)))
		return -XEN_EFAULT;
	wanted = op.version;
	op.version = 1;
	if (copy_to_guest(u, &op, sizeof(op)))
		return -XEN_EFAULT;
	if (wanted == 2)
		return -XEN_ENOSYS;
	return wanted == 1 ? (long)count : -XEN_EINVAL;
}

static long get_version(struct domain *d, unsigned long arg, unsigned int count)
{
	struct gnttab_get_version *u = (void *)arg, op;
	struct domain *t;
	int err;

	if (copy_from_guest(&op, u, sizeof(op)))
		return -XEN_EFAULT;
	t = domain_get_target(d, op.dom, &err);
	if (!t)
		return err;
	domain_put(t);
	op.version = 1;
	return copy_to_guest(u, &op, sizeof(op)) ? -XEN_EFAULT : (long)count;
}

/* The rest, get_status_frames, dump_table and cache_flush: -XEN_ENOSYS. */
static const struct {
	grant_fn *fn;
	u8 size;
} ops[] = {
	[GNTTABOP_map_grant_ref] = {map_grant_ref, sizeof(struct gnttab_map_grant_ref)},
	[GNTTABOP_unmap_grant_ref] = {unmap_grant_ref, sizeof(struct gnttab_unmap_grant_ref)},
	[GNTTABOP_setup_table] = {setup_table, 0},
	[GNTTABOP_transfer] = {transfer, sizeof(struct gnttab_transfer)},
	[GNTTABOP_copy] = {copy, sizeof(struct gnttab_copy)},
	[GNTTABOP_query_size] = {query_size, 0},
	[GNTTABOP_unmap_and_replace] = {unmap_and_replace, sizeof(struct gnttab_unmap_and_replace)},
	[GNTTABOP_set_version] = {set_version, 0},
	[GNTTABOP_get_version] = {get_version, 0},
	[GNTTABOP_swap_grant_ref] = {swap_grant_ref, sizeof(struct gnttab_swap_grant_ref)},
};

long do_grant_table_op(unsigned long cmd, unsigned long arg, unsigned long count, unsigned long a4,
		       unsigned long a5)
{
	unsigned int n = (unsigned int)count;
	long done;

	if ((int)n < 0)
		return -XEN_EINVAL;
	if (cmd >= ARRAY_SIZE(ops))
		return -XEN_ENOSYS;
	cmd = nospec_index(cmd, ARRAY_SIZE(ops));
	if (!ops[cmd].fn)
		return -XEN_ENOSYS;
	done = ops[cmd].fn(current->d, arg, n);
	if (done < 0)
		return done;
	if (ops[cmd].size && (unsigned long)done < n)
		return call_restart(cmd, arg + (unsigned long)done * ops[cmd].size,
				    n - (unsigned int)done, a4, a5);
	return 0;
}
