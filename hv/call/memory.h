/* SPDX-License-Identifier: MIT */
/*
 * memory_op's families: reservations (memory_reserve.c), exchange (memory_exchange.c), maps
 * (memory_map.c), the rest (memory_op.c). A handler returns the ABI's result, or CALL_RESTART after
 * memory_restart().
 *
 * A batch that is cut goes on at an extent: its number is in the upper bits of the command, as the ABI
 * has it, so that it also goes on inside a multicall.
 */
#ifndef CALL_MEMORY_H
#define CALL_MEMORY_H

#include "dom/hypercall.h"
#include <xen/memory.h>

#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK	   ((1UL << MEMOP_EXTENT_SHIFT) - 1)
#define MEMOP_MAX_ORDER	   9 /* of an extent: 2 MiB, as much as is zeroed without a break */

static inline long memory_restart(unsigned int cmd, unsigned long extent, const void *arg)
{
	return call_restart(cmd | extent << MEMOP_EXTENT_SHIFT, (unsigned long)arg, 0, 0, 0);
}

/*
 * The domain that a call names, referenced: DOMID_SELF, or any for a privileged caller. NULL with
 * *err -XEN_EPERM or -XEN_ESRCH.
 */
struct domain *memory_target(domid_t id, long *err);

/* start: first extent to work on. */
long memory_reservation(unsigned int cmd, unsigned long start, const void *arg);
long memory_exchange(const void *arg);

long memory_machphys_list(void *arg);
long memory_machphys_mapping(void *arg);
long memory_get_map(void *arg);
long memory_set_map(const void *arg);
long memory_machine_map(void *arg);

#endif
