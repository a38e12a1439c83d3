/* SPDX-License-Identifier: MIT */
/* The multiboot2 information of the loader (Multiboot2 Specification 2.0, section 3.6). */
#include "boot/boot.h"
#include "boot/mb2.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/layout.h"

#define MOST (16u << 20) /* bytes of it that are looked at */

static void parse_module(const struct mb2_module *t)
{
	struct boot_module *m = t->size < sizeof(*t) ? NULL : boot_add_module(t->start, t->end);

	if (m)
		boot_copy_text(m->args, sizeof(m->args), t->args, t->size - sizeof(*t));
}

static void parse_mmap(const struct mb2_mmap *t)
{
	if (t->size < sizeof(*t) || t->entry_size < sizeof(struct mb2_mmap_entry))
		return;
	for (u32 off = sizeof(*t); off < t->size && t->entry_size <= t->size - off;
	     off += t->entry_size) {
		const struct mb2_mmap_entry *e = (const void *)((const char *)t + off);

		boot_add_memory(e->addr, e->len, e->type);
	}
}

static void parse_fb(const struct mb2_fb *t)
{
	struct screen_fb *fb = &boot_info.fb;

	if (t->size < offsetof(struct mb2_fb, reserved))
		return;
	fb->addr = t->addr;
	fb->pitch = t->pitch;
	fb->width = t->width;
	fb->height = t->height;
	fb->bpp = t->bpp;
	fb->type = t->fb_type == SCREEN_FB_RGB && t->size < sizeof(*t) ? 0 : t->fb_type;
	if (fb->type == SCREEN_FB_RGB) {
		memcpy(fb->red, &t->red_pos, 2);
		memcpy(fb->green, &t->green_pos, 2);
		memcpy(fb->blue, &t->blue_pos, 2);
	}
}

static void parse_tag(const struct mb2_tag *t)
{
	const char *body = (const char *)(t + 1);
	u32 len = t->size - (u32)sizeof(*t);

	switch (t->type) {
	case TAG_CMDLINE:
		boot_copy_text(boot_info.cmdline, sizeof(boot_info.cmdline), body, len);
		break;
	case TAG_LOADER:
		boot_copy_text(boot_info.loader, sizeof(boot_info.loader), body, len);
		break;
	case TAG_MODULE:
		parse_module((const void *)t);
		break;
	case TAG_FB:
		parse_fb((const void *)t);
		break;
	case TAG_EFI64:
		if (t->size >= sizeof(struct mb2_efi64))
			boot_info.efi_systab = ((const struct mb2_efi64 *)t)->systab;
		/* fallthrough */
	case TAG_EFI32:
		boot_info.efi = true;
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

/* The next tag at or after *off, which moves behind it; NULL at the end. */
static const struct mb2_tag *next_tag(const void *head, u32 total, u32 *off)
{
	const struct mb2_tag *t = (const void *)((const char *)head + *off);

	if (*off >= total || sizeof(struct mb2_tag) > total - *off)
		return NULL;
	if (t->type == TAG_END || t->size < sizeof(*t) || t->size > total - *off)
		return NULL;
	*off += ROUND_UP(t->size, 8u);
	return t;
}

/* UEFI's own map tells more than the loader's form of it: of two, the first counts. */
static void parse_memory(const void *head, u32 total)
{
	const struct mb2_tag *t, *mmap = NULL;
	u32 off = 8;

	while ((t = next_tag(head, total, &off)) != NULL) {
		const struct mb2_efi_mmap *e = (const void *)t;

		if (t->type == TAG_EFI_MMAP && t->size > sizeof(*e))
			efi_map_parse(e->map, t->size - sizeof(*e), e->desc_size);
		if (t->type == TAG_MMAP)
			mmap = t;
	}
	if (!boot_info.nr_ram && mmap)
		parse_mmap((const void *)mmap);
}

void mb2_parse(paddr_t pa)
{
	const u32 *head = paddr_to_virt(pa);
	const struct mb2_tag *t;
	u32 total = min(head[0], MOST), off = 8;

	if (pa + total > BOOT_MAPPED)
		total = (u32)(BOOT_MAPPED - pa);
	while ((t = next_tag(head, total, &off)) != NULL)
		parse_tag(t);
	parse_memory(head, total);
}
