/* SPDX-License-Identifier: MIT */
#include "sched/runq.h"
#include "cpu/irqflags.h"
#include "cpu/percpu.h"
#include "cpu/spec.h"
#include "mm/buddy.h"
#include "mm/scrub.h"
#include "mm/tlb.h"

/* At most so often idle CPUs interrupt busy ones so that they may clear memory. */
#define SCRUB_DISTURB (1 * NSEC_PER_MSEC)

static nsec_t disturbed;

/* STI holds interrupts off for one more instruction, so none can come between the test and HLT. */
static void sleep_until_interrupt(void)
{
	tlb_idle_enter();
	/* What the buffers of this thread held is the sibling's to use, and to read, while it sleeps. */
	SPEC_VERW_IDLE();
	__asm__ __volatile__("sti; hlt; cli" ::: "memory");
	tlb_idle_exit();
}

/* What is pending is taken between the two. For the watchdog, that is as good as a sleep. */
static void take_interrupts(void)
{
	tlb_idle_enter();
	__asm__ __volatile__("sti; nop; cli" ::: "memory");
	tlb_idle_exit();
}

/* One small step of clearing what guests have left, or waiting until one is in order; false: no need. */
static bool scrub(const struct cpu_info *ci)
{
	nsec_t now;

	if (!buddy_waiting())
		return false;
	now = clock_now();
	switch (scrub_step(now - READ_ONCE(disturbed) >= SCRUB_DISTURB)) {
	case SCRUB_NOTHING:
		return false;
	case SCRUB_DISTURBED:
		WRITE_ONCE(disturbed, now);
		break;
	case SCRUB_TOO_SOON:
		while (clock_now() - READ_ONCE(disturbed) < SCRUB_DISTURB &&
		       !READ_ONCE(ci->hazard)) {
			take_interrupts();
			cpu_relax();
		}
		break;
	default:
		break;
	}
	take_interrupts();
	return true;
}

void __noreturn idle_loop(void)
{
	struct cpu_info *ci = get_cpu_info();

	for (;;) {
		u32 haz = atomic_xchg(&ci->hazard, 0u);

		/* HAZ_VCPU concerns a vcpu that is no longer here: it is raised again when it comes. */
		if (haz & HAZ_TIMER)
			timer_interrupt();
		if (haz & HAZ_SCHED)
			schedule();
		if (ci->curr != runqs[ci->cpu].idle)
			resume_guest();
		if (!READ_ONCE(ci->hazard) && !scrub(ci))
			sleep_until_interrupt();
	}
}
