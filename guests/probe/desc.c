/* SPDX-License-Identifier: MIT */
/* Descriptor tables: what may stand in them, what pages they may be, and their use by the processor. */
#include "hypercall.h"
#include "topics.h"
#include "tables.h"

#define DATA3 0x00cff3000000ffffUL
#define CODE3 0x00affb000000ffffUL
#define DATA0 0x00cf93000000ffffUL
#define CODE0 0x00af9b000000ffffUL
#define P_BIT (1UL << 47)

static void load_ds(void *sel)
{
	asm volatile("mov %0, %%ds" : : "r"((u32)(u64)sel));
}

static void load_es(void *sel)
{
	asm volatile("mov %0, %%es" : : "r"((u32)(u64)sel));
}

static int try_ds(unsigned int sel)
{
	int v = catch_trap(load_ds, (void *)(u64)sel);

	load_ds(NULL);
	return v;
}

static int try_es(unsigned int sel)
{
	int v = catch_trap(load_es, (void *)(u64)sel);

	load_es(NULL);
	return v;
}

static long gdt_load(u64 *page, unsigned int n)
{
	unsigned long mfn = va_mfn(page);

	return set_gdt(&mfn, n);
}

static void ud_here(void)
{
	asm volatile("ud2");
}

static u64 iret_how;

static void iret_to_cs(void *cs)
{
	struct regs r;

	memset(&r, 0, sizeof(r));
	asm volatile("mov %%rsp, %0" : "=r"(r.rsp));
	r.rsp -= 1024;
	r.rip = (u64)ud_here;
	r.cs = (u64)cs;
	r.ss = FLAT_KERNEL_SS;
	r.rflags = 2;
	r.error = iret_how;
	iret_regs(&r);
}

static void own_gdt(void)
{
	u64 *g = page_alloc();

	REQUIRE(g);
	g[1] = DATA3;
	g[2] = CODE3;
	g[511] = DATA3;
	CHECK_REFUSED(gdt_load(g, 512));
	REQUIRE_OK(page_ro(g));
	CHECK_OK(gdt_load(g, 512));
	CHECK_EQ(try_ds(0xb), -1);
	CHECK_EQ(try_ds(511 * 8 + 3), -1);
	CHECK_EQ(try_ds(0x1b), 13);
	CHECK_EQ(this_cpu()->trap.error, 0x18);
	CHECK_EQ(catch_trap(iret_to_cs, (void *)0x10), 6);
	CHECK_EQ(this_cpu()->trap.cs & 0xffff, 0x10);
	/* SYSRET would load another. */
	iret_how = VGCF_in_syscall;
	CHECK_EQ(catch_trap(iret_to_cs, (void *)0x10), 6);
	CHECK_EQ(this_cpu()->trap.cs & 0xffff, 0x10);
	iret_how = 0;
	/* The hypervisor's own are still there. */
	CHECK_EQ(try_ds(FLAT_RING3_DS32), -1);
	CHECK_REFUSED(page_rw(g));
	CHECK_REFUSED(pin(1, va_mfn(g)));
	CHECK_OK(gdt_load(g, 2));
	CHECK_OK(set_gdt(NULL, 0));
	CHECK_EQ(try_ds(0xb), 13);
	page_free(g);
}

static void gdt_frames(void)
{
	unsigned long frames[16];
	u64 *g = page_alloc();

	REQUIRE(g);
	REQUIRE_OK(page_ro(g));
	for (unsigned int i = 0; i < 16; i++)
		frames[i] = va_mfn(g);
	CHECK_OK(set_gdt(frames, 14 * 512));
	CHECK_RC(set_gdt(frames, 14 * 512 + 1), -XEN_EINVAL);
	CHECK_RC(set_gdt(frames, 0xffffffff), -XEN_EINVAL);
	frames[13] = root_mfn();
	CHECK_REFUSED(set_gdt(frames, 14 * 512));
	frames[13] = 0xffffffffff;
	CHECK_REFUSED(set_gdt(frames, 14 * 512));
	frames[13] = start_copy.shared_info >> 12;
	CHECK_REFUSED(set_gdt(frames, 14 * 512));
	CHECK_OK(set_gdt(frames, 13 * 512));
	CHECK_OK(set_gdt(NULL, 0));
	page_free(g);
}

