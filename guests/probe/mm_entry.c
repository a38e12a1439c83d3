/* SPDX-License-Identifier: MIT */
/* Single page-table entries: what mmu_update and update_va_mapping take, and what they must refuse. */
#include "hypercall.h"
#include "topics.h"
#include "tables.h"

/* Xen 4.17 marks the kernel's own entries. */
#define XEN_KERNEL (1UL << 52)

/* --- tables.h: a small tree of its own --- */
bool tree_make(struct tree *t)
{
	memset(t, 0, sizeof(*t));
	for (int l = 0; l <= 4; l++) {
		t->page[l] = page_alloc();
		if (!t->page[l])
			return false;
	}
	t->page[1][0] = mk_pte(va_mfn(t->page[0]), PTE_KERNEL);
	for (int l = 2; l <= 4; l++)
		t->page[l][0] = mk_pte(va_mfn(t->page[l - 1]), PTE_TABLE);
	for (int l = 1; l <= 4; l++)
		if (page_ro(t->page[l]))
			return false;
	return true;
}

bool tree_make_pinned(struct tree *t)
{
	return tree_make(t) && !pin(4, va_mfn(t->page[4]));
}

void tree_free(struct tree *t, bool pinned)
{
	if (pinned)
		CHECK_OK(unpin(va_mfn(t->page[4])));
	for (int l = 4; l >= 0; l--)
		page_free(t->page[l]);
}

/* --- the window: update_va_mapping --- */
static void map_and_unmap(void)
{
	u64 *page = page_alloc();

	REQUIRE(page);
	page[5] = 0x1234;
	CHECK_OK(win_map(0, mk_pte(va_mfn(page), PTE_KERNEL)));
	CHECK_EQ(((u64 *)win(0))[5], 0x1234);
	((u64 *)win(0))[6] = 7;
	CHECK_EQ(page[6], 7);
	CHECK_EQ(pte_get((u64)win(0), 1, NULL) & (PTE_ADDR | PTE_P | PTE_RW | PTE_US),
		 mk_pte(va_mfn(page), PTE_P | PTE_RW | PTE_US));
	CHECK_OK(win_map(0, mk_pte(va_mfn(page), PTE_RO)));
	CHECK_EQ(try_write(win(0)), 14);
	CHECK_OK(win_map(0, 0));
	CHECK_EQ(try_read(win(0)), 14);
	/* Not present: the other bits are the guest's. */
	CHECK_OK(win_map(0, 0x123456789abcdef0 & ~1UL));
	CHECK_EQ(pte_get((u64)win(0), 1, NULL), 0);
	CHECK_OK(win_map(0, 0));
	page_free(page);
}

/* Who has no device has no use for memory that is not cached. */
static bool may_be_refused(unsigned int bit)
{
	bool cache = (1UL << bit) & (PTE_PWT | PTE_PCD);

	return (bit >= 7 && bit < 63) || (cache && !is_dom0());
}

/* Each bit of an entry alone. Allowed: the guest sees what it wrote, plus US, minus G. */
static void each_bit(void)
{
	u64 *page = page_alloc(), ma;

	REQUIRE(page);
	for (unsigned int bit = 1; bit < 64; bit++) {
		bool addr = bit >= 12 && bit < 52;
		u64 e = mk_pte(va_mfn(page), PTE_P | PTE_A | PTE_D), got;
		long rc;

		if (addr)
			continue;
		e |= 1UL << bit;
		rc = win_map(0, e);
		got = pte_get((u64)win(0), 1, &ma);
		if (rc) {
			if (verbose)
				printf("\n  note: bit %u refused: %ld", bit, rc);
			if (!may_be_refused(bit))
				CHECK_EQ(bit, 0);
			continue;
		}
		CHECK_EQ((got ^ e) & ~(PTE_US | PTE_G | PTE_A | PTE_D | XEN_KERNEL), 0);
		win_map(0, 0);
	}
	win_clear();
	page_free(page);
}

/* Frame numbers that no machine has, or that are nobody's. */
static void strange_frames(void)
{
	static const u64 frames[] = {0x000ffffffffff, 0x00000ffffffff, 0x0000080000000,
				     0x0000100000000, 0x000fee00};
	struct xen_machphys_mapping m = {0};

	for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++) {
		/* dom0 may map what is not RAM, but neither the local APIC nor what cannot exist. */
		long rc = win_map(0, mk_pte(frames[i], PTE_RO));

		if (rc >= 0 && i != 2 && i != 3)
			outcome_set(FAILURE, __FILE__, __LINE__, "frame 0x%lx can be mapped",
				    frames[i]);
	}
	REQUIRE_OK(memory_op(XENMEM_machphys_mapping, &m));
}

