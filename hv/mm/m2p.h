/* SPDX-License-Identifier: MIT */
/*
 * The machine-to-physical table: for each machine frame the number by which its owner knows it.
 * Guests read it (M2P_RO_VA); we write it here. Backed wherever the frame table is.
 */
#ifndef MM_M2P_H
#define MM_M2P_H

#include "mm/frame.h"

#define M2P_INVALID (~0UL)

#ifdef UNIT_TEST
extern unsigned long *test_m2p;
#define M2P test_m2p
#else
#define M2P ((unsigned long *)M2P_VA)
#endif

/* mfn must be valid (mfn_valid). */
static inline void m2p_set(mfn_t mfn, unsigned long gpfn)
{
	WRITE_ONCE(M2P[mfn], gpfn);
}

static inline unsigned long m2p_get(mfn_t mfn)
{
	return READ_ONCE(M2P[mfn]);
}

#endif
