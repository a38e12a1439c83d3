/* SPDX-License-Identifier: MIT */
/*
 * The dom0 builder, in two halves: dom0_image.c turns the kernel module into a checked ELF image in
 * plain memory, dom0_layout.c decides where everything of dom0 goes (pure), dom0.c builds it.
 */
#ifndef BOOT_DOM0_H
#define BOOT_DOM0_H

#include "lib/image.h"
#include "lib/types.h"

struct dom0_image {
	const void *elf;
	size_t size;
	struct elf_kernel k;
	void *buffer; /* of the decompressed kernel, NULL when the module itself is the ELF */
	unsigned int order;
};

/* Panics with a clear line when the module is no kernel that can be dom0. */
void dom0_image_open(struct dom0_image *img, const void *module, size_t size);
void dom0_image_close(struct dom0_image *img);

/*
 * Virtual layout of the initial mapping, all addresses page-aligned; pfn 0 is at virt_base. What is
 * outside of it (initrd of kernels that ask for a pfn, p2m table of those with INIT_P2M) has va 0.
 */
struct dom0_layout {
	u64 virt_base, kernel_end, initrd_va, p2m_va, start_info_va, pt_va, stack_va, end;
	unsigned long nr_pt;	 /* page-table pages of the initial mapping */
	unsigned long init_pfns; /* pages of the initial mapping */
	unsigned long initrd_pfn, initrd_pages;
	unsigned long p2m_pfn, p2m_pages,
		p2m_tables; /* INIT_P2M: pages of the table, and its page tables */
	u64 entry;
};

/* 0 or -XEN_EINVAL when the kernel's addresses make no sense, -XEN_ENOMEM when nr_pages is too small. */
int dom0_layout(struct dom0_layout *l, const struct elf_kernel *k, unsigned long nr_pages,
		u64 initrd_bytes);

#endif
