/* SPDX-License-Identifier: MIT */
/* Sizing of memory from 512 MiB to 12 TiB, with and without holes. */
#include "fake/fake.h"
#include <string.h>
#include "lib/bits.h"
#include "lib/errno.h"
#include "mm/plan.h"

#define M (1ULL << 20)
#define G (1ULL << 30)
#define T (1ULL << 40)

static struct mem_plan plan;
static unsigned long sections[MAX_SECTIONS / 64];

static int build(const struct mem_range *ram, unsigned int nr)
{
	return mem_plan_build(&plan, ram, nr, NULL, 0, sections, true);
}

static void check_sums(void)
{
	u64 ram = 0, free = 0;
	struct mem_range r;

	for (unsigned int i = 0; i < plan.nr_ram; i++) {
		assert_true(plan.ram[i].start < plan.ram[i].end);
		assert_int_equal(plan.ram[i].start % PAGE_SIZE, 0);
		assert_int_equal(plan.ram[i].end % PAGE_SIZE, 0);
		assert_true(plan.ram[i].end <= DIRECTMAP_MAX);
		if (i)
			assert_true(plan.ram[i - 1].end < plan.ram[i].start);
		assert_true(test_bit((unsigned int)(plan.ram[i].start >> 27), sections));
		assert_true(test_bit((unsigned int)((plan.ram[i].end - 1) >> 27), sections));
		ram += plan.ram[i].end - plan.ram[i].start;
	}
	assert_int_equal(ram, plan.ram_bytes);
	for (u64 from = 0; mem_plan_next_free(&plan, from, &r); from = r.end)
		free += r.end - r.start;
	assert_true(free <= ram);
	if (!plan.nr_reserved)
		assert_int_equal(free, ram);
}

/* The tables have an entry, backed by own memory, for every RAM frame that is looked at. */
static void check_backed(u64 pa)
{
	const unsigned int sizes[] = {sizeof(struct frame), M2P_ENTRY};

	for (int i = 0; i < 2; i++) {
		u64 first = (pa >> 12) * sizes[i], last = first + sizes[i] - 1;

		assert_true(last < mem_plan_table_span(&plan, sizes[i]));
		for (u64 o = first; o <= last; o += last - first) {
			u64 page = ROUND_DOWN(o, PAGE_SIZE), slot = ROUND_DOWN(o, LARGE_PAGE);
			enum plan_backing b = mem_plan_backing(&plan, sizes[i], slot, LARGE_PAGE);

			assert_true(b == PLAN_OWN || b == PLAN_MIXED);
			assert_int_equal(mem_plan_backing(&plan, sizes[i], page, PAGE_SIZE),
					 PLAN_OWN);
		}
	}
}

static void check_cost(void)
{
	check_sums();
	assert_true(mem_plan_overhead(&plan) * 100 <= plan.ram_bytes);
	/* Not less than the entries themselves, either. */
	assert_true(plan.frametable_bytes >= plan.ram_bytes / PAGE_SIZE * 24);
	assert_true(plan.m2p_bytes >= plan.ram_bytes / PAGE_SIZE * 8);
	for (unsigned int i = 0; i < plan.nr_ram; i++) {
		u64 n = (plan.ram[i].end - plan.ram[i].start) / PAGE_SIZE;

		check_backed(plan.ram[i].start);
		check_backed(plan.ram[i].end - PAGE_SIZE);
		for (int k = 0; k < 20; k++)
			check_backed(plan.ram[i].start + fake_random() % n * PAGE_SIZE);
	}
}

/* A PC: a hole at 640 KiB, one below 4 GiB, the rest above. */
static void test_pc_sizes(void **state)
{
	static const u64 sizes[] = {512 * M, 768 * M, G,     2 * G, 3 * G, 6 * G, 16 * G,
				    64 * G,  512 * G, 1 * T, 2 * T, 5 * T, 12 * T};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 low = min(sizes[i], 3 * G), high = sizes[i] - low;
		const struct mem_range ram[] = {
			{4 * G, 4 * G + high},
			{M, low - 128 * 1024},
			{0, 0x9fc00},
		};

		assert_int_equal(build(ram, 3), 0);
		assert_int_equal(plan.nr_ram, high ? 3 : 2);
		check_cost();
		if (sizes[i] == 12 * T) {
			assert_int_equal(plan.max_mfn, DIRECTMAP_MAX >> 12);
			assert_int_equal(plan.lost_bytes, 4 * G + high - DIRECTMAP_MAX);
		} else {
			assert_int_equal(plan.lost_bytes, 0);
		}
	}
}

