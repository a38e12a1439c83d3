/* SPDX-License-Identifier: MIT */
/*
 * Where the probe starts, where the hypervisor delivers traps and events to, and the ELF notes.
 * The order of the pushes is struct regs of kit.h.
 */
#include <xen/elfnote.h>
#include "layout.h"

.macro note type, data:vararg
	.pushsection .note.probe, "a", @note
	.balign 4
	.long	2f - 1f, 4f - 3f, \type
1:	.asciz	"Xen"
2:	.balign 4
3:	\data
4:	.balign 4
	.popsection
.endm

	note XEN_ELFNOTE_ENTRY, .quad start
	note XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page
	note XEN_ELFNOTE_VIRT_BASE, .quad VIRT_BASE
	note XEN_ELFNOTE_PADDR_OFFSET, .quad 0
	note XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
	note XEN_ELFNOTE_GUEST_OS, .asciz "probe"
	note XEN_ELFNOTE_GUEST_VERSION, .asciz "1"
	note XEN_ELFNOTE_LOADER, .asciz "generic"
	note XEN_ELFNOTE_FEATURES, .asciz "!writable_page_tables|pae_pgdir_above_4gb"
	note XEN_ELFNOTE_PAE_MODE, .asciz "yes"
	note XEN_ELFNOTE_HV_START_LOW, .quad 0xffff800000000000
	note XEN_ELFNOTE_L1_MFN_VALID, .quad 1, 1
	note XEN_ELFNOTE_SUPPORTED_FEATURES, .long 1 << 11

	.section .text.start, "ax"
	.globl start
start:
	/* What the hypervisor left in the registers, for start.c. */
	movq	%rax, boot_regs + 0(%rip)
	movq	%rbx, boot_regs + 8(%rip)
	movq	%rcx, boot_regs + 16(%rip)
	movq	%rdx, boot_regs + 24(%rip)
	movq	%rsi, boot_regs + 32(%rip)
	movq	%rdi, boot_regs + 40(%rip)
	movq	%rbp, boot_regs + 48(%rip)
	movq	%rsp, boot_regs + 56(%rip)
	movq	%r8, boot_regs + 64(%rip)
	movq	%r9, boot_regs + 72(%rip)
	movq	%r10, boot_regs + 80(%rip)
	movq	%r11, boot_regs + 88(%rip)
	movq	%r12, boot_regs + 96(%rip)
	movq	%r13, boot_regs + 104(%rip)
	movq	%r14, boot_regs + 112(%rip)
	movq	%r15, boot_regs + 120(%rip)
	pushfq
	popq	boot_regs + 128(%rip)
	movw	%cs, boot_regs + 136(%rip)
	movw	%ss, boot_regs + 144(%rip)
	movw	%ds, boot_regs + 152(%rip)
	movw	%es, boot_regs + 160(%rip)
	movw	%fs, boot_regs + 168(%rip)
	movw	%gs, boot_regs + 176(%rip)
	cld
	leaq	stacks + STACK_SIZE(%rip), %rsp
	movq	%rsi, %rdi
	call	probe_main
	ud2

	/* Where a vcpu that was brought up begins; its stack is already its own. */
	.globl secondary_start
secondary_start:
	cld
	call	secondary_main
	ud2

	.text
	.balign 4096
	.globl hypercall_page
hypercall_page:
	.skip	4096

/* What follows the registers that SYSCALL destroys, of a frame with an error code in place. */
.macro save_and_go vec
	pushq	%rcx
	pushq	%r11
	pushq	%rax
	pushq	$\vec
	jmp	trap_common
.endm

	/* 256 stubs of 32 bytes. */
	.balign 32
	.globl trap_stubs
trap_stubs:
vec = 0
	.rept	256
	.balign 32
	popq	%rcx
	popq	%r11
	.if !(vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21)
	pushq	$0
	.endif
	save_and_go vec
vec = vec + 1
	.endr

	.globl event_entry
event_entry:
	popq	%rcx
	popq	%r11
	pushq	$0
	save_and_go VEC_EVENT

	.globl syscall_entry
syscall_entry:
	popq	%rcx
	popq	%r11
	pushq	$0
	save_and_go VEC_SYSCALL

	.globl syscall32_entry
syscall32_entry:
	popq	%rcx
	popq	%r11
	pushq	$0
	save_and_go VEC_SYSCALL32

	/* Its frame has four selectors above rcx and r11. */
	.globl failsafe_entry
failsafe_entry:
	popq	%rcx
	popq	%r11
	popq	failsafe_sel + 0(%rip)
	popq	failsafe_sel + 8(%rip)
	popq	failsafe_sel + 16(%rip)
	popq	failsafe_sel + 24(%rip)
	pushq	$0
	save_and_go VEC_FAILSAFE

trap_common:
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %rdi
	cld
	call	trap_c
	movq	%rsp, %rdi
	/* iret_regs(struct regs *): everything as in the structure, by HYPERVISOR_iret. */
	.globl iret_regs
iret_regs:
	movq	%rdi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp
	/* rax, r11, rcx; flags (in our place for the error code); rip, cs, rflags, rsp, ss */
	movl	$23, %eax
	syscall
	ud2

	/* int catch_set(struct jump *): 0, and again 1 when a trap has jumped there. */
	.globl catch_set
catch_set:
	movq	%rbx, 0(%rdi)
	movq	%rbp, 8(%rdi)
	movq	%r12, 16(%rdi)
	movq	%r13, 24(%rdi)
	movq	%r14, 32(%rdi)
	movq	%r15, 40(%rdi)
	leaq	8(%rsp), %rax
	movq	%rax, 48(%rdi)
	movq	(%rsp), %rax
	movq	%rax, 56(%rdi)
	xorl	%eax, %eax
	ret

	/* void call_on_stack(fn, arg, top): runs fn(arg) on another stack. */
	.globl call_on_stack
call_on_stack:
	pushq	%rbp
	movq	%rsp, %rbp
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsp
	call	*%rax
	movq	%rbp, %rsp
	popq	%rbp
	ret

	.section .note.GNU-stack, "", @progbits
