/* SPDX-License-Identifier: MIT */
/* The multiboot1 information of the loader (Multiboot Specification 0.6.96, section 3.3). */
#include "boot/boot.h"
#include "lib/string.h"
#include "mm/e820.h"
#include "mm/layout.h"

#define MAX_MMAP (64u << 10)

#define HAS_MEMORY  (1u << 0)
#define HAS_CMDLINE (1u << 2)
#define HAS_MODULES (1u << 3)
#define HAS_MMAP    (1u << 6)
#define HAS_LOADER  (1u << 9)
#define HAS_FB	    (1u << 12)

struct mb1_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline;
	u32 mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
	u32 drives_length, drives_addr, config_table, loader_name, apm_table;
	u32 vbe_control, vbe_mode;
	u16 vbe[4];
	u64 fb_addr;
	u32 fb_pitch, fb_width, fb_height;
	u8 fb_bpp, fb_type, red[2], green[2], blue[2];
} __packed;

struct mb1_module {
	u32 start, end, string, reserved;
} __packed;

struct mb1_mmap {
	u32 size; /* of what follows */
	u64 addr, len;
	u32 type;
} __packed;

BUILD_BUG_ON(sizeof(struct mb1_info) != 116);

static void text_at(char *dst, size_t size, u32 pa)
{
	boot_copy_text(dst, size, paddr_to_virt(pa), (size_t)min((u64)size, BOOT_MAPPED - pa));
}

/*
 * Loaders begin an argument line with the name of the file. GRUB 2 alone does not, which is also the
 * one that calls itself by a number.
 */
static bool has_names(const struct mb1_info *i)
{
	return !(i->flags & HAS_LOADER) || strncmp(boot_info.loader, "GRUB 2", 6) != 0;
}

static void modules(const struct mb1_info *i, bool names)
{
	const struct mb1_module *mod = paddr_to_virt(i->mods_addr);

	for (u32 k = 0; k < min(i->mods_count, (u32)BOOT_MAX_MODULES); k++) {
		struct boot_module *m;

		if (i->mods_addr + (k + 1) * (u64)sizeof(*mod) > BOOT_MAPPED)
			return;
		m = boot_add_module(mod[k].start, mod[k].end);
		if (!m || !mod[k].string)
			continue;
		text_at(m->args, sizeof(m->args), mod[k].string);
		if (names)
			boot_drop_word(m->args);
	}
}

static void memory_map(const struct mb1_info *i)
{
	u64 at = i->mmap_addr, end = at + min(i->mmap_length, MAX_MMAP);

	if (end > BOOT_MAPPED)
		return;
	while (at + sizeof(struct mb1_mmap) <= end) {
		const struct mb1_mmap *e = paddr_to_virt(at);

		if (e->size < sizeof(*e) - sizeof(e->size))
			return;
		boot_add_memory(e->addr, e->len, e->type);
		at += sizeof(e->size) + (u64)e->size;
	}
}

static void framebuffer(const struct mb1_info *i)
{
	struct screen_fb *fb = &boot_info.fb;

	fb->addr = i->fb_addr;
	fb->pitch = i->fb_pitch;
	fb->width = i->fb_width;
	fb->height = i->fb_height;
	fb->bpp = i->fb_bpp;
	fb->type = i->fb_type;
	memcpy(fb->red, i->red, 2);
	memcpy(fb->green, i->green, 2);
	memcpy(fb->blue, i->blue, 2);
}

void mb1_parse(paddr_t pa)
{
	const struct mb1_info *i = paddr_to_virt(pa);

	if (pa + sizeof(*i) > BOOT_MAPPED)
		return;
	if (i->flags & HAS_LOADER)
		text_at(boot_info.loader, sizeof(boot_info.loader), i->loader_name);
	if (i->flags & HAS_CMDLINE) {
		text_at(boot_info.cmdline, sizeof(boot_info.cmdline), i->cmdline);
		if (has_names(i))
			boot_drop_word(boot_info.cmdline);
	}
	if (i->flags & HAS_MODULES)
		modules(i, has_names(i));
	if (i->flags & HAS_MMAP)
		memory_map(i);
	if (!boot_info.nr_ram && i->flags & HAS_MEMORY) {
		boot_add_memory(0, (u64)i->mem_lower << 10, E820_RAM);
		boot_add_memory(1 << 20, (u64)i->mem_upper << 10, E820_RAM);
	}
	if (i->flags & HAS_FB)
		framebuffer(i);
}
