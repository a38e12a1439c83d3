/* SPDX-License-Identifier: MIT */
/*
 * From the firmware's 64-bit mode to the hypervisor's entry in 32-bit mode without paging, as a multiboot2
 * loader enters it. The loader copies this code to a page below 4 GiB; its end is the stack.
 */
#include "boot/load.h"

	.section .rodata.enter, "a"
	.balign 16
	.globl	enter_code, enter_code_end
enter_code:			/* rdi: entry, rsi: information, both below 4 GiB; does not return */
	.code64
	cli
	cld
	lea	enter_gdt(%rip), %rax
	mov	%rax, (enter_gdtr + 2)(%rip)
	lgdt	enter_gdtr(%rip)
	lea	(enter_code + 4096)(%rip), %rsp
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	lea	1f(%rip), %rax
	push	$8
	push	%rax
	lretq
	.code32
1:	mov	%cr0, %eax
	and	$0x7fffffff, %eax	/* PG */
	mov	%eax, %cr0
	mov	$0xc0000080, %ecx
	rdmsr
	and	$~0x100, %eax		/* LME */
	wrmsr
	xor	%eax, %eax
	mov	%eax, %cr4
	mov	$MB2_BOOT_MAGIC, %eax
	mov	%esi, %ebx
	jmp	*%edi
	.balign 8
enter_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 8: 32-bit code */
	.quad	0x00cf93000000ffff	/* 16: data */
enter_gdtr:
	.short	23
	.quad	0
enter_code_end:

/* The hypervisor as it is to lie in memory, without its zeroed data. */
	.section .rodata.hv, "a"
	.balign 4096
	.globl	hv_image, hv_image_end
hv_image:
	.incbin	HV_IMAGE_FILE
hv_image_end:

/* A relocation table with nothing in it: without one, firmware may insist on the linked address. */
	.section .reloc, "a"
	.long	0, 10
	.short	0
