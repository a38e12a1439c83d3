/* SPDX-License-Identifier: MIT */
#include "call/call.h"
#include "lib/atomic.h"

/* Types that change something here or are promised anyway; the table writes are always emulated. */
#define KNOWN                                                                     \
	(1u << VMASST_TYPE_4gb_segments | 1u << VMASST_TYPE_writable_pagetables | \
	 1u << VMASST_TYPE_pae_extended_cr3 | 1u << VMASST_TYPE_runstate_update_flag)

long do_vm_assist(unsigned long cmd, unsigned long type, unsigned long a3, unsigned long a4,
		  unsigned long a5)
{
	struct domain *d = current->d;

	if (type >= 32 || !(KNOWN >> type & 1))
		return -XEN_EINVAL;
	switch ((u32)cmd) {
	case VMASST_CMD_enable:
		atomic_or(&d->vm_assist, 1u << type);
		return 0;
	case VMASST_CMD_disable:
		atomic_and(&d->vm_assist, ~(1u << type));
		return 0;
	default:
		return -XEN_ENOSYS;
	}
}
