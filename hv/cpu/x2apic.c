/* SPDX-License-Identifier: MIT */
#include "cpu/apic_priv.h"
#include "cpu/cpu.h"

static u32 msr_of(u32 reg)
{
	return MSR_X2APIC + (reg >> 4);
}

static u32 x2apic_read(u32 reg)
{
	return (u32)rdmsr(msr_of(reg));
}

static void x2apic_write(u32 reg, u32 v)
{
	wrmsr(msr_of(reg), v);
}

/*
 * Unlike memory, these MSRs are not ordered after earlier stores: what the receiver is to see must
 * be visible first (SDM 3A, 11.12.3).
 */
static void x2apic_icr(u32 apic_id, u32 low)
{
	__asm__ __volatile__("mfence; lfence" ::: "memory");
	wrmsr(msr_of(APIC_ICR), (u64)apic_id << 32 | low);
}

const struct apic_ops x2apic_ops = {
	.read = x2apic_read,
	.write = x2apic_write,
	.icr = x2apic_icr,
};
