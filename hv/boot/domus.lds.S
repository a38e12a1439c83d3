/* SPDX-License-Identifier: MIT */
/*
 * Image layout: linked at HV_IMAGE_VA, loaded at HV_LOAD_PA; each section 2 MiB-mappable, 4 KiB-protected.
 * What is in the file lies there as in memory, without gaps: multiboot1 loaders, and our own from UEFI,
 * take it as one piece.
 */
#include "mm/layout.h"
#include "boot/load.h"

OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)
ENTRY(start)

PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	bss PT_LOAD FLAGS(6);
}

SECTIONS
{
	. = HV_IMAGE_VA;
	_hv_start = .;
	.text : AT(HV_LOAD_PA) {
		KEEP(*(.multiboot))
		*(.text.head)
		*(.text .text.*)
		. = ALIGN(16);
		*(.trampoline)
		. = ALIGN(4096);
		_xpti_text_start = .;
		*(.xpti.text)
		. = ALIGN(4096);
		_xpti_text_end = .;
	} :text
	. = ALIGN(4096);
	_text_end = .;
	.rodata : {
		*(.rodata .rodata.*)
		. = ALIGN(16);
		_ex_table_start = .;
		KEEP(*(.ex_table))
		_ex_table_end = .;
		_spec_sites_start = .;
		KEEP(*(.spec_sites))
		_spec_sites_end = .;
		_spec_jumps_start = .;
		KEEP(*(.spec_jumps))
		_spec_jumps_end = .;
		*(.rodata.symtab)
	} :rodata
	. = ALIGN(4096);
	_rodata_end = .;
	.data : {
		*(.data .data.rel .data.rel.* .data.[a-oq-z]* .data.panic_cpu)
		. = ALIGN(64);
		_percpu_start = .;
		*(.data.percpu)
		. = ALIGN(64);
		_percpu_end = .;
		. = ALIGN(4096);
		_file_end = .;
	} :data
	.bss : {
		_bss_start = .;
		*(.bss.page_aligned)
		*(.bss .bss.*)
		*(COMMON)
		. = ALIGN(4096);
	} :bss
	_hv_end = .;
	/DISCARD/ : { *(.eh_frame) *(.comment) *(.note.*) *(.gnu.*) *(.interp) *(.dynamic) }
}
ASSERT(SIZEOF(.got) == 0, "a GOT entry crept in")
