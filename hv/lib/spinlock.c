/* SPDX-License-Identifier: MIT */
#include "lib/spinlock.h"

void (*spin_wait_hook)(void);

void spin_lock_slow(spinlock_t *l, u16 ticket)
{
	while (atomic_load(&l->owner) != ticket) {
		if (spin_wait_hook)
			spin_wait_hook();
		__builtin_ia32_pause();
	}
}
