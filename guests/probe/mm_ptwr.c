/* SPDX-License-Identifier: MIT */
/* Stores of the kernel to L1 tables that it has mapped read-only: carried out with the same checks. */
#include "hypercall.h"
#include "topics.h"
#include "tables.h"

/* Set by the hypervisor on its own. */
#define IGNORED (PTE_US | 1UL << 52)

#define RW_INSN(name, insn, type)  FLAGS_INSN(name, insn, type, 0xc5)
#define BIT_INSN(name, insn, type) FLAGS_INSN(name, insn, type, 1)
#define FLAGS_INSN(name, insn, type, mask)                                        \
	static u64 name(u64 *p, u64 v)                                            \
	{                                                                         \
		u64 flags;                                                        \
                                                                                  \
		asm volatile(insn "; pushfq; popq %[f]"                           \
			     : [m] "+m"(*(type *)p), [v] "+r"(v), [f] "=r"(flags) \
			     :                                                    \
			     : "memory", "cc");                                   \
		return v ^ (flags & (mask)) << 32;                                \
	}

#define NO_FLAGS(name, insn, type)                                                   \
	static u64 name(u64 *p, u64 v)                                               \
	{                                                                            \
		asm volatile(insn : [m] "+m"(*(type *)p), [v] "+r"(v) : : "memory"); \
		return v;                                                            \
	}

NO_FLAGS(mov64, "movq %[v], %[m]", u64)
NO_FLAGS(mov32, "movl %k[v], %[m]", u32)
NO_FLAGS(mov16, "movw %w[v], %[m]", u16)
NO_FLAGS(mov8, "movb %b[v], %[m]", u8)
NO_FLAGS(xchg64, "xchgq %[v], %[m]", u64)
NO_FLAGS(xchg32, "xchgl %k[v], %[m]", u32)
NO_FLAGS(movi64, "movq $0, %[m]", u64)
NO_FLAGS(movi8, "movb $0x25, %[m]", u8)
RW_INSN(and64, "lock andq %[v], %[m]", u64)
RW_INSN(and32, "lock andl %k[v], %[m]", u32)
RW_INSN(and8, "lock andb %b[v], %[m]", u8)
RW_INSN(andi8, "lock andb $0xfd, %[m]", u8)
RW_INSN(andi64, "lock andq $-3, %[m]", u64)
RW_INSN(and64_nolock, "andq %[v], %[m]", u64)
RW_INSN(or64, "lock orq %[v], %[m]", u64)
RW_INSN(or8, "lock orb %b[v], %[m]", u8)
RW_INSN(ori16, "lock orw $0x200, %[m]", u16)
BIT_INSN(btr, "lock btrq $1, %[m]", u64)
BIT_INSN(btr32, "lock btrl $6, %[m]", u32)
BIT_INSN(bts, "lock btsq $9, %[m]", u64)
BIT_INSN(btr_reg, "lock btrq %[v], %[m]", u64)

static u64 cmpxchg_hit(u64 *p, u64 v)
{
	u64 old = *p;
	u8 z;

	asm volatile("lock cmpxchgq %[v], %[m]; sete %[z]"
		     : [m] "+m"(*p), "+a"(old), [z] "=q"(z)
		     : [v] "r"(v)
		     : "memory", "cc");
	return z;
}

static u64 cmpxchg_miss(u64 *p, u64 v)
{
	u64 old = ~0UL;
	u8 z;

	asm volatile("lock cmpxchgq %[v], %[m]; sete %[z]"
		     : [m] "+m"(*p), "+a"(old), [z] "=q"(z)
		     : [v] "r"(v)
		     : "memory", "cc");
	return old << 1 | z;
}

static u64 stosq(u64 *p, u64 v)
{
	asm volatile("stosq" : "+D"(p) : "a"(v) : "memory");
	return (u64)p & 0xfff;
}

