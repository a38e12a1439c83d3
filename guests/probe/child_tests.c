/* SPDX-License-Identifier: MIT */
/* What a domain may not do to another: each test makes one (child.h) and looks from both sides. */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "topics.h"
#include "tables.h"
#include "child.h"
#include <xen/domctl.h>

#define GDT_DATA3 0x00cff3000000ffffUL
#define SCRUBBED  64

static void nothing(void)
{
}

/* --- the child alone: what is dom0's --- */

static void priv_in_child(void)
{
	struct mmu_update u = {.ptr = root_mfn() << 12 | MMU_NORMAL_PT_UPDATE};
	char line[64];
	u64 *page = page_alloc();

	CHECK_EQ(child_flags & 0x27000, 0);
	for (const struct test *t = priv_tests; t->name; t++)
		t->fn();
	/* Device memory, and memory that is not cached; by each way to an entry. */
	CHECK_REFUSED(win_map(0, mk_pte(0xb8, PTE_KERNEL)));
	CHECK_REFUSED(win_map(0, mk_pte(0xfec00, PTE_KERNEL)));
	for (u64 bit = PTE_PWT; bit <= PTE_PSE; bit <<= 1) {
		if (bit == PTE_A || bit == PTE_D)
			continue;
		CHECK_REFUSED(win_map(0, mk_pte(va_mfn(page), PTE_KERNEL | bit)));
		CHECK_OK(win_map(0, mk_pte(va_mfn(page), PTE_KERNEL)));
		CHECK_REFUSED(win_map(0, mk_pte(va_mfn(page), PTE_KERNEL | bit)));
	}
	/* Tables of dom0, by the upper half of the domain; its frames, by the lower. */
	CHECK_RC(mmu_update(&u, 1, NULL, 1UL << 16 | DOMID_SELF), -XEN_EPERM);
	CHECK_RC(mmu_update(&u, 1, NULL, 1UL << 16), -XEN_EPERM);
	CHECK_RC(mmu_update(&u, 1, NULL, 0), -XEN_EPERM);
	CHECK_RC(mmuext(MMUEXT_FLUSH_CACHE, 0, 0), -XEN_EACCES);
	CHECK_RC(mmuext(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), -XEN_EACCES);
	CHECK_OK(xen_version(XENVER_commandline, page));
	CHECK(!strcmp((char *)page, "<denied>"));
	CHECK_RC(memory_op(XENMEM_acquire_resource, page), -XEN_EPERM);
	CHECK_RC(console_io(CONSOLEIO_read, sizeof(line), line), -XEN_EPERM);
	page_free(page);
}

static void priv(void)
{
	struct child c;

	NEEDS_DOM0();
	if (!child_make_and_run(&c, priv_in_child))
		return;
	child_wait(&c);
	child_end(&c);
}

/* --- the same tests in a domain without privileges --- */

static void others_in_child(void)
{
	static const struct test *const tables[] = {
		mm_entry_tests, mm_pin_tests, mm_ptwr_tests, desc_tests,    emul_tests,
		call_tests,	walk_tests,   bits_tests,    padding_tests, cut_tests,
	};
	bool bad = false;

	for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct test *t = tables[i]; t->name; t++) {
			enum outcome o = outcome_of(t->fn);

			if (o != FAILURE && o != ERROR)
				continue;
			printf("\n  that was %s", t->name);
			bad = true;
		}
	/* The outcome was that of the last one. */
	outcome_of(nothing);
	CHECK(!bad);
}

static void others(void)
{
	struct child c;

	NEEDS_DOM0();
	if (!child_make_and_run(&c, others_in_child))
		return;
	child_wait(&c);
	child_end(&c);
}

/* --- frames of others --- */

enum {
	FRAME_L1,
	FRAME_L2,
	FRAME_ROOT,
	FRAME_GDT,
	FRAME_PLAIN,
	FRAME_UNUSED, /* mapped for reading only: it has no kind yet */
	NR_FRAMES
};

