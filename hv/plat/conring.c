/* SPDX-License-Identifier: MIT */
#include "plat/conring.h"
#include "lib/string.h"

#define FIRST_SIZE 8192u /* the messages until memory is there */
#define MAGIC	   0x474f4c534d4f44ULL

/*
 * sum: of each byte of text times its place + 1, so that it follows a write of one byte without
 * looking at the others. head: of the fields before it.
 */
struct ring {
	u64 magic;
	u32 size, begin, end, sum;
	u32 head;
	u32 pad[8];
	char text[];
};

BUILD_BUG_ON(sizeof(struct ring) > CONRING_BYTES(0));

static union {
	struct ring r;
	char bytes[CONRING_BYTES(FIRST_SIZE)];
} first = {.r = {.magic = MAGIC, .size = FIRST_SIZE}};
static struct ring *ring = &first.r;
static u32 cleared; /* readers begin here */

static u32 head_of(const struct ring *r)
{
	return (u32)r->magic + (u32)(r->magic >> 32) + r->size * 3 + r->begin * 5 + r->end * 7 +
	       r->sum * 11;
}

static void put(struct ring *r, char c)
{
	u32 at = r->end++ & (r->size - 1);

	r->sum += ((u32)(u8)c - (u32)(u8)r->text[at]) * (at + 1);
	r->text[at] = c;
}

void conring_write(const char *s, size_t n)
{
	struct ring *r = ring;

	for (; n; n--)
		put(r, *s++);
	if (r->end - r->begin > r->size)
		r->begin = r->end - r->size;
	if (r->end - cleared > r->size)
		cleared = r->begin;
	r->head = head_of(r);
}

size_t conring_read(char *buf, size_t n, u32 *pos)
{
	const struct ring *r = ring;
	size_t done = 0;

	if (*pos - r->begin > r->end - r->begin)
		*pos = r->begin;
	while (done < n && *pos != r->end)
		buf[done++] = r->text[(*pos)++ & (r->size - 1)];
	return done;
}

size_t conring_read_new(char *buf, size_t n, u32 *pos)
{
	if (*pos - cleared > ring->end - cleared)
		*pos = cleared;
	return conring_read(buf, n, pos);
}

u32 conring_start(void)
{
	return READ_ONCE(cleared);
}

u32 conring_end(void)
{
	return READ_ONCE(ring->end);
}

void conring_clear(void)
{
	cleared = ring->end;
}

static u32 tail_of(const struct ring *r, u32 max_bytes, unsigned int lines)
{
	u32 pos = r->end, oldest = r->end - min(r->end - r->begin, max_bytes), line = pos;

	while (pos != oldest) {
		if (r->text[(pos - 1) & (r->size - 1)] == '\n' && pos != r->end) {
			line = pos;
			if (!--lines)
				return line;
		}
		pos--;
	}
	/* The oldest line is whole only when nothing before it is lost. */
	return pos == r->begin && !r->begin ? pos : line;
}

u32 conring_tail(unsigned int lines)
{
	return tail_of(ring, ~0u, lines);
}

static u32 sum_of(const struct ring *r)
{
	u32 sum = 0;

	for (u32 i = 0; i < r->size; i++)
		sum += (u32)(u8)r->text[i] * (i + 1);
	return sum;
}

void conring_repair(void)
{
	ring->sum = sum_of(ring);
	conring_write("", 0);
}

static bool is_sound(const struct ring *r, u32 size)
{
	if (r->magic != MAGIC || r->size != size || r->head != head_of(r) ||
	    r->end - r->begin > size)
		return false;
	return sum_of(r) == r->sum;
}

size_t conring_previous(const void *mem, u32 text, char *buf, size_t n)
{
	const struct ring *r = mem;
	size_t done = 0;

	if (!is_sound(r, text))
		return 0;
	for (u32 pos = tail_of(r, (u32)min(n, (size_t)text), ~0u); pos != r->end; pos++)
		buf[done++] = r->text[pos & (text - 1)];
	return done;
}

void conring_move(void *mem, u32 text)
{
	struct ring *r = mem, *old = ring;
	u32 pos = old->begin;

	memset(r, 0, CONRING_BYTES(text));
	r->magic = MAGIC;
	r->size = text;
	r->begin = r->end = pos;
	ring = r;
	while (pos != old->end) {
		char c = old->text[pos++ & (old->size - 1)];

		conring_write(&c, 1);
	}
	conring_write("", 0);
}

void conring_end_in_order(void)
{
	ring->magic = 0;
}
