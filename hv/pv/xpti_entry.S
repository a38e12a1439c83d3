/* SPDX-License-Identifier: MIT */
/*
 * The ways in and out with page-table isolation. While an isolated guest runs, CR3 names a root that has
 * nothing of ours but this text, the CPU's SYSCALL stubs, its struct xpti_page, the IDT, and the guest's
 * own descriptor tables (pv/xpti.c). In here rsp is a pointer into that page, or to the tables' other side.
 *
 * None of it runs without isolation: the IDT and LSTAR name the plain entries then, and the jumps
 * from pv/entry.S to here are not made (SPEC_JUMP).
 */
#include "cpu/xpti.h"
#include "pv/entry_asm.h"

#define PAGE_MASK_ (-4096)
/* From a CPU's page to the lower end of its stack area, and to the guest's registers. */
#define TO_STACKS  (-XPTI_DISTANCE)
#define TO_REGS	   (STACK_SIZE_ - INFO_sizeof - XPTI_DISTANCE)
#define FRAME_WORDS 5 /* rip, cs, rflags, rsp, ss */

	.section .xpti.text, "ax"
	.code64

/* The five words of the frame at `from`(rsp) go to `to`(reg); rcx is lost. */
.macro COPY_FRAME from to reg
	.set	word, 0
	.rept	FRAME_WORDS
	mov	\from + word(%rsp), %rcx
	mov	%rcx, \to + word(\reg)
	.set	word, word + 8
	.endr
.endm

/* Pushes error code, rip, cs, rflags, rsp, ss as they stand at `from`(rsi), where the error code is. */
.macro PUSH_FRAME from
	.set	word, 8 * FRAME_WORDS
	.rept	FRAME_WORDS + 1
	pushq	\from + word(%rsi)
	.set	word, word - 8
	.endr
.endm

/* --- in --- */

/* An exception or interrupt that took us to the entry stack, or one of our own on any stack. */
	.balign	16
xpti_common:
	testb	$3, 16(%rsp)
	jz	from_hv
	/* From a guest, on any small stack of the page. */
xpti_from_guest:
	push	%rsi
	push	%rax
	mov	%rsp, %rsi
	and	$PAGE_MASK_, %rsp
	mov	XPTI_hv_cr3(%rsp), %rax
	test	%rax, %rax
	jz	1f
	mov	%rax, %cr3
1:	lea	TO_REGS + REGS_es(%rsp), %rsp
	PUSH_FRAME 16
	/* What stays there the guest's own user mode could read. */
	mov	(%rsi), %rax
	movq	$0, (%rsi)
	pushq	8(%rsi)
	movq	$0, 8(%rsi)
	pop	%rsi
	jmp	common_entry

/* The only instruction of ours that may fault with a guest's tables is the last one. */
from_hv:
	push	%rax
	lea	xpti_iret(%rip), %rax
	cmp	%rax, 16(%rsp)
	je	xpti_iret_fault
	pop	%rax
	jmp	common_entry

	/* The guest's frame was refused; it is still in struct cpu_info, but for the word below it. */
xpti_iret_fault:
	mov	%rsp, %rax
	and	$PAGE_MASK_, %rax
	mov	XPTI_hv_cr3(%rax), %rax
	mov	%rax, %cr3
	mov	%rsp, %rax
	and	$PAGE_MASK_, %rsp
	lea	TO_REGS + REGS_rip(%rsp), %rsp
	pushq	8(%rax)			/* error code and vector of the fault */
	mov	(%rax), %rax
	SAVE_ALL
	SPEC_ENTRY_ALL
	mov	%rsp, %rdi
	call	pv_iret_refused
	jmp	exit_to_guest

/*
 * NMI, #MC, #DF: at any instruction, so with either side's tables. The frame moves on to the usual
 * stack, which ends at `top` of the stack area, followed by two words for xpti_exit_ist: the guest's CR3
 * when that was loaded, else 0; and where the frame was.
 */
.macro XPTI_IST name top
	.balign	16
\name:
	push	%rsi
	push	%rax
	push	%rcx
	mov	%rsp, %rsi
	xor	%ecx, %ecx
	mov	%cr3, %rax
	and	$PAGE_MASK_, %rsp
	cmp	XPTI_guest_cr3(%rsp), %rax
	jne	1f
	mov	%rax, %rcx
	mov	XPTI_hv_cr3(%rsp), %rax
	mov	%rax, %cr3
1:	lea	TO_STACKS + \top(%rsp), %rsp
	lea	24(%rsi), %rax
	push	%rax
	push	%rcx
	PUSH_FRAME 24
	mov	(%rsi), %rcx
	movq	$0, (%rsi)
	mov	8(%rsi), %rax
	movq	$0, 8(%rsi)
	pushq	16(%rsi)
	movq	$0, 16(%rsi)
	pop	%rsi
	jmp	ist_entry
