/* SPDX-License-Identifier: MIT */
/*
 * Frames: one struct a frame of RAM, with owner, use count and type with its own count.
 * A frame is allocated while refs > 0; the allocator gives one reference to the owner
 * (FRAME_ALLOCATED), every mapping and every in-flight use adds one. A frame has one type at a time;
 * it may change only when its type count is 0. Page-table types change only with the owner's
 * mm_lock held; the writable type is taken without a lock (compare-and-swap).
 */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include "lib/atomic.h"
#include "lib/types.h"
#include "lib/list.h"
#include "lib/nospec.h"
#include "mm/layout.h"

struct domain;

/* type word: kind in 31..29, flags, count in 23..0 */
#define FT_NONE	     (0u << 29)
#define FT_L1	     (1u << 29)
#define FT_L2	     (2u << 29)
#define FT_L3	     (3u << 29)
#define FT_L4	     (4u << 29)
#define FT_SEGDESC   (5u << 29)
#define FT_WRITABLE  (7u << 29)
#define FT_KIND	     (7u << 29)
#define FT_PINNED    (1u << 28) /* the guest pinned it: holds a type count and a reference */
#define FT_VALIDATED (1u << 27) /* every entry checked and counted */
#define FT_PARTIAL   (1u << 26) /* checked up to frame->partial entries; see pv/mm_types */
#define FT_PARTCHILD (1u << 25) /* partial, and the child at that entry is already counted */
#define FT_DEMOTING  (1u << 24) /* partial on the way down */
#define FT_CHILD     (1u << 23) /* partial for a parent, which alone goes on with it */
#define FT_COUNT     0x007fffffu

/* refs word: flags high, count low */
#define FR_ALLOCATED (1u << 31) /* the owner's own reference is still there */
#define FR_XENHEAP   (1u << 30) /* hypervisor memory that a guest may be allowed to map */
#define FR_FOREIGN   (1u << 29) /* others than the owner may have it in a TLB, writable */
#define FR_COUNT     0x07ffffffu

struct frame {
	u32 refs;
	union {
		u32 type;
		struct {	    /* free; the buddy allocator's */
			u8 content; /* FC_* */
			u8 mixed;   /* see mm/buddy.c */
		};
	};
	u16 owner;	/* domid; DOMID_INVALID when free or the hypervisor's own */
	u8 order;	/* of the free block that begins here */
	u8 state;	/* FS_* */
	u32 next, prev; /* frame numbers: owner's list, or free list of the buddy allocator */
	union {
		u32 stamp; /* type count 0: flush clock when the last use as its kind ended */
		struct {
			u16 partial; /* FT_PARTIAL: number of table entries validated so far */
			u16 groups; /* L2..L4: bit n is clear when entries 32n..32n+31 hold nothing */
		};
	};
};

/* FS_SLAB, FS_HEAP: in use by the small-object heap; a block's first frame says so. */
enum {
	FS_NOTRAM,
	FS_RESERVED,
	FS_FREE,
	FS_FREE_TAIL,
	FS_USED,
	FS_SLAB,
	FS_HEAP
};

/* What a free frame holds. */
enum {
	FC_UNKNOWN, /* whatever: firmware's, the loader's, our own */
	FC_ZERO,    /* nothing but zeros, and no TLB has a way to it */
	FC_WAITS    /* a guest's; an idle CPU shall clear it */
};

#define FRAME_NIL 0xffffffffu /* end of a frame list */

/* A domain's frames, doubly linked by frame number. */
struct frame_list {
	u32 head, tail;
	u32 nr;
};

#ifdef UNIT_TEST
extern struct frame *frame_table;
#else
#define frame_table ((struct frame *)FRAMETABLE_VA)
#endif

/*
 * The frame table is backed in sections of 128 MiB of address space that hold any RAM, and below 4 GiB also
 * where there is none, by a page of zeroes that cannot be written: FS_NOTRAM, without references.
 */
#define SECTION_SHIFT 15 /* in frames */
#define MAX_SECTIONS  (1u << (32 - SECTION_SHIFT))
extern unsigned long frame_sections[MAX_SECTIONS / 64];
extern mfn_t max_mfn;	   /* highest RAM frame + 1 */
extern mfn_t frames_whole; /* at most max_mfn; below it each section is backed, RAM or not */

bool mfn_valid_beyond(mfn_t mfn);

/* True when the frame table has an entry for mfn (it may still be FS_NOTRAM). */
static inline bool mfn_valid(mfn_t mfn)
{
	return likely(mfn < frames_whole) || mfn_valid_beyond(mfn);
}

static inline struct frame *mfn_to_frame(mfn_t mfn)
{
	return &frame_table[mfn];
}

/* The same for a number that a guest chose and mfn_valid() accepted. */
static inline struct frame *mfn_to_frame_nospec(mfn_t mfn)
{
	return &frame_table[nospec_index(mfn, max_mfn)];
}

/*
 * The entry of a number that a guest chose, NULL when it is not below frames_whole. Ahead of a wrong guess
 * about that it is the first entry: cmp tells both, and sbb leaves its answer standing.
 */
static inline struct frame *frame_whole(mfn_t mfn)
{
	unsigned long mask;
	bool whole;

	NOSPEC_SEEN(mfn, frames_whole);
	__asm__("cmp %3, %2\n\tsbb %0, %0"
		: "=r"(mask), "=@ccc"(whole)
		: "r"(mfn), "m"(frames_whole));
	return likely(whole) ? &frame_table[mfn & mask] : NULL;
}

