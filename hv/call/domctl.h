/* SPDX-License-Identifier: MIT */
/*
 * domctl's operations. Each gets the target domain, referenced, and the whole structure, copied in;
 * it returns 0, -XEN_E*, or -XEN_ERESTART to be called again; do_domctl() copies the structure out for
 * those marked so. One at a time in the whole host: the lock is only tried, who does not get it comes
 * again. Only a privileged domain gets here.
 */
#ifndef CALL_DOMCTL_H
#define CALL_DOMCTL_H

#include "dom/hypercall.h"
#include <xen/domctl.h>

typedef int domctl_fn(struct domain *d, struct xen_domctl *op);

/* The same lock, for what else must not happen while a domain is made or changed. */
bool domctl_trylock(void);
void domctl_unlock(void);

/* domctl_life.c: birth, pause, death, limits. createdomain's d is NULL. */
domctl_fn domctl_createdomain, domctl_destroydomain, domctl_pause, domctl_unpause;
domctl_fn domctl_max_vcpus, domctl_max_mem, domctl_resume, domctl_set_handle;
domctl_fn domctl_set_time_offset, domctl_hypercall_init, domctl_pageframeinfo;
/* domctl_vcpu.c: vcpus, their contexts and where they run */
domctl_fn domctl_getvcpuinfo, domctl_setvcpucontext, domctl_getvcpucontext;
domctl_fn domctl_setvcpuaffinity, domctl_getvcpuaffinity;
domctl_fn domctl_setnodeaffinity, domctl_getnodeaffinity;
domctl_fn domctl_scheduler_op, domctl_sendtrigger;

#endif
