/* SPDX-License-Identifier: MIT */
#include "cpu/panic.h"
#include "cpu/percpu.h"
#include "cpu/cpu.h"
#include "lib/log.h"
#include "lib/printf.h"

bool opt_noreboot;
void (*panic_console_hook)(void);
void (*panic_end_hook)(bool halt);
static u32 panicking;

static bool on_stack(unsigned long p)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);

	return (p ^ here) < STACK_SIZE && !(p & 7);
}

void show_stack(unsigned long rip, unsigned long rbp)
{
	pr_err("Call trace:\n  [<%016lx>] %pS\n", rip, (void *)rip);
	for (int i = 0; i < 24 && on_stack(rbp); i++) {
		const unsigned long *f = (const unsigned long *)rbp;

		if (!f[1])
			break;
		pr_err("  [<%016lx>] %pS\n", f[1], (void *)f[1]);
		if (f[0] <= rbp)
			break;
		rbp = f[0];
	}
}

void show_regs(const struct cpu_user_regs *r)
{
	pr_err("CPU%u  RIP: %04x:%016lx %pS\n", smp_cpu_id(), r->cs, r->rip, (void *)r->rip);
	pr_err("RSP: %04x:%016lx  RFLAGS: %08lx  vector %x error %x\n", r->ss, r->rsp, r->rflags,
	       r->entry_vector, r->error_code);
	pr_err("rax: %016lx  rbx: %016lx  rcx: %016lx\n", r->rax, r->rbx, r->rcx);
	pr_err("rdx: %016lx  rsi: %016lx  rdi: %016lx\n", r->rdx, r->rsi, r->rdi);
	pr_err("rbp: %016lx  r8:  %016lx  r9:  %016lx\n", r->rbp, r->r8, r->r9);
	pr_err("r10: %016lx  r11: %016lx  r12: %016lx\n", r->r10, r->r11, r->r12);
	pr_err("r13: %016lx  r14: %016lx  r15: %016lx\n", r->r13, r->r14, r->r15);
	pr_err("cr0: %016lx  cr2: %016lx  cr3: %016lx  cr4: %08lx\n", read_cr0(), read_cr2(),
	       read_cr3(), read_cr4());
}

static void __noreturn panic_finish(const char *what)
{
	pr_err("\n****************************************\n");
	pr_err("Panic on CPU %u: %s\n", smp_cpu_id(), what);
	pr_err("****************************************\n\n");
	pr_err(opt_noreboot ? "Halted (noreboot).\n" : "Reboot in five seconds...\n");
	if (panic_end_hook)
		panic_end_hook(opt_noreboot);
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

/* Only the first CPU to get here reports; one that panics again while reporting stops at once. */
static void panic_begin(void)
{
	if (atomic_xchg(&panicking, 1))
		for (;;)
			__asm__ __volatile__("cli; hlt");
	if (panic_console_hook)
		panic_console_hook();
}

void __noreturn panic_regs(const struct cpu_user_regs *r, const char *what)
{
	panic_begin();
	show_regs(r);
	if (!(r->cs & 3))
		show_stack(r->rip, r->rbp);
	panic_finish(what);
}

void panic(const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	panic_begin();
	va_start(ap, fmt);
	hv_vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	show_stack((unsigned long)__builtin_return_address(0),
		   (unsigned long)__builtin_frame_address(0));
	panic_finish(buf);
}
