/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables of the hypervisor. One page of descriptors is shared by all CPUs and appears as
 * page 14 of every vcpu's GDT, at the selectors the ABI reserves (0xe000 and up, <xen/xen.h>,
 * FIRST_RESERVED_GDT_PAGE); one IDT; a TSS and stacks a CPU.
 */
#ifndef CPU_DESC_H
#define CPU_DESC_H

#include "lib/types.h"

#define HV_CS		  0xe008
#define HV_DS		  0xe010
#define GDT_LIMIT	  (15 * 4096 - 1)
#define GDT_RESERVED_PAGE 14

/* The stack area of a CPU, STACK_SIZE aligned: page by page. */
#define STACK_PAGE_STUB	 0 /* SYSCALL stubs, executable */
#define STACK_PAGE_DFMC	 1 /* #DF in the lower half, #MC in the upper */
#define STACK_PAGE_NMI	 2
#define STACK_PAGE_DB	 3
#define STACK_PAGE_GUARD 4 /* not present */

struct tss {
	u32 res0;
	u64 rsp[3], res1, ist[7], res2;
	u16 res3, iomap;
} __packed;

/* Fills the shared descriptors and the IDT from the table of entry points. Once. */
void desc_init(const unsigned long *stubs);
/* Loads GDT, TSS, IDT on this CPU for the stack area at stack_va (its lowest address). */
void desc_init_cpu(unsigned int cpu, unsigned long stack_va);
/* Machine frame and address of the shared page of descriptors. */
void *desc_gdt_page(void);
/* The page that is the IDT of all CPUs. */
const void *desc_idt_page(void);
/* Loads the GDT register: base of 16 pages. */
void desc_load_gdt(unsigned long base);
/* The base to use without a guest. */
unsigned long desc_hv_gdt_base(void);

#endif
