/* SPDX-License-Identifier: MIT */
/*
 * A slab is one frame of objects of one size, without a header: its struct frame keeps the state.
 *	state FS_SLAB, order = size class (log2 of the object size), refs = 0 (nobody else looks),
 *	type = objects in use in the low half, index of the first free object in the high one,
 *	next/prev = the class's list of slabs with room.
 * A free object holds the index of the next one and a mark that tells it from one in use.
 */
#include "mm/heap.h"
#include "lib/inject.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "mm/buddy.h"

#define SHIFT_MIN 5
#define SHIFT_MAX 11
#define NO_OBJECT 0xffff
#define FREE_MARK 0x5ab0f4eed0b1ec75UL

struct free_object {
	u64 next; /* index, or NO_OBJECT */
	u64 mark; /* FREE_MARK ^ own address */
};

static struct frame_list slabs[SHIFT_MAX + 1]; /* zeroed: see class_list() */
static bool ready;
static unsigned long frames;
static spinlock_t lock = SPINLOCK_INIT;

static unsigned int used_of(const struct frame *f)
{
	return f->type & 0xffff;
}

static unsigned int first_of(const struct frame *f)
{
	return f->type >> 16;
}

static void set_slab(struct frame *f, unsigned int used, unsigned int first)
{
	f->type = first << 16 | used;
}

static struct frame_list *class_list(unsigned int shift)
{
	if (unlikely(!ready)) {
		for (unsigned int s = SHIFT_MIN; s <= SHIFT_MAX; s++)
			frame_list_init(&slabs[s]);
		ready = true;
	}
	return &slabs[shift];
}

static struct free_object *object(const struct frame *f, unsigned int i)
{
	return (void *)((char *)frame_to_virt(f) + ((size_t)i << f->order));
}

static u64 mark_of(const struct free_object *o)
{
	return FREE_MARK ^ (u64)(uintptr_t)o;
}

static struct frame *new_slab(unsigned int shift)
{
	struct frame *f = buddy_alloc(0, 0);
	unsigned int n = PAGE_SIZE >> shift;

	if (!f)
		return NULL;
	f->state = FS_SLAB;
	f->order = (u8)shift;
	set_slab(f, 0, 0);
	for (unsigned int i = 0; i < n; i++) {
		struct free_object *o = object(f, i);

		o->next = i + 1 < n ? i + 1 : NO_OBJECT;
		o->mark = mark_of(o);
	}
	frame_list_add(class_list(shift), f);
	atomic_add(&frames, 1);
	return f;
}

static void *slab_alloc(unsigned int shift)
{
	struct frame_list *l = class_list(shift);
	struct frame *f = l->nr ? mfn_to_frame(l->head) : new_slab(shift);
	struct free_object *o;

	if (!f)
		return NULL;
	o = object(f, first_of(f));
	if (unlikely(o->mark != mark_of(o) ||
		     (o->next != NO_OBJECT && o->next >= PAGE_SIZE >> shift)))
		panic("heap: free object %p was written to", (void *)o);
	set_slab(f, used_of(f) + 1, (unsigned int)o->next);
	if (first_of(f) == NO_OBJECT)
		frame_list_del(l, f);
	return o;
}

static bool on_free_list(const struct frame *f, unsigned int index)
{
	unsigned int i = first_of(f);

	for (unsigned int n = PAGE_SIZE >> f->order; n && i < PAGE_SIZE >> f->order; n--) {
		if (i == index)
			return true;
		i = (unsigned int)object(f, i)->next;
	}
	return false;
}

static void slab_free(struct frame *f, void *p)
{
	struct frame_list *l = class_list(f->order);
	size_t offset = (uintptr_t)p & (PAGE_SIZE - 1);
	unsigned int index = (unsigned int)(offset >> f->order);
	struct free_object *o = p;

	if (offset & ((1UL << f->order) - 1))
		panic("heap: free of %p inside an object", p);
	/* The mark may also be data; only the list is proof. */
	if (!used_of(f) || (o->mark == mark_of(o) && on_free_list(f, index)))
		panic("heap: double free of %p", p);
	if (first_of(f) == NO_OBJECT)
		frame_list_add(l, f);
	o->next = first_of(f);
	o->mark = mark_of(o);
	set_slab(f, used_of(f) - 1, index);
	if (used_of(f))
		return;
	frame_list_del(l, f);
	atomic_sub(&frames, 1);
	f->type = FT_NONE;
	f->state = FS_USED;
	buddy_free(f, 0);
}

static unsigned int order_of(size_t size)
{
	unsigned int order = 0;

	while (order <= MAX_ORDER && PAGE_SIZE << order < size)
		order++;
	return order;
}

void *hv_alloc(size_t size)
{
	unsigned int shift = SHIFT_MIN;
	void *p;

	if (size > 1UL << SHIFT_MAX)
		return hv_alloc_pages(order_of(size));
	while (1UL << shift < size)
		shift++;
	if (inject_alloc())
		return NULL;
	spin_lock(&lock);
	p = slab_alloc(shift);
	spin_unlock(&lock);
	return p ? memset(p, 0, 1UL << shift) : NULL;
}

/* The frame of a pointer that we gave; panics on any other. */
static struct frame *frame_of(const void *p)
{
	mfn_t mfn = virt_to_mfn(p);

	if ((uintptr_t)p < DIRECTMAP_BASE || !mfn_valid(mfn))
		panic("heap: free of foreign pointer %p", p);
	return mfn_to_frame(mfn);
}

void hv_free(void *p)
{
	struct frame *f;

	if (!p)
		return;
	f = frame_of(p);
	if (f->state == FS_SLAB) {
		spin_lock(&lock);
		slab_free(f, p);
		spin_unlock(&lock);
		return;
	}
	if (f->state != FS_HEAP || ((uintptr_t)p & (PAGE_SIZE - 1)))
		panic("heap: free of %p that is not allocated", p);
	hv_free_pages(p, f->order);
}

void *hv_alloc_pages(unsigned int order)
{
	struct frame *f = buddy_alloc(order, BUDDY_ZERO);

	if (!f)
		return NULL;
	f->state = FS_HEAP;
	atomic_add(&frames, 1UL << order);
	return frame_to_virt(f);
}

void hv_free_pages(void *p, unsigned int order)
{
	struct frame *f;

	if (!p)
		return;
	f = frame_of(p);
	if (((uintptr_t)p & (PAGE_SIZE - 1)) || f->state != FS_HEAP || f->order != order)
		panic("heap: free of %p, order %u, that is not allocated", p, order);
	atomic_sub(&frames, 1UL << order);
	f->state = FS_USED;
	buddy_free(f, order);
}

unsigned long heap_frames(void)
{
	return READ_ONCE(frames);
}
