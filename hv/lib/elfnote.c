/* SPDX-License-Identifier: MIT */
/* What a Xen kernel says about itself: ELF notes (<xen/elfnote.h>), or the older text section. */
#include <xen/elfnote.h>
#include <xen/features.h>
#include "lib/elf.h"
#include "lib/string.h"

#define LEGACY_PAGE_SHIFT 12

/* A value of unknown form: bytes that need not end with NUL. */
struct text {
	const char *s;
	size_t n;
};

static void copy_text(char *dst, size_t size, struct text t)
{
	size_t n = min(strnlen(t.s, t.n), size - 1);

	memcpy(dst, t.s, n);
	dst[n] = '\0';
}

#define COPY_TEXT(dst, t) copy_text(dst, sizeof(dst), t)

static bool text_is(struct text t, const char *s)
{
	return t.n == strlen(s) && !memcmp(t.s, s, t.n);
}

/* A note's number: 4 or 8 bytes, else 0. */
static u64 number(struct text t)
{
	u64 v = 0;

	if (t.n == 4 || t.n == 8)
		memcpy(&v, t.s, t.n);
	return v;
}

static struct text trimmed(struct text t)
{
	t.n = strnlen(t.s, t.n);
	return t;
}

/* "name|name|!name": what the kernel can do; with ! it cannot do without. */
static void parse_features(struct text t, struct elf_kernel *k)
{
	static const char *const names[] = {
		[XENFEAT_writable_page_tables] = "writable_page_tables",
		[XENFEAT_writable_descriptor_tables] = "writable_descriptor_tables",
		[XENFEAT_auto_translated_physmap] = "auto_translated_physmap",
		[XENFEAT_supervisor_mode_kernel] = "supervisor_mode_kernel",
		[XENFEAT_pae_pgdir_above_4gb] = "pae_pgdir_above_4gb",
		[XENFEAT_dom0] = "dom0",
	};

	t = trimmed(t);
	while (t.n) {
		struct text one = {t.s, 0};
		bool required = *t.s == '!';

		while (one.n < t.n && one.s[one.n] != '|' && one.s[one.n] != ',')
			one.n++;
		t.s += min(one.n + 1, t.n);
		t.n -= min(one.n + 1, t.n);
		if (required) {
			one.s++;
			one.n--;
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
			if (names[i] && text_is(one, names[i])) {
				k->supported_features |= 1u << i;
				k->required_features |= required ? 1u << i : 0;
			}
	}
}

/* "yes", "no", "bimodal", "yes[extended-cr3]" */
static void parse_pae(struct text t, struct elf_kernel *k)
{
	char mode[32];

	COPY_TEXT(mode, t);
	k->pae_extended_cr3 = strstr(mode, "[extended-cr3]") != NULL;
	k->pae = k->pae_extended_cr3 || !strncmp(mode, "yes", 3) || !strncmp(mode, "bimodal", 7);
}

static void parse_valid_mask(struct text t, struct elf_kernel *k)
{
	if (t.n < 16)
		return;
	memcpy(&k->l1_valid_mask, t.s, 8);
	memcpy(&k->l1_valid_value, t.s + 8, 8);
}

static void set(u64 *v, bool *has, u64 value)
{
	*v = value;
	*has = true;
}

static void parse_note(u32 type, struct text d, struct elf_kernel *k)
{
	bool any;

	switch (type) {
	case XEN_ELFNOTE_ENTRY:
		set(&k->entry, &k->has_entry, number(d));
		break;
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		set(&k->hypercall_page, &k->has_hypercall_page, number(d));
		break;
	case XEN_ELFNOTE_VIRT_BASE:
		set(&k->virt_base, &k->has_virt_base, number(d));
		break;
	case XEN_ELFNOTE_PADDR_OFFSET:
		set(&k->paddr_offset, &k->has_paddr_offset, number(d));
		break;
	case XEN_ELFNOTE_INIT_P2M:
		set(&k->init_p2m, &k->has_init_p2m, number(d));
		break;
	case XEN_ELFNOTE_HV_START_LOW:
		set(&k->hv_start_low, &any, number(d));
		break;
	case XEN_ELFNOTE_XEN_VERSION:
		COPY_TEXT(k->xen_version, d);
		break;
	case XEN_ELFNOTE_GUEST_OS:
		COPY_TEXT(k->guest_os, d);
		break;
	case XEN_ELFNOTE_GUEST_VERSION:
		COPY_TEXT(k->guest_version, d);
		break;
	case XEN_ELFNOTE_LOADER:
		COPY_TEXT(k->loader, d);
		break;
	case XEN_ELFNOTE_PAE_MODE:
		parse_pae(d, k);
		break;
	case XEN_ELFNOTE_FEATURES:
		parse_features(d, k);
		break;
	case XEN_ELFNOTE_SUPPORTED_FEATURES:
		k->supported_features |= (u32)number(d);
		k->has_supported = true;
		break;
	case XEN_ELFNOTE_BSD_SYMTAB:
		k->bsd_symtab = text_is(trimmed(d), "yes");
		break;
	case XEN_ELFNOTE_L1_MFN_VALID:
		parse_valid_mask(d, k);
		break;
	case XEN_ELFNOTE_SUSPEND_CANCEL:
		k->suspend_cancel = number(d) != 0;
		break;
	case XEN_ELFNOTE_MOD_START_PFN:
		k->mod_start_pfn = number(d) != 0;
		break;
	}
}

void elfnote_parse(const u8 *data, u64 n, struct elf_kernel *k)
{
	struct elf_note h;

	while (n >= sizeof(h)) {
		u64 name, total;

		memcpy(&h, data, sizeof(h));
		name = sizeof(h) + ROUND_UP((u64)h.namesz, 4);
		total = name + ROUND_UP((u64)h.descsz, 4);
		if (name > n || h.descsz > n - name)
			return;
		if (h.namesz == 4 && !memcmp(data + sizeof(h), "Xen", 4)) {
			k->has_notes = true;
			parse_note(h.type, (struct text){(const char *)data + name, h.descsz}, k);
		}
		total = min(total, n); /* the last one need not be padded */
		data += total;
		n -= total;
	}
}

/* The older form's numbers: 0x..., or decimal. */
static u64 legacy_number(struct text t)
{
	char digits[32];

	COPY_TEXT(digits, t);
	return strtoul(digits, NULL);
}

static void parse_pair(struct text key, struct text v, struct elf_kernel *k)
{
	if (text_is(key, "GUEST_OS"))
		COPY_TEXT(k->guest_os, v);
	else if (text_is(key, "GUEST_VER"))
		COPY_TEXT(k->guest_version, v);
	else if (text_is(key, "XEN_VER"))
		COPY_TEXT(k->xen_version, v);
	else if (text_is(key, "LOADER"))
		COPY_TEXT(k->loader, v);
	else if (text_is(key, "VIRT_BASE"))
		set(&k->virt_base, &k->has_virt_base, legacy_number(v));
	else if (text_is(key, "VIRT_ENTRY"))
		set(&k->entry, &k->has_entry, legacy_number(v));
	else if (text_is(key, "ELF_PADDR_OFFSET"))
		set(&k->paddr_offset, &k->has_paddr_offset, legacy_number(v));
	else if (text_is(key, "HYPERCALL_PAGE"))
		set(&k->hypercall_page, &k->has_hypercall_page, legacy_number(v));
	else if (text_is(key, "PAE"))
		parse_pae(v, k);
	else if (text_is(key, "FEATURES"))
		parse_features(v, k);
	else if (text_is(key, "BSD_SYMTAB"))
		k->bsd_symtab = !text_is(v, "no"); /* its presence is what counts */
}

void elfnote_parse_legacy(const u8 *data, u64 n, struct elf_kernel *k)
{
	const char *s = (const char *)data, *end = s + strnlen(s, n);

	k->has_notes = k->legacy = true;
	while (s < end) {
		struct text key = {s, 0}, value = {"", 0};

		while (s < end && *s != '=' && *s != ',')
			s++;
		key.n = (size_t)(s - key.s);
		if (s < end && *s == '=') {
			value.s = ++s;
			while (s < end && *s != ',')
				s++;
			value.n = (size_t)(s - value.s);
		}
		s += s < end; /* the comma */
		parse_pair(key, value, k);
	}
	if (k->has_hypercall_page) /* a page number there */
		k->hypercall_page = k->virt_base + (k->hypercall_page << LEGACY_PAGE_SHIFT);
	if (!k->has_paddr_offset)
		k->paddr_offset = k->virt_base;
}