static void frames_in_child(void)
{
	u64 *page = page_alloc(), *table = page_alloc(), ma;
	struct mmu_update u;

	pte_get((u64)win(0), 2, &ma);
	ma += 8; /* an unused entry of level 2 */
	CHECK_OK(page_ro(table));
	for (unsigned int i = 0; i < NR_FRAMES; i++) {
		u64 mfn = me->arg[i];

		CHECK_REFUSED(win_map(0, mk_pte(mfn, PTE_KERNEL)));
		CHECK_REFUSED(win_map(0, mk_pte(mfn, PTE_RO)));
		for (int l = 1; l <= 4; l++)
			CHECK_REFUSED(pin(l, mfn));
		CHECK_REFUSED(unpin(mfn));
		u = (struct mmu_update){mfn << 12 | MMU_NORMAL_PT_UPDATE, 0};
		CHECK_REFUSED(mmu_update(&u, 1, NULL, DOMID_SELF));
		u = (struct mmu_update){mfn << 12 | MMU_MACHPHYS_UPDATE, 7};
		CHECK_REFUSED(mmu_update(&u, 1, NULL, DOMID_SELF));
		CHECK_REFUSED(pt_write(ma, mk_pte(mfn, PTE_TABLE)));
		CHECK_REFUSED(mmuext(MMUEXT_NEW_BASEPTR, mfn, 0));
		CHECK_REFUSED(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn, 0));
		CHECK_REFUSED(mmuext(MMUEXT_CLEAR_PAGE, mfn, 0));
		CHECK_REFUSED(mmuext(MMUEXT_COPY_PAGE, va_mfn(page), mfn));
		CHECK_REFUSED(mmuext(MMUEXT_COPY_PAGE, mfn, va_mfn(page)));
		CHECK_REFUSED(set_gdt(&mfn, 512));
		CHECK_REFUSED(update_descriptor(mfn << 12, 0));
	}
	CHECK_EQ(page[0], 0);
	CHECK_OK(page_rw(table));
}

/* dom0 may map the child's frames, but they stay the child's: none of its calls mixes the two up. */
static void frames_mixed_up(struct child *c, u64 mine)
{
	struct mmuext_op op = {.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = child_table_mfn(c, 4)};
	static xen_pfn_t pfn;
	struct xen_domctl *d;
	struct mmu_update u;
	u64 ma;

	CHECK_RC(mmuext_op(&op, 1, NULL, c->id), -XEN_EPERM);
	op.cmd = MMUEXT_NEW_USER_BASEPTR;
	CHECK_RC(mmuext_op(&op, 1, NULL, c->id), -XEN_EPERM);
	op = (struct mmuext_op){.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = mine};
	CHECK_REFUSED(mmuext_op(&op, 1, NULL, c->id));
	win_map(1, 0);
	pte_get((u64)win(1), 1, &ma);
	u = (struct mmu_update){ma | MMU_NORMAL_PT_UPDATE, mk_pte(mine, PTE_RO)};
	CHECK_REFUSED(mmu_update(&u, 1, NULL, c->id));
	/* A store to the child's table is no store to one of ours. */
	CHECK_OK(hcall(__HYPERVISOR_update_va_mapping_otherdomain, win(1),
		       mk_pte(child_table_mfn(c, 1), PTE_RO), UVMF_INVLPG, c->id));
	CHECK_EQ(try_write64((u64 *)win(1) + 3, 0), 14);
	win_map(1, 0);
	CHECK_REFUSED(unpin(child_table_mfn(c, 4)));
	d = domctl_new(XEN_DOMCTL_hypercall_init, c->id);
	d->u.hypercall_init.gmfn = va_mfn(mfn_va(mine));
	CHECK_REFUSED(domctl_do());
	pfn = mine;
	d = domctl_new(XEN_DOMCTL_getpageframeinfo3, c->id);
	d->u.getpageframeinfo3.num = 1;
	set_xen_guest_handle(d->u.getpageframeinfo3.array, &pfn);
	CHECK_OK(domctl_do());
	CHECK_EQ(pfn, XEN_DOMCTL_PFINFO_XTAB);
}