static void test_no_huge_pages(void **state)
{
	const struct mem_range ram[] = {{0, 64 * G}};

	assert_int_equal(build(ram, 1), 0);
	u64 with = plan.pagetable_bytes;

	assert_int_equal(mem_plan_build(&plan, ram, 1, NULL, 0, sections, false), 0);
	assert_int_equal(plan.pagetable_bytes - with, 64 * PAGE_SIZE);
	check_cost();
}

/* Nodes far apart, each with the small holes of firmware. */
static void test_holes(void **state)
{
	struct mem_range ram[64];
	unsigned int n = 0;

	for (u64 node = 0; node < 8; node++) {
		u64 base = node * 640 * G;

		ram[n++] = (struct mem_range){base + M, base + 700 * M};
		ram[n++] = (struct mem_range){base + 700 * M + 4096, base + 2 * G};
		ram[n++] = (struct mem_range){base + 2 * G + 300 * 1024, base + 2 * G + 301 * 1024};
		ram[n++] = (struct mem_range){base + 7 * G + 4096, base + 30 * G + 8192};
	}
	assert_int_equal(build(ram, n), 0);
	assert_int_equal(plan.nr_ram, n - 8); /* 1 KiB is no page */
	check_cost();
	assert_int_equal(mem_plan_backing(&plan, 24, 100 * G / 4096 * 24, LARGE_PAGE), PLAN_NONE);
}

/* One MiB in each GiB: even then a section costs no more than the pages with entries of RAM. */
static void test_crumbs(void **state)
{
	struct mem_range ram[100];

	for (u64 i = 0; i < 100; i++)
		ram[i] = (struct mem_range){i * G + 5 * M, i * G + 6 * M};
	assert_int_equal(build(ram, 100), 0);
	check_sums();
	for (unsigned int i = 0; i < 100; i++)
		check_backed(ram[i].start);
	assert_true(plan.frametable_bytes <= 100 * 3 * PAGE_SIZE);
	assert_int_equal(mem_plan_backing(&plan, 24, 0, PAGE_SIZE), PLAN_SHARED);
	assert_int_equal(mem_plan_backing(&plan, 24, 0, LARGE_PAGE), PLAN_MIXED);
}

static void test_merging(void **state)
{
	const struct mem_range ram[] = {
		{10 * M, 12 * M},
		{11 * M, 13 * M},	     /* overlap */
		{13 * M, 14 * M},	     /* touch */
		{10 * M + 5, 10 * M + 9},    /* inside */
		{20 * M + 1, 20 * M + 8193}, /* one whole page */
		{30 * M, 30 * M},
		{31 * M, 30 * M}, /* nothing */
		{40 * M, 40 * M + 4000},
		{40 * M + 4000, 40 * M + 4096}, /* a page in two parts */
	};

	assert_int_equal(build(ram, ARRAY_SIZE(ram)), 0);
	check_sums();
	assert_int_equal(plan.nr_ram, 3);
	assert_int_equal(plan.ram[0].start, 10 * M);
	assert_int_equal(plan.ram[0].end, 14 * M);
	assert_int_equal(plan.ram[1].start, 20 * M + 4096);
	assert_int_equal(plan.ram[1].end, 20 * M + 8192);
	assert_int_equal(plan.ram[2].start, 40 * M);
	assert_int_equal(plan.max_mfn, (40 * M >> 12) + 1);
}

static void test_extremes(void **state)
{
	const struct mem_range none[] = {{5, 4000}};
	const struct mem_range end[] = {{~0ULL - 100, ~0ULL}, {0, M}, {16 * T - 4096, 16 * T}};
	const struct mem_range all[] = {{0, ~0ULL}};
	struct mem_range many[PLAN_MAX_RAM + 5];

	assert_int_equal(build(none, 1), -XEN_ENOMEM);
	assert_int_equal(build(NULL, 0), -XEN_ENOMEM);
	assert_int_equal(build(end, 3), 0);
	assert_int_equal(plan.ram_bytes, M);
	assert_int_equal(plan.lost_bytes, 4096);
	assert_int_equal(build(all, 1), 0);
	assert_int_equal(plan.ram_bytes, DIRECTMAP_MAX);
	assert_true(mem_plan_overhead(&plan) * 100 <= plan.ram_bytes);
	for (u64 i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct mem_range){i * 2 * M, i * 2 * M + M};
	assert_int_equal(build(many, ARRAY_SIZE(many)), 0);
	assert_int_equal(plan.nr_ram, PLAN_MAX_RAM);
	assert_int_equal(plan.lost_bytes, 5 * M);
}