/* RAM that is not ours, by the machine's memory map: never mapped, however. */
struct e820 {
	u64 addr, size;
	u32 type;
} __attribute__((packed));

static bool is_ours(u64 mfn)
{
	u64 pfn;

	if (try_read(&mfn_pfn(mfn)) >= 0)
		return false;
	pfn = mfn_pfn(mfn);
	return pfn < nr_pages && p2m[pfn] == mfn;
}

static xen_pfn_t grant_frame;
static u64 open_frames, open_first, open_last;

static void foreign_ram(u64 first, u64 last, u64 *seen)
{
	for (u64 mfn = first; mfn < last; mfn += mfn < 0x4000 ? 1 : 7) {
		long ro, rw;

		if (is_ours(mfn) || mfn == start_copy.shared_info >> 12 || mfn == grant_frame)
			continue;
		(*seen)++;
		ro = win_map(0, mk_pte(mfn, PTE_RO));
		rw = win_map(0, mk_pte(mfn, PTE_KERNEL));
		if (ro >= 0 || rw >= 0) {
			if (!open_frames++)
				open_first = mfn;
			open_last = mfn;
		}
		if (pin(1, mfn) >= 0 || pin(4, mfn) >= 0) {
			outcome_set(FAILURE, __FILE__, __LINE__, "foreign frame 0x%lx pinned", mfn);
			return;
		}
	}
}

static void foreign_frames(void)
{
	static struct e820 map[128];
	struct xen_memory_map m = {0};
	struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 1};
	u64 seen = 0;

	m.nr_entries = is_dom0() ? ARRAY_SIZE(map) : 0;
	/* The grant table is the hypervisor's memory, but ours to map. */
	set_xen_guest_handle(setup.frame_list, &grant_frame);
	REQUIRE_OK(grant_op(GNTTABOP_setup_table, &setup, 1));
	set_xen_guest_handle(m.buffer, (void *)map);
	if (is_dom0())
		REQUIRE_OK(memory_op(XENMEM_machine_memory_map, &m));
	else
		/* No map for it; what is not RAM must be refused to it as well. */
		foreign_ram(0, memory_op(XENMEM_maximum_ram_page, NULL), &seen);
	for (unsigned int i = 0; i < m.nr_entries; i++)
		if (map[i].type == 1 && map[i].addr >= 0x100000)
			foreign_ram((map[i].addr + 0xfff) >> 12, (map[i].addr + map[i].size) >> 12,
				    &seen);
	CHECK(seen > 100);
	if (open_frames)
		outcome_set(FAILURE, __FILE__, __LINE__,
			    "%lu of %lu foreign frames can be mapped, from 0x%lx to 0x%lx",
			    open_frames, seen, open_first, open_last);
}

static void uvm_arguments(void)
{
	u64 *page = page_alloc();
	u64 e, mask = 1;

	REQUIRE(page);
	e = mk_pte(va_mfn(page), PTE_KERNEL);
	CHECK_REFUSED(update_va_mapping(0x800000000000, e, 0));
	CHECK_REFUSED(update_va_mapping(0xffff800000000000, e, 0));
	CHECK_REFUSED(update_va_mapping(0xffff828000000000, 0, 0));
	CHECK_REFUSED(update_va_mapping(0x5000, e, 0));
	CHECK_REFUSED(update_va_mapping(~0UL, e, 0));
	/* What would be good without the bits that no address has. */
	CHECK_REFUSED(update_va_mapping((u64)win(0) & 0xffffffffffff, e, 0));
	CHECK_REFUSED(update_va_mapping((u64)win(0) ^ 1UL << 60, e, 0));
	CHECK_OK(update_va_mapping(win(0), e, UVMF_INVLPG | UVMF_ALL));
	CHECK_OK(update_va_mapping(win(0), e, UVMF_TLB_FLUSH | UVMF_ALL));
	CHECK_OK(update_va_mapping(win(0), e, UVMF_TLB_FLUSH | UVMF_LOCAL));
	CHECK_OK(update_va_mapping(win(0), e, UVMF_INVLPG | (u64)&mask));
	CHECK_RC(update_va_mapping(win(0), e, UVMF_INVLPG | (u64)win(50)), -XEN_EFAULT);
	CHECK_OK(update_va_mapping((char *)win(0) + 123, 0, UVMF_INVLPG));
	CHECK_EQ(try_read(win(0)), 14);
	page_free(page);
}

