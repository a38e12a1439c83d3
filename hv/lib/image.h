/* SPDX-License-Identifier: MIT */
/*
 * Kernel images for the dom0 builder, from a module in memory; pure, input is hostile (bounded, no
 * trust in any offset). bzImage: finds and names the compressed payload. ELF64: program headers by
 * p_paddr, PT_NOTE / SHT_NOTE Xen notes, and the older __xen_guest string section.
 */
#ifndef LIB_IMAGE_H
#define LIB_IMAGE_H

#include "lib/types.h"

enum image_format {
	IMG_UNKNOWN,
	IMG_ELF,
	IMG_GZIP,
	IMG_XZ,
	IMG_ZSTD,
	IMG_LZ4,
	IMG_LZMA,
	IMG_BZIP2
};

/*
 * If buf is a bzImage with a payload, *payload / *len become the payload (protocol >= 2.08,
 * <linux boot.rst>); else the whole buffer. Returns the payload's format by its magic.
 * *out_size: the uncompressed size from the payload's last four bytes (gzip, and Linux's own xz
 * trailer), 0 when unknown. -XEN_EINVAL as a negative number when truncated.
 */
int image_payload(const void *buf, size_t size, const void **payload, size_t *len,
		  size_t *out_size);

/* Decompressors: return the number of bytes written, or -XEN_EINVAL / -XEN_ENOSPC. */
long gunzip(const void *in, size_t in_len, void *out, size_t out_size);
/* work: scratch memory of xz_work_size() bytes (no allocation inside). Output buffer is the dictionary. */
size_t xz_work_size(void);
long unxz(const void *in, size_t in_len, void *out, size_t out_size, void *work);

struct elf_segment {
	u64 paddr, vaddr, filesz, memsz, offset;
	u32 flags;
};

#define ELF_MAX_SEGMENTS 16

struct elf_kernel {
	unsigned int nr_segments;
	struct elf_segment seg[ELF_MAX_SEGMENTS]; /* PT_LOAD */
	u64 e_entry;
	/* from the notes */
	bool has_notes, legacy;
	bool has_entry, has_hypercall_page, has_init_p2m, has_virt_base, has_paddr_offset,
		has_supported;
	u64 entry, hypercall_page, virt_base, paddr_offset, init_p2m, hv_start_low;
	u64 l1_valid_mask, l1_valid_value;
	bool mod_start_pfn, suspend_cancel, pae, pae_extended_cr3, bsd_symtab;
	u32 supported_features, required_features;
	char guest_os[32], guest_version[32], xen_version[16], loader[16];
	/* for bsd_symtab: section headers of .symtab and .strtab */
	u64 symtab_off, symtab_size, strtab_off, strtab_size;
	u64 min_paddr, max_paddr; /* span of the segments */
};

/* 0, or -XEN_EINVAL (not ELF64 x86, truncated), -XEN_ENOEXEC (no Xen notes; *k is filled all the same). */
int elf_parse(const void *buf, size_t size, struct elf_kernel *k);

#endif