/* The same, NULL when it is not valid. */
static inline struct frame *frame_checked(mfn_t mfn)
{
	struct frame *f = frame_whole(mfn);

	if (likely(f))
		return f;
	return mfn_valid_beyond(mfn) ? mfn_to_frame_nospec(mfn) : NULL;
}

static inline mfn_t frame_to_mfn(const struct frame *f)
{
	return (mfn_t)(f - frame_table);
}

static inline void *frame_to_virt(const struct frame *f)
{
	return mfn_to_virt(frame_to_mfn(f));
}

/*
 * get_frame: takes a reference when the frame is valid RAM, in use and owned by domid; NULL else.
 * put_frame: drops it; the last one frees the frame (calls frame_free_hook when owned by a domain).
 * While FR_ALLOCATED is set the count includes the owner's own reference (allocation: FR_ALLOCATED|1);
 * whoever clears the flag then puts that reference. FR_XENHEAP frames hold the hypervisor's in the
 * same way, so that no guest's put is the last.
 */
struct frame *get_frame(mfn_t mfn, u16 domid) __must_check;
void put_frame(struct frame *f);
/* For put_frame() only: refs is the word after the reference was dropped. */
void put_frame_slow(struct frame *f, u32 refs);

/*
 * The two for the hottest paths, in place. get_frame_at(): f is the entry of a valid frame number,
 * clamped when a guest chose it; ref_frame_at() leaves the last look at the owner to the caller.
 */
static inline bool ref_frame_at(struct frame *f, u16 domid)
{
	u32 refs = READ_ONCE(f->refs);

	do {
		/* Neither 0 nor full. */
		if (unlikely((refs & FR_COUNT) - 1 >= FR_COUNT - 1 || READ_ONCE(f->owner) != domid))
			return false;
	} while (unlikely(!atomic_cmpxchg(&f->refs, &refs, refs + 1)));
	return true;
}

static inline bool get_frame_at(struct frame *f, u16 domid)
{
	if (unlikely(!ref_frame_at(f, domid)))
		return false;
	/* Between the two looks the frame may have been freed and given to somebody else. */
	if (likely(READ_ONCE(f->owner) == domid))
		return true;
	put_frame(f);
	return false;
}

static inline struct frame *get_frame_inline(mfn_t mfn, u16 domid)
{
	struct frame *f = frame_checked(mfn);

	return likely(f) && get_frame_at(f, domid) ? f : NULL;
}

static inline void put_frame_inline(struct frame *f)
{
	u32 was = __atomic_fetch_sub(&f->refs, 1, __ATOMIC_SEQ_CST);

	if (unlikely((was & FR_COUNT) <= 1))
		put_frame_slow(f, was - 1);
}

/*
 * A frame whose type count is 0 keeps the kind it had last; another kind may take over only after TLBs
 * that may still hold entries for the old use are flushed: the two hooks (mm/tlb.h's clock) do that.
 * type_flush_hook(f) is called by whoever changes the kind, after the change is decided: f->type has
 * the new one. The buddy allocator stamps what is freed and calls it for what it gives out (owner
 * DOMID_INVALID: any CPU).
 */
extern u32 (*frame_clock_hook)(void);
extern void (*type_flush_hook)(struct frame *f, u32 stamp);

/*
 * Notes that another domain is about to map the frame writable; the caller holds a writable type count.
 * The note stays when the mapping goes: until all TLBs are flushed for the frame's next kind.
 */
static inline void frame_note_foreign(struct frame *f)
{
	if (!(READ_ONCE(f->refs) & FR_FOREIGN))
		atomic_or(&f->refs, FR_FOREIGN);
}

/*
 * get_frame_writable: adds a writable type count to a frame on which the caller holds a reference;
 * false when the frame is something else (page table, descriptor page) or the count is full.
 */
bool get_frame_writable(struct frame *f) __must_check;
void put_frame_writable(struct frame *f);

/* The same, in place while the frame is writable already and remains so. */
static inline bool get_frame_writable_inline(struct frame *f)
{
	u32 type = READ_ONCE(f->type);

	if (likely((type & ~FT_COUNT) == FT_WRITABLE && (type & FT_COUNT) != FT_COUNT) &&
	    likely(atomic_cmpxchg(&f->type, &type, type + 1)))
		return true;
	return get_frame_writable(f);
}

static inline void put_frame_writable_inline(struct frame *f)
{
	u32 type = READ_ONCE(f->type);

	if (likely((type & ~FT_COUNT) == FT_WRITABLE && (type & FT_COUNT) > 1) &&
	    likely(atomic_cmpxchg(&f->type, &type, type - 1)))
		return;
	put_frame_writable(f);
}

/* get_frame() + get_frame_writable() and back. */
struct frame *get_frame_and_writable(mfn_t mfn, u16 domid) __must_check;
void put_frame_and_writable(struct frame *f);

void frame_list_init(struct frame_list *l);
void frame_list_add(struct frame_list *l, struct frame *f);
void frame_list_del(struct frame_list *l, struct frame *f);

/* Called for the last reference to a frame that belongs to a domain: accounting, then free. */
extern void (*frame_free_hook)(struct frame *f);

#endif