/* --- tables at levels 2 to 4 --- */
static const u64 bad_bits[] = {PTE_PSE, 1UL << 51, 1UL << 46};

/* PSE, and frame bits that do not exist, in each upper level. */
static void upper_bits(void)
{
	struct tree t;

	REQUIRE(tree_make_pinned(&t));
	for (int l = 2; l <= 4; l++)
		for (unsigned int b = 0; b < ARRAY_SIZE(bad_bits); b++) {
			u64 e = mk_pte(va_mfn(t.page[l - 1]), PTE_TABLE) | bad_bits[b];
			long rc = pt_write(slot_ma(t.page[l], 1), e);

			if (rc >= 0 || t.page[l][1])
				outcome_set(FAILURE, __FILE__, __LINE__,
					    "L%d entry 0x%lx: %ld, now 0x%lx", l, e, rc,
					    t.page[l][1]);
			rc = pt_write(slot_ma(t.page[l], 0), e);
			CHECK_REFUSED(rc);
		}
	/* A large page of our own frames, aligned or not. */
	CHECK_REFUSED(
		pt_write(slot_ma(t.page[2], 1), mk_pte(va_mfn(t.page[0]), PTE_TABLE | PTE_PSE)));
	CHECK_REFUSED(
		pt_write(slot_ma(t.page[2], 1), mk_pte(p2m[0] & ~511UL, PTE_TABLE | PTE_PSE)));
	CHECK_REFUSED(pt_write(slot_ma(t.page[3], 1), mk_pte(0, PTE_TABLE | PTE_PSE)));
	tree_free(&t, true);
}

/* RW and US of an entry in use alone: the fast way must look at them, too. */
static void upper_flag_changes(void)
{
	struct tree t;

	REQUIRE(tree_make_pinned(&t));
	for (int l = 2; l <= 4; l++) {
		u64 e = mk_pte(va_mfn(t.page[l - 1]), PTE_TABLE);

		CHECK_OK(pt_write(slot_ma(t.page[l], 0), e & ~PTE_RW));
		CHECK_EQ(t.page[l][0] & (PTE_RW | PTE_P), PTE_P);
		CHECK_OK(pt_write(slot_ma(t.page[l], 0), e | PTE_NX));
		CHECK_EQ(t.page[l][0] & PTE_NX, PTE_NX);
		CHECK_OK(pt_write(slot_ma(t.page[l], 0), e));
		CHECK_REFUSED(pt_write(slot_ma(t.page[l], 0), e | PTE_PSE));
		CHECK_EQ(t.page[l][0] & ~(PTE_A | PTE_D), e & ~(PTE_A | PTE_D));
	}
	tree_free(&t, true);
}

/* Tables in the wrong place: an entry of level l may only point to a table of level l-1. */
static void wrong_levels(void)
{
	struct tree t;

	REQUIRE(tree_make_pinned(&t));
	for (int l = 2; l <= 4; l++)
		for (int to = 0; to <= 4; to++) {
			u64 e = mk_pte(va_mfn(t.page[to]), PTE_TABLE);
			long rc = pt_write(slot_ma(t.page[l], 2), e);
			bool fine = to == l - 1;

			if (fine ? rc : rc >= 0)
				outcome_set(FAILURE, __FILE__, __LINE__,
					    "L%d entry to a table of level %d: %ld", l, to, rc);
			pt_write(slot_ma(t.page[l], 2), 0);
		}
	tree_free(&t, true);
}

/* A root may map itself, for reading only. */
static void self_map(void)
{
	struct tree t;
	u64 e;

	REQUIRE(tree_make_pinned(&t));
	e = mk_pte(va_mfn(t.page[4]), PTE_TABLE);
	CHECK_REFUSED(pt_write(slot_ma(t.page[4], 300), e));
	CHECK_OK(pt_write(slot_ma(t.page[4], 300), e & ~PTE_RW));
	CHECK_REFUSED(pt_write(slot_ma(t.page[4], 300), e));
	CHECK_REFUSED(pt_write(slot_ma(t.page[4], 260), e & ~PTE_RW));
	CHECK_OK(pt_write(slot_ma(t.page[4], 300), 0));
	/* Torn down with the self map still there. */
	CHECK_OK(pt_write(slot_ma(t.page[4], 300), e & ~PTE_RW));
	tree_free(&t, true);
}

