/* SPDX-License-Identifier: MIT */
/*
 * What the compiler and the entry code use against speculative execution: see cpu/spec.h. The thunks
 * stand in for every indirect branch. They are built as retpolines, which are right on all processors;
 * spec_init() may overwrite them with something shorter.
 */
#include <generated/asm-offsets.h>
#include "cpu/spec_asm.h"

	.text
	.code64

/* A return that is predicted to go to the loop, and goes where the register says. */
.macro THUNK reg
	.balign	SPEC_THUNK_SIZE, 0xcc
	.globl	__x86_indirect_thunk_\reg
__x86_indirect_thunk_\reg:
	call	2f
1:	pause
	lfence
	jmp	1b
2:	mov	%\reg, (%rsp)
	ret
	int3
.endm

/* In the order of the registers' numbers in instructions; rsp (4) is never a target. */
	.balign	SPEC_THUNK_SIZE, 0xcc
	.globl	spec_thunks
spec_thunks:
	THUNK	rax
	THUNK	rcx
	THUNK	rdx
	THUNK	rbx
	.balign	SPEC_THUNK_SIZE, 0xcc
	.skip	SPEC_THUNK_SIZE, 0xcc
	THUNK	rbp
	THUNK	rsi
	THUNK	rdi
	THUNK	r8
	THUNK	r9
	THUNK	r10
	THUNK	r11
	THUNK	r12
	THUNK	r13
	THUNK	r14
	THUNK	r15
	.balign	SPEC_THUNK_SIZE, 0xcc
	.globl	spec_thunks_end
spec_thunks_end:

/*
 * On every way in from a guest, when any of the three is wanted. All registers are saved; those that
 * carry a hypercall are kept (rax rdi rsi rdx r10 r8), and r15; the stack is any of the CPU's.
 */
	.balign	16
	.globl	spec_entry
spec_entry:
	SPEC_SITE SPEC_SITE_IBPB, 5, call write_ibpb
	SPEC_SITE SPEC_SITE_IBRS, 5, call write_ibrs
	SPEC_SITE SPEC_SITE_RSB_ENTRY, 5, call spec_fill_rsb
	ret
	int3

write_ibpb:
	mov	%rax, %r12
	mov	%rdx, %r13
	mov	$MSR_PRED_CMD_, %ecx
	mov	$1, %eax
	xor	%edx, %edx
	wrmsr
	mov	%r12, %rax
	mov	%r13, %rdx
	ret
	int3

write_ibrs:
	mov	%rax, %r12
	mov	%rdx, %r13
	mov	$MSR_SPEC_CTRL_, %ecx
	mov	spec_ctrl_hv(%rip), %eax
	xor	%edx, %edx
	wrmsr
	mov	%r12, %rax
	mov	%r13, %rdx
	ret
	int3

/* On the way out, with IBRS at each entry only: the guest's value again. */
	.balign	16
	.globl	spec_exit
spec_exit:
	mov	INFO_current + 8(%rsp), %rax
	mov	VCPU_spec_ctrl(%rax), %eax
	or	spec_ctrl_guest(%rip), %eax
	xor	%edx, %edx
	mov	$MSR_SPEC_CTRL_, %ecx
	wrmsr
	ret
	int3

/* The same two for what may come at any instruction: r15 keeps what the register had. */
	.balign	16
	.globl	spec_entry_any, spec_exit_any
spec_entry_any:
	SPEC_SITE SPEC_SITE_IBRS, 5, call read_spec_ctrl
	jmp	spec_entry

read_spec_ctrl:
	mov	$MSR_SPEC_CTRL_, %ecx
	rdmsr
	mov	%eax, %r15d
	ret
	int3

spec_exit_any:
	mov	%r15d, %eax
	xor	%edx, %edx
	mov	$MSR_SPEC_CTRL_, %ecx
	wrmsr
	ret
	int3

/* void spec_fill_rsb(void): no return address of a guest's is left to be predicted. Keeps all but rcx. */
	.balign	16
	.globl	spec_fill_rsb
spec_fill_rsb:
	mov	$SPEC_RSB_ENTRIES / 2, %ecx
1:	call	3f
2:	pause
	lfence
	jmp	2b
3:	call	5f
4:	pause
	lfence
	jmp	4b
5:	dec	%ecx
	jnz	1b
	lfence
	add	$SPEC_RSB_ENTRIES * 8, %rsp
	ret
	int3

	.section .rodata
	.balign	4
	.globl	spec_verw_sel
spec_verw_sel:
	.word	HV_DS_