/* System descriptors and gates: type, present. */
static void forbidden(void)
{
	for (u64 type = 0; type < 16; type++) {
		u64 e = 0x00cf00000000ffffUL | type << 40 | 3UL << 45;
		u64 *g = page_alloc();
		long rc;

		REQUIRE(g);
		g[5] = e | P_BIT;
		REQUIRE_OK(page_ro(g));
		rc = gdt_load(g, 512);
		if (rc >= 0 && (g[5] & P_BIT))
			outcome_set(FAILURE, __FILE__, __LINE__, "system type %lx: %ld, 0x%lx",
				    type, rc, g[5]);
		CHECK_OK(set_gdt(NULL, 0));
		REQUIRE_OK(page_rw(g));
		g[511] = e | P_BIT;
		g[5] = 0;
		REQUIRE_OK(page_ro(g));
		rc = gdt_load(g, 512);
		if (rc >= 0 && (g[511] & P_BIT))
			outcome_set(FAILURE, __FILE__, __LINE__, "type %lx at the end: %ld", type,
				    rc);
		CHECK_OK(set_gdt(NULL, 0));
		REQUIRE_OK(page_rw(g));
		g[511] = 0;
		REQUIRE_OK(page_ro(g));
		REQUIRE_OK(gdt_load(g, 512));
		rc = update_descriptor(slot_ma(g, 6), e | P_BIT);
		if (rc >= 0 && (g[6] & P_BIT))
			outcome_set(FAILURE, __FILE__, __LINE__,
				    "system type %lx by update_descriptor: %ld, 0x%lx", type, rc,
				    g[6]);
		CHECK_OK(update_descriptor(slot_ma(g, 6), e));
		CHECK_OK(set_gdt(NULL, 0));
		page_free(g);
	}
}

/* Privileged segments are refused or made unprivileged. */
static void privileged(void)
{
	u64 *g = page_alloc();

	REQUIRE(g);
	REQUIRE_OK(page_ro(g));
	REQUIRE_OK(gdt_load(g, 512));
	for (u64 dpl = 0; dpl < 4; dpl++)
		for (u64 type = 0; type < 16; type++) {
			u64 base = type & 8 ? CODE0 : DATA0;
			u64 e = (base & ~(0xfUL << 40)) | type << 40 | dpl << 45;
			long rc = update_descriptor(slot_ma(g, 1), e);
			bool data3 = type < 8 || (type & 2);

			if (rc) {
				CHECK(dpl != 3);
				continue;
			}
			CHECK_EQ(g[1] >> 45 & 3, 3);
			CHECK_EQ(try_ds(0xb), data3 ? -1 : 13);
		}
	CHECK_OK(set_gdt(NULL, 0));
	page_free(g);
}

static void update_targets(void)
{
	u64 *g = page_alloc(), *plain = page_alloc();
	struct tree t;

	REQUIRE(g && plain && tree_make_pinned(&t));
	REQUIRE_OK(page_ro(g));
	REQUIRE_OK(gdt_load(g, 512));
	CHECK_OK(update_descriptor(slot_ma(g, 3), DATA3));
	CHECK_EQ(g[3] & ~(1UL << 40), DATA3 & ~(1UL << 40));
	CHECK_EQ(try_ds(0x1b), -1);
	CHECK_OK(update_descriptor(slot_ma(g, 3), 0));
	CHECK_EQ(try_ds(0x1b), 13);
	CHECK_REFUSED(update_descriptor(slot_ma(g, 3) + 4, DATA3));
	CHECK_EQ(g[3] | g[4], 0);
	CHECK_OK(update_descriptor(slot_ma(plain, 3), DATA3));
	CHECK_EQ(plain[3], DATA3);
	CHECK_REFUSED(update_descriptor(slot_ma(plain, 4), 0x0000890000000000UL));
	for (int l = 1; l <= 4; l++) {
		u64 old = t.page[l][0];

		CHECK_REFUSED(update_descriptor(slot_ma(t.page[l], 0), DATA3));
		CHECK_EQ(t.page[l][0], old);
	}
	CHECK_REFUSED(update_descriptor(0xffffffffff000, 0));
	CHECK_REFUSED(update_descriptor(0xfee00000, 0));
	CHECK_OK(set_gdt(NULL, 0));
	page_free(g);
	page_free(plain);
	tree_free(&t, true);
}

