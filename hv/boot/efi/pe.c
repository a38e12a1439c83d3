/* SPDX-License-Identifier: MIT */
/* Offsets from the PE Format Specification. */
#include "boot/efi/pe.h"
#include "lib/string.h"

#define MZ_PE_AT     0x3c
#define PE_SECTIONS  6	/* from the signature on: number of sections, ... */
#define PE_OPTIONAL  20 /* ... size of the optional header ... */
#define PE_HEAD_SIZE 24
#define NAME_SIZE    8

struct section {
	char name[NAME_SIZE];
	u32 virtual_size, address, raw_size, raw_at;
	u8 rest[16];
} __packed;

BUILD_BUG_ON(sizeof(struct section) != 40);

static u32 get(const u8 *p, unsigned int bytes)
{
	u32 v = 0;

	memcpy(&v, p, bytes);
	return v;
}

const void *pe_section(const void *image, size_t size, const char *name, size_t *n)
{
	const u8 *base = image;
	size_t pe, table, nr, len = strlen(name);

	if (size < MZ_PE_AT + 4 || memcmp(base, "MZ", 2) || len > NAME_SIZE)
		return NULL;
	pe = get(base + MZ_PE_AT, 4);
	if (pe > size || size - pe < PE_HEAD_SIZE || memcmp(base + pe, "PE\0", 4))
		return NULL;
	nr = get(base + pe + PE_SECTIONS, 2);
	table = pe + PE_HEAD_SIZE + get(base + pe + PE_OPTIONAL, 2);
	for (size_t i = 0; i < nr; i++, table += sizeof(struct section)) {
		struct section s;

		if (table > size || size - table < sizeof(s))
			return NULL;
		memcpy(&s, base + table, sizeof(s));
		if (memcmp(s.name, name, len) || (len < NAME_SIZE && s.name[len]))
			continue;
		*n = s.virtual_size ? min(s.virtual_size, s.raw_size) : s.raw_size;
		return s.address <= size && *n <= size - s.address ? base + s.address : NULL;
	}
	return NULL;
}
