/* SPDX-License-Identifier: MIT */
#include "lib/spinlock.h"

void (*spin_wait_hook)(void);
bool spin_ignored;

/* One look's pause; false: locks matter no more. */
static bool wait_a_bit(void)
{
	if (READ_ONCE(spin_ignored))
		return false;
	if (spin_wait_hook)
		spin_wait_hook();
	__builtin_ia32_pause();
	return true;
}

/* Everybody against everybody. Whether that has ended: with the lock, or with spin_ignored. */
static bool race(spinlock_t *l)
{
	for (unsigned int look = 0; look < SPIN_PATIENCE; look++)
		if (spin_trylock(l) || !wait_a_bit())
			return true;
	return false;
}

/*
 * The claim is made at the head of the line only, by a processor that runs: one that does not, because it
 * is virtual, holds up those behind it in the line but no others. A holder that was about to let go may
 * miss the claim; then the lock is free, and if it is not ours at once, it is after the next holder.
 */
static void queue(spinlock_t *l)
{
	u16 mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	while (atomic_load(&l->serving) != mine)
		if (!wait_a_bit())
			return;
	WRITE_ONCE(l->claimed, SPIN_HANDED);
	while (atomic_load(&l->held) != SPIN_HANDED && !spin_trylock(l))
		if (!wait_a_bit())
			return;
	WRITE_ONCE(l->claimed, 0);
	WRITE_ONCE(l->held, SPIN_HELD);
	atomic_store(&l->serving, (u16)(mine + 1));
}

void spin_lock_slow(spinlock_t *l)
{
	if (!race(l))
		queue(l);
}
