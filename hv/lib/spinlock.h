/* SPDX-License-Identifier: MIT */
/*
 * Spin locks. The hypervisor always runs with interrupts disabled (see cpu/irqflags.h), so there is one
 * kind of lock. A waiter calls spin_wait_hook() while it spins: that services TLB-flush requests of
 * other processors, so a holder may wait for such a request to be answered.
 *
 * Not first come, first served: where the processors are themselves virtual, an orderly queue stands
 * still whenever the one at its head does not run (seen: half of a 4-CPU boot on two busy cores).
 */
#ifndef LIB_SPINLOCK_H
#define LIB_SPINLOCK_H

#include "lib/atomic.h"

typedef struct spinlock {
	u32 held;
} spinlock_t;

#define SPINLOCK_INIT \
	{             \
		0     \
	}

extern void (*spin_wait_hook)(void);
/* Set by a panic, when the other processors stand still for good: whose locks those were matters no more. */
extern bool spin_ignored;
void spin_lock_slow(spinlock_t *l);

static inline void spin_lock_init(spinlock_t *l)
{
	l->held = 0;
}

static inline bool spin_trylock(spinlock_t *l)
{
	return !READ_ONCE(l->held) && !__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE);
}

static inline void spin_lock(spinlock_t *l)
{
	if (unlikely(__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE)))
		spin_lock_slow(l);
}

static inline void spin_unlock(spinlock_t *l)
{
	atomic_store(&l->held, 0);
}

static inline bool spin_is_locked(const spinlock_t *l)
{
	return READ_ONCE(l->held) != 0;
}

#endif
