/* SPDX-License-Identifier: MIT */
/*
 * Ticket locks. The hypervisor always runs with interrupts disabled (see cpu/irqflags.h), so there
 * is one kind of lock. A waiter calls spin_wait_hook() while it spins: that services TLB-flush
 * requests of other processors, so a holder may wait for such a request to be answered.
 */
#ifndef LIB_SPINLOCK_H
#define LIB_SPINLOCK_H

#include "lib/atomic.h"

typedef struct spinlock {
	u16 next, owner;
} spinlock_t;

#define SPINLOCK_INIT \
	{             \
		0, 0  \
	}

extern void (*spin_wait_hook)(void);
void spin_lock_slow(spinlock_t *l, u16 ticket);

static inline void spin_lock_init(spinlock_t *l)
{
	l->next = l->owner = 0;
}

static inline void spin_lock(spinlock_t *l)
{
	u16 ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_SEQ_CST);

	if (unlikely(atomic_load(&l->owner) != ticket))
		spin_lock_slow(l, ticket);
}

static inline bool spin_trylock(spinlock_t *l)
{
	u16 owner = atomic_load(&l->owner), expected = owner;

	return __atomic_compare_exchange_n(&l->next, &expected, (u16)(owner + 1), false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static inline void spin_unlock(spinlock_t *l)
{
	atomic_store(&l->owner, (u16)(l->owner + 1));
}

static inline bool spin_is_locked(const spinlock_t *l)
{
	return READ_ONCE(l->next) != READ_ONCE(l->owner);
}

#endif
