/* SPDX-License-Identifier: MIT */
/*
 * TLB flushes. Guest mappings are never global, so loading CR3 flushes them all. A flush on other
 * CPUs is a request in that CPU's mailbox plus an IPI; the requester waits until it is answered. CPUs
 * that spin on a lock answer too (spin_wait_hook), so a requester may hold locks.
 *
 * The flush clock saves most flushes at changes of a frame's type: it ticks whenever the use of
 * a frame ends, and the frame keeps that time; a CPU notes at each full flush what time it is (every
 * change between a guest's user and kernel mode is one), and if that is later it cannot hold a stale
 * entry for the frame.
 */
#ifndef MM_TLB_H
#define MM_TLB_H

#include "lib/types.h"
#include "lib/bits.h"

#define TLB_ALL (~0UL) /* in place of an address: everything that is not global */

void tlb_flush_local(void);
void tlb_flush_one_local(unsigned long va);
/* Our own (global) mappings as well, on this CPU. */
void tlb_flush_global_local(void);
/* On every CPU of the map, this one included when it is in it. va or TLB_ALL. */
void tlb_flush_cpus(const unsigned long *cpus, unsigned long va);
/* Answers requests to this CPU; from VEC_FLUSH and while spinning. */
void tlb_flush_service(void);

/*
 * Around the idle loop's halt, and where it only takes interrupts: a CPU that sleeps is not woken for a
 * flush, it makes up for it before it touches a guest's mappings again. Interrupt handlers that run in
 * between must not touch any.
 */
void tlb_idle_enter(void);
void tlb_idle_exit(void);
/* Whether a CPU is between the two; *count: how often it has been, modulo 2^32. */
bool tlb_cpu_sleeps(unsigned int cpu, u32 *count);

/* Now, for a frame whose last use as some type just ended. */
u32 tlb_clock_now(void);
/* Around a load of CR3 that flushes all of this CPU's guest mappings. */
u64 tlb_flush_begin(void);
void tlb_flush_end(u64 begun);
/* A load of CR3 with both. */
void tlb_load_cr3(unsigned long cr3);
/* Flushes those CPUs of the map that have not flushed since `stamp`. */
void tlb_flush_since(const unsigned long *cpus, u32 stamp);
/* Whether that for all CPUs would interrupt another one: which is awake and has not flushed since. */
bool tlb_flush_disturbs(u32 stamp);

#endif
