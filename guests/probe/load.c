/* SPDX-License-Identifier: MIT */
/*
 * A domain that only is there, for tests of the toolstack and for measuring: the word on the command
 * line says what it does.  idle, exit, reboot, suspend and panic run before the memory is set up, so that as
 * little of it as the tools can build a domain with is enough.
 */
#include "hypercall.h"
#include "snippets.h"
#include "topics.h"

static void idle(void)
{
	printf("probe: idle\n");
	/* No event wakes us; xl destroy ends us. */
	memset(shared.evtchn_mask, 0xff, sizeof(shared.evtchn_mask));
	for (;;)
		sched_op(SCHEDOP_block, NULL);
}

static void spin_here(void *arg)
{
	bool pause = option("pause");

	for (;;)
		if (pause)
			asm volatile("pause");
}

/*
 * All vcpus; with the word pause an emulator that has one thread for all processors takes the next one each
 * time, so that several that spin leave something to those that do not.
 */
static void spin(void)
{
	unsigned int n = nr_vcpus();

	mem_init();
	for (unsigned int i = 1; i < n && i < MAX_CPUS; i++)
		if (!cpu_up(i))
			cpu_run(i, spin_here, NULL);
	printf("probe: spin\n");
	spin_here(NULL);
}

/* What must not stay where another mode may look (tests/boot/test_isolation.py). */
#define SECRET 0x5ec7e75ec7e7UL

/* In user mode, and in kernel mode with a root that maps itself, for who looks at the tables. */
static void spin_user(void)
{
	struct regs r;

	mem_init();
	if (!user_init()) {
		printf("probe: no user mode\n");
		return;
	}
	printf("probe: spin\n");
	user_regs(&r);
	r.rax = r.rcx = r.rsi = SECRET;
	user_run(u_loop, u_loop_end, &r);
	printf("probe: left user mode\n");
}

#define SELF_SLOT 400

static void spin_self(void)
{
	mem_init();
	if (pt_write(root_mfn() << 12 | SELF_SLOT * 8,
		     mk_pte(root_mfn(), PTE_P | PTE_US | PTE_A | PTE_D)))
		printf("probe: no self map\n");
	printf("probe: spin\n");
	spin_here(NULL);
}

/* The same by a root that maps itself before it is loaded. */
static void spin_self_later(void)
{
	u64 *l4, *now;

	mem_init();
	l4 = page_alloc();
	now = mfn_va(root_mfn());
	for (unsigned int i = 0; i < 512; i++)
		if (i < 256 || i >= 272)
			l4[i] = now[i];
	l4[SELF_SLOT] = mk_pte(va_mfn(l4), PTE_P | PTE_US | PTE_A | PTE_D);
	if (page_ro(l4) || mmuext(MMUEXT_NEW_BASEPTR, va_mfn(l4), 0))
		printf("probe: no self map\n");
	printf("probe: spin\n");
	spin_here(NULL);
}

static void shut_down(unsigned int reason)
{
	struct sched_shutdown s = {.reason = reason};

	/* For SHUTDOWN_suspend the third argument is the frame of start_info, which tools change. */
	hcall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &s,
	      ((unsigned long *)start_info->mfn_list)[((u64)start_info - VIRT_BASE) >> 12]);
}

void load(void)
{
	static const struct {
		const char *word;
		unsigned int reason;
	} ends[] = {
		{"exit", SHUTDOWN_poweroff},   {"reboot", SHUTDOWN_reboot},
		{"suspend", SHUTDOWN_suspend}, {"panic", SHUTDOWN_crash},
		{"panic", SHUTDOWN_crash},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(ends); i++)
		if (option(ends[i].word)) {
			printf("probe: %s\n", ends[i].word);
			shut_down(ends[i].reason);
			/* Suspended, and resumed where it was. */
			idle();
		}
	if (option("idle"))
		idle();
	if (option("spin"))
		spin();
	if (option("spin-user"))
		spin_user();
	if (option("spin-self"))
		spin_self();
	if (option("spin-self-later"))
		spin_self_later();
	if (option("spoil")) {
		spoil();
		shut_down(SHUTDOWN_poweroff);
	}
	neighbour();
}
