/* SPDX-License-Identifier: MIT */
/*
 * Every way into and out of the hypervisor. The frame is struct cpu_user_regs of the public ABI; from
 * a guest it lies at the top of the CPU's stack, in struct cpu_info. Interrupts stay off inside.
 * error_code is the low, entry_vector the high half of one stack word; vector 0x100 is SYSCALL,
 * 0x101 the 32-bit SYSCALL, 0x102 SYSENTER.
 */
#include <generated/asm-offsets.h>
#include "cpu/spec_asm.h"
#include "pv/entry.h"

	.text
	.code64

.macro SAVE_ALL
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
.endm

.macro RESTORE_ALL
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
.endm

/* What a guest's flags may do to C code; SYSCALL clears both by itself (SFMASK). */
.macro CLEAR_FLAGS
	cld
	SPEC_SITE SPEC_SITE_CLAC, 3, clac
.endm

/*
 * Against speculation (docs/speculation.md), on every entry from a guest after SAVE_ALL: what the
 * processor needs, and no register left that holds a guest's value, for code that runs ahead on a
 * wrong path must not find an address in one. A hypercall's stay, rbx and r11 are about to be loaded;
 * SPEC_ENTRY_ALL is for the others.
 */
.macro SPEC_ENTRY
	SPEC_SITE SPEC_SITE_ENTRY, 5, call spec_entry
	xor	%ebp, %ebp
	xor	%r9d, %r9d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
.endm

.macro SPEC_CLEAR_OTHERS
	xor	%eax, %eax
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
.endm

.macro SPEC_ENTRY_ALL
	SPEC_ENTRY
	SPEC_CLEAR_OTHERS
.endm

/* For NMI and its like, which strike in the hypervisor too: r15 keeps SPEC_CTRL until SPEC_EXIT_ANY. */
.macro SPEC_ENTRY_ANY
	xor	%r15d, %r15d
	SPEC_SITE SPEC_SITE_ENTRY, 5, call spec_entry_any
	SPEC_CLEAR_OTHERS
	xor	%ebp, %ebp
	xor	%r9d, %r9d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
.endm

.macro SPEC_EXIT_ANY
	SPEC_SITE SPEC_SITE_IBRS, 5, call spec_exit_any
.endm

/* On the way out, before RESTORE_ALL and after it. */
.macro SPEC_EXIT
	SPEC_SITE SPEC_SITE_IBRS, 5, call spec_exit
.endm

.macro SPEC_EXIT_LAST
	SPEC_SITE SPEC_SITE_VERW, 7, verw spec_verw_sel(%rip)
.endm

/* rax := address just above struct cpu_info's registers, from any stack of this CPU */
.macro GET_INFO reg
	mov	$~(STACK_SIZE_ - 1), \reg
	and	%rsp, \reg
	add	$(STACK_SIZE_ - INFO_sizeof), \reg
.endm

/*
 * The SYSCALL stub, copied to the first page of each CPU's stack area, so that everything it needs is
 * at a fixed distance. The jump at its end is patched for the distance to its target.
 */
.macro SYSCALL_STUB name vector
	.balign	64
	.globl	\name
\name:
	mov	%rsp, (stub_start + STACK_SIZE_ - INFO_sizeof + INFO_scratch)(%rip)
	lea	(stub_start + STACK_SIZE_ - INFO_sizeof + REGS_es)(%rip), %rsp
	push	$GUEST_SS
	push	(stub_start + STACK_SIZE_ - INFO_sizeof + INFO_scratch)(%rip)
	push	%r11
	push	$GUEST_CS
	push	%rcx
	push	$0
	movl	$\vector, 4(%rsp)
	.byte	0xe9
\name\()_jump:
	.long	0
	.globl	\name\()_jump
.endm

	.globl	stub_start, stub_end
	.balign	64
stub_start:
SYSCALL_STUB stub_syscall, ENTRY_SYSCALL
SYSCALL_STUB stub_syscall32, ENTRY_SYSCALL32
	.balign	64
stub_end:

	.balign	64
	.globl	entry_syscall
entry_syscall:
	SAVE_ALL
	SPEC_ENTRY
	mov	INFO_current(%rsp), %rbx
	cmpl	$ENTRY_SYSCALL, REGS_entry_vector(%rsp)
	jne	from_user
	cmpb	$0, VCPU_kernel_mode(%rbx)
	je	from_user
	/* A hypercall: number in rax, arguments rdi rsi rdx r10 r8 */
	lea	call_table(%rip), %r11
	cmp	$NR_CALLS_, %rax
	jae	no_such_call
	sbb	%rcx, %rcx	/* all ones, and none when the jump was guessed wrong */
	and	%rcx, %rax
	mov	(%r11, %rax, 8), %rax
	test	%rax, %rax
	jz	no_such_call
	mov	%r10, %rcx
	xor	%r10d, %r10d
	call	__x86_indirect_thunk_rax
	lea	-CALL_DONE_(%rax), %rcx
	cmp	$1, %rcx
	jbe	special_result
	mov	%rax, REGS_rax(%rsp)
	.globl	exit_to_guest
exit_to_guest:
	/* rsp = the guest's frame */
	cmpl	$0, INFO_hazard(%rsp)
	jne	hazards
	mov	INFO_current(%rsp), %rbx
	mov	VCPU_info(%rbx), %rax
	cmpb	$0, (%rax)
	je	restore
	cmpb	$0, 1(%rax)
	jne	restore
	mov	%rsp, %rdi
	call	pv_deliver_event
	jmp	exit_to_guest