.endm

XPTI_IST xpti_nmi, ((STACK_PAGE_NMI_+1)*4096)
XPTI_IST xpti_mc, ((STACK_PAGE_DFMC_+1)*4096)
XPTI_IST xpti_df, (STACK_PAGE_DFMC_*4096+2048)

	/* Of our own, #DB comes at a SYSCALL stub's first instruction only (SDM 6.8.3): nothing to be done. */
	.balign	16
xpti_db:
	testb	$3, 16(%rsp)
	jnz	xpti_from_guest
	add	$8, %rsp
	iretq

/* --- out: jumped to in place of RESTORE_ALL --- */

	.balign	16
	.globl	xpti_sysret
xpti_sysret:
	RESTORE_ALL
	SPEC_EXIT_LAST
	mov	%rsp, %r11
	and	$~(STACK_SIZE_ - 1), %r11
	mov	8(%rsp), %rcx
	mov	%rcx, XPTI_DISTANCE + XPTI_rip(%r11)
	mov	24(%rsp), %rcx
	mov	%rcx, XPTI_DISTANCE + XPTI_rflags(%r11)
	mov	32(%rsp), %rsp
	mov	XPTI_DISTANCE + XPTI_guest_cr3(%r11), %rcx
	test	%rcx, %rcx
	jz	1f
	mov	%rcx, %cr3
1:	mov	XPTI_DISTANCE + XPTI_rip(%r11), %rcx
	mov	XPTI_DISTANCE + XPTI_rflags(%r11), %r11
	sysretq

	/* The frame goes to the entry stack, with rax below it; rsp gets there from the word of the error code. */
	.balign	16
	.globl	xpti_exit
xpti_exit:
	mov	%rsp, %rdi
	and	$~(STACK_SIZE_ - 1), %rdi
	add	$XPTI_DISTANCE, %rdi
	cmpq	$0, XPTI_guest_cr3(%rdi)
	je	1f
	COPY_FRAME REGS_rip, (XPTI_TOP_ENTRY-40), %rdi
	mov	REGS_rax(%rsp), %rax
	mov	%rax, (XPTI_TOP_ENTRY - 48)(%rdi)
	add	$(XPTI_TOP_ENTRY - 48), %rdi
	mov	%rdi, REGS_error_code(%rsp)
	RESTORE_ALL
	SPEC_EXIT_LAST
	pop	%rsp
	mov	(XPTI_guest_cr3 - (XPTI_TOP_ENTRY - 48))(%rsp), %rax
	mov	%rax, %cr3
	pop	%rax
	movq	$0, -8(%rsp)	/* as on the way in */
	.globl	xpti_iret
xpti_iret:
	iretq
	int3
	.globl	xpti_exit_plain
xpti_exit_plain:
1:	RESTORE_ALL
	SPEC_EXIT_LAST
	add	$8, %rsp
	jmp	guest_iret

	/*
	 * Back to our own code, with the guest's tables when they were loaded: then through the stack that the
	 * frame came from. A guest's frame goes through xpti_exit.
	 */
	.balign	16
	.globl	xpti_exit_ist
xpti_exit_ist:
	mov	REGS_es(%rsp), %rax
	test	%rax, %rax
	jz	1f
	mov	REGS_es + 8(%rsp), %rdi
	COPY_FRAME REGS_rip, 8, %rdi
	mov	REGS_rax(%rsp), %rcx
	mov	%rcx, (%rdi)
	mov	%rax, -8(%rdi)
	sub	$8, %rdi
	mov	%rdi, REGS_error_code(%rsp)
	RESTORE_ALL
	SPEC_EXIT_LAST
	pop	%rsp
	pop	%rax
	mov	%rax, %cr3
	pop	%rax
	movq	$0, -8(%rsp)
xpti_ist_iret:
	iretq
1:	RESTORE_ALL
	SPEC_EXIT_LAST
	add	$8, %rsp
	iretq

/* --- a stub for each vector --- */

	.altmacro
.macro XPTI_ENTRY vec
	.balign	16
xpti_entry_\vec:
	PUSH_VECTOR \vec
	.if \vec == 1
	jmp	xpti_db
	.elseif \vec == 2
	jmp	xpti_nmi
	.elseif \vec == 8
	jmp	xpti_df
	.elseif \vec == 18
	jmp	xpti_mc
	.else
	jmp	xpti_common
	.endif
.endm

	.set	i, 0
	.rept	256
	XPTI_ENTRY %i
	.set	i, i + 1
	.endr

.macro XPTI_ADDR vec
	.quad	xpti_entry_\vec
.endm
	.section .rodata
	.balign	8
	.globl	xpti_entries
xpti_entries:
	.set	i, 0
	.rept	256
	XPTI_ADDR %i
	.set	i, i + 1
	.endr
