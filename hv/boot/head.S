/* SPDX-License-Identifier: MIT */
/*
 * Entry from a multiboot2 loader (32-bit protected mode, paging off), and of the other processors
 * from their trampoline. Builds the first page tables: low 4 GiB one to one (dropped later), the
 * same at DIRECTMAP_VA, and our image; 2 MiB pages.
 */
#include "boot/load.h"
#include "mm/layout.h"

#define PA(x) ((x) - HV_IMAGE_VA + HV_LOAD_PA)
#define L4_SLOT(va) (((va) >> 39) & 511)

	.section .multiboot, "a"
	.balign 8
mb2_header:
	.long MB2_HEADER_MAGIC
	.long 0
	.long mb2_header_end - mb2_header
	.long 0x100000000 - (MB2_HEADER_MAGIC + (mb2_header_end - mb2_header))
	/* information request: memory map, modules, command line, ACPI, framebuffer */
	.balign 8
1:	.short 1, 0
	.long 2f - 1b
	.long 1, 3, 6, 8, 14, 15
2:	.balign 8
	/* entry address */
	.short 3, 0
	.long 12
	.long PA(start)
	.balign 8
	/* modules page-aligned */
	.short 6, 0
	.long 8
	.balign 8
	/* console: EGA text is understood */
	.short 4, 0
	.long 12
	.long 2
	.balign 8
	.short 0, 0
	.long 8
mb2_header_end:

	.section .text.head, "ax"
	.code32
	.globl start
start:
	cli
	cld
	cmp	$MB2_BOOT_MAGIC, %eax
	jne	not_multiboot
	mov	$PA(boot_stack_top), %esp
	mov	%ebx, PA(boot_mbi)
	/* long mode, or a word on the serial line */
	mov	$0x80000000, %eax
	cpuid
	cmp	$0x80000001, %eax
	jb	no_long_mode
	mov	$0x80000001, %eax
	cpuid
	bt	$29, %edx
	jnc	no_long_mode
	xor	%ebp, %ebp
	bt	$20, %edx
	jnc	1f
	inc	%ebp		/* no-execute pages */
1:
	/* four L2 tables: 2048 entries of 2 MiB, writable, accessed and dirty */
	mov	$PA(boot_l2), %edi
	mov	$0xe3, %eax
	xor	%ecx, %ecx
