/* SPDX-License-Identifier: MIT */
#include "cpu/panic.h"
#include "cpu/apic.h"
#include "cpu/cpu.h"
#include "cpu/desc.h"
#include "cpu/percpu.h"
#include "cpu/trace.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "plat/plat.h"

#define NO_CPU	     (~0u)
#define STOP_WAIT_US 1000000 /* an emulator may be slow to deliver an NMI */
#define STOP_STEP_US 100
#define TRACE_MAX    24
#define OTHER_TRACE  6
#define WORDS_MAX    16

bool opt_noreboot;
void (*panic_console_hook)(void);
void (*panic_end_hook)(bool halt);
void (*panic_log_hook)(void);
void (*panic_guest_hook)(unsigned int cpu, const struct cpu_user_regs *r, bool detailed);

static u32 panic_cpu = NO_CPU; /* who reports */
static unsigned int depth;     /* of panics of that CPU */
static u32 victim = NO_CPU;    /* whom the watchdog has found */
static const char *victim_reason;
static char reason[256];

static DEFINE_PER_CPU(struct cpu_user_regs, stopped_regs);
static DEFINE_PER_CPU(u32, stopped);

static void __noreturn stand_still(void)
{
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

void panic_nmi(const struct cpu_user_regs *r)
{
	u32 reporter = atomic_load(&panic_cpu);

	if (reporter == NO_CPU && atomic_load(&victim) == smp_cpu_id())
		panic_regs(r, victim_reason);
	if (reporter == NO_CPU || reporter == smp_cpu_id())
		return;
	memcpy(&this_cpu(stopped_regs), r, sizeof(*r));
	atomic_store(&this_cpu(stopped), 1);
	stand_still();
}

/* Before the first of them has been set up there is nobody to stop. */
static bool is_other(unsigned int cpu)
{
	return cpu != smp_cpu_id() && test_bit(cpu, cpu_online_map);
}

static unsigned int count_running(void)
{
	unsigned int n = 0;

	for (unsigned int cpu = 0; cpu < CONFIG_NR_CPUS; cpu++)
		if (is_other(cpu) && !atomic_load(&per_cpu(stopped, cpu)))
			n++;
	return n;
}

static void stop_others(void)
{
	for (unsigned int cpu = 0; cpu < CONFIG_NR_CPUS; cpu++)
		if (is_other(cpu))
			apic_send_nmi(cpu_apic_id[cpu]);
	for (unsigned int us = 0; us < STOP_WAIT_US && count_running(); us += STOP_STEP_US)
		plat_delay(STOP_STEP_US);
}

static void __noreturn finish(void)
{
	pr_err(opt_noreboot ? "Halted (noreboot).\n" : "Reboot in five seconds...\n");
	if (panic_end_hook)
		panic_end_hook(opt_noreboot);
	stand_still();
}

/* The report itself went wrong: each time less is tried. */
static void __noreturn panic_again(const char *what)
{
	if (depth == 2) {
		pr_err("\nPanic on CPU %u: %s, while it reported: %s\n", smp_cpu_id(), what,
		       reason);
		finish();
	}
	if (depth == 3 && panic_end_hook)
		panic_end_hook(opt_noreboot);
	stand_still();
}

/* Only the first CPU to get here reports. Another one waits for its NMI. */
static void panic_begin(const char *what)
{
	u32 old = NO_CPU;

	if (!atomic_cmpxchg(&panic_cpu, &old, smp_cpu_id()) && old != smp_cpu_id())
		stand_still();
	if (++depth > 1)
		panic_again(what);
	strlcpy(reason, what, sizeof(reason));
	stop_others();
	spin_ignored = true;
	if (panic_console_hook)
		panic_console_hook();
}

static void show_guest(unsigned int cpu, const struct cpu_user_regs *r, bool detailed)
{
	if (panic_guest_hook)
		panic_guest_hook(cpu, r, detailed);
}

/* From guests and from the idle loop the guest's line says it all. */
static void show_other(unsigned int cpu)
{
	const struct cpu_user_regs *r = &per_cpu(stopped_regs, cpu);

	if (!atomic_load(&per_cpu(stopped, cpu))) {
		pr_err("CPU%u does not answer\n", cpu);
		show_guest(cpu, NULL, false);
		return;
	}
	pr_err("CPU%u  RIP: %04x:%016lx %pS\n", cpu, r->cs, r->rip, (void *)r->rip);
	show_guest(cpu, r, false);
	if (!(r->cs & 3))
		show_trace(r->rip, r->rbp, (unsigned long)cpu_infos[cpu], OTHER_TRACE);
}

static void __noreturn report(const struct cpu_user_regs *r)
{
	unsigned int self = smp_cpu_id();
	unsigned long stack = (unsigned long)__builtin_frame_address(0);

	if (panic_log_hook)
		panic_log_hook();
	pr_err("\nCrash on CPU %u: %s\n", self, reason);
	for (unsigned int cpu = 0; cpu < CONFIG_NR_CPUS; cpu++)
		if (is_other(cpu))
			show_other(cpu);
	pr_err("CPU%u\n", self);
	show_guest(self, r, true);
	if (!(r->cs & 3)) {
		pr_err("The hypervisor's registers:\n");
		show_regs(r);
		show_words(r->rsp, stack, WORDS_MAX);
		show_trace(r->rip, r->rbp, stack, TRACE_MAX);
	}
	pr_err("\n****************************************\n");
	pr_err("Panic on CPU %u: %s\n", self, reason);
	pr_err("****************************************\n\n");
	finish();
}

void __noreturn panic_regs(const struct cpu_user_regs *r, const char *what)
{
	panic_begin(what);
	report(r);
}

/* The stack of #DB is not in use: the hypervisor sets no breakpoints in itself. */
void __noreturn panic_small_stack(const struct cpu_user_regs *r, const char *what)
{
	unsigned long area = (unsigned long)get_cpu_info() & ~(STACK_SIZE - 1);

	__asm__ __volatile__(
		"mov %0, %%rsp\n\tcall %P1" ::"r"(area + (STACK_PAGE_DB + 1) * PAGE_SIZE),
		"i"(panic_regs), "D"(r), "S"(what)
		: "memory");
	__builtin_unreachable();
}

void panic_other(unsigned int cpu, const char *what)
{
	victim_reason = what;
	atomic_store(&victim, cpu);
	apic_send_nmi(cpu_apic_id[cpu]);
	for (unsigned int us = 0; us < STOP_WAIT_US; us += STOP_STEP_US)
		plat_delay(STOP_STEP_US);
	/* Its own panic has stopped us long ago, by NMI. */
	panic("%s: CPU %u, which takes no NMI either", what, cpu);
}

/* What a called function must preserve is the caller's; the other registers mean nothing any more. */
static void caller_regs(struct cpu_user_regs *r, unsigned long rip, const unsigned long *frame)
{
	memset(r, 0, sizeof(*r));
	__asm__ __volatile__(
		"mov %%rbx, %0; mov %%r12, %1; mov %%r13, %2; mov %%r14, %3; mov %%r15, %4"
		: "=m"(r->rbx), "=m"(r->r12), "=m"(r->r13), "=m"(r->r14), "=m"(r->r15));
	r->rip = rip;
	r->rbp = frame[0];
	r->rsp = (unsigned long)(frame + 2);
	r->cs = HV_CS;
	r->ss = HV_DS;
	__asm__ __volatile__("pushfq; popq %0" : "=r"(r->rflags));
}

void panic(const char *fmt, ...)
{
	struct cpu_user_regs regs;
	char text[sizeof(reason)];
	va_list ap;

	caller_regs(&regs, (unsigned long)__builtin_return_address(0), __builtin_frame_address(0));
	va_start(ap, fmt);
	hv_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	panic_regs(&regs, text);
}
