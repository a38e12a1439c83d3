/* SPDX-License-Identifier: MIT */
/*
 * Long calls are cut: an interrupt that comes in the middle is taken there, and the call then goes on
 * as if nothing had been.
 */
#include "hypercall.h"
#include "topics.h"
#include "tables.h"
#include "events.h"

#define MANY	     3000
#define CALL_RESTART (-0x7000L) /* inside, these mean something to the hypervisor */
#define CALL_DONE    (-0x7001L)
#define TRIES	     2000 /* a busy emulator gives its time away between the calls */
#define SWEEP	     200

static struct mmu_update updates[MANY];
static volatile bool in_the_middle;
static const volatile u64 *first_word, *last_word;
static u64 first_before, last_before;

/* The call is in the middle when an upcall comes, its first part has been done and its last has not. */
static void look(struct cpu *c)
{
	struct vcpu_info *info = vcpu_info(c->id);

	info->evtchn_upcall_pending = 0;
	if (*last_word == last_before && *first_word != first_before)
		in_the_middle = true;
	for (unsigned int w = 0; w < 64; w++)
		ACCESS_ONCE(shared.evtchn_pending[w]) = 0;
	info->evtchn_pending_sel = 0;
}

static void close_port(u32 port)
{
	struct evtchn_close c = {.port = port};

	CHECK_OK(evtchn_op(EVTCHNOP_close, &c));
}

/* One call that is long enough; before() sets everything up anew. */
static void is_cut(void (*before)(void), long (*call)(void), const volatile u64 *first,
		   const volatile u64 *last)
{
	u32 port = timer_port();

	REQUIRE(port);
	first_word = first;
	last_word = last;
	in_the_middle = false;
	port_unmask(port);
	for (u64 i = 0; i < TRIES && !in_the_middle; i++) {
		before();
		first_before = *first;
		last_before = *last;
		other_dispatch = look;
		upcall_mask(false);
		set_timer_op(now_ns() + 3000 + i % SWEEP * 20000);
		CHECK_OK(call());
		upcall_mask(true);
		other_dispatch = NULL;
		CHECK(*last != last_before);
	}
	set_timer_op(0);
	port_mask(port);
	CHECK(in_the_middle);
}

/* --- mmu_update --- */
static struct tree t;
static unsigned int done;

static u64 entry(unsigned int i)
{
	return mk_pte(va_mfn(t.page[0]), PTE_RO | (i & 7) << 9);
}

static void make_updates(void)
{
	for (unsigned int i = 0; i < MANY; i++) {
		updates[i].ptr = slot_ma(t.page[1], 1 + i % 510);
		updates[i].val = entry(i);
	}
	updates[MANY - 1].ptr = slot_ma(t.page[1], 511);
	pt_write(slot_ma(t.page[1], 1), 0);
	pt_write(slot_ma(t.page[1], 511), 0);
	done = 77;
}

static long do_updates(void)
{
	return mmu_update(updates, MANY, &done, DOMID_SELF);
}

static void mmu_updates(void)
{
	REQUIRE(tree_make_pinned(&t));
	is_cut(make_updates, do_updates, &t.page[1][1], &t.page[1][511]);
	CHECK_EQ(done, MANY);
	/* The last request for each entry has won. */
	for (unsigned int i = MANY - 511; i < MANY - 1; i++)
		CHECK_EQ(t.page[1][1 + i % 510] & PTE_AVL, entry(i) & PTE_AVL);
	for (unsigned int i = 0; i < MANY; i += 511) {
		make_updates();
		updates[i].ptr |= 4;
		CHECK_REFUSED(do_updates());
		CHECK_EQ(done, i);
	}
	tree_free(&t, true);
}

/* --- mmuext_op --- */
static struct mmuext_op exts[600];
static u64 *begun, *marked;

static void make_exts(void)
{
	memset(exts, 0, sizeof(exts));
	for (unsigned int i = 0; i < ARRAY_SIZE(exts); i++)
		exts[i].cmd = MMUEXT_TLB_FLUSH_LOCAL;
	exts[0].cmd = MMUEXT_CLEAR_PAGE;
	exts[0].arg1.mfn = va_mfn(begun);
	*begun = 1;
	exts[599].cmd = MMUEXT_CLEAR_PAGE;
	exts[599].arg1.mfn = va_mfn(marked);
	*marked = 1;
	done = 77;
}

static long do_exts(void)
{
	return mmuext_op(exts, ARRAY_SIZE(exts), &done, DOMID_SELF);
}

static void mmuext_ops(void)
{
	begun = page_alloc();
	marked = page_alloc();
	REQUIRE(begun && marked);
	is_cut(make_exts, do_exts, begun, marked);
	CHECK_EQ(done, ARRAY_SIZE(exts));
	make_exts();
	exts[598].cmd = 99;
	CHECK_RC(do_exts(), -XEN_ENOSYS);
	CHECK_EQ(done, 598);
	page_free(begun);
	page_free(marked);
}

