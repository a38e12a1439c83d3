/* SPDX-License-Identifier: MIT */
/* Kernels made here, cut at every length and with random bytes in them. */
#include "fake/fake.h"
#include <stdlib.h>
#include <string.h>
#include <xen/elfnote.h>
#include <xen/features.h>
#include "lib/elf.h"
#include "lib/errno.h"

#define AT_PHDR	   64
#define AT_NOTES   0x400
#define AT_TEXT	   0x800
#define AT_LEGACY  0x900
#define AT_STRINGS 0xb00
#define AT_SHDR	   0xc00
#define FILE_SIZE  0x1000
#define BASE	   0xffffffff80000000ULL

static u8 file[FILE_SIZE];
static size_t notes_len;
static struct elf_kernel k;

static struct elf_header *header(void)
{
	return (struct elf_header *)file;
}

static struct elf_phdr *phdr(unsigned int i)
{
	return (struct elf_phdr *)(file + AT_PHDR) + i;
}

static struct elf_shdr *shdr(unsigned int i)
{
	return (struct elf_shdr *)(file + AT_SHDR) + i;
}

static void note(const char *name, u32 type, const void *desc, u32 n)
{
	u8 *p = file + AT_NOTES + notes_len;
	struct elf_note h = {(u32)strlen(name) + 1, n, type};

	memcpy(p, &h, sizeof(h));
	strcpy((char *)p + sizeof(h), name);
	memcpy(p + sizeof(h) + ROUND_UP(h.namesz, 4), desc, n);
	notes_len += sizeof(h) + ROUND_UP(h.namesz, 4) + ROUND_UP(n, 4);
	phdr(2)->filesz = notes_len;
}

static void note_text(u32 type, const char *s)
{
	note("Xen", type, s, (u32)strlen(s) + 1);
}

static void note_u64(u32 type, u64 v)
{
	note("Xen", type, &v, 8);
}

static void note_u32(u32 type, u32 v)
{
	note("Xen", type, &v, 4);
}

/* Two segments and an empty note segment; no sections. */
static int setup(void **state)
{
	memset(file, 0, sizeof(file));
	*header() = (struct elf_header){
		.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
		.type = ET_EXEC,
		.machine = EM_X86_64,
		.version = 1,
		.entry = 0x1000123,
		.phoff = AT_PHDR,
		.ehsize = 64,
		.phentsize = 56,
		.phnum = 3,
		.shentsize = 64,
	};
	*phdr(0) = (struct elf_phdr){PT_LOAD,	5,     AT_TEXT, BASE + 0x1000000,
				     0x1000000, 0x100, 0x100,	0};
	*phdr(1) =
		(struct elf_phdr){PT_LOAD, 6, AT_TEXT, BASE + 0x2000000, 0x2000000, 0, 0x5000, 0};
	*phdr(2) = (struct elf_phdr){.type = PT_NOTE, .offset = AT_NOTES};
	notes_len = 0;
	return 0;
}

