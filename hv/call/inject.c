/* SPDX-License-Identifier: MIT */
#include "call/inject.h"
#include "cpu/percpu.h"
#include "dom/domain.h"
#include "lib/inject.h"
#include "mm/guest_copy.h"

long inject_version(unsigned long cmd, struct inject_request *answer, const void *arg)
{
	if (cmd != XENVER_INJECT || !current->d->privileged)
		return -XEN_ENOSYS;
	if (copy_from_guest(answer, arg, sizeof(*answer)))
		return -XEN_EFAULT;
	answer->alloc_seen = inject_arm(INJECT_ALLOC, answer->alloc_at);
	answer->preempt_seen = inject_arm(INJECT_PREEMPT, answer->preempt_at);
	return sizeof(*answer);
}