restore:
	SPEC_EXIT
	cmpl	$ENTRY_SYSCALL, REGS_entry_vector(%rsp)
	jne	1f
	/* SYSRET is right when it restores exactly what the frame says: flat selectors, canonical rip */
	mov	REGS_rip(%rsp), %rcx
	mov	%rcx, %rax
	shl	$16, %rax
	sar	$16, %rax
	cmp	%rcx, %rax
	jne	1f
	cmpw	$GUEST_CS, REGS_cs(%rsp)
	jne	1f
	cmpw	$GUEST_SS, REGS_ss(%rsp)
	jne	1f
	testl	$0x10100, REGS_rflags(%rsp)	/* RF, TF */
	jnz	1f
	RESTORE_ALL
	SPEC_EXIT_LAST
	mov	8(%rsp), %rcx
	mov	24(%rsp), %r11
	mov	32(%rsp), %rsp
	sysretq
1:	RESTORE_ALL
	SPEC_EXIT_LAST
	add	$8, %rsp
	.globl	guest_iret
guest_iret:
	iretq
	.pushsection .ex_table, "a"
	.quad	guest_iret, guest_iret_fault
	.popsection

	/* The guest's frame was refused by IRET; its registers are live again and rsp is at rip. */
guest_iret_fault:
	push	$0
	SAVE_ALL
	SPEC_ENTRY_ALL
	mov	%rsp, %rdi
	call	pv_iret_fault
	jmp	exit_to_guest

hazards:
	call	handle_hazards
	jmp	exit_to_guest

no_such_call:
	movq	$-38, REGS_rax(%rsp)
	jmp	exit_to_guest

special_result:
	mov	%rsp, %rdi
	mov	%rax, %rsi
	call	call_special
	jmp	exit_to_guest

from_user:
	SPEC_CLEAR_OTHERS
	mov	%rsp, %rdi
	call	pv_guest_syscall
	jmp	exit_to_guest

	/* Drops whatever is on this CPU's stack and goes on with the guest state in struct cpu_info. */
	.globl	resume_guest
resume_guest:
	GET_INFO %rax
	mov	%rax, %rsp
	jmp	exit_to_guest

	/* void stack_reset_call(void (*fn)(void)): the same, into a function that does not return */
	.globl	stack_reset_call
stack_reset_call:
	GET_INFO %rax
	mov	%rax, %rsp
	xor	%ebp, %ebp
	call	__x86_indirect_thunk_rdi
	ud2

/* --- exceptions and interrupts --- */
	.balign	16
common_entry:
	CLEAR_FLAGS
	SAVE_ALL
	testb	$3, REGS_cs(%rsp)
	jz	from_hypervisor
	SPEC_ENTRY_ALL
	mov	REGS_entry_vector(%rsp), %esi
	mov	%rsp, %rdi
	cmp	$32, %esi
	jae	1f
	call	pv_exception
	jmp	exit_to_guest
1:	call	pv_interrupt
	jmp	exit_to_guest

	/* A fault in our way out to a guest may have the guest's branch control on: the same care. */
from_hypervisor:
	SPEC_ENTRY
	mov	%rsp, %rdi
	call	hv_exception
	RESTORE_ALL
	add	$8, %rsp
	iretq

	/*
	 * #DB has a stack of its own too, because MOV SS before SYSCALL lets it strike on our first
	 * instruction with the guest's stack pointer (SDM 6.8.3). From a guest: on to the usual stack.
	 */
	.balign	16
db_entry:
	CLEAR_FLAGS
	SAVE_ALL
	testb	$3, REGS_cs(%rsp)
	jz	1f
	SPEC_ENTRY_ALL
	mov	%rsp, %rsi
	GET_INFO %rdi
	mov	%rdi, %rdx
	mov	$(REGS_es / 8), %ecx
	rep movsq
	mov	%rdx, %rsp
	mov	$1, %esi
	mov	%rsp, %rdi
	call	pv_exception
	jmp	exit_to_guest
1:	RESTORE_ALL
	add	$8, %rsp
	iretq

	/* NMI, #DF and #MC have stacks of their own: nothing on the way out but the frame itself. */
	.balign	16
ist_entry:
	CLEAR_FLAGS
	SAVE_ALL
	SPEC_ENTRY_ANY
	mov	%rsp, %rdi
	call	ist_exception
	SPEC_EXIT_ANY
	RESTORE_ALL
	SPEC_EXIT_LAST
	add	$8, %rsp
	iretq

	.altmacro
.macro ENTRY_STUB vec
	.balign	16
entry_\vec:
	.if (\vec == 8) || ((\vec >= 10) && (\vec <= 14)) || (\vec == 17) || (\vec == 21) || (\vec == 29) || (\vec == 30)
	.else
	push	$0
	.endif
	movl	$\vec, 4(%rsp)
	.if (\vec == 2) || (\vec == 8) || (\vec == 18)
	jmp	ist_entry
	.elseif \vec == 1
	jmp	db_entry
	.else
	jmp	common_entry
	.endif
.endm

	.set	i, 0
	.rept	256
	ENTRY_STUB %i
	.set	i, i + 1
	.endr

.macro ENTRY_ADDR vec
	.quad	entry_\vec
.endm
	.section .rodata
	.balign	8
	.globl	entry_stubs
entry_stubs:
	.set	i, 0
	.rept	256
	ENTRY_ADDR %i
	.set	i, i + 1
	.endr