static void frames(void)
{
	u64 *gdt = page_alloc(), *plain = page_alloc(), *unused = page_alloc();
	unsigned long gdt_mfn = va_mfn(gdt);
	struct child c;
	struct tree t;

	NEEDS_DOM0();
	REQUIRE(tree_make_pinned(&t));
	gdt[1] = GDT_DATA3;
	plain[0] = 0x5ec4e7;
	REQUIRE_OK(page_ro(gdt));
	REQUIRE_OK(page_ro(unused));
	REQUIRE_OK(set_gdt(&gdt_mfn, 512));
	if (!child_make(&c, frames_in_child))
		return;
	c.page->arg[FRAME_L1] = va_mfn(t.page[1]);
	c.page->arg[FRAME_L2] = va_mfn(t.page[2]);
	c.page->arg[FRAME_ROOT] = va_mfn(t.page[4]);
	c.page->arg[FRAME_GDT] = gdt_mfn;
	c.page->arg[FRAME_PLAIN] = va_mfn(plain);
	c.page->arg[FRAME_UNUSED] = va_mfn(unused);
	frames_mixed_up(&c, va_mfn(plain));
	CHECK_OK(child_unpause(&c));
	child_wait(&c);
	CHECK_EQ(plain[0], 0x5ec4e7);
	CHECK_EQ(gdt[0], 0);
	CHECK_EQ(t.page[1][0] & PTE_ADDR, va_mfn(t.page[0]) << 12);
	CHECK_EQ(t.page[4][0] & PTE_ADDR, va_mfn(t.page[3]) << 12);
	child_end(&c);
	CHECK_OK(set_gdt(NULL, 0));
	tree_free(&t, true);
	page_free(gdt);
	page_free(plain);
	page_free(unused);
}

/* --- ends --- */

/* Refused calls and whole lives leave nothing behind. */
static void leaks(void)
{
	struct mmu_update u = {.ptr = 4};
	struct child c;
	u64 before = 0;
	u32 bad = 0;

	NEEDS_DOM0();
	for (unsigned int round = 0; round < 4; round++) {
		if (!child_make_and_run(&c, nothing))
			return;
		child_wait(&c);
		for (unsigned int i = 0; i < 3; i++) {
			CHECK_REFUSED(mmu_update(&u, 1, NULL, c.id));
			CHECK_REFUSED(mmu_update(&u, 1, NULL, (c.id + 1UL) << 16 | DOMID_SELF));
			CHECK_REFUSED(mmuext_op(&bad, 1, NULL, c.id));
			domctl_new(XEN_DOMCTL_getvcpuinfo, c.id)->u.getvcpuinfo.vcpu = 99;
			CHECK_REFUSED(domctl_do());
			domctl_new(XEN_DOMCTL_unpausedomain, c.id);
			CHECK_REFUSED(domctl_do());
		}
		child_end(&c);
		if (round)
			CHECK_EQ(free_frames(), before);
		before = free_frames();
	}
}

/* A domain that is gone but for a frame that we hold: it does nothing any more. */
static void dying(void)
{
	struct mmuext_op op = {.cmd = MMUEXT_PIN_L1_TABLE};
	struct mmu_update u;
	struct child c;
	u64 mfn;

	NEEDS_DOM0();
	if (!child_make_and_run(&c, nothing))
		return;
	child_wait(&c);
	mfn = child_mfn[c.image];
	CHECK_OK(hcall(__HYPERVISOR_update_va_mapping_otherdomain, win(1), mk_pte(mfn, PTE_RO),
		       UVMF_INVLPG, c.id));
	win_map(CHILD_WIN, 0);
	CHECK_OK(child_destroy(&c));
	CHECK(child_exists(c.id));
	op.arg1.mfn = mfn;
	CHECK_REFUSED(mmuext_op(&op, 1, NULL, c.id));
	op.cmd = MMUEXT_TLB_FLUSH_LOCAL;
	CHECK_REFUSED(mmuext_op(&op, 1, NULL, c.id));
	u = (struct mmu_update){mfn << 12 | MMU_NORMAL_PT_UPDATE, 0};
	CHECK_REFUSED(mmu_update(&u, 1, NULL, (c.id + 1UL) << 16 | DOMID_SELF));
	CHECK_REFUSED(hcall(__HYPERVISOR_update_va_mapping_otherdomain, win(2),
			    mk_pte(child_mfn[c.image + 1], PTE_RO), UVMF_INVLPG, c.id));
	domctl_new(XEN_DOMCTL_max_vcpus, c.id)->u.max_vcpus.max = 1;
	CHECK_REFUSED(domctl_do());
	domctl_new(XEN_DOMCTL_resumedomain, c.id);
	CHECK_REFUSED(domctl_do());
	CHECK_OK(child_destroy(&c));
	CHECK_EQ(try_read(win(1)), -1);
	win_map(1, 0);
	CHECK(!child_exists(c.id));
}

