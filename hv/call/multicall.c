/* SPDX-License-Identifier: MIT */
/* multicall: a list of hypercalls in one; a long one inside is cut like a single one. */
#include "call/call.h"
#include "lib/nospec.h"

static long multicall_one(struct multicall_entry *e)
{
	call_fn *fn = e->op < NR_CALLS ? call_table[nospec_index(e->op, NR_CALLS)] : NULL;

	/* These end in another context than the one that called, which a batch cannot. */
	if (!fn || e->op == __HYPERVISOR_multicall || e->op == __HYPERVISOR_iret)
		return -XEN_ENOSYS;
	return fn(e->args[0], e->args[1], e->args[2], e->args[3], e->args[4]);
}

/* Writes the advanced arguments of the entry that must go on back into the guest's list. */
static int store_args(struct multicall_entry *ue)
{
	return copy_to_guest(ue->args, call_next_args(), 5 * sizeof(unsigned long));
}

long do_multicall(unsigned long list, unsigned long nr, unsigned long a3, unsigned long a4,
		  unsigned long a5)
{
	struct multicall_entry *ue = (struct multicall_entry *)list, e;

	for (unsigned long i = 0; i < (u32)nr; i++, ue++) {
		if (i && (i % 64 == 0 || READ_ONCE(get_cpu_info()->hazard)))
			return call_restart((unsigned long)ue, (u32)nr - i, 0, 0, 0);
		if (copy_from_guest(&e, ue, offsetof(struct multicall_entry, args[5])))
			return -XEN_EFAULT;
		e.result = (xen_ulong_t)multicall_one(&e);
		if (unlikely((long)e.result == CALL_RESTART) && call_is_restart((long)e.result)) {
			if (store_args(ue))
				return -XEN_EFAULT;
			return call_restart((unsigned long)ue, (u32)nr - i, 0, 0, 0);
		}
		if (copy_to_guest(&ue->result, &e.result, sizeof(e.result)))
			return -XEN_EFAULT;
	}
	return 0;
}
