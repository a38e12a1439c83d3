/* SPDX-License-Identifier: MIT */
#include "plat/acpi.h"
#include "plat/plat.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define RSDP_SIZE_1 20 /* ACPI 1.0; that part has a checksum of its own */
#define RSDP_SIZE_2 36
#define RSDP_ALIGN  16
#define BIOS_BEGIN  0xe0000
#define BIOS_END    0x100000
#define EBDA_SEG    0x40e
#define EBDA_SIZE   1024

#define HEADER_SIZE 36
#define MAX_TABLE   (4u << 20)
#define MAX_TABLES  256

struct rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 checksum2;
	u8 pad[3];
} __packed;

struct header {
	char signature[4];
	u32 length;
	u8 rest[28];
} __packed;

BUILD_BUG_ON(sizeof(struct rsdp) != RSDP_SIZE_2);
BUILD_BUG_ON(sizeof(struct header) != HEADER_SIZE);

struct acpi_info acpi;

static void unmap(const void *va, size_t size)
{
	if (plat_unmap_firmware)
		plat_unmap_firmware(va, size);
}

/* Copies a root pointer that is whole; revision says which of its parts count. */
static bool take_rsdp(const void *p, struct rsdp *r)
{
	if (memcmp(p, "RSD PTR ", 8) || !acpi_checksum_ok(p, RSDP_SIZE_1))
		return false;
	memset(r, 0, sizeof(*r));
	memcpy(r, p, RSDP_SIZE_1);
	if (r->revision < 2)
		return true;
	memcpy(r, p, RSDP_SIZE_2);
	if (r->length != RSDP_SIZE_2 || !acpi_checksum_ok(p, RSDP_SIZE_2))
		r->xsdt = 0;
	return true;
}

static paddr_t scan(paddr_t from, size_t size, struct rsdp *r)
{
	const u8 *p = plat_map_firmware(from, size);
	paddr_t found = 0;

	for (size_t i = 0; p && !found && i + RSDP_SIZE_2 <= size; i += RSDP_ALIGN)
		if (take_rsdp(p + i, r))
			found = from + i;
	if (p)
		unmap(p, size);
	return found;
}

static paddr_t scan_low_memory(struct rsdp *r)
{
	const u8 *seg = plat_map_firmware(EBDA_SEG, 2);
	paddr_t ebda = 0, found = 0;

	if (seg) {
		ebda = (paddr_t)(seg[0] | seg[1] << 8) << 4;
		unmap(seg, 2);
	}
	if (ebda >= 0x80000 && ebda < 0xa0000)
		found = scan(ebda, EBDA_SIZE, r);
	return found ? found : scan(BIOS_BEGIN, BIOS_END - BIOS_BEGIN, r);
}

/* Maps a whole table, checked: NULL when it is not one. *len is its length. */
static const void *map_table(paddr_t pa, size_t *len)
{
	const struct header *h = pa ? plat_map_firmware(pa, sizeof(*h)) : NULL;
	char sig[5] = {0};
	const void *t;

	if (!h)
		return NULL;
	*len = h->length;
	memcpy(sig, h->signature, 4);
	unmap(h, sizeof(*h));
	if (*len < HEADER_SIZE || *len > MAX_TABLE) {
		pr_warn("ACPI: table at %#lx has no sensible length\n", pa);
		return NULL;
	}
	t = plat_map_firmware(pa, *len);
	if (t && !acpi_checksum_ok(t, *len)) {
		pr_warn("ACPI: %s at %#lx has a bad checksum\n", sig, pa);
		unmap(t, *len);
		t = NULL;
	}
	return t;
}

typedef int parse_fn(const void *table, size_t len, struct acpi_info *out);

static int parse_ssdt(const void *table, size_t len, struct acpi_info *out)
{
	if (!out->has_s5)
		acpi_find_s5(table, len, out);
	return 0;
}

/* In this order: the MADT's overrides are read with the FADT's SCI in mind. */
static const struct {
	const char *signature;
	parse_fn *parse;
	bool many;
} parsers[] = {
	{"FACP", acpi_parse_fadt, false}, {"APIC", acpi_parse_madt, false},
	{"HPET", acpi_parse_hpet, false}, {"MCFG", acpi_parse_mcfg, false},
	{"SSDT", parse_ssdt, true},
};

static bool has_signature(paddr_t pa, const char *sig)
{
	const struct header *h = plat_map_firmware(pa, sizeof(*h));
	bool same = h && !memcmp(h->signature, sig, 4);

	if (h)
		unmap(h, sizeof(*h));
	return same;
}

/* Returns true when the table at pa was taken. */
static bool parse_one(paddr_t pa, const char *sig, parse_fn *parse)
{
	const void *t;
	size_t len;
	int rc;

	if (!pa || !has_signature(pa, sig))
		return false;
	t = map_table(pa, &len);
	if (!t)
		return false;
	rc = parse(t, len, &acpi);
	unmap(t, len);
	if (rc)
		pr_warn("ACPI: %s at %#lx is damaged, taken as far as it goes\n", sig, pa);
	return true;
}

static void parse_all(const u8 *entries, unsigned int nr, unsigned int width)
{
	for (size_t k = 0; k < ARRAY_SIZE(parsers); k++) {
		for (unsigned int i = 0; i < nr; i++) {
			u64 pa = 0;

			memcpy(&pa, entries + i * width, width);
			if (parse_one(pa, parsers[k].signature, parsers[k].parse) &&
			    !parsers[k].many)
				break;
		}
	}
}

static bool parse_root(paddr_t pa, const char *sig, unsigned int width)
{
	const u8 *t;
	size_t len;

	if (!pa || !has_signature(pa, sig) || (t = map_table(pa, &len)) == NULL)
		return false;
	parse_all(t + HEADER_SIZE,
		  (unsigned int)min((len - HEADER_SIZE) / width, (size_t)MAX_TABLES), width);
	unmap(t, len);
	return true;
}

static void find_s5_in_dsdt(void)
{
	size_t len;
	const void *t = acpi.dsdt ? map_table(acpi.dsdt, &len) : NULL;

	if (!t)
		return;
	acpi_find_s5(t, len, &acpi);
	unmap(t, len);
}

int acpi_init(const void *rsdp_copy)
{
	struct rsdp r, low;
	bool have = rsdp_copy && take_rsdp(rsdp_copy, &r);
	paddr_t pa = plat_efi ? 0 : scan_low_memory(&low);

	memset(&acpi, 0, sizeof(acpi));
	if (!have && !pa)
		return -XEN_ENOENT;
	/* The loader's copy counts; its address is known only when it is the one in low memory. */
	if (!have)
		r = low;
	if (pa && !memcmp(&r, &low, RSDP_SIZE_1))
		acpi.rsdp = pa;
	if (!parse_root(r.xsdt, "XSDT", 8) && !parse_root(r.rsdt, "RSDT", 4))
		return -XEN_ENOENT;
	find_s5_in_dsdt();
	acpi.found = true;
	return 0;
}
