/* SPDX-License-Identifier: MIT */
#include "cpu/trace.h"
#include "cpu/cpu.h"
#include "cpu/desc.h"
#include "cpu/percpu.h"
#include "lib/log.h"

#define WORDS_A_LINE 4

/* The guard page is not there. */
static bool on_stack(unsigned long p, unsigned long stack)
{
	return (p ^ stack) < STACK_SIZE && !(p & 7) &&
	       (p & (STACK_SIZE - 1)) >> PAGE_SHIFT != STACK_PAGE_GUARD;
}

void show_trace(unsigned long rip, unsigned long rbp, unsigned long stack, unsigned int max)
{
	pr_err("Call trace:\n  [<%016lx>] %pS\n", rip, (void *)rip);
	for (unsigned int i = 1; i < max && on_stack(rbp, stack) && on_stack(rbp + 8, stack); i++) {
		const unsigned long *f = (const unsigned long *)rbp;

		if (!f[1])
			break;
		pr_err("  [<%016lx>] %pS\n", f[1], (void *)f[1]);
		if (f[0] <= rbp)
			break;
		rbp = f[0];
	}
}

void show_words(unsigned long rsp, unsigned long stack, unsigned int max)
{
	for (unsigned int i = 0; i < max; i++, rsp += 8) {
		bool first = i % WORDS_A_LINE == 0, last = i % WORDS_A_LINE == WORDS_A_LINE - 1;

		if (!on_stack(rsp, stack)) {
			pr_err(i ? "\n" : "Stack: rsp is outside of it\n");
			return;
		}
		pr_err("%s%016lx%s",
		       !i      ? "Stack: "
		       : first ? "       "
			       : " ",
		       *(const unsigned long *)rsp, last ? "\n" : "");
	}
}

void show_general_regs(const struct cpu_user_regs *r)
{
	pr_err("RIP: %04x:%016lx %pS\n", r->cs, r->rip, (void *)r->rip);
	pr_err("RSP: %04x:%016lx  RFLAGS: %08lx  vector %x error %x\n", r->ss, r->rsp, r->rflags,
	       r->entry_vector, r->error_code);
	pr_err("rax: %016lx  rbx: %016lx  rcx: %016lx\n", r->rax, r->rbx, r->rcx);
	pr_err("rdx: %016lx  rsi: %016lx  rdi: %016lx\n", r->rdx, r->rsi, r->rdi);
	pr_err("rbp: %016lx  r8:  %016lx  r9:  %016lx\n", r->rbp, r->r8, r->r9);
	pr_err("r10: %016lx  r11: %016lx  r12: %016lx\n", r->r10, r->r11, r->r12);
	pr_err("r13: %016lx  r14: %016lx  r15: %016lx\n", r->r13, r->r14, r->r15);
}

void show_regs(const struct cpu_user_regs *r)
{
	show_general_regs(r);
	pr_err("cr0: %016lx  cr2: %016lx  cr3: %016lx  cr4: %08lx\n", read_cr0(), read_cr2(),
	       read_cr3(), read_cr4());
}