1:	mov	%eax, (%edi, %ecx, 8)
	movl	$0, 4(%edi, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$2048, %ecx
	jb	1b
	/* L3 of the direct map (and of the low identity map) */
	mov	$PA(boot_l3), %edi
	mov	$(PA(boot_l2) + 0x63), %eax
	xor	%ecx, %ecx
1:	mov	%eax, (%edi, %ecx, 8)
	add	$0x1000, %eax
	inc	%ecx
	cmp	$4, %ecx
	jb	1b
	/* image: one L3, one L2 whose first entries map HV_LOAD_PA.. */
	movl	$(PA(image_l2) + 0x63), PA(image_l3)
	mov	$PA(image_l2), %edi
	mov	$(HV_LOAD_PA + 0xe3), %eax
	xor	%ecx, %ecx
1:	mov	%eax, (%edi, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$8, %ecx
	jb	1b
	mov	$PA(idle_l4), %edi
	movl	$(PA(boot_l3) + 0x63), (%edi)
	movl	$(PA(boot_l3) + 0x63), 8 * L4_SLOT(DIRECTMAP_VA)(%edi)
	movl	$(PA(image_l3) + 0x63), 8 * L4_SLOT(HV_IMAGE_VA)(%edi)
	mov	%edi, %eax
	mov	%eax, %cr3

	.globl	enter_long_mode
enter_long_mode:	/* ebp: bit 0 NX */
	mov	%cr4, %eax
	or	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x101, %eax		/* LME, SCE */
	test	$1, %ebp
	jz	1f
	or	$0x800, %eax		/* NXE */
1:	wrmsr
	mov	$0x80050033, %eax	/* PG AM WP NE ET MP PE */
	mov	%eax, %cr0
	lgdt	PA(boot_gdtr)
	ljmp	$8, $PA(1f)
	.code64
1:	movabs	$2f, %rax
	jmp	*%rax
2:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	lgdt	boot_gdtr64(%rip)
	movabs	$boot_stack_top, %rsp
	sub	$240, %rsp		/* struct cpu_info, see BUILD_BUG_ON in cpu/asm-offsets.c */
	xor	%ebp, %ebp
	mov	boot_mbi(%rip), %edi
	call	boot_main
1:	hlt
	jmp	1b

	.code32
not_multiboot:
	mov	$PA(msg_not_multiboot), %esi
	jmp	say
no_long_mode:
	mov	$PA(msg_no_long_mode), %esi
say:
	mov	$0xb8000, %edi
1:	lodsb
	test	%al, %al
	jz	3f
	mov	%al, (%edi)
	movb	$0x0c, 1(%edi)
	add	$2, %edi
	mov	%al, %bl
2:	mov	$0x3fd, %dx
	in	%dx, %al
	test	$0x20, %al
	jz	2b
	mov	%bl, %al
	mov	$0x3f8, %dx
	out	%al, %dx
	jmp	1b
3:	hlt
	jmp	3b

/* --- processors other than the first; copied below 1 MiB, see boot/smp.c --- */
	.section .trampoline, "ax"
	.code16
	.globl	trampoline_start, trampoline_end
	.globl	trampoline_cr3, trampoline_flags, trampoline_stack
	.balign 16
trampoline_start:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	movzwl	%ax, %ebx
	shl	$4, %ebx		/* physical address of this page */
	lea	(tramp_gdt - trampoline_start)(%ebx), %eax
	mov	%eax, (tramp_gdtr + 2 - trampoline_start)
	lea	(tramp_32 - trampoline_start)(%ebx), %eax
	mov	%eax, (tramp_jump - trampoline_start)
	lgdtl	(tramp_gdtr - trampoline_start)
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	ljmpl	*(tramp_jump - trampoline_start)
	.code32
tramp_32:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %ss
	mov	(trampoline_cr3 - trampoline_start)(%ebx), %eax
	mov	%eax, %cr3
	mov	(trampoline_flags - trampoline_start)(%ebx), %ebp
	mov	%cr4, %eax
	or	$0x20, %eax
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x101, %eax
	test	$1, %ebp
	jz	1f
	or	$0x800, %eax
1:	wrmsr
	mov	$0x80050033, %eax
	mov	%eax, %cr0
	lgdt	PA(boot_gdtr)
	lea	(tramp_64 - trampoline_start)(%ebx), %eax
	movl	%eax, (tramp_jump - trampoline_start)(%ebx)
	movw	$8, (tramp_jump + 4 - trampoline_start)(%ebx)
	ljmp	*(tramp_jump - trampoline_start)(%ebx)
	.code64
tramp_64:
	mov	(trampoline_stack - trampoline_start)(%rbx), %rsp
	movabs	$2f, %rax
	jmp	*%rax
	.balign 8
tramp_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 8: 32-bit code */
	.quad	0x00cf93000000ffff	/* 16: data */
tramp_gdtr:
	.short	23
	.long	0
tramp_jump:
	.long	0
	.short	8
	.balign 8
trampoline_cr3:
	.long	0
trampoline_flags:
	.long	0
trampoline_stack:
	.quad	0
trampoline_end:

	.section .text.head, "ax"
	.code64
2:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	lgdt	boot_gdtr64(%rip)
	xor	%ebp, %ebp
	call	boot_ap_main
1:	hlt
	jmp	1b

	.section .rodata.boot, "a"
msg_not_multiboot:
	.asciz "Domus: not started by a multiboot2 loader. Halted.\r\n"
msg_no_long_mode:
	.asciz "Domus: this processor has no 64-bit mode. Halted.\r\n"
	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 0x08: 64-bit code */
	.quad	0x00cf93000000ffff	/* 0x10: data */
boot_gdtr:
	.short	23
	.long	PA(boot_gdt)
	.balign 8
boot_gdtr64:
	.short	23
	.quad	boot_gdt

	.section .bss.page_aligned, "aw", @nobits
	.balign 32768
	.globl	boot_stack, boot_stack_top
boot_stack:
	.skip	32768
boot_stack_top:
	.globl	idle_l4, boot_l3, boot_l2, image_l3, image_l2
idle_l4:
	.skip	4096
boot_l3:
	.skip	4096
image_l3:
	.skip	4096
image_l2:
	.skip	4096
boot_l2:
	.skip	4 * 4096
	.section .bss
boot_mbi:
	.long	0
