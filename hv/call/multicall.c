/* SPDX-License-Identifier: MIT */
/* multicall: a list of hypercalls in one; a long one inside is cut like a single one. */
#include "call/call.h"
#include "lib/nospec.h"
#include "mm/guest_words.h"

/* Reads an entry, once, and carries it out. Negative rc: it was not readable. */
static inline long multicall_one(const struct multicall_entry *ue, int *rc)
{
	unsigned long op, a1, a2, a3, a4, a5;
	call_fn *fn;

	*rc = -XEN_EFAULT;
	if (unlikely(!guest_words_begin(ue, sizeof(*ue) / 8)))
		return 0;
	guest_read(op, &ue->op, fault);
	guest_read(a1, &ue->args[0], fault);
	guest_read(a2, &ue->args[1], fault);
	guest_read(a3, &ue->args[2], fault);
	guest_read(a4, &ue->args[3], fault);
	guest_read(a5, &ue->args[4], fault);
	guest_words_end();
	*rc = 0;
	/* These end in another context than the one that called, which a batch cannot. */
	if (op >= NR_CALLS || op == __HYPERVISOR_multicall || op == __HYPERVISOR_iret)
		return -XEN_ENOSYS;
	fn = call_table[nospec_index(op, NR_CALLS)];
	return fn(a1, a2, a3, a4, a5);
fault:
	*rc = guest_words_fault();
	return 0;
}

static inline int store_result(struct multicall_entry *ue, long result)
{
	unsigned long *at = &ue->result;

	if (unlikely(!guest_words_begin(at, 1)))
		return -XEN_EFAULT;
	guest_write(at, result, fault);
	guest_words_end();
	return 0;
fault:
	return guest_words_fault();
}

/* Writes the advanced arguments of the entry that must go on back into the guest's list. */
static int store_args(struct multicall_entry *ue)
{
	return copy_to_guest(ue->args, call_next_args(), 5 * sizeof(unsigned long));
}

long do_multicall(unsigned long list, unsigned long nr, unsigned long a3, unsigned long a4,
		  unsigned long a5)
{
	struct multicall_entry *ue = (struct multicall_entry *)list;

	for (unsigned long i = 0; i < (u32)nr; i++, ue++) {
		long result;
		int rc;

		if (i && (i % 64 == 0 || READ_ONCE(get_cpu_info()->hazard)))
			return call_restart((unsigned long)ue, (u32)nr - i, 0, 0, 0);
		result = multicall_one(ue, &rc);
		if (rc)
			return rc;
		if (unlikely(result == CALL_RESTART) && call_is_restart(result)) {
			if (store_args(ue))
				return -XEN_EFAULT;
			return call_restart((unsigned long)ue, (u32)nr - i, 0, 0, 0);
		}
		if (store_result(ue, result))
			return -XEN_EFAULT;
	}
	return 0;
}