/* value: `v` as given when it has no frame; with the data page's frame when PTE_P is set in it. */
static const struct {
	const char *name;
	u64 (*fn)(u64 *p, u64 v);
	u64 before, value;
	bool optional; /* Linux does not use it: a fault is an answer, too */
} insns[] = {
	{"mov r64", mov64, PTE_RO, PTE_KERNEL, false},
	{"mov r64, clear", mov64, PTE_RO, 0, false},
	{"mov r64, set", mov64, 0, PTE_RO, false},
	{"mov r64, not present", mov64, PTE_RO, 0xabc000, false},
	{"mov r32", mov32, PTE_RO, 0, true},
	{"mov r16", mov16, PTE_RO, PTE_RO | PTE_RW, true},
	{"mov r8", mov8, PTE_RO, PTE_P | PTE_RW, false},
	{"mov imm64", movi64, PTE_KERNEL, 0, false},
	{"mov imm8", movi8, PTE_KERNEL, 0, false},
	{"xchg r64", xchg64, PTE_KERNEL, 0, false},
	{"xchg r64, set", xchg64, 0, PTE_KERNEL, false},
	{"xchg r32", xchg32, PTE_KERNEL, 0, true},
	{"cmpxchg, equal", cmpxchg_hit, PTE_RO, PTE_KERNEL, false},
	{"cmpxchg, other", cmpxchg_miss, PTE_RO, PTE_KERNEL, false},
	{"lock and r64", and64, PTE_KERNEL, ~PTE_RW, false},
	{"lock and r32", and32, PTE_KERNEL, ~PTE_RW, false},
	{"lock and r8", and8, PTE_KERNEL, ~PTE_RW, false},
	{"lock and imm8", andi8, PTE_KERNEL, 0, false},
	{"lock and imm64", andi64, PTE_KERNEL, 0, false},
	{"and r64", and64_nolock, PTE_KERNEL, ~PTE_RW, true},
	{"lock or r64", or64, PTE_RO, PTE_RW, false},
	{"lock or r8", or8, PTE_RO, PTE_RW, false},
	{"lock or imm16", ori16, PTE_RO, 0, true},
	{"lock btr imm", btr, PTE_KERNEL, 0, false},
	{"lock btr imm, 32", btr32, PTE_KERNEL, 0, true},
	{"lock bts imm", bts, PTE_RO, 0, false},
	{"lock btr r64", btr_reg, PTE_KERNEL, 6, true},
	{"stos", stosq, PTE_RO, 0, true},
};

struct attempt {
	u64 (*fn)(u64 *p, u64 v);
	u64 *p, v, result;
};

static void attempt(void *arg)
{
	struct attempt *a = arg;

	a->result = a->fn(a->p, a->v);
}

static u64 with_frame(u64 v, u64 mfn)
{
	return v && v < PAGE_SIZE && (v & PTE_P) ? v | mfn << 12 : v;
}

/* Each instruction on the table must do what it does on ordinary memory. */
static void instructions(void)
{
	struct tree t;
	u64 mfn;

	REQUIRE(tree_make_pinned(&t));
	mfn = va_mfn(t.page[0]);
	for (unsigned int i = 0; i < ARRAY_SIZE(insns); i++) {
		u64 before = with_frame(insns[i].before, mfn), shadow;
		struct attempt a = {insns[i].fn, &t.page[1][6], with_frame(insns[i].value, mfn), 0};
		struct attempt b = a;
		int v;

		REQUIRE_OK(pt_write(slot_ma(t.page[1], 6), before));
		shadow = t.page[1][6];
		b.p = &shadow;
		attempt(&b);
		v = catch_trap(attempt, &a);
		if (v >= 0 && insns[i].optional) {
			if (verbose)
				printf("\n  note: %s is not carried out", insns[i].name);
			CHECK_EQ(v, 14);
			CHECK_EQ(t.page[1][6] & ~IGNORED, before & ~IGNORED);
			continue;
		}
		if (insns[i].fn == stosq || insns[i].fn == cmpxchg_miss)
			a.result = b.result;
		if (v >= 0 || (t.page[1][6] ^ shadow) & ~IGNORED ||
		    (a.result ^ b.result) & ~IGNORED)
			outcome_set(
				FAILURE, __FILE__, __LINE__,
				"%s: trap %d, entry 0x%lx (want 0x%lx), result 0x%lx (want 0x%lx)",
				insns[i].name, v, t.page[1][6], shadow, a.result, b.result);
	}
	tree_free(&t, true);
}

