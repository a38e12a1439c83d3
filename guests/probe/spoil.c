/* SPDX-License-Identifier: MIT */
/*
 * A vcpu spins in a code segment of its own, which another makes not present again and again. What
 * interrupts the first then goes back by an IRET that the processor refuses, an NMI's as well
 * (tests/boot/test_isolation.py sends many). Each time the guest's failsafe callback must have the frame.
 */
#include "hypercall.h"
#include "topics.h"

#define CODE3 0x00affb000000ffffUL
#define P_BIT (1UL << 47)
#define CS    0x10
#define TIMES 60

static u64 *gdt;
static volatile u32 spoiled, refused;

static bool mended(struct regs *r)
{
	if (r->vector != VEC_FAILSAFE)
		return false;
	refused++;
	update_descriptor(slot_ma(gdt, 2), CODE3);
	spoiled = 0;
	return true;
}

static void spin_here(void)
{
	for (;;)
		barrier();
}

static void spin_in_segment(void *arg)
{
	unsigned long mfn = va_mfn(gdt);
	struct regs r;

	this_cpu()->hook = mended;
	if (set_gdt(&mfn, 512))
		return;
	memset(&r, 0, sizeof(r));
	asm volatile("mov %%rsp, %0" : "=r"(r.rsp));
	r.rsp -= 1024;
	r.rip = (u64)spin_here;
	r.cs = CS;
	r.ss = FLAT_KERNEL_SS;
	r.rflags = 0x202;
	iret_regs(&r);
}

void spoil(void)
{
	mem_init();
	gdt = page_alloc();
	gdt[2] = CODE3;
	if (page_ro(gdt) || cpu_up(1))
		return;
	cpu_run(1, spin_in_segment, NULL);
	printf("probe: spin\n");
	while (refused < TIMES) {
		/* Long enough for the other to be in there. */
		for (u64 end = rdtsc() + 1000000; rdtsc() < end;)
			barrier();
		spoiled = 1;
		update_descriptor(slot_ma(gdt, 2), CODE3 & ~P_BIT);
		while (spoiled)
			barrier();
	}
	printf("probe: refused %u times\nprobe: DONE\n", refused);
}