/* --- multicall --- */
static struct multicall_entry calls[400];

static void make_calls(void)
{
	memset(calls, 0, sizeof(calls));
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		calls[i].op = __HYPERVISOR_xen_version;
		calls[i].result = 77;
	}
}

static long do_calls(void)
{
	return multicall(calls, ARRAY_SIZE(calls));
}

static void multicalls(void)
{
	static struct evtchn_bind_ipi ipi[200];
	u64 last = 0;

	is_cut(make_calls, do_calls, (const volatile u64 *)&calls[0].result,
	       (const volatile u64 *)&calls[399].result);
	/* Each entry once: every port of these is the next one. */
	memset(calls, 0, sizeof(calls));
	memset(ipi, 0, sizeof(ipi));
	for (unsigned int i = 0; i < ARRAY_SIZE(ipi); i++) {
		calls[i].op = __HYPERVISOR_event_channel_op;
		calls[i].args[0] = EVTCHNOP_bind_ipi;
		calls[i].args[1] = (u64)&ipi[i];
	}
	CHECK_OK(multicall(calls, ARRAY_SIZE(ipi)));
	for (unsigned int i = 0; i < ARRAY_SIZE(ipi); i++) {
		CHECK_EQ(calls[i].result, 0);
		if (i && ipi[i].port != last + 1 && i > 40)
			outcome_set(FAILURE, __FILE__, __LINE__, "entry %u: port %u after %lu", i,
				    ipi[i].port, last);
		last = ipi[i].port;
		close_port(ipi[i].port);
	}
}

/* A long call inside, and calls that end elsewhere. */
static void multicall_inside(void)
{
	struct multicall_entry m[4];

	REQUIRE(tree_make_pinned(&t));
	make_updates();
	memset(m, 0, sizeof(m));
	m[0].op = __HYPERVISOR_mmu_update;
	m[0].args[0] = (u64)updates;
	m[0].args[1] = MANY;
	m[0].args[2] = (u64)&done;
	m[0].args[3] = DOMID_SELF;
	m[1].op = __HYPERVISOR_iret;
	m[2].op = __HYPERVISOR_xen_version;
	CHECK_OK(multicall(m, 3));
	CHECK_EQ(m[0].result, 0);
	CHECK_EQ(done, MANY);
	CHECK_EQ(m[1].result, -XEN_ENOSYS);
	CHECK_EQ(m[2].result, 0x40011);
	CHECK_EQ(t.page[1][511] & PTE_P, PTE_P);
	tree_free(&t, true);
}

/* --- grant_table_op --- */
static struct gnttab_copy copies[1000];

static void copy_list(void)
{
	u64 *from = page_alloc(), *to = page_alloc();

	REQUIRE(from && to);
	for (unsigned int i = 0; i < 500; i++)
		from[i] = i + 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(copies); i++) {
		copies[i] = (struct gnttab_copy){.len = 8, .status = 77};
		copies[i].source.domid = copies[i].dest.domid = DOMID_SELF;
		copies[i].source.u.gmfn = va_mfn(from);
		copies[i].dest.u.gmfn = va_mfn(to);
		copies[i].source.offset = copies[i].dest.offset = (u16)(i % 500 * 8);
	}
	CHECK_OK(grant_op(GNTTABOP_copy, copies, ARRAY_SIZE(copies)));
	for (unsigned int i = 0; i < ARRAY_SIZE(copies); i++)
		if (!CHECK_EQ(copies[i].status, 0) || !CHECK_EQ(to[i % 500], i % 500 + 1))
			break;
	page_free(from);
	page_free(to);
}

/* A guest's own value that looks like the hypervisor's mark. */
static void looks_like_restart(void)
{
	static const s64 marks[] = {CALL_RESTART, CALL_DONE, CALL_DONE - 1, CALL_RESTART + 1};

	for (unsigned int i = 0; i < ARRAY_SIZE(marks); i++) {
		struct multicall_entry m = {.op = __HYPERVISOR_get_debugreg};

		REQUIRE_OK(set_debugreg(0, marks[i]));
		CHECK_EQ(get_debugreg(0), marks[i]);
		CHECK_OK(multicall(&m, 1));
		CHECK_EQ(m.result, marks[i]);
	}
	set_debugreg(0, 0);
}

const struct test cut_tests[] = {
	{"mmu-update", mmu_updates},
	{"mmuext", mmuext_ops},
	{"multicall", multicalls},
	{"multicall-inside", multicall_inside},
	{"grant-copy", copy_list},
	{"own-values", looks_like_restart},
	{NULL, NULL},
};