static void ldt(void)
{
	u64 *a = page_alloc(), *b = page_alloc();

	REQUIRE(a && b);
	a[0] = DATA3;
	a[1] = DATA3;
	b[0] = DATA3;
	REQUIRE_OK(win_map(10, mk_pte(va_mfn(a), PTE_RO)));
	REQUIRE_OK(win_map(11, mk_pte(va_mfn(b), PTE_RO)));
	REQUIRE_OK(page_ro(a));
	CHECK_OK(mmuext(MMUEXT_SET_LDT, (u64)win(10), 1024));
	CHECK_EQ(try_es(0xf), -1);
	CHECK_EQ(try_es(7), -1);
	CHECK_EQ(try_es(0x17), 13);
	CHECK_EQ(this_cpu()->trap.error, 0x14);
	/* The second page is still mapped writable elsewhere. */
	CHECK(try_es(512 * 8 + 7) >= 0);
	REQUIRE_OK(page_ro(b));
	CHECK_EQ(try_es(512 * 8 + 7), -1);
	CHECK(try_es(1024 * 8 + 7) >= 0);
	CHECK_REFUSED(page_rw(a));
	CHECK_OK(update_descriptor(slot_ma(a, 2), DATA3));
	CHECK_EQ(try_es(0x17), -1);
	CHECK_OK(mmuext(MMUEXT_SET_LDT, 0, 0));
	CHECK_EQ(try_es(0xf), 13);
	win_clear();
	page_free(a);
	page_free(b);
}

static void ldt_arguments(void)
{
	CHECK_REFUSED(mmuext(MMUEXT_SET_LDT, (u64)win(10) + 8, 4));
	CHECK_REFUSED(mmuext(MMUEXT_SET_LDT, (u64)win(10), 8193));
	CHECK_REFUSED(mmuext(MMUEXT_SET_LDT, 0xffff828000000000, 4));
	CHECK_REFUSED(mmuext(MMUEXT_SET_LDT, 0x800000000000, 4));
	/* Nothing is mapped there: loading faults, the hypervisor does not. */
	CHECK_OK(mmuext(MMUEXT_SET_LDT, (u64)win(20), 8192));
	CHECK(try_es(7) >= 0);
	CHECK(try_es(0xffff) >= 0);
	CHECK_OK(mmuext(MMUEXT_SET_LDT, 0, 0));
}

/* An LDT page with a forbidden entry is not taken in. */
static void ldt_forbidden(void)
{
	u64 *a = page_alloc();

	REQUIRE(a);
	a[0] = DATA3;
	a[1] = 0x0000ec0000080000UL | (u64)FLAT_KERNEL_CS << 16;
	REQUIRE_OK(page_ro(a));
	REQUIRE_OK(mmuext(MMUEXT_SET_LDT, (u64)a, 512));
	CHECK(try_es(7) >= 0);
	CHECK_EQ(a[1] & P_BIT, P_BIT);
	CHECK_OK(mmuext(MMUEXT_SET_LDT, 0, 0));
	page_free(a);
}

const struct test desc_tests[] = {
	{"gdt", own_gdt},
	{"gdt-frames", gdt_frames},
	{"forbidden", forbidden},
	{"privileged", privileged},
	{"update-targets", update_targets},
	{"ldt", ldt},
	{"ldt-arguments", ldt_arguments},
	{"ldt-forbidden", ldt_forbidden},
	{NULL, NULL},
};
