/* SPDX-License-Identifier: MIT */
#include "sched/runq.h"
#include "cpu/percpu.h"
#include "cpu/spec.h"
#include "mm/tlb.h"

/* STI holds interrupts off for one more instruction, so none can come between the test and HLT. */
static void sleep_until_interrupt(void)
{
	tlb_idle_enter();
	/* What the buffers of this thread held is the sibling's to use, and to read, while it sleeps. */
	SPEC_VERW_IDLE();
	__asm__ __volatile__("sti; hlt; cli" ::: "memory");
	tlb_idle_exit();
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
		if (!READ_ONCE(ci->hazard))
			sleep_until_interrupt();
	}
}
