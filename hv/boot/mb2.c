/* SPDX-License-Identifier: MIT */
/* The multiboot2 information of the loader (Multiboot2 Specification 2.0, section 3.6). */
#include "boot/boot.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/e820.h"
#include "mm/layout.h"

enum {
	TAG_END,
	TAG_CMDLINE,
	TAG_LOADER,
	TAG_MODULE,
	TAG_MMAP = 6,
	TAG_FB = 8,
	TAG_ACPI_OLD = 14,
	TAG_ACPI_NEW
};

struct tag {
	u32 type, size;
};

struct tag_module {
	u32 type, size, start, end;
	char args[];
};

struct mmap_entry {
	u64 addr, len;
	u32 type, zero;
};

struct tag_mmap {
	u32 type, size, entry_size, version;
	u8 entries[];
};

struct tag_fb {
	u32 type, size;
	u64 addr;
	u32 pitch, width, height;
	u8 bpp, fb_type;
	u16 reserved;
	u8 red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
} __packed;

struct boot_info boot_info;

/* A text of at most len bytes, whether it ends there or not. */
static void copy_text(char *dst, size_t size, const char *text, size_t len)
{
	size_t n = min(strnlen(text, len), size - 1);

	memcpy(dst, text, n);
	dst[n] = '\0';
}

static void parse_module(const struct tag_module *t)
{
	struct boot_module *m = &boot_info.module[boot_info.nr_modules];

	if (boot_info.nr_modules == BOOT_MAX_MODULES || t->size < sizeof(*t) || t->end < t->start)
		return;
	boot_info.nr_modules++;
	m->start = t->start;
	m->end = t->end;
	copy_text(m->args, sizeof(m->args), t->args, t->size - sizeof(*t));
}

static void parse_mmap(const struct tag_mmap *t)
{
	if (t->size < sizeof(*t) || t->entry_size < sizeof(struct mmap_entry))
		return;
	for (u32 off = sizeof(*t); off < t->size && t->entry_size <= t->size - off;
	     off += t->entry_size) {
		const struct mmap_entry *e = (const void *)((const char *)t + off);

		if (boot_e820.nr < ARRAY_SIZE(boot_e820.e)) {
			boot_e820.e[boot_e820.nr].addr = e->addr;
			boot_e820.e[boot_e820.nr].size = e->len;
			boot_e820.e[boot_e820.nr++].type = e->type;
		}
		if (e->type != 1 || boot_info.nr_ram == PLAN_MAX_RAM || e->addr + e->len < e->addr)
			continue;
		boot_info.ram[boot_info.nr_ram].start = e->addr;
		boot_info.ram[boot_info.nr_ram++].end = e->addr + e->len;
	}
}

static void parse_fb(const struct tag_fb *t)
{
	struct boot_info *b = &boot_info;

	if (t->size < offsetof(struct tag_fb, reserved))
		return;
	b->has_framebuffer = true;
	b->fb_addr = t->addr;
	b->fb_pitch = t->pitch;
	b->fb_width = t->width;
	b->fb_height = t->height;
	b->fb_bpp = t->bpp;
	b->fb_type = t->fb_type;
	if (t->fb_type == 1 && t->size >= sizeof(*t)) {
		memcpy(b->fb_red, &t->red_pos, 2);
		memcpy(b->fb_green, &t->green_pos, 2);
		memcpy(b->fb_blue, &t->blue_pos, 2);
	}
}

static void parse_tag(const struct tag *t)
{
	const char *body = (const char *)(t + 1);
	u32 len = t->size - (u32)sizeof(*t);

	switch (t->type) {
	case TAG_CMDLINE:
		copy_text(boot_info.cmdline, sizeof(boot_info.cmdline), body, len);
		break;
	case TAG_LOADER:
		copy_text(boot_info.loader, sizeof(boot_info.loader), body, len);
		break;
	case TAG_MODULE:
		parse_module((const void *)t);
		break;
	case TAG_MMAP:
		parse_mmap((const void *)t);
		break;
	case TAG_FB:
		parse_fb((const void *)t);
		break;
	case TAG_ACPI_OLD:
		if (boot_info.has_rsdp)
			break;
		/* fallthrough */
	case TAG_ACPI_NEW:
		memset(boot_info.rsdp, 0, sizeof(boot_info.rsdp));
		memcpy(boot_info.rsdp, body, min(len, (u32)sizeof(boot_info.rsdp)));
		boot_info.has_rsdp = true;
		break;
	default:
		break;
	}
}

void mb2_parse(paddr_t pa)
{
	const u32 *head = paddr_to_virt(pa);
	u32 total = head[0];

	for (u32 off = 8; off < total && sizeof(struct tag) <= total - off;) {
		const struct tag *t = (const void *)((const char *)head + off);

		if (t->type == TAG_END || t->size < sizeof(*t) || t->size > total - off)
			break;
		parse_tag(t);
		off += ROUND_UP(t->size, 8u);
	}
	if (!boot_info.nr_ram)
		panic("the boot loader passed no memory map");
}
