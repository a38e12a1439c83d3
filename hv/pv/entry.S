/* SPDX-License-Identifier: MIT */
/*
 * Every way into and out of the hypervisor. The frame is struct cpu_user_regs of the public ABI; from
 * a guest it lies at the top of the CPU's stack, in struct cpu_info. Interrupts stay off inside.
 * error_code is the low, entry_vector the high half of one stack word; vector 0x100 is SYSCALL,
 * 0x101 the 32-bit SYSCALL, 0x102 SYSENTER.
 */
#include "cpu/xpti.h"
#include "pv/entry_asm.h"

	.text
	.code64

/* The end of a SYSCALL stub: the frame with the stack pointer kept at `scratch`, and the jump. */
.macro SYSCALL_FRAME name vector scratch
	lea	(stub_start + STACK_SIZE_ - INFO_sizeof + REGS_es)(%rip), %rsp
	push	$GUEST_SS
	pushq	(\scratch)(%rip)
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

/*
 * The SYSCALL stub, copied to the first page of each CPU's stack area, so that everything it needs is
 * at a fixed distance. The jump at its end is patched for the distance to its target.
 */
#define STUB_SCRATCH (stub_start+STACK_SIZE_-INFO_sizeof+INFO_scratch)
.macro SYSCALL_STUB name vector
	.balign	64
	.globl	\name
\name:
	mov	%rsp, STUB_SCRATCH(%rip)
	SYSCALL_FRAME \name, \vector, STUB_SCRATCH
.endm

/* The same with page-table isolation (xpti.S): the stack pointer is the one register that is free. */
#define XPTI_STUB (stub_start+XPTI_DISTANCE)
.macro SYSCALL_STUB_XPTI name vector
	.balign	64
	.globl	\name
\name:
	mov	%rsp, (XPTI_STUB + XPTI_scratch)(%rip)
	mov	(XPTI_STUB + XPTI_hv_cr3)(%rip), %rsp
	test	%rsp, %rsp
	jz	1f
	mov	%rsp, %cr3
1:	SYSCALL_FRAME \name, \vector, (XPTI_STUB+XPTI_scratch)
.endm

	.globl	stub_start, stub_end
	.balign	64
stub_start:
SYSCALL_STUB stub_syscall, ENTRY_SYSCALL
SYSCALL_STUB stub_syscall32, ENTRY_SYSCALL32
SYSCALL_STUB_XPTI stub_xpti_syscall, ENTRY_SYSCALL
SYSCALL_STUB_XPTI stub_xpti_syscall32, ENTRY_SYSCALL32
	.balign	64
stub_end:

	.balign	64
	.globl	entry_syscall
entry_syscall:
	SAVE_ALL
	SPEC_ENTRY
	mov	INFO_current(%rsp), %rbx
	cmpb	$0, VCPU_kernel_mode(%rbx)
	je	from_user
	/* A hypercall: number in rax, arguments rdi rsi rdx r10 r8 */
	lea	call_table(%rip), %r11
	cmp	$NR_CALLS_, %rax
	jae	no_such_call
	sbb	%rcx, %rcx	/* all ones, and none when the jump was guessed wrong */
	and	%rcx, %rax
	mov	(%r11, %rax, 8), %rax
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
	movabs	$0x800000000000, %rax
	add	REGS_rip(%rsp), %rax
	shr	$48, %rax
	jnz	1f
	cmpw	$GUEST_CS, REGS_cs(%rsp)
	jne	1f
	cmpw	$GUEST_SS, REGS_ss(%rsp)
	jne	1f
	testl	$0x10100, REGS_rflags(%rsp)	/* RF, TF */
	jnz	1f
	SPEC_JUMP SPEC_SITE_XPTI, xpti_sysret
	RESTORE_ALL
	SPEC_EXIT_LAST
	mov	8(%rsp), %rcx
	mov	24(%rsp), %r11
	mov	32(%rsp), %rsp
	sysretq
1:
.Lleave_by_iret:
	SPEC_JUMP SPEC_SITE_XPTI, xpti_exit
	RESTORE_ALL
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

	/* SYSCALL from 32-bit code: never a hypercall */
	.balign	16
	.globl	entry_syscall32
entry_syscall32:
	SAVE_ALL
	SPEC_ENTRY
	jmp	from_user

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
	.globl	common_entry
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

/* A guest's registers, at rsp on a stack for few vectors, go to the usual stack, which is empty then. */
.macro TO_USUAL_STACK
	mov	%rsp, %rsi
	GET_INFO %rdi
	mov	%rdi, %rdx
	mov	$(REGS_es / 8), %ecx
	rep movsq
	mov	%rdx, %rsp
.endm

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
	TO_USUAL_STACK
	mov	$1, %esi
	mov	%rsp, %rdi
	call	pv_exception
	jmp	exit_to_guest
1:	RESTORE_ALL
	add	$8, %rsp
	iretq

	/*
	 * NMI, #DF and #MC have stacks of their own: nothing on the way out but the frame itself. One of
	 * a guest leaves by the usual stack, as another vcpu may have spoiled its code segment: an IRET that is
	 * refused lets in the next NMI all the same (SDM 6.7.1), which would find its stack in use.
	 */
	.balign	16
	.globl	ist_entry
ist_entry:
	CLEAR_FLAGS
	SAVE_ALL
	SPEC_ENTRY_ANY
	mov	%rsp, %rdi
	call	ist_exception
	SPEC_EXIT_ANY
	testb	$3, REGS_cs(%rsp)
	jz	1f
	TO_USUAL_STACK
	jmp	.Lleave_by_iret
1:	SPEC_JUMP SPEC_SITE_XPTI, xpti_exit_ist
	RESTORE_ALL
	SPEC_EXIT_LAST
	add	$8, %rsp
	iretq

	.altmacro
.macro ENTRY_STUB vec
	.balign	16
entry_\vec:
	PUSH_VECTOR \vec
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
