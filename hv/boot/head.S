/* SPDX-License-Identifier: MIT */
/*
 * Entry from a multiboot2 or multiboot1 loader (32-bit protected mode, paging off), and of the other
 * processors from their trampoline. The image may lie at any multiple of 2 MiB below 4 GiB. Builds the
 * first page tables: low 4 GiB one to one (dropped later), the same at DIRECTMAP_VA, and our image;
 * 2 MiB pages.
 */
#include "boot/load.h"
#include "mm/layout.h"

/* From the beginning of the image; and where that is when the loader has put it where it was linked. */
#define OFF(x) ((x) - HV_IMAGE_VA)
#define PA(x) (OFF(x) + HV_LOAD_PA)
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
	/* framebuffer, optional: where there is no text mode, any size and depth will do */
	.short 5, 1
	.long 20
	.long 0, 0, 0
	.balign 8
	/* relocatable, optional: anywhere below 4 GiB, as low as possible */
	.short 10, 1
	.long 24
	.long HV_LOAD_PA, 0xffffffff, 0x200000, 1
	.balign 8
	.short 0, 0
	.long 8
mb2_header_end:

/* Modules page-aligned, memory wanted; the addresses are ours, the file is no 32-bit ELF. */
#define MB1_FLAGS 0x10003
	.balign 4
mb1_header:
	.long MB1_HEADER_MAGIC
	.long MB1_FLAGS
	.long 0x100000000 - (MB1_HEADER_MAGIC + MB1_FLAGS)
	.long PA(mb1_header)
	.long PA(_hv_start)
	.long PA(_file_end)
	.long PA(_hv_end)
	.long PA(start)

	.section .text.head, "ax"
	.code32
	.globl start
start:
	cli
	cld
	cmp	$MB2_BOOT_MAGIC, %eax
	je	1f
	cmp	$MB1_BOOT_MAGIC, %eax
	jne	not_multiboot
1:	/* Where are we? A call wants a stack: a word of the loader's information is lent for it. */
	mov	(%ebx), %ecx
	lea	4(%ebx), %esp
	call	1f
1:	pop	%esi
	mov	%ecx, (%ebx)
	sub	$OFF(1b), %esi		/* esi: where the image begins, until long mode */
	lea	(OFF(boot_stack_top) - 240)(%esi), %esp	/* below struct cpu_info */
	mov	%esi, OFF(hv_load_pa)(%esi)
	mov	%eax, OFF(boot_magic)(%esi)
	mov	%ebx, OFF(boot_mbi)(%esi)
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
	lea	OFF(boot_l2)(%esi), %edi
	mov	$0xe3, %eax
	xor	%ecx, %ecx
1:	mov	%eax, (%edi, %ecx, 8)
	movl	$0, 4(%edi, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$2048, %ecx
	jb	1b
	/* L3 of the direct map (and of the low identity map) */
	lea	OFF(boot_l3)(%esi), %edi
	lea	(OFF(boot_l2) + 0x63)(%esi), %eax
	xor	%ecx, %ecx
1:	mov	%eax, (%edi, %ecx, 8)
	add	$0x1000, %eax
	inc	%ecx
	cmp	$4, %ecx
	jb	1b
	/* image: one L3, one L2 whose first entries map it */
	lea	(OFF(image_l2) + 0x63)(%esi), %eax
	mov	%eax, OFF(image_l3)(%esi)
	lea	OFF(image_l2)(%esi), %edi
	lea	0xe3(%esi), %eax
	xor	%ecx, %ecx
1:	mov	%eax, (%edi, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$8, %ecx
	jb	1b
	lea	OFF(idle_l4)(%esi), %edi
	lea	(OFF(boot_l3) + 0x63)(%esi), %eax
	mov	%eax, (%edi)
	mov	%eax, 8 * L4_SLOT(DIRECTMAP_VA)(%edi)
	lea	(OFF(image_l3) + 0x63)(%esi), %eax
	mov	%eax, 8 * L4_SLOT(HV_IMAGE_VA)(%edi)
	mov	%edi, %cr3
	/* the one address in memory that depends on where we are */
	lea	OFF(boot_gdt)(%esi), %eax
	mov	%eax, (OFF(boot_gdtr) + 2)(%esi)

	/* ebp: bit 0 NX */
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
	lgdt	OFF(boot_gdtr)(%esi)
	lea	OFF(1f)(%esi), %eax
	push	$8
	push	%eax
	lret
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
	mov	boot_magic(%rip), %edi
	mov	boot_mbi(%rip), %esi
	call	boot_main
1:	hlt
	jmp	1b

	.code32
not_multiboot:
	mov	$PA(msg_not_multiboot), %esi
	jmp	say
no_long_mode:
	lea	OFF(msg_no_long_mode)(%esi), %esi
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
	lea	(tramp_64 - trampoline_start)(%ebx), %eax
	mov	%eax, (tramp_jump64 - trampoline_start)(%ebx)
	ljmp	*(tramp_jump64 - trampoline_start)(%ebx)
	.code64
tramp_64:
	mov	(trampoline_stack - trampoline_start)(%rbx), %rsp
	movabs	$2f, %rax
	jmp	*%rax
	.balign 8
tramp_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 8: 64-bit code */
	.quad	0x00cf93000000ffff	/* 16: data */
	.quad	0x00cf9b000000ffff	/* 24: 32-bit code */
tramp_gdtr:
	.short	31
	.long	0
tramp_jump:
	.long	0
	.short	24
tramp_jump64:
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
	.asciz "Domus: not started by a multiboot loader. Halted.\r\n"
msg_no_long_mode:
	.asciz "Domus: this processor has no 64-bit mode. Halted.\r\n"
	.section .data.boot, "aw"
	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 0x08: 64-bit code */
	.quad	0x00cf93000000ffff	/* 0x10: data */
boot_gdtr:
	.short	23
	.long	0
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
	.balign 8
	.globl	hv_load_pa
hv_load_pa:
	.quad	0
boot_magic:
	.long	0
boot_mbi:
	.long	0
