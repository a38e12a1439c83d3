/* SPDX-License-Identifier: MIT */
#include "layout.h"

OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)
ENTRY(start)

PHDRS
{
	load PT_LOAD FLAGS(7);
	note PT_NOTE FLAGS(4);
}

SECTIONS
{
	. = VIRT_BASE + LOAD_PADDR;
	_start = .;
	.text : AT(ADDR(.text) - VIRT_BASE) {
		*(.text.start)
		*(.text .text.*)
	} :load
	.rodata ALIGN(4096) : AT(ADDR(.rodata) - VIRT_BASE) {
		*(.rodata .rodata.*)
	} :load
	.note : AT(ADDR(.note) - VIRT_BASE) {
		*(.note.probe)
	} :load :note
	.data ALIGN(4096) : AT(ADDR(.data) - VIRT_BASE) {
		*(.data .data.*)
	} :load
	.bss ALIGN(4096) : AT(ADDR(.bss) - VIRT_BASE) {
		*(.bss .bss.* COMMON)
	} :load
	. = ALIGN(4096);
	_end = .;
	/DISCARD/ : { *(.comment) *(.eh_frame) *(.note.*) }
}
