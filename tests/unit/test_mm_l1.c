/* SPDX-License-Identifier: MIT */
/* Single entries of L1 tables: what is refused, and that what is refused leaves no count behind. */
#include "peer_fakes.h"
#include "cpu/features.h"
#include "pv/mm.h"

#define RW (PTE_P | PTE_RW | PTE_US)
#define RO (PTE_P | PTE_US)

struct cpu_features cpu_features = {.phys_bits = 40};
static struct domain *d0, *d1;
static struct frame *page, *other;

static int setup(void **state)
{
	static bool denied;

	peer_setup(state);
	d0 = peer_make(0, 1, true);
	d1 = peer_make(1, 1, false);
	page = peer_frame(d1);
	other = peer_frame(d1);
	if (!denied)
		pv_deny_io(0xfee00, 0xfee01);
	denied = true;
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(page->refs & FR_COUNT, 1);
	assert_int_equal(page->type & FT_COUNT, 0);
	assert_int_equal(other->refs & FR_COUNT, 1);
	assert_int_equal(other->type & FT_COUNT, 0);
	peer_kill(d1);
	peer_kill(d0);
	return peer_teardown(state);
}

static u64 to(const struct frame *f, u64 flags)
{
	return make_pte(frame_to_mfn(f), flags);
}

static int get(struct domain *d, u64 e)
{
	int rc = pv_l1e_get(d, d->id, &e);

	if (!rc)
		pv_l1e_put(d, e);
	return rc;
}

static void test_bits(void **state)
{
	for (unsigned int bit = 59; bit < 63; bit++) {
		u64 e = 0;

		assert_int_equal(get(d1, to(page, RW) | 1UL << bit), -XEN_EINVAL);
		assert_int_equal(pv_l1e_set(d1, 1, &e, to(page, RW), false), 0);
		assert_int_equal(pv_l1e_set(d1, 1, &e, to(page, RW) | 1UL << bit, false),
				 -XEN_EINVAL);
		assert_int_equal(pv_l1e_cmpxchg(d1, &e, e, e | 1UL << bit), -XEN_EINVAL);
		assert_int_equal(e, to(page, RW));
		assert_int_equal(pv_l1e_set(d1, 1, &e, 0, false), 0);
	}
}

/* Uncached memory is for drivers; also when an entry only changes that. */
static void test_cache(void **state)
{
	static const u64 bits[] = {PTE_PWT, PTE_PCD, PTE_PAT};

	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++) {
		u64 e = 0;

		assert_int_equal(get(d1, to(page, RW) | bits[i]), -XEN_EINVAL);
		assert_int_equal(pv_l1e_set(d1, 1, &e, to(page, RW), false), 0);
		assert_int_equal(pv_l1e_set(d1, 1, &e, to(page, RW) | bits[i], false), -XEN_EINVAL);
		assert_int_equal(pv_l1e_cmpxchg(d1, &e, e, e | bits[i]), -XEN_EINVAL);
		assert_int_equal(pv_l1e_set(d1, 1, &e, 0, false), 0);
	}
}

static void test_devices(void **state)
{
	u64 lapic = make_pte(0xfee00, RW), mem = make_pte(0xe0000, RW);

	assert_int_equal(get(d0, mem), 0);
	assert_int_equal(get(d1, mem), -XEN_EPERM);
	assert_int_equal(get(d0, lapic), -XEN_EPERM);
	assert_int_equal(get(d0, lapic + PAGE_SIZE), -XEN_EPERM);
	assert_int_equal(get(d0, lapic + 2 * PAGE_SIZE), 0);
	assert_int_equal(get(d0, lapic - PAGE_SIZE), 0);
	assert_int_equal(get(d0, make_pte(1UL << 28, RW)), -XEN_EINVAL);
	/* Device memory of a domain does not exist. */
	assert_int_equal(pv_l1e_get(d0, 1, &mem), -XEN_EPERM);
}

static void test_owners(void **state)
{
	assert_int_equal(get(d0, to(page, RO)), -XEN_EINVAL);
	assert_int_equal(get(d1, to(page, RO)), 0);
	page->type = FT_L1 | FT_VALIDATED | 1;
	assert_int_equal(get(d1, to(page, RO)), 0);
	assert_int_equal(get(d1, to(page, RW)), -XEN_EINVAL);
	page->type = FT_NONE;
}

/* The exchange that comes too late takes back what it had counted. */
static void test_lost_exchange(void **state)
{
	u64 e = 0, seen;

	assert_int_equal(pv_l1e_set(d1, 1, &e, to(page, RW), false), 0);
	seen = e;
	e |= PTE_A | PTE_D;
	assert_int_equal(pv_l1e_cmpxchg(d1, &e, seen, to(other, RW)), -XEN_EAGAIN);
	assert_int_equal(e, to(page, RW | PTE_A | PTE_D));
	assert_int_equal(other->refs & FR_COUNT, 1);
	assert_int_equal(pv_l1e_cmpxchg(d1, &e, seen, seen & ~PTE_RW), -XEN_EAGAIN);
	assert_int_equal(page->refs & FR_COUNT, 2);
	assert_int_equal(page->type & FT_COUNT, 1);
	assert_int_equal(pv_l1e_cmpxchg(d1, &e, e, e & ~PTE_RW), 0);
	assert_int_equal(page->type & FT_COUNT, 0);
	assert_int_equal(pv_l1e_cmpxchg(d1, &e, e, 0), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_bits),	T(test_cache),	       T(test_devices),
		T(test_owners), T(test_lost_exchange),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
