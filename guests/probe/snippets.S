/* SPDX-License-Identifier: MIT */
/* Pieces of user-mode code (position independent, from NAME to NAME_end), and asm helpers of tests. */
#include "layout.h"

#define SNIPPET(name, ...)            \
	.globl name, name##_end ;     \
	name: __VA_ARGS__ ;           \
	name##_end: .balign 16

	.section .rodata
	SNIPPET(u_syscall, syscall; ud2)
	SNIPPET(u_ud, ud2)
	SNIPPET(u_bp, int3; ud2)
	SNIPPET(u_div, xorl %ecx, %ecx; divl %ecx; ud2)
	SNIPPET(u_int80, int $0x80; ud2)
	SNIPPET(u_int30, int $0x30; ud2)
	SNIPPET(u_int0, int $0; ud2)
	SNIPPET(u_int14, int $14; ud2)
	SNIPPET(u_int1, .byte 0xf1; ud2)
	SNIPPET(u_read, movq (%rdi), %rax; ud2)
	SNIPPET(u_write, movq %rax, (%rdi); ud2)
	SNIPPET(u_jump, jmp *%rdi)
	SNIPPET(u_cli, cli; ud2)
	SNIPPET(u_sti, sti; ud2)
	SNIPPET(u_hlt, hlt; ud2)
	SNIPPET(u_in, inb $0x70, %al; ud2)
	SNIPPET(u_out, outb %al, $0x80; ud2)
	SNIPPET(u_rdmsr, movl $0xc0000102, %ecx; rdmsr; ud2)
	SNIPPET(u_wrmsr, movl $0xc0000101, %ecx; wrmsr; ud2)
	SNIPPET(u_cr0, movq %cr0, %rax; ud2)
	SNIPPET(u_cr3, movq %rax, %cr3; ud2)
	SNIPPET(u_clts, clts; ud2)
	SNIPPET(u_lgdt, lgdt -8(%rsp); ud2)
	SNIPPET(u_invd, invd; ud2)
	SNIPPET(u_invlpg, invlpg (%rsp); ud2)
	SNIPPET(u_swapgs, swapgs; ud2)
	SNIPPET(u_sysret, sysretq; ud2)
	SNIPPET(u_xsetbv, xorl %ecx, %ecx; xsetbv; ud2)
	SNIPPET(u_dr, movq %dr7, %rax; ud2)
	SNIPPET(u_vmcall, .byte 0x0f, 0x01, 0xc1; ud2)
	SNIPPET(u_vmmcall, .byte 0x0f, 0x01, 0xd9; ud2)
	SNIPPET(u_int82, int $0x82; ud2)
	SNIPPET(u_flags, pushfq; popq %rax; ud2)
	SNIPPET(u_gs, movq %gs:0, %rax; ud2)
	SNIPPET(u_fs, movq %fs:0, %rax; ud2)
	SNIPPET(u_fpu, fninit; ud2)
	SNIPPET(u_nops, nop; nop; nop; ud2)
	SNIPPET(u_regs, ud2)
	SNIPPET(u_loop, 1: jmp 1b; ud2)
	SNIPPET(u_spin, movq $1, (%rdi); 1: pause; cmpq $0, 8(%rdi); je 1b; ud2)
	SNIPPET(u_iretq, iretq; ud2)
	SNIPPET(u_lret, .byte 0x48, 0xcb; ud2)
	SNIPPET(u_nonlinear, .byte 0xf0, 0x0f, 0xc7, 0xc8; ud2)
	SNIPPET(u_stack, movq %rdi, %rsp; pushq %rax; ud2)
	SNIPPET(u_syscalls, 1: syscall; decl %ebx; jnz 1b; ud2)
	SNIPPET(u_faults, 1: movb $0, (%rdi); decl %ebx; jnz 1b; ud2)

	.text
	/* u64 regs_over_trap(void): a bit for each register that int3 and HYPERVISOR_iret changed. */
	.globl regs_over_trap, regs_over_trap_rip
regs_over_trap:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movabsq	$0x1111111122222222, %rax
	leaq	1(%rax), %rbx
	leaq	2(%rax), %rcx
	leaq	3(%rax), %rdx
	leaq	4(%rax), %rsi
	leaq	5(%rax), %rdi
	leaq	6(%rax), %rbp
	leaq	8(%rax), %r8
	leaq	9(%rax), %r9
	leaq	10(%rax), %r10
	leaq	11(%rax), %r11
	leaq	12(%rax), %r12
	leaq	13(%rax), %r13
	leaq	14(%rax), %r14
	leaq	15(%rax), %r15
	pushq	$0x4d7 & ~0x400
	popfq
	int3
regs_over_trap_rip:
	pushfq
	pushq	$0
	.macro	same reg, n
	subq	$\n, \reg
	cmpq	\reg, %rax
	je	1f
	btsq	$\n, (%rsp)
1:
	.endm
	same	%rbx, 1
	same	%rcx, 2
	same	%rdx, 3
	same	%rsi, 4
	same	%rdi, 5
	same	%rbp, 6
	same	%r8, 8
	same	%r9, 9
	same	%r10, 10
	same	%r11, 11
	same	%r12, 12
	same	%r13, 13
	same	%r14, 14
	same	%r15, 15
	movabsq	$0x1111111122222222, %rcx
	cmpq	%rcx, %rax
	je	1f
	btsq	$0, (%rsp)
1:	movq	8(%rsp), %rcx
	andl	$0x8d5, %ecx
	cmpl	$0xd5 & 0x8d5, %ecx
	je	1f
	btsq	$16, (%rsp)
1:	popq	%rax
	addq	$8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

	/* long regs_over_call(void): the same over a hypercall (rax, rcx, r11 may change). */
	.globl	regs_over_call
regs_over_call:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movabsq	$0x1111111122222222, %rax
	leaq	1(%rax), %rbx
	xorl	%edi, %edi
	xorl	%esi, %esi
	leaq	3(%rax), %rdx
	leaq	6(%rax), %rbp
	leaq	8(%rax), %r8
	leaq	9(%rax), %r9
	leaq	10(%rax), %r10
	leaq	12(%rax), %r12
	leaq	13(%rax), %r13
	leaq	14(%rax), %r14
	leaq	15(%rax), %r15
	movl	$17, %eax
	syscall
	movabsq	$0x1111111122222222, %rax
	pushq	$0
	same	%rbx, 1
	same	%rdx, 3
	same	%rbp, 6
	same	%r8, 8
	same	%r9, 9
	same	%r10, 10
	same	%r12, 12
	same	%r13, 13
	same	%r14, 14
	same	%r15, 15
	orq	%rsi, %rdi
	jz	1f
	btsq	$4, (%rsp)
1:	popq	%rax
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

	/* Trap handlers of bench.c: step over an instruction of 2 or 3 bytes, as short as can be. */
	.macro	go_back
	pushq	$0
	pushq	%rcx
	pushq	%r11
	pushq	%rax
	movl	$23, %eax
	syscall
	.endm
	.globl	bench_skip2, bench_skip3
bench_skip2:
	popq	%rcx
	popq	%r11
	addq	$2, (%rsp)
	go_back
bench_skip3:
	popq	%rcx
	popq	%r11
	addq	$8, %rsp
	addq	$3, (%rsp)
	go_back

	/* A system call that does nothing: back by the short way (VGCF_in_syscall). */
	.globl	bench_sysret
bench_sysret:
	popq	%rcx
	popq	%r11
	pushq	$0x100
	pushq	%rcx
	pushq	%r11
	pushq	%rax
	movl	$23, %eax
	syscall

	.section .note.GNU-stack, "", @progbits
