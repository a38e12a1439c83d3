/* SPDX-License-Identifier: MIT */
#include "boot/boot.h"
#include "lib/string.h"
#include "mm/e820.h"

#define LOW_END	 0xa0000
#define LOW_WISH 0x8000

struct boot_info boot_info;

void boot_copy_text(char *dst, size_t size, const char *text, size_t len)
{
	size_t n = min(strnlen(text, len), size - 1);

	memcpy(dst, text, n);
	dst[n] = '\0';
}

struct boot_module *boot_add_module(u64 start, u64 end)
{
	struct boot_module *m = &boot_info.module[boot_info.nr_modules];

	if (boot_info.nr_modules == BOOT_MAX_MODULES || end < start)
		return NULL;
	boot_info.nr_modules++;
	m->start = start;
	m->end = end;
	m->args[0] = '\0';
	return m;
}

void boot_add_memory(u64 start, u64 size, u32 type)
{
	if (boot_e820.nr == ARRAY_SIZE(boot_e820.e) || boot_info.nr_ram == PLAN_MAX_RAM ||
	    start + size < start) {
		boot_info.nr_lost++;
		return;
	}
	boot_e820.e[boot_e820.nr].addr = start;
	boot_e820.e[boot_e820.nr].size = size;
	boot_e820.e[boot_e820.nr++].type = type;
	if (type != E820_RAM)
		return;
	boot_info.ram[boot_info.nr_ram].start = start;
	boot_info.ram[boot_info.nr_ram++].end = start + size;
}

bool boot_is_ram(paddr_t pa)
{
	return boot_touches_ram(pa, pa + 1);
}

bool boot_touches_ram(paddr_t start, paddr_t end)
{
	for (unsigned int i = 0; i < boot_info.nr_ram; i++)
		if (boot_info.ram[i].start < end && start < boot_info.ram[i].end)
			return true;
	return false;
}

void boot_drop_word(char *args)
{
	char *rest = args;

	while (*rest && *rest != ' ')
		rest++;
	while (*rest == ' ')
		rest++;
	memmove(args, rest, strlen(rest) + 1);
}

static bool is_free(u64 start, u64 end)
{
	const struct boot_info *b = &boot_info;
	bool ram = false;

	for (unsigned int i = 0; i < b->nr_ram; i++)
		ram |= b->ram[i].start <= start && b->ram[i].end >= end;
	for (unsigned int i = 0; i < b->nr_modules; i++)
		ram &= b->module[i].end <= start || b->module[i].start >= end;
	return ram;
}

paddr_t boot_low_page(void)
{
	if (is_free(LOW_WISH, LOW_WISH + PAGE_SIZE))
		return LOW_WISH;
	/* Not the first page: a BIOS has its data there. */
	for (u64 pa = LOW_END - PAGE_SIZE; pa; pa -= PAGE_SIZE)
		if (is_free(pa, pa + PAGE_SIZE))
			return pa;
	return 0;
}
