/* SPDX-License-Identifier: MIT */
#include "boot/efi/mbi.h"
#include "boot/mb2.h"
#include "lib/string.h"

#define HEAD_SIZE 8
#define END_SIZE  sizeof(struct mb2_tag)

void mbi_begin(struct mbi *m, void *buf, size_t size)
{
	*m = (struct mbi){buf, size, HEAD_SIZE, size < HEAD_SIZE + END_SIZE};
	memset(buf, 0, size);
}

/* Takes room for a tag of len bytes; there is always room left for the end. */
static void *add(struct mbi *m, u32 type, size_t len)
{
	struct mb2_tag *t = (void *)(m->buf + m->used);

	if (m->full || ROUND_UP(len, 8ul) > m->size - m->used - END_SIZE) {
		m->full = true;
		return NULL;
	}
	t->type = type;
	t->size = (u32)len;
	m->used += ROUND_UP(len, 8ul);
	return t;
}

void mbi_text(struct mbi *m, u32 type, const char *s)
{
	size_t len = strlen(s) + 1;
	struct mb2_tag *t = add(m, type, sizeof(*t) + len);

	if (t)
		memcpy(t + 1, s, len);
}

void mbi_module(struct mbi *m, u32 start, u32 end, const char *args)
{
	size_t len = strlen(args) + 1;
	struct mb2_module *t = add(m, TAG_MODULE, sizeof(*t) + len);

	if (!t)
		return;
	t->start = start;
	t->end = end;
	memcpy(t->args, args, len);
}

void mbi_fb(struct mbi *m, const struct screen_fb *fb)
{
	struct mb2_fb *t = add(m, TAG_FB, sizeof(*t));

	if (!t)
		return;
	t->addr = fb->addr;
	t->pitch = fb->pitch;
	t->width = fb->width;
	t->height = fb->height;
	t->bpp = fb->bpp;
	t->fb_type = fb->type;
	memcpy(&t->red_pos, fb->red, 2);
	memcpy(&t->green_pos, fb->green, 2);
	memcpy(&t->blue_pos, fb->blue, 2);
}

void mbi_systab(struct mbi *m, u64 pa)
{
	struct mb2_efi64 *t = add(m, TAG_EFI64, sizeof(*t));

	if (t)
		t->systab = pa;
}

void *mbi_map_room(struct mbi *m, size_t *size)
{
	size_t head = m->used + sizeof(struct mb2_efi_mmap) + END_SIZE;

	if (m->full || head >= m->size)
		return NULL;
	*size = ROUND_DOWN(m->size - head, 8ul);
	return ((struct mb2_efi_mmap *)(m->buf + m->used))->map;
}

void mbi_map_end(struct mbi *m, size_t size, size_t desc_size, u32 version)
{
	struct mb2_efi_mmap *t = add(m, TAG_EFI_MMAP, sizeof(*t) + size);
	struct mb2_tag *end;
	u32 total;

	if (!t)
		return;
	t->desc_size = (u32)desc_size;
	t->desc_version = version;
	end = (void *)(m->buf + m->used);
	end->type = TAG_END;
	end->size = END_SIZE;
	m->used += END_SIZE;
	total = (u32)m->used;
	memcpy(m->buf, &total, sizeof(total));
}