static void test_reserved_and_free(void **state)
{
	const struct mem_range ram[] = {{M, 100 * M}, {4 * G, 5 * G}};
	const struct mem_range reserved[] = {
		{0, 2 * M},	   {50 * M + 10, 50 * M + 20},
		{90 * M, 200 * M}, {4 * G - M, 4 * G + M},
		{7 * G, 8 * G},
	};
	struct mem_range r;

	assert_int_equal(mem_plan_build(&plan, ram, 2, reserved, 5, sections, true), 0);
	assert_true(mem_plan_next_free(&plan, 0, &r));
	assert_true(r.start == 2 * M && r.end == 50 * M);
	assert_true(mem_plan_next_free(&plan, r.end, &r));
	assert_true(r.start == 50 * M + 4096 && r.end == 90 * M);
	assert_true(mem_plan_next_free(&plan, r.end, &r));
	assert_true(r.start == 4 * G + M && r.end == 5 * G);
	assert_false(mem_plan_next_free(&plan, r.end, &r));
	assert_true(mem_plan_next_free(&plan, 60 * M, &r));
	assert_true(r.start == 60 * M && r.end == 90 * M);
}

static void test_carve(void **state)
{
	const struct mem_range ram[] = {{M, 100 * M}, {4 * G, 5 * G + 4096}};
	u64 before, total = 0;
	unsigned int nr;

	assert_int_equal(build(ram, 2), 0);
	assert_int_equal(mem_plan_carve(&plan, 2 * M, 2 * M, 0), 5 * G - 2 * M);
	assert_int_equal(mem_plan_carve(&plan, 4096, 4096, 0), 5 * G - 2 * M - 4096);
	assert_int_equal(mem_plan_carve(&plan, 4096, 4096, 4 * G), 100 * M - 4096);
	assert_int_equal(mem_plan_carve(&plan, 2 * M, 2 * M, 50 * M), 48 * M);
	assert_int_equal(mem_plan_carve(&plan, 4096, 4096, M), 0);
	assert_int_equal(mem_plan_carve(&plan, 2 * G, 4096, 0), 0);
	assert_int_equal(mem_plan_carve(&plan, ~0ULL - 4095, 4096, 0), 0);
	/* All of it, page by page: the list of reserved ranges stays short. */
	before = plan.ram_bytes - (2 * M + 4096 + 4096 + 2 * M);
	for (u64 at; (at = mem_plan_carve(&plan, 64 * 4096, 4096, 0)); total += 64 * 4096)
		assert_true(mem_plan_has_ram(&plan, at, at + 64 * 4096));
	nr = plan.nr_reserved;
	assert_true(nr < 10);
	assert_true(total <= before && total > before - 4 * 64 * 4096);
}

static void test_carve_is_disjoint(void **state)
{
	const struct mem_range ram[] = {{0, 3 * M}, {5 * M, 9 * M}};
	static bool used[9 * M / 4096];

	assert_int_equal(build(ram, 2), 0);
	memset(used, 0, sizeof(used));
	for (;;) {
		u64 n = (fake_below(6) + 1) * 4096, at;

		at = mem_plan_carve(&plan, n, 4096u << fake_below(4), 0);
		if (!at)
			break;
		for (u64 p = at; p < at + n; p += 4096) {
			assert_true(p / 4096 < ARRAY_SIZE(used) && !used[p / 4096]);
			assert_true(mem_plan_has_ram(&plan, p, p + 1));
			used[p / 4096] = true;
		}
	}
}

static void test_too_many_reserved(void **state)
{
	const struct mem_range ram[] = {{0, 4 * G}};

	assert_int_equal(build(ram, 1), 0);
	for (u64 i = 0; i < PLAN_MAX_RESERVED; i++)
		assert_int_equal(mem_plan_reserve(&plan, i * 2 * M, i * 2 * M + 1), 0);
	assert_int_equal(mem_plan_reserve(&plan, 3 * G, 3 * G + 1), -XEN_E2BIG);
	assert_int_equal(mem_plan_reserve(&plan, 4096, 8192), 0); /* joins another */
	assert_int_equal(mem_plan_reserve(&plan, ~0ULL - 1, ~0ULL), -XEN_E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pc_sizes),
		cmocka_unit_test(test_no_huge_pages),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_crumbs),
		cmocka_unit_test(test_merging),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_reserved_and_free),
		cmocka_unit_test(test_carve),
		cmocka_unit_test(test_carve_is_disjoint),
		cmocka_unit_test(test_too_many_reserved),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
