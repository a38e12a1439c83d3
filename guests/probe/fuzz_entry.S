/* SPDX-License-Identifier: MIT */
/* Whole sets of registers, for the fuzzer. The offsets are struct fuzz_regs of fuzz.h. */

.macro load_all from
	movq	0(\from), %rax
	movq	8(\from), %rbx
	movq	16(\from), %rcx
	movq	24(\from), %rdx
	movq	32(\from), %rsi
	movq	48(\from), %rbp
	movq	56(\from), %r8
	movq	64(\from), %r9
	movq	72(\from), %r10
	movq	80(\from), %r11
	movq	88(\from), %r12
	movq	96(\from), %r13
	movq	104(\from), %r14
	movq	112(\from), %r15
	movq	40(\from), %rdi
.endm

	.text
	.globl fuzz_syscall
fuzz_syscall:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdi
	load_all %rdi
	syscall
	xchgq	%rdi, (%rsp)
	movq	%rax, 0(%rdi)
	movq	%rbx, 8(%rdi)
	movq	%rcx, 16(%rdi)
	movq	%rdx, 24(%rdi)
	movq	%rsi, 32(%rdi)
	popq	40(%rdi)
	movq	%rbp, 48(%rdi)
	movq	%r8, 56(%rdi)
	movq	%r9, 64(%rdi)
	movq	%r10, 72(%rdi)
	movq	%r11, 80(%rdi)
	movq	%r12, 88(%rdi)
	movq	%r13, 96(%rdi)
	movq	%r14, 104(%rdi)
	movq	%r15, 112(%rdi)
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	cld
	ret

	.globl fuzz_jump
fuzz_jump:
	pushq	%rsi
	load_all %rdi
	ret

	.globl fuzz_iret
fuzz_iret:
	.irp	at, 64, 56, 48, 40, 32, 24, 16, 8, 0
	pushq	\at(%rsi)
	.endr
	load_all %rdi
	movl	$23, %eax
	syscall
	ud2

	.section .note.GNU-stack, "", @progbits