static void forbidden(void)
{
	struct tree t;
	u64 old;

	REQUIRE(tree_make_pinned(&t));
	REQUIRE_OK(pt_write(slot_ma(t.page[1], 6), mk_pte(va_mfn(t.page[2]), PTE_RO)));
	old = t.page[1][6];
	CHECK_EQ(try_write64(&t.page[1][6], old | PTE_RW), 14);
	CHECK_EQ(this_cpu()->trap.error, 3);
	CHECK_EQ(this_cpu()->cr2, &t.page[1][6]);
	CHECK_EQ(t.page[1][6], old);
	/* 0xa5: read-only, with PAT, which only who has devices may use. */
	CHECK_EQ(try_write(&t.page[1][6]), is_dom0() ? -1 : 14);
	CHECK_EQ(try_write64(&t.page[1][6], old), -1);
	for (int l = 1; l <= 4; l++)
		CHECK_EQ(try_write64(&t.page[1][7], mk_pte(va_mfn(t.page[l]), PTE_KERNEL)), 14);
	CHECK_EQ(try_write64(&t.page[1][7], mk_pte(root_mfn(), PTE_KERNEL)), 14);
	CHECK_EQ(try_write64(&t.page[1][7], 0xfee00000 | PTE_KERNEL), 14);
	CHECK_EQ(try_write64(&t.page[1][7], 0xffffffffff000 | PTE_RO), 14);
	CHECK_EQ(t.page[1][7], 0);
	tree_free(&t, true);
}

/* Only L1 tables, only whole entries. */
static void other_pages(void)
{
	struct tree t;

	REQUIRE(tree_make_pinned(&t));
	for (int l = 2; l <= 4; l++) {
		u64 old = t.page[l][0];

		CHECK_EQ(try_write64(&t.page[l][0], old), 14);
		CHECK_EQ(try_write64(&t.page[l][1], 0), 14);
		CHECK_EQ(t.page[l][0] & ~(PTE_A | PTE_D), old & ~(PTE_A | PTE_D));
	}
	REQUIRE_OK(page_ro(t.page[0]));
	CHECK_EQ(try_write64(t.page[0], 1), 14);
	CHECK_EQ(this_cpu()->trap.error, 3);
	CHECK_EQ(try_write64((char *)&t.page[1][20] + 4, ~0UL & ~1UL), 14);
	CHECK_EQ(t.page[1][20] | t.page[1][21], 0);
	CHECK_EQ(try_write64((char *)&t.page[1][511] + 4, 0), 14);
	tree_free(&t, true);
}

/* Through another mapping of the table, and in the table that maps itself read-only. */
static void other_mappings(void)
{
	struct tree t;
	u64 ma, e;

	REQUIRE(tree_make_pinned(&t));
	REQUIRE_OK(win_map(7, mk_pte(va_mfn(t.page[1]), PTE_RO)));
	CHECK_EQ(try_write64(win(7) + 8 * 30, mk_pte(va_mfn(t.page[0]), PTE_RO)), -1);
	CHECK_EQ(t.page[1][30] & PTE_ADDR, va_mfn(t.page[0]) << 12);
	win_clear();
	/* The window's own L1, seen through the window: each store changes the current tables. */
	pte_get((u64)win(0), 1, &ma);
	REQUIRE_OK(win_map(8, mk_pte(ma >> 12, PTE_RO)));
	e = mk_pte(va_mfn(t.page[0]), PTE_KERNEL);
	CHECK_EQ(try_write64(win(8) + (ma & 0xfff) + 9 * 8, e), -1);
	t.page[0][1] = 0x77;
	CHECK_EQ(((u64 *)win(9))[1], 0x77);
	CHECK_EQ(try_write64(win(8) + (ma & 0xfff) + 9 * 8, 0), -1);
	mmuext(MMUEXT_INVLPG_LOCAL, (u64)win(9), 0);
	CHECK_EQ(try_read(win(9)), 14);
	win_clear();
	tree_free(&t, true);
}

/* A store makes the new entry count: the page cannot become a table while it is mapped writable. */
static void counts(void)
{
	struct tree t;
	u64 *page = page_alloc();

	REQUIRE(page && tree_make_pinned(&t));
	REQUIRE_OK(page_ro(page));
	CHECK_EQ(try_write64(&t.page[1][40], mk_pte(va_mfn(page), PTE_KERNEL)), -1);
	CHECK_REFUSED(pin(1, va_mfn(page)));
	CHECK_EQ(try_write64(&t.page[1][40], mk_pte(va_mfn(page), PTE_RO)), -1);
	CHECK_OK(pin(1, va_mfn(page)));
	CHECK_EQ(try_write64(&t.page[1][40], mk_pte(va_mfn(page), PTE_KERNEL)), 14);
	CHECK_EQ(try_write64(&t.page[1][40], 0), -1);
	CHECK_OK(unpin(va_mfn(page)));
	page_free(page);
	tree_free(&t, true);
}

const struct test mm_ptwr_tests[] = {
	{"instructions", instructions},	    {"forbidden", forbidden}, {"other-pages", other_pages},
	{"other-mappings", other_mappings}, {"counts", counts},	      {NULL, NULL},
};
