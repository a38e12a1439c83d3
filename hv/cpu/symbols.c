/* SPDX-License-Identifier: MIT */
#include "cpu/symbols.h"
#include "lib/printf.h"

extern const char _hv_start[], _text_end[];
extern const u32 sym_count, sym_offsets[], sym_names[];
extern const char sym_strings[];

const char *symbol_lookup(unsigned long addr, unsigned long *off, unsigned long *size)
{
	u32 lo = 0, hi = sym_count, rel;

	if (addr < (unsigned long)_hv_start || addr >= (unsigned long)_text_end || !sym_count)
		return NULL;
	rel = (u32)(addr - (unsigned long)_hv_start);
	if (rel < sym_offsets[0])
		return NULL;
	while (hi - lo > 1) {
		u32 mid = (lo + hi) / 2;

		if (sym_offsets[mid] <= rel)
			lo = mid;
		else
			hi = mid;
	}
	*off = rel - sym_offsets[lo];
	*size = (lo + 1 < sym_count ? sym_offsets[lo + 1] : (u32)(_text_end - _hv_start)) -
		sym_offsets[lo];
	return &sym_strings[sym_names[lo]];
}

const char *symbol_by_number(u32 n, unsigned long *addr)
{
	if (n >= sym_count)
		return NULL;
	*addr = (unsigned long)_hv_start + sym_offsets[n];
	return &sym_strings[sym_names[n]];
}

int symbol_print(char *buf, size_t size, unsigned long addr)
{
	unsigned long off, len;
	const char *name = symbol_lookup(addr, &off, &len);

	if (!name)
		return hv_snprintf(buf, size, "0x%lx", addr);
	return hv_snprintf(buf, size, "%s+0x%lx/0x%lx", name, off, len);
}