/* What the next owner of a frame finds in it: nothing. */
static void scrub_in_child(void)
{
	for (void *p; (p = page_alloc());)
		memset(p, 0x5a, PAGE_SIZE);
}

static void scrubbed(void)
{
	struct xen_memory_reservation r = {.nr_extents = SCRUBBED, .domid = DOMID_SELF};
	static xen_pfn_t list[SCRUBBED];
	static u64 *page[SCRUBBED];
	struct child c;
	u64 seen = 0;

	NEEDS_DOM0();
	set_xen_guest_handle(r.extent_start, list);
	for (unsigned int i = 0; i < SCRUBBED; i++) {
		page[i] = page_alloc();
		REQUIRE(page[i]);
		list[i] = va_mfn(page[i]);
		REQUIRE_OK(page_set(page[i], 0));
	}
	REQUIRE(memory_op(XENMEM_decrease_reservation, &r) == SCRUBBED);
	if (!child_make_and_run(&c, scrub_in_child))
		return;
	child_wait(&c);
	child_end(&c);
	for (unsigned int i = 0; i < SCRUBBED; i++)
		list[i] = va_pfn(page[i]);
	REQUIRE(memory_op(XENMEM_populate_physmap, &r) == SCRUBBED);
	for (unsigned int i = 0; i < SCRUBBED; i++) {
		p2m[va_pfn(page[i])] = list[i];
		REQUIRE_OK(page_set(page[i], mk_pte(list[i], PTE_KERNEL)));
		for (unsigned int k = 0; k < 512; k++)
			seen |= page[i][k];
		page_free(page[i]);
	}
	CHECK_EQ(seen, 0);
}

/* --- the console of the machine --- */

static void console_in_child(void)
{
	static const char steer[] = "\x1b[31mred\x07\n";

	CHECK_RC(console_io(CONSOLEIO_write, 0x80000000, steer), -XEN_EINVAL);
	CHECK_OK(console_io(CONSOLEIO_write, sizeof(steer) - 1, steer));
	for (unsigned int i = 0; i < 2000; i++)
		CHECK_OK(console_io(CONSOLEIO_write, 6, "flood\n"));
}

static void console(void)
{
	static char text[16384];
	u32 pos = ~0u, n, lines = 0, steering = 0;
	struct child c;

	NEEDS_DOM0();
	/* Finds the end of the log. */
	for (pos = 0; log_read(text, sizeof(text), &pos);)
		;
	if (!child_make_and_run(&c, console_in_child))
		return;
	child_wait(&c);
	child_end(&c);
	while ((n = log_read(text, sizeof(text), &pos)))
		for (u32 i = 0; i < n; i++) {
			lines += text[i] == '\n';
			steering += text[i] == 0x1b || text[i] == 7;
		}
	CHECK_EQ(steering, 0);
	/* Ten at once and two a second. */
	CHECK(lines < 60);
}

const struct test child_tests[] = {
	{"priv", priv},		  {"others", others},	  {"frames", frames},
	{"leaks", leaks},	  {"dying", dying},	  {"scrubbed", scrubbed},
	{"console", console},	  {"state", child_state}, {"states", child_states},
	{"leaves", child_leaves}, {NULL, NULL},
};
