/* SPDX-License-Identifier: MIT */
/*
 * ELF64 as far as kernels need it, and a bounded view of the file. Structures of the System V ABI.
 * elf.c walks the file; elfnote.c reads what Xen kernels say about themselves.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include "lib/image.h"

struct elf_header {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_shdr {
	u32 name, type;
	u64 flags, addr, offset, size;
	u32 link, info;
	u64 addralign, entsize;
};

struct elf_note {
	u32 namesz, descsz, type;
};

#define EM_X86_64  62
#define ET_EXEC	   2
#define ET_DYN	   3
#define PT_LOAD	   1
#define PT_NOTE	   4
#define SHT_SYMTAB 2
#define SHT_STRTAB 3
#define SHT_NOTE   7
#define SHT_NOBITS 8

struct elf_file {
	const u8 *buf;
	size_t size;
	struct elf_header h;
};

/* The bytes [offset, offset + n) of the file, NULL when they are not all there. */
static inline const void *elf_bytes(const struct elf_file *f, u64 offset, u64 n)
{
	return offset <= f->size && n <= f->size - offset ? f->buf + offset : NULL;
}

/* Reads the notes in n bytes of data into k; sets k->has_notes when one is Xen's. */
void elfnote_parse(const u8 *data, u64 n, struct elf_kernel *k);
/* Reads the older text form, "KEY=VALUE,KEY=VALUE..."; sets k->has_notes and k->legacy. */
void elfnote_parse_legacy(const u8 *text, u64 n, struct elf_kernel *k);

#endif
