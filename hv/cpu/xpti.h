/* SPDX-License-Identifier: MIT */
/*
 * Page-table isolation: the one page of a CPU that can be written while a guest's tables are loaded. It
 * lies XPTI_DISTANCE above the CPU's stack area, so that either is found from the other. What the
 * processor pushes on the way in goes to the small stacks in here; pv/xpti.S carries it on.
 */
#ifndef CPU_XPTI_H
#define CPU_XPTI_H

#define XPTI_DISTANCE 0x10000000

/* Upper ends of the stacks, in the page; each has 512 bytes. */
#define XPTI_TOP_ENTRY 0x400
#define XPTI_TOP_NMI   0x600
#define XPTI_TOP_MC    0x800
#define XPTI_TOP_DF    0xa00
#define XPTI_TOP_DB    0xc00

#ifndef __ASSEMBLY__
#include "cpu/desc.h"

struct xpti_page {
	struct tss tss;
	/* What CR3 gets on the way in and on the way out. 0: it stays, this guest is not isolated. */
	u64 hv_cr3, guest_cr3;
	u64 scratch, rip, rflags; /* a guest's, for some instructions */
	u8 stacks[PAGE_SIZE - sizeof(struct tss) - 5 * 8];
} __packed __aligned(16);

static inline struct xpti_page *xpti_page(unsigned long stack_va)
{
	return (struct xpti_page *)(stack_va + XPTI_DISTANCE);
}
#endif
#endif
