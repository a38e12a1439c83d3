/* SPDX-License-Identifier: MIT */
/* Single entries of L1 tables: what is refused, and that what is refused leaves no count behind. */
#include "peer_fakes.h"
#include "cpu/features.h"
#include "pv/l1tf.h"
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
	u64 frame = 0;
	int rc;

	/* Another frame is not the same one, be it the next. */
	assert_int_equal(pv_l1e_set(d1, 1, &frame, to(page, PTE_P), false), 0);
	rc = pv_l1e_set(d1, 1, &frame, to(page, PTE_P) ^ PAGE_SIZE, false);
	assert_true(rc || (page->refs & FR_COUNT) == 1);
	assert_int_equal(pv_l1e_set(d1, 1, &frame, 0, false), 0);
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

/* An entry that only gets or loses the right to write: the frame is looked at all the same. */
static void test_same_frame(void **state)
{
	u64 e = 0;

	assert_int_equal(pv_l1e_set(d1, 1, &e, to(page, RO), false), 0);
	page->type = FT_L1 | FT_VALIDATED | 1;
	assert_int_equal(pv_l1e_set(d1, 1, &e, to(page, RW), false), -XEN_EINVAL);
	assert_int_equal(pv_l1e_cmpxchg(d1, &e, e, to(page, RW)), -XEN_EINVAL);
	assert_int_equal(e, to(page, RO));
	assert_int_equal(page->type, FT_L1 | FT_VALIDATED | 1);
	page->type = FT_NONE;
	assert_int_equal(pv_l1e_set(d1, 1, &e, to(page, RW), false), 0);
	assert_int_equal(page->type, FT_WRITABLE | 1);
	assert_int_equal(page->refs & FR_COUNT, 2);
	assert_int_equal(pv_l1e_set(d1, 1, &e, to(page, RO), false), 0);
	assert_int_equal(page->type & FT_COUNT, 0);
	/* A granted frame, mapped for reading: no right to write comes of that. */
	assert_int_equal(pv_l1e_set(d0, 0, &e, to(page, RW), false), -XEN_EINVAL);
	assert_int_equal(pv_l1e_set(d1, 1, &e, 0, false), 0);
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

/* pv-l1tf=: an absent entry must not name memory, at all levels and in all ways to write one. */
u32 spec_test_sites;

static int hazard(void)
{
	struct vcpu *v = d1->vcpu[0];
	u32 h = v->hazard;

	v->hazard = 0;
	return h == VHAZ_L1TF ? -XEN_EINVAL : h ? (int)h : 0;
}

/* With as much budget as it takes, which it costs exactly when there is something to look at. */
static int check_table(const u64 *table, unsigned int level)
{
	bool looks = spec_test_sites && d1->pv.absent_hidden;
	int budget = L1TF_TABLE_COST - 1, rc;

	if (looks)
		assert_int_equal(l1tf_check_table(d1, table, level, &budget), PV_AGAIN);
	budget = L1TF_TABLE_COST;
	rc = l1tf_check_table(d1, table, level, &budget);
	assert_int_equal(budget, looks ? 0 : L1TF_TABLE_COST);
	return rc;
}

static void check_absent(u64 e, int want)
{
	u64 present = to(page, RW), entry = 0, table[512] = {[3] = e};

	assert_int_equal(pv_l1e_set(d1, 1, &entry, e, false), want);
	assert_int_equal(hazard(), want);
	assert_true(entry == (want ? 0 : e));
	entry = 0;
	assert_int_equal(pv_l1e_set(d1, 1, &entry, present, false), 0);
	assert_int_equal(pv_l1e_cmpxchg(d1, &entry, present, e), want);
	assert_int_equal(hazard(), want);
	assert_true(entry == (want ? present : e));
	assert_int_equal(pv_l1e_set(d1, 1, &entry, 0, false), 0);
	assert_int_equal(check_table(table, 1), want);
	assert_int_equal(hazard(), want);
}

static void test_absent(void **state)
{
	const u64 low = PTE_RW | PTE_US, top = ROUND_UP((u64)max_mfn << PAGE_SHIFT, L1TF_ROUND);
	u64 table[512] = {[HV_SLOT_FIRST] = 0x5000, [3] = to(page, RW)};

	/* dom0 at work on d1's tables: it is d1 that ends. */
	act(d0->vcpu[0]);
	d1->pv.absent_hidden = true;
	check_absent(to(page, low), 0); /* nobody is checked */
	spec_test_sites = 1u << SPEC_SITE_L1TF;
	check_absent(to(page, low), -XEN_EINVAL);
	act(d1->vcpu[0]);
	check_absent(to(page, 0), -XEN_EINVAL);
	check_absent(to(page, low) | PTE_NX | PTE_PSE, -XEN_EINVAL);
	check_absent(to(page, low) ^ PTE_MFN_MASK, 0);
	check_absent(top - PAGE_SIZE, -XEN_EINVAL);
	check_absent(top, 0);
	/* Bits that this processor's addresses do not have hide nothing. */
	check_absent(to(page, low) | 1UL << 40, -XEN_EINVAL);
	check_absent(1UL << 39 | to(page, low), 0);
	check_absent(low, 0);
	check_absent(0, 0);
	/* Of the upper levels frame 0 too, which may stand for a large page. */
	assert_int_equal(l1tf_check(d1, PTE_PSE, 2), -XEN_EINVAL);
	assert_int_equal(hazard(), -XEN_EINVAL);
	assert_int_equal(l1tf_check(d1, 0, 4), 0);
	/* Slots that are ours do not count, nor do entries that are present. */
	assert_int_equal(check_table(table, 4), 0);
	assert_int_equal(check_table(table, 3), -XEN_EINVAL);
	assert_int_equal(hazard(), -XEN_EINVAL);
	d1->pv.absent_hidden = false;
	check_absent(to(page, low), 0);
	spec_test_sites = 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_bits),	       T(test_cache),	   T(test_devices), T(test_owners),
		T(test_lost_exchange), T(test_same_frame), T(test_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