static void self_map_below(void)
{
	struct tree t;

	REQUIRE(tree_make_pinned(&t));
	for (int l = 1; l <= 3; l++) {
		u64 e = mk_pte(va_mfn(t.page[l]), PTE_TABLE);

		CHECK_REFUSED(pt_write(slot_ma(t.page[l], 5), e));
		if (l > 1)
			CHECK_REFUSED(pt_write(slot_ma(t.page[l], 5), e & ~PTE_RW));
		else
			CHECK_OK(pt_write(slot_ma(t.page[l], 5), e & ~PTE_RW));
		pt_write(slot_ma(t.page[l], 5), 0);
	}
	tree_free(&t, true);
}

/* The hypervisor's slots of a root, in every way. */
static void hypervisor_slots(void)
{
	struct tree t;

	REQUIRE(tree_make_pinned(&t));
	for (unsigned int i = 256; i < 272; i++) {
		u64 old = t.page[4][i];

		CHECK_REFUSED(
			pt_write(slot_ma(t.page[4], i), mk_pte(va_mfn(t.page[3]), PTE_TABLE)));
		CHECK_REFUSED(pt_write((root_mfn() << 12) + i * 8, 0));
		CHECK_REFUSED(
			pt_write((root_mfn() << 12) + i * 8, mk_pte(va_mfn(t.page[3]), PTE_TABLE)));
		CHECK_EQ(t.page[4][i] & ~(PTE_A | PTE_D), old & ~(PTE_A | PTE_D));
	}
	CHECK_OK(pt_write(slot_ma(t.page[4], 255), mk_pte(va_mfn(t.page[3]), PTE_TABLE)));
	CHECK_OK(pt_write(slot_ma(t.page[4], 272), mk_pte(va_mfn(t.page[3]), PTE_TABLE)));
	tree_free(&t, true);
}

/* What a guest has put into these slots before pinning is not looked at and does not stay. */
static void hypervisor_slots_before(void)
{
	struct tree t;

	REQUIRE(tree_make(&t));
	REQUIRE_OK(page_rw(t.page[4]));
	for (unsigned int i = 256; i < 272; i++)
		t.page[4][i] = mk_pte(va_mfn(t.page[0]), PTE_TABLE);
	REQUIRE_OK(page_ro(t.page[4]));
	REQUIRE_OK(pin(4, va_mfn(t.page[4])));
	for (unsigned int i = 256; i < 272; i++)
		CHECK((t.page[4][i] & PTE_ADDR) >> 12 != va_mfn(t.page[0]));
	tree_free(&t, true);
}

static void unaligned_and_foreign_pointers(void)
{
	struct tree t;
	u64 *data;

	REQUIRE(tree_make_pinned(&t));
	data = page_alloc();
	REQUIRE(data);
	CHECK_REFUSED(pt_write(slot_ma(t.page[1], 1) + 4, mk_pte(va_mfn(t.page[0]), PTE_RO)));
	CHECK_EQ(t.page[1][1], 0);
	CHECK_EQ(t.page[1][2], 0);
	/* An ordinary page: a plain store. */
	CHECK_OK(pt_write(slot_ma(data, 7), 0xdead0000beef));
	CHECK_EQ(data[7], 0xdead0000beef);
	/* A page that is only read-only mapped is still ours and ordinary. */
	CHECK_REFUSED(pt_write(0xffffffffff000, 0));
	CHECK_REFUSED(pt_write(0xfee00000, 0));
	CHECK_REFUSED(pt_write(start_copy.shared_info & ~0xfffUL ? 0x1000 : 0, 0));
	page_free(data);
	tree_free(&t, true);
}

const struct test mm_entry_tests[] = {
	{"map", map_and_unmap},
	{"each-bit", each_bit},
	{"strange-frames", strange_frames},
	{"foreign-frames", foreign_frames},
	{"uvm-arguments", uvm_arguments},
	{"upper-bits", upper_bits},
	{"upper-flags", upper_flag_changes},
	{"wrong-levels", wrong_levels},
	{"self-map", self_map},
	{"self-map-below", self_map_below},
	{"hypervisor-slots", hypervisor_slots},
	{"hypervisor-slots-before", hypervisor_slots_before},
	{"pointers", unaligned_and_foreign_pointers},
	{NULL, NULL},
};
