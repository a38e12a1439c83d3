/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU data and "who am I". Each CPU runs on a stack of STACK_SIZE, aligned to its size, with
 * struct cpu_info at the very top; both are found from the stack pointer, without a segment register.
 */
#ifndef CPU_PERCPU_H
#define CPU_PERCPU_H

#include "lib/types.h"
#include "lib/bits.h"
#include <xen/xen.h>

#define STACK_ORDER 3
#define STACK_SIZE  (PAGE_SIZE << STACK_ORDER)

struct vcpu;

/* Hazard bits: work to be done before the next return to the guest. */
#define HAZ_SCHED 1u /* pick another vcpu */
#define HAZ_VCPU  2u /* current->hazard has bits (NMI, trap to inject, domain crash...) */
#define HAZ_TIMER 4u /* run expired timers */

struct cpu_info {
	/* Filled by the entry path up to ss; its es must be 16-byte aligned: the CPU aligns there. */
	struct cpu_user_regs guest_regs;
	unsigned long scratch; /* the entry path's only spare word */
	struct vcpu *curr;
	unsigned long percpu_offset;
	u32 cpu;
	u32 hazard; /* HAZ_*, tested once on the way out; other CPUs set bits atomically */
};

#ifdef UNIT_TEST
extern struct cpu_info test_cpu_info;
static inline struct cpu_info *get_cpu_info(void)
{
	return &test_cpu_info;
}
#else
static inline struct cpu_info *get_cpu_info(void)
{
	unsigned long sp;

	__asm__("mov %%rsp, %0" : "=r"(sp));
	return (struct cpu_info *)((sp | (STACK_SIZE - 1)) + 1) - 1;
}
#endif

#define current	     (get_cpu_info()->curr)
#define smp_cpu_id() (get_cpu_info()->cpu)
#define guest_regs() (&get_cpu_info()->guest_regs)

extern unsigned long percpu_offsets[CONFIG_NR_CPUS];
#define DEFINE_PER_CPU(t, n)  __attribute__((section(".data.percpu"))) __typeof__(t) n
#define DECLARE_PER_CPU(t, n) extern __typeof__(t) n
#define per_cpu(n, cpu)	      (*(__typeof__(&n))((char *)&n + percpu_offsets[cpu]))
#define this_cpu(n)	      (*(__typeof__(&n))((char *)&n + get_cpu_info()->percpu_offset))

/* CPUs that run, by our own dense number (0 = boot CPU). */
extern unsigned long cpu_online_map[BITS_TO_LONGS(CONFIG_NR_CPUS)];
extern unsigned int nr_cpus; /* online, or that will be: numbers 0..nr_cpus-1 */
extern u32 cpu_apic_id[CONFIG_NR_CPUS];
extern u32 cpu_acpi_id[CONFIG_NR_CPUS];
extern struct cpu_info *cpu_infos[CONFIG_NR_CPUS];

#define for_each_online_cpu(c) for_each_set_bit(c, cpu_online_map, (unsigned int)CONFIG_NR_CPUS)

/* Asks CPU cpu (may be this one) to do HAZ_ work before it returns to a guest; kicks it by IPI. */
void cpu_raise_hazard(unsigned int cpu, u32 haz);

#endif
