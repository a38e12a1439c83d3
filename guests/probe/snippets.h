/* SPDX-License-Identifier: MIT */
/* What snippets.S holds; RUN_USER(name, &regs) runs one in user mode. */
#ifndef PROBE_SNIPPETS_H
#define PROBE_SNIPPETS_H

#include "kit.h"

struct snippet {
	const char *name, *code, *end;
};

#define SNIPPET(n) extern const char n[], n##_end[]
SNIPPET(u_syscall);
SNIPPET(u_ud);
SNIPPET(u_bp);
SNIPPET(u_div);
SNIPPET(u_int80);
SNIPPET(u_int30);
SNIPPET(u_int0);
SNIPPET(u_int14);
SNIPPET(u_int1);
SNIPPET(u_read);
SNIPPET(u_write);
SNIPPET(u_jump);
SNIPPET(u_cli);
SNIPPET(u_sti);
SNIPPET(u_hlt);
SNIPPET(u_in);
SNIPPET(u_out);
SNIPPET(u_rdmsr);
SNIPPET(u_wrmsr);
SNIPPET(u_cr0);
SNIPPET(u_cr3);
SNIPPET(u_clts);
SNIPPET(u_lgdt);
SNIPPET(u_invd);
SNIPPET(u_invlpg);
SNIPPET(u_swapgs);
SNIPPET(u_sysret);
SNIPPET(u_xsetbv);
SNIPPET(u_dr);
SNIPPET(u_vmcall);
SNIPPET(u_vmmcall);
SNIPPET(u_int82);
SNIPPET(u_flags);
SNIPPET(u_gs);
SNIPPET(u_fs);
SNIPPET(u_fpu);
SNIPPET(u_nops);
SNIPPET(u_loop);
SNIPPET(u_regs);
SNIPPET(u_spin);
SNIPPET(u_iretq);
SNIPPET(u_lret);
SNIPPET(u_nonlinear);
SNIPPET(u_stack);
SNIPPET(u_syscalls);
SNIPPET(u_faults);

u64 regs_over_trap(void);
u64 regs_over_call(void);
extern const char bench_skip2[], bench_skip3[], bench_sysret[];
extern char regs_over_trap_rip[];

#define RUN_USER(n, regs) user_run(n, n##_end, regs)

#endif
