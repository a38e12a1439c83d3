/* SPDX-License-Identifier: MIT */
#include "mm/tlb.h"
#include "cpu/apic.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "cpu/irqflags.h"
#include "cpu/percpu.h"
#include "lib/spinlock.h"
#include "lib/string.h"

enum flush_kind {
	FLUSH_NONE,
	FLUSH_ONE,
	FLUSH_FULL
};

struct flush_box {
	spinlock_t lock;
	enum flush_kind kind;
	unsigned long va;
	u32 requested, done;
};

enum idle_state {
	IDLE_NO,
	IDLE_SLEEPS,
	IDLE_MUST_FLUSH
};

static DEFINE_PER_CPU(struct flush_box, flush_box);
static DEFINE_PER_CPU(u32, idle_state);
static DEFINE_PER_CPU(u32, sleeps);
static DEFINE_PER_CPU(u64, flushed_at);
static u64 tlb_clock = 1;

u32 tlb_clock_now(void)
{
	/* Locked: the entry that was just cleared is seen by others before the time is taken. */
	return (u32)__atomic_fetch_add(&tlb_clock, 1, __ATOMIC_SEQ_CST);
}

u64 tlb_flush_begin(void)
{
	return atomic_load(&tlb_clock);
}

void tlb_flush_end(u64 begun)
{
	WRITE_ONCE(this_cpu(flushed_at), begun);
}

void tlb_load_cr3(unsigned long cr3)
{
	u64 t = atomic_load(&tlb_clock);

	write_cr3(cr3);
	WRITE_ONCE(this_cpu(flushed_at), t);
}

void tlb_flush_local(void)
{
	tlb_load_cr3(read_cr3());
}

void tlb_flush_one_local(unsigned long va)
{
	invlpg(va);
}

void tlb_flush_global_local(void)
{
	unsigned long cr4 = read_cr4();
	u64 t = tlb_flush_begin();

	/* Any change of the bit flushes (SDM 4.10.4.1); with page-table isolation it is clear. */
	write_cr4(cr4 ^ CR4_PGE);
	write_cr4(cr4);
	tlb_flush_end(t);
}

void tlb_flush_service(void)
{
	struct flush_box *b = &this_cpu(flush_box);
	enum flush_kind kind;
	unsigned long va;
	u32 upto;

	if (READ_ONCE(b->done) == READ_ONCE(b->requested))
		return;
	/* Not spin_lock(): its slow path may call us again. Holders keep it for a few instructions. */
	while (!spin_trylock(&b->lock))
		cpu_relax();
	kind = b->kind;
	va = b->va;
	upto = b->requested;
	b->kind = FLUSH_NONE;
	spin_unlock(&b->lock);
	if (kind == FLUSH_ONE)
		tlb_flush_one_local(va);
	else if (kind == FLUSH_FULL)
		tlb_flush_local();
	atomic_store(&b->done, upto);
}

void tlb_idle_enter(void)
{
	this_cpu(sleeps)++;
	atomic_xchg(&this_cpu(idle_state), IDLE_SLEEPS);
}

void tlb_idle_exit(void)
{
	if (atomic_xchg(&this_cpu(idle_state), IDLE_NO) == IDLE_MUST_FLUSH)
		tlb_flush_local();
}

bool tlb_cpu_sleeps(unsigned int cpu, u32 *count)
{
	*count = READ_ONCE(per_cpu(sleeps, cpu));
	return atomic_load(&per_cpu(idle_state, cpu)) != IDLE_NO;
}

/* True when the CPU sleeps and has been told to flush when it wakes: no need to wait for it. */
static bool defer_to_sleeper(unsigned int cpu)
{
	u32 *state = &per_cpu(idle_state, cpu), old = IDLE_SLEEPS;

	return atomic_cmpxchg(state, &old, IDLE_MUST_FLUSH) || old == IDLE_MUST_FLUSH;
}

/* Posts a request and returns the number to wait for. */
static u32 post(unsigned int cpu, unsigned long va)
{
	struct flush_box *b = &per_cpu(flush_box, cpu);
	u32 nr;

	while (!spin_trylock(&b->lock)) {
		tlb_flush_service();
		cpu_relax();
	}
	if (va == TLB_ALL || (b->kind != FLUSH_NONE && b->va != va)) {
		b->kind = FLUSH_FULL;
	} else if (b->kind == FLUSH_NONE) {
		b->kind = FLUSH_ONE;
		b->va = va;
	}
	nr = ++b->requested;
	spin_unlock(&b->lock);
	return nr;
}

void tlb_flush_cpus(const unsigned long *cpus, unsigned long va)
{
	DECLARE_BITMAP(wait, CONFIG_NR_CPUS) = {0};
	u32 nr[CONFIG_NR_CPUS];
	unsigned int cpu, self = smp_cpu_id();

	for_each_set_bit(cpu, cpus, (unsigned int)CONFIG_NR_CPUS)
	{
		if (cpu == self || !test_bit(cpu, cpu_online_map) || defer_to_sleeper(cpu))
			continue;
		nr[cpu] = post(cpu, va);
		set_bit(cpu, wait);
		apic_ipi(cpu_apic_id[cpu], VEC_FLUSH);
	}
	if (test_bit(self, cpus)) {
		if (va == TLB_ALL)
			tlb_flush_local();
		else
			tlb_flush_one_local(va);
	}
	for_each_set_bit(cpu, wait, (unsigned int)CONFIG_NR_CPUS)
	{
		/* analyze-ok uninit: set for each CPU that is in the map. */
		while ((s32)(atomic_load(&per_cpu(flush_box, cpu).done) - nr[cpu]) < 0) {
			tlb_flush_service();
			cpu_relax();
		}
	}
}

/*
 * Flushed since: begun at a later time than the stamp. A stamp has 32 bits: one that is older than it
 * looks only causes a flush too many.
 */
static bool flushed_since(unsigned int cpu, u64 now, u32 stamp)
{
	return now - READ_ONCE(per_cpu(flushed_at, cpu)) < (u32)((u32)now - stamp);
}

bool tlb_flush_disturbs(u32 stamp)
{
	u64 now = atomic_load(&tlb_clock);
	unsigned int cpu;

	for_each_online_cpu (cpu)
		if (cpu != smp_cpu_id() && !flushed_since(cpu, now, stamp) &&
		    atomic_load(&per_cpu(idle_state, cpu)) == IDLE_NO)
			return true;
	return false;
}

void tlb_flush_since(const unsigned long *cpus, u32 stamp)
{
	DECLARE_BITMAP(need, CONFIG_NR_CPUS);
	u64 now = atomic_load(&tlb_clock);
	unsigned long any = 0;

	for (unsigned int w = 0; w < ARRAY_SIZE(need); w++) {
		unsigned long left = cpus[w];

		need[w] = 0;
		for (; left; left &= left - 1) {
			unsigned int bit = (unsigned int)__builtin_ctzl(left);

			if (!flushed_since(w * BITS_PER_LONG + bit, now, stamp))
				need[w] |= 1UL << bit;
		}
		any |= need[w];
	}
	if (any)
		tlb_flush_cpus(need, TLB_ALL);
}
