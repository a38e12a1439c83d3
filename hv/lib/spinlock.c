/* SPDX-License-Identifier: MIT */
#include "lib/spinlock.h"

void (*spin_wait_hook)(void);
bool spin_ignored;

void spin_lock_slow(spinlock_t *l)
{
	do {
		while (READ_ONCE(l->held)) {
			if (READ_ONCE(spin_ignored))
				return;
			if (spin_wait_hook)
				spin_wait_hook();
			__builtin_ia32_pause();
		}
	} while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE));
}
