/* SPDX-License-Identifier: MIT */
/* Macros of the ways into and out of the hypervisor: entry.S and, with page-table isolation, xpti.S. */
#ifndef PV_ENTRY_ASM_H
#define PV_ENTRY_ASM_H

#include <generated/asm-offsets.h>
#include "cpu/spec_asm.h"
#include "pv/entry.h"

/* clang-format off */
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

/* First thing of the entry for an exception or interrupt: an error code, when the processor has none. */
.macro PUSH_VECTOR vec
	.if (\vec == 8) || ((\vec >= 10) && (\vec <= 14)) || (\vec == 17) || (\vec == 21) || (\vec == 29) || (\vec == 30)
	.else
	push	$0
	.endif
	movl	$\vec, 4(%rsp)
.endm
/* clang-format on */

#endif
