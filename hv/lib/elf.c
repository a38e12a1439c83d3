/* SPDX-License-Identifier: MIT */
#include "lib/elf.h"
#include "lib/errno.h"
#include "lib/string.h"

#define MAX_HEADERS 4096 /* of sections; bounds the walk */

BUILD_BUG_ON(sizeof(struct elf_header) != 64 || sizeof(struct elf_phdr) != 56 ||
	     sizeof(struct elf_shdr) != 64);

static int open_file(struct elf_file *f, const void *buf, size_t size)
{
	static const u8 ident[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1}; /* 64 bits, little endian */

	f->buf = buf;
	f->size = size;
	if (size < sizeof(f->h))
		return -XEN_EINVAL;
	memcpy(&f->h, buf, sizeof(f->h));
	if (memcmp(f->h.ident, ident, sizeof(ident)) || f->h.machine != EM_X86_64 ||
	    (f->h.type != ET_EXEC && f->h.type != ET_DYN))
		return -XEN_EINVAL;
	if (f->h.phentsize != sizeof(struct elf_phdr) || !f->h.phnum ||
	    !elf_bytes(f, f->h.phoff, (u64)f->h.phnum * sizeof(struct elf_phdr)))
		return -XEN_EINVAL;
	return 0;
}

static struct elf_phdr get_phdr(const struct elf_file *f, unsigned int i)
{
	struct elf_phdr p;

	memcpy(&p, f->buf + f->h.phoff + (u64)i * sizeof(p), sizeof(p));
	return p;
}

/* Sections are optional: false when there are none, or the table is not wholly in the file. */
static bool has_sections(const struct elf_file *f)
{
	return f->h.shnum && f->h.shnum <= MAX_HEADERS &&
	       f->h.shentsize == sizeof(struct elf_shdr) &&
	       elf_bytes(f, f->h.shoff, (u64)f->h.shnum * sizeof(struct elf_shdr));
}

/* i < shnum, and has_sections(). */
static struct elf_shdr get_shdr(const struct elf_file *f, unsigned int i)
{
	struct elf_shdr s;

	memcpy(&s, f->buf + f->h.shoff + (u64)i * sizeof(s), sizeof(s));
	return s;
}

static const u8 *section_bytes(const struct elf_file *f, const struct elf_shdr *s)
{
	return s->type == SHT_NOBITS ? NULL : elf_bytes(f, s->offset, s->size);
}

static int add_segment(const struct elf_file *f, const struct elf_phdr *p, struct elf_kernel *k)
{
	if (!p->memsz)
		return 0;
	if (k->nr_segments == ELF_MAX_SEGMENTS || p->filesz > p->memsz ||
	    !elf_bytes(f, p->offset, p->filesz) || p->paddr + p->memsz < p->paddr ||
	    p->vaddr + p->memsz < p->vaddr)
		return -XEN_EINVAL;
	k->seg[k->nr_segments++] = (struct elf_segment){
		.paddr = p->paddr,
		.vaddr = p->vaddr,
		.filesz = p->filesz,
		.memsz = p->memsz,
		.offset = p->offset,
		.flags = p->flags,
	};
	k->min_paddr = min(k->min_paddr, p->paddr);
	k->max_paddr = max(k->max_paddr, p->paddr + p->memsz);
	return 0;
}

static int read_segments(const struct elf_file *f, struct elf_kernel *k)
{
	k->min_paddr = ~0ULL;
	for (unsigned int i = 0; i < f->h.phnum; i++) {
		struct elf_phdr p = get_phdr(f, i);

		if (p.type == PT_LOAD && add_segment(f, &p, k))
			return -XEN_EINVAL;
	}
	return k->nr_segments ? 0 : -XEN_EINVAL;
}

static int read_note_segments(const struct elf_file *f, struct elf_kernel *k)
{
	for (unsigned int i = 0; i < f->h.phnum; i++) {
		struct elf_phdr p = get_phdr(f, i);
		const u8 *data = elf_bytes(f, p.offset, p.filesz);

		if (p.type != PT_NOTE)
			continue;
		if (!data)
			return -XEN_EINVAL;
		elfnote_parse(data, p.filesz, k);
	}
	return 0;
}

static bool name_is(const struct elf_file *f, const struct elf_shdr *s, const char *name)
{
	struct elf_shdr strings;
	const char *text;
	size_t n = strlen(name) + 1;

	if (f->h.shstrndx >= f->h.shnum)
		return false;
	strings = get_shdr(f, f->h.shstrndx);
	text = (const char *)section_bytes(f, &strings);
	return text && s->name < strings.size && n <= strings.size - s->name &&
	       !memcmp(text + s->name, name, n);
}

static void read_note_sections(const struct elf_file *f, struct elf_kernel *k)
{
	for (unsigned int i = 0; i < f->h.shnum; i++) {
		struct elf_shdr s = get_shdr(f, i);
		const u8 *data = section_bytes(f, &s);

		if (data && s.type == SHT_NOTE)
			elfnote_parse(data, s.size, k);
	}
}

static void read_legacy_section(const struct elf_file *f, struct elf_kernel *k)
{
	for (unsigned int i = 0; i < f->h.shnum; i++) {
		struct elf_shdr s = get_shdr(f, i);
		const u8 *data = section_bytes(f, &s);

		if (data && name_is(f, &s, "__xen_guest")) {
			elfnote_parse_legacy(data, s.size, k);
			return;
		}
	}
}

/* The first symbol table with its strings, for kernels that want them loaded behind them. */
static void find_symbols(const struct elf_file *f, struct elf_kernel *k)
{
	for (unsigned int i = 0; i < f->h.shnum; i++) {
		struct elf_shdr s = get_shdr(f, i), strings;

		if (s.type != SHT_SYMTAB || s.link >= f->h.shnum || !section_bytes(f, &s))
			continue;
		strings = get_shdr(f, s.link);
		if (strings.type != SHT_STRTAB || !section_bytes(f, &strings))
			continue;
		k->symtab_off = s.offset;
		k->symtab_size = s.size;
		k->strtab_off = strings.offset;
		k->strtab_size = strings.size;
		return;
	}
}

int elf_parse(const void *buf, size_t size, struct elf_kernel *k)
{
	struct elf_file f;
	bool sections;

	memset(k, 0, sizeof(*k));
	if (open_file(&f, buf, size))
		return -XEN_EINVAL;
	k->e_entry = f.h.entry;
	if (read_segments(&f, k) || read_note_segments(&f, k))
		return -XEN_EINVAL;
	sections = has_sections(&f);
	if (!k->has_notes && sections)
		read_note_sections(&f, k);
	if (!k->has_notes && sections)
		read_legacy_section(&f, k);
	if (k->bsd_symtab && sections)
		find_symbols(&f, k);
	return k->has_notes ? 0 : -XEN_ENOEXEC;
}
