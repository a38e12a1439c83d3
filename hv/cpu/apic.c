/* SPDX-License-Identifier: MIT */
#include "cpu/apic.h"
#include "cpu/apic_priv.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "cpu/percpu.h"
#include "lib/log.h"
#include "plat/plat.h"

#define XAPIC_ID_SHIFT	24
#define INIT_WAIT_US	10000
#define CALIBRATE_HZ	100 /* window of 10 ms */
#define CALIBRATE_READS 16
#define MAX_STALE_EOI	256

const struct apic_ops *apic_ops = &xapic_ops;

static bool tsc_deadline; /* CPUID.1:ECX[24] */
static u64 ticks_per_tsc; /* timer ticks a TSC tick, 32 bits of fraction */

/* x2APIC only by way of xAPIC enabled (SDM 3A, 11.12.5). */
static void enable(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (!(base & APIC_BASE_ENABLE))
		wrmsr(MSR_APIC_BASE, base |= APIC_BASE_ENABLE);
	if (apic_is_x2apic() && !(base & APIC_BASE_X2))
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2);
}

/* Leaves the boot CPU's APIC readable; apic_init_cpu does the rest. */
void apic_init(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);
	u32 r[4];

	cpuid(1, 0, r);
	tsc_deadline = r[2] >> 24 & 1;
	if (!(r[3] >> 9 & 1))
		panic("this processor has no local APIC, or the firmware switched it off");
	/* From x2APIC there is no way back but through off, so firmware's choice stays. */
	if (cpu_features.x2apic || base & APIC_BASE_X2) {
		apic_ops = &x2apic_ops;
	} else if (xapic_map(base & APIC_BASE_ADDR)) {
		panic("cannot map the local APIC at %#lx", base & APIC_BASE_ADDR);
	}
	enable();
}

bool apic_is_x2apic(void)
{
	return apic_ops == &x2apic_ops;
}

u32 apic_id(void)
{
	u32 id = apic_ops->read(APIC_ID);

	return apic_is_x2apic() ? id : id >> XAPIC_ID_SHIFT;
}

u32 apic_version(void)
{
	return apic_ops->read(APIC_VERSION);
}

void apic_eoi(void)
{
	apic_ops->write(APIC_EOI, 0);
}

/* The firmware may have left interrupts in service: they would block ours for ever. */
static void drop_stale(void)
{
	for (unsigned int i = 0; i < MAX_STALE_EOI; i++) {
		u32 any = 0;

		for (u32 w = 0; w < 8; w++)
			any |= apic_ops->read(APIC_ISR + w * 0x10);
		if (!any)
			return;
		apic_eoi();
	}
}

static void clear_errors(void)
{
	apic_ops->write(APIC_ESR, 0);
	apic_ops->write(APIC_ESR, 0);
}

void apic_init_cpu(void)
{
	u32 max_lvt;

	enable();
	max_lvt = apic_version() >> 16 & 0xff;
	apic_ops->write(APIC_SVR, SVR_ENABLE | VEC_SPURIOUS);
	apic_ops->write(APIC_TPR, 0);
	apic_ops->write(APIC_LVT_TIMER, LVT_MASKED | VEC_TIMER);
	apic_ops->write(APIC_LVT_LINT0, LVT_MASKED);
	/* LINT1 is the board's NMI, wired to all: one CPU takes it. */
	apic_ops->write(APIC_LVT_LINT1,
			rdmsr(MSR_APIC_BASE) & APIC_BASE_BSP ? LVT_NMI : LVT_MASKED);
	if (max_lvt >= 4)
		apic_ops->write(APIC_LVT_PERF, LVT_MASKED);
	if (max_lvt >= 5)
		apic_ops->write(APIC_LVT_THERM, LVT_MASKED);
	if (max_lvt >= 6)
		apic_ops->write(APIC_LVT_CMCI, LVT_MASKED);
	drop_stale();
	clear_errors();
	apic_ops->write(APIC_LVT_ERROR, VEC_APIC_ERROR);
}