static void linux_notes(void)
{
	u64 valid[2] = {1, 1};

	note("GNU", 1, "unrelated", 9);
	note_text(XEN_ELFNOTE_GUEST_OS, "linux");
	note_text(XEN_ELFNOTE_GUEST_VERSION, "2.6");
	note_text(XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	note_u64(XEN_ELFNOTE_VIRT_BASE, BASE);
	note_u64(XEN_ELFNOTE_INIT_P2M, 0x8000000000);
	note_u64(XEN_ELFNOTE_ENTRY, BASE + 0x1000200);
	note_text(XEN_ELFNOTE_FEATURES, "!writable_page_tables|pae_pgdir_above_4gb|unheard_of");
	note_u32(XEN_ELFNOTE_SUPPORTED_FEATURES, 0x8801);
	note_text(XEN_ELFNOTE_PAE_MODE, "yes");
	note_text(XEN_ELFNOTE_LOADER, "generic");
	note("Xen", XEN_ELFNOTE_L1_MFN_VALID, valid, 16);
	note_u32(XEN_ELFNOTE_SUSPEND_CANCEL, 1);
	note_u32(XEN_ELFNOTE_MOD_START_PFN, 1);
	note_u64(XEN_ELFNOTE_HV_START_LOW, 0xffff800000000000);
	note_u64(XEN_ELFNOTE_PADDR_OFFSET, 0);
	note_u64(99, 5);
}

static void check_linux(void)
{
	assert_true(k.has_notes && !k.legacy);
	assert_string_equal(k.guest_os, "linux");
	assert_string_equal(k.guest_version, "2.6");
	assert_string_equal(k.xen_version, "xen-3.0");
	assert_string_equal(k.loader, "generic");
	assert_true(k.has_virt_base && k.virt_base == BASE);
	assert_true(k.has_init_p2m && k.init_p2m == 0x8000000000);
	assert_true(k.has_entry && k.entry == BASE + 0x1000200);
	assert_true(k.has_paddr_offset && k.paddr_offset == 0);
	assert_false(k.has_hypercall_page);
	assert_true(k.has_supported);
	assert_int_equal(k.supported_features, 0x8811);
	assert_int_equal(k.required_features, 1u << XENFEAT_writable_page_tables);
	assert_true(k.pae && k.suspend_cancel && k.mod_start_pfn);
	assert_int_equal(k.l1_valid_mask, 1);
	assert_int_equal(k.l1_valid_value, 1);
	assert_int_equal(k.hv_start_low, 0xffff800000000000);
}

static void test_notes(void **state)
{
	linux_notes();
	assert_int_equal(elf_parse(file, sizeof(file), &k), 0);
	check_linux();
	assert_int_equal(k.nr_segments, 2);
	assert_int_equal(k.e_entry, 0x1000123);
	assert_int_equal(k.min_paddr, 0x1000000);
	assert_int_equal(k.max_paddr, 0x2005000);
	assert_int_equal(k.seg[1].memsz, 0x5000);
	assert_int_equal(k.seg[1].filesz, 0);
	assert_int_equal(k.seg[0].vaddr, BASE + 0x1000000);
}

static void add_sections(void)
{
	static const char names[] = "\0.symtab\0.strtab\0__xen_guest\0.notes";

	header()->shoff = AT_SHDR;
	header()->shnum = 6;
	header()->shstrndx = 5;
	*shdr(1) = (struct elf_shdr){
		.name = 1, .type = SHT_SYMTAB, .offset = 0x850, .size = 48, .link = 2};
	*shdr(2) = (struct elf_shdr){.name = 9, .type = SHT_STRTAB, .offset = 0x880, .size = 20};
	*shdr(5) =
		(struct elf_shdr){.type = SHT_STRTAB, .offset = AT_STRINGS, .size = sizeof(names)};
	memcpy(file + AT_STRINGS, names, sizeof(names));
}

static void test_note_section(void **state)
{
	linux_notes();
	phdr(2)->type = 0;
	assert_int_equal(elf_parse(file, sizeof(file), &k), -XEN_ENOEXEC);
	assert_int_equal(k.nr_segments, 2);
	add_sections();
	*shdr(3) = (struct elf_shdr){
		.name = 29, .type = SHT_NOTE, .offset = AT_NOTES, .size = notes_len};
	assert_int_equal(elf_parse(file, sizeof(file), &k), 0);
	check_linux();
}

static void legacy(const char *text, bool nul)
{
	add_sections();
	*shdr(3) = (struct elf_shdr){
		.name = 17, .type = 1, .offset = AT_LEGACY, .size = strlen(text) + nul};
	memcpy(file + AT_LEGACY, text, strlen(text));
	memset(file + AT_LEGACY + strlen(text), nul ? 0 : '7', 4);
}

static const char netbsd[] = "GUEST_OS=NetBSD,GUEST_VER=4.99,XEN_VER=xen-3.0,LOADER=generic,"
			     "VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0xffffffff80000000,"
			     "VIRT_ENTRY=0xffffffff80100000,HYPERCALL_PAGE=0x00000101,PAE=yes,"
			     "BSD_SYMTAB=yes";

static void test_legacy(void **state)
{
	for (int nul = 0; nul < 2; nul++) {
		legacy(netbsd, nul);
		assert_int_equal(elf_parse(file, sizeof(file), &k), 0);
		assert_true(k.has_notes && k.legacy);
		assert_string_equal(k.guest_os, "NetBSD");
		assert_string_equal(k.guest_version, "4.99");
		assert_string_equal(k.xen_version, "xen-3.0");
		assert_string_equal(k.loader, "generic");
		assert_int_equal(k.virt_base, BASE);
		assert_int_equal(k.paddr_offset, BASE);
		assert_int_equal(k.entry, BASE + 0x100000);
		assert_true(k.has_hypercall_page);
		assert_int_equal(k.hypercall_page, BASE + 0x101000);
		assert_true(k.pae && k.bsd_symtab && !k.pae_extended_cr3);
		assert_int_equal(k.symtab_off, 0x850);
		assert_int_equal(k.symtab_size, 48);
		assert_int_equal(k.strtab_off, 0x880);
		assert_int_equal(k.strtab_size, 20);
	}
}

static void test_legacy_defaults(void **state)
{
	legacy("XEN_VER=xen-3.0,HYPERCALL_PAGE=2,VIRT_BASE=0x100000,PAE=yes[extended-cr3],,=,x,"
	       "FEATURES=!writable_page_tables|dom0",
	       true);
	assert_int_equal(elf_parse(file, sizeof(file), &k), 0);
	assert_int_equal(k.paddr_offset, 0x100000);
	assert_false(k.has_paddr_offset);
	assert_int_equal(k.hypercall_page, 0x102000);
	assert_false(k.has_entry);
	assert_true(k.pae && k.pae_extended_cr3);
	assert_int_equal(k.supported_features, 1u << XENFEAT_dom0 | 1);
	assert_int_equal(k.required_features, 1);
	assert_false(k.bsd_symtab);
	legacy("ELF_PADDR_OFFSET=0,VIRT_BASE=0x100000", true);
	assert_int_equal(elf_parse(file, sizeof(file), &k), 0);
	assert_int_equal(k.paddr_offset, 0);
	legacy("", true);
	assert_int_equal(elf_parse(file, sizeof(file), &k), 0);
	assert_true(k.legacy);
	/* Notes win over the section. */
	legacy(netbsd, true);
	linux_notes();
	assert_int_equal(elf_parse(file, sizeof(file), &k), 0);
	check_linux();
}

static void test_long_texts(void **state)
{
	char text[200];

	memset(text, 'a', sizeof(text));
	note("Xen", XEN_ELFNOTE_GUEST_OS, text, sizeof(text)); /* no NUL */
	note("Xen", XEN_ELFNOTE_XEN_VERSION, "abcd", 2);
	note("Xen", XEN_ELFNOTE_PAE_MODE, text, 100);
	note("Xen", XEN_ELFNOTE_FEATURES, text, 100);
	note("Xen", XEN_ELFNOTE_ENTRY, text, 3); /* not a number's size */
	note("Xen", XEN_ELFNOTE_L1_MFN_VALID, text, 8);
	note("Xen", XEN_ELFNOTE_FEATURES, "!|!!|", 5);
	note("Xen", XEN_ELFNOTE_GUEST_VERSION, "", 0);
	assert_int_equal(elf_parse(file, sizeof(file), &k), 0);
	assert_int_equal(strlen(k.guest_os), sizeof(k.guest_os) - 1);
	assert_string_equal(k.xen_version, "ab");
	assert_int_equal(k.entry, 0);
	assert_int_equal(k.l1_valid_mask, 0);
}

static int parse(void)
{
	return elf_parse(file, sizeof(file), &k);
}

static void test_refused(void **state)
{
	struct elf_phdr good = *phdr(0);

	linux_notes();
#define REFUSED(field, value)                           \
	do {                                            \
		__typeof__(field) old = field;          \
		field = value;                          \
		assert_int_equal(parse(), -XEN_EINVAL); \
		field = old;                            \
		assert_int_equal(parse(), 0);           \
	} while (0)
	REFUSED(header()->ident[0], 0);
	REFUSED(header()->ident[4], 1); /* 32 bits */
	REFUSED(header()->ident[5], 2); /* big endian */
	REFUSED(header()->machine, 3);
	REFUSED(header()->type, 1);
	REFUSED(header()->phentsize, 32);
	REFUSED(header()->phnum, 0);
	REFUSED(header()->phnum, 0xffff);
	REFUSED(header()->phoff, ~0ULL);
	REFUSED(header()->phoff, FILE_SIZE - 100);
	REFUSED(phdr(0)->filesz, 0x101); /* larger than in memory */
	REFUSED(phdr(0)->offset, FILE_SIZE - 0xff);
	REFUSED(phdr(0)->offset, ~0ULL - 5);
	REFUSED(phdr(0)->paddr, ~0ULL - 5);
	REFUSED(phdr(0)->vaddr, ~0ULL - 5);
	REFUSED(phdr(1)->memsz, ~0ULL);
	REFUSED(phdr(2)->offset, FILE_SIZE);
	REFUSED(phdr(2)->filesz, ~0ULL);
#undef REFUSED
	/* More segments than we keep. */
	header()->phnum = ELF_MAX_SEGMENTS + 1;
	memset(phdr(0), 0, (ELF_MAX_SEGMENTS + 1) * sizeof(good));
	for (int i = 0; i <= ELF_MAX_SEGMENTS; i++)
		*phdr(i) = good;
	assert_int_equal(parse(), -XEN_EINVAL);
	phdr(3)->memsz = phdr(3)->filesz = 0; /* empty ones do not count */
	assert_int_equal(parse(), -XEN_ENOEXEC);
	assert_int_equal(k.nr_segments, ELF_MAX_SEGMENTS);
	header()->phnum = 1;
	phdr(0)->type = 0;
	assert_int_equal(parse(), -XEN_EINVAL);
}

/* Copies to the end of an allocation, so that the sanitizer sees any read behind it. */
static int parse_copy(size_t n)
{
	u8 *copy = malloc(n ? n : 1);
	int r;

	memcpy(copy, file, n);
	r = elf_parse(copy, n, &k);
	free(copy);
	return r;
}

static void test_truncated(void **state)
{
	linux_notes();
	for (size_t n = 0; n < FILE_SIZE; n++) {
		int r = parse_copy(n);

		if (n < AT_TEXT + 0x100)
			assert_int_equal(r, -XEN_EINVAL);
		else
			assert_int_equal(r, 0);
	}
	setup(NULL);
	legacy(netbsd, true);
	phdr(2)->type = 0;
	for (size_t n = 0; n < FILE_SIZE; n++) {
		int r = parse_copy(n);

		if (n < AT_TEXT + 0x100)
			assert_int_equal(r, -XEN_EINVAL);
		else if (n < AT_SHDR + 6 * sizeof(struct elf_shdr))
			assert_int_equal(r, -XEN_ENOEXEC);
		else
			assert_int_equal(r, 0);
	}
}

static void test_corrupt(void **state)
{
	static u8 good[FILE_SIZE];

	for (int kind = 0; kind < 2; kind++) {
		setup(NULL);
		if (kind)
			legacy(netbsd, false);
		else
			linux_notes();
		memcpy(good, file, sizeof(good));
		for (int round = 0; round < 20000; round++) {
			unsigned int n = fake_below(6) + 1;

			memcpy(file, good, sizeof(good));
			while (n--) {
				static const u16 at[] = {0, AT_PHDR, AT_NOTES, AT_LEGACY, AT_SHDR};
				unsigned int i = at[fake_below(5)] + fake_below(0x180);

				file[i] = fake_below(2) ? (u8)fake_random() : 0xff;
			}
			parse_copy(FILE_SIZE);
			assert_true(k.nr_segments <= ELF_MAX_SEGMENTS);
			assert_true(memchr(k.guest_os, 0, sizeof(k.guest_os)));
			for (unsigned int i = 0; i < k.nr_segments; i++)
				assert_true(k.seg[i].offset + k.seg[i].filesz <= FILE_SIZE);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_notes, setup),
		cmocka_unit_test_setup(test_note_section, setup),
		cmocka_unit_test_setup(test_legacy, setup),
		cmocka_unit_test_setup(test_legacy_defaults, setup),
		cmocka_unit_test_setup(test_long_texts, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_truncated, setup),
		cmocka_unit_test_setup(test_corrupt, setup),
	};

	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
