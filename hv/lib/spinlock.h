/* SPDX-License-Identifier: MIT */
/*
 * Spin locks. The hypervisor always runs with interrupts disabled (see cpu/irqflags.h), so there is one
 * kind of lock. A waiter calls spin_wait_hook() while it spins: that services TLB-flush requests of
 * other processors, so a holder may wait for such a request to be answered.
 *
 * Nobody waits for ever: at first all waiters race for the lock, and who has lost for too long (SPIN_PATIENCE
 * looks) joins a line. The head of the line claims the lock and is the next to have it. Racing first is for
 * processors that are themselves virtual, where an orderly queue stands still whenever the one at its head
 * does not run; docs/tour.md has the figures.
 */
#ifndef LIB_SPINLOCK_H
#define LIB_SPINLOCK_H

#include "lib/atomic.h"

#define SPIN_HELD   1 /* by whoever has set the bit */
#define SPIN_HANDED 3 /* to the head of the line */

typedef struct spinlock {
	union {
		u32 word;
		struct {
			u8 held; /* 0: free, SPIN_HELD, SPIN_HANDED */
			u8 claimed; /* what `held` becomes next: 0, or SPIN_HANDED for the head of the line */
		};
	};
	u16 next, serving; /* of the line: the number to be drawn next, the number at the head */
} spinlock_t;

#define SPINLOCK_INIT \
	{             \
	}

/* How often a waiter looks at a lock before it joins the line. */
#define SPIN_PATIENCE 256

extern void (*spin_wait_hook)(void);
/* Set by a panic, when the other processors stand still for good: whose locks those were matters no more. */
extern bool spin_ignored;
void spin_lock_slow(spinlock_t *l);

static inline void spin_lock_init(spinlock_t *l)
{
	*l = (spinlock_t)SPINLOCK_INIT;
}

/* LOCK BTS and a jump. */
static inline bool spin_take(spinlock_t *l)
{
	return !(__atomic_fetch_or(&l->word, SPIN_HELD, __ATOMIC_ACQUIRE) & SPIN_HELD);
}

/* Never waits, so it may fail for ever while others take turns. */
static inline bool spin_trylock(spinlock_t *l)
{
	return !READ_ONCE(l->held) && spin_take(l);
}

static inline void spin_lock(spinlock_t *l)
{
	if (unlikely(!spin_take(l)))
		spin_lock_slow(l);
}

static inline void spin_unlock(spinlock_t *l)
{
	atomic_store(&l->held, READ_ONCE(l->claimed));
}

static inline bool spin_is_locked(const spinlock_t *l)
{
	return READ_ONCE(l->held) != 0;
}

#endif
