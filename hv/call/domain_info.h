/* SPDX-License-Identifier: MIT */
/* What the tools learn about a domain: the same structure by domctl and by sysctl. */
#ifndef CALL_DOMAIN_INFO_H
#define CALL_DOMAIN_INFO_H

#include "dom/domain.h"
#include <xen/domctl.h>

/* The caller holds a reference. Every byte of *i is written. */
void domain_info(struct domain *d, struct xen_domctl_getdomaininfo *i);

#endif