void apic_error_interrupt(void)
{
	u32 esr;

	apic_ops->write(APIC_ESR, 0);
	esr = apic_ops->read(APIC_ESR);
	glog_warn("CPU%u: local APIC error, status %#x\n", smp_cpu_id(), esr);
}

/* --- messages to other CPUs --- */

void apic_ipi(u32 id, u8 vector)
{
	apic_ops->icr(id, ICR_ASSERT | vector);
}

void apic_send_nmi(u32 id)
{
	apic_ops->icr(id, ICR_ASSERT | ICR_NMI);
}

void apic_send_init(u32 id)
{
	apic_ops->icr(id, ICR_ASSERT | ICR_INIT);
	plat_delay(INIT_WAIT_US);
}

void apic_send_startup(u32 id, u8 page)
{
	apic_ops->icr(id, ICR_ASSERT | ICR_STARTUP | page);
}

/* --- timer --- */

struct sample {
	u64 tsc;
	u32 count;
};

/* A pair of readings at one instant: the tightest of a few. */
static struct sample read_both(void)
{
	struct sample best = {0};
	u64 width = ~0UL;

	for (unsigned int i = 0; i < CALIBRATE_READS; i++) {
		u64 before = rdtsc();
		u32 count = apic_ops->read(APIC_TMR_COUNT);
		u64 w = rdtsc() - before;

		if (w >= width)
			continue;
		width = w;
		best.tsc = before + w / 2;
		best.count = count;
	}
	return best;
}

void apic_timer_calibrate(u64 hz)
{
	struct sample a, b;
	u64 end;

	if (tsc_deadline)
		return;
	apic_ops->write(APIC_LVT_TIMER, LVT_MASKED | VEC_TIMER);
	apic_ops->write(APIC_TMR_DIVIDE, TMR_DIVIDE_1);
	apic_ops->write(APIC_TMR_INIT, ~0u);
	a = read_both();
	end = a.tsc + hz / CALIBRATE_HZ;
	while (rdtsc() < end)
		__builtin_ia32_pause();
	b = read_both();
	apic_ops->write(APIC_TMR_INIT, 0);
	if (a.count <= b.count || b.tsc <= a.tsc)
		panic("the local APIC's timer does not count");
	ticks_per_tsc = ((u64)(a.count - b.count) << 32) / (b.tsc - a.tsc);
	pr_info("APIC timer: %lu kHz\n",
		(unsigned long)((unsigned __int128)hz * ticks_per_tsc >> 32) / 1000);
}

void apic_timer_init_cpu(void)
{
	if (tsc_deadline) {
		apic_ops->write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | VEC_TIMER);
		/* The mode must be set before the first deadline (SDM 3A, 11.5.4.1). */
		__asm__ __volatile__("mfence" ::: "memory");
		wrmsr(MSR_TSC_DEADLINE, 0);
		return;
	}
	apic_ops->write(APIC_TMR_INIT, 0);
	apic_ops->write(APIC_TMR_DIVIDE, TMR_DIVIDE_1);
	apic_ops->write(APIC_LVT_TIMER, VEC_TIMER);
}

/* Rounded up, so that the interrupt does not come before the time is there. */
static u32 timer_ticks(u64 tsc)
{
	s64 delta = (s64)(tsc - rdtsc());
	unsigned __int128 ticks;

	if (delta <= 0)
		return 1;
	ticks = ((unsigned __int128)(u64)delta * ticks_per_tsc >> 32) + 1;
	return ticks < ~0u ? (u32)ticks : ~0u;
}

void apic_timer_arm(u64 tsc)
{
	if (tsc_deadline)
		wrmsr(MSR_TSC_DEADLINE, tsc);
	else
		apic_ops->write(APIC_TMR_INIT, tsc ? timer_ticks(tsc) : 0);
}
