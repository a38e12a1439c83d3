/* SPDX-License-Identifier: MIT */
/* How dom0 arms fault injection in test builds: a command of xen_version that no other build knows. */
#ifndef CALL_INJECT_H
#define CALL_INJECT_H

#include "lib/errno.h"
#include "lib/types.h"

#define XENVER_INJECT 0x1a7ec7

struct inject_request {
	u32 alloc_at, preempt_at;     /* IN: from now on, 0 for never */
	u32 alloc_seen, preempt_seen; /* OUT: asked for since the last request */
};

#ifdef CONFIG_HV_FAULT_INJECT
/* Fills the answer to cmd, which a guest wants at arg; its size, or -XEN_E*. */
long inject_version(unsigned long cmd, struct inject_request *answer, const void *arg);
#else
static inline long inject_version(unsigned long cmd, struct inject_request *answer, const void *arg)
{
	return -XEN_ENOSYS;
}
#endif

#endif
