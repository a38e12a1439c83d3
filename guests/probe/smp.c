/* SPDX-License-Identifier: MIT */
/* Several vcpus: coming and going, interrupts between them, flushes, races for the type of a frame. */
#include "hypercall.h"
#include "topics.h"

#define ROUNDS 100000

static long send(u32 port)
{
	struct evtchn_send s = {.port = port};

	return evtchn_op(EVTCHNOP_send, &s);
}

static void is_up(void)
{
	unsigned int n = nr_vcpus();

	CHECK(n >= 1);
	CHECK_EQ(vcpu_op(VCPUOP_is_up, 0, NULL), 1);
	CHECK_RC(vcpu_op(VCPUOP_is_up, n, NULL), -XEN_ENOENT);
	if (is_dom0())
		CHECK_RC(cpu_pin(n, ~0UL), -XEN_EINVAL);
	CHECK_RC(vcpu_op(VCPUOP_up, n, NULL), -XEN_ENOENT);
	CHECK_OK(vcpu_op(VCPUOP_up, 0, NULL));
	if (n > 1) {
		struct vcpu_set_singleshot_timer once = {.timeout_abs_ns = ~0UL >> 1};
		struct vcpu_set_periodic_timer often = {.period_ns = 1000000000};

		CHECK_RC(vcpu_op(VCPUOP_set_singleshot_timer, 1, &once), -XEN_EINVAL);
		CHECK_RC(vcpu_op(VCPUOP_stop_singleshot_timer, 1, NULL), -XEN_EINVAL);
		CHECK_RC(vcpu_op(VCPUOP_set_periodic_timer, 1, &often), -XEN_EINVAL);
	}
	if (n > 1 && !cpu_nr(1)->up) {
		CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
		CHECK_RC(vcpu_op(VCPUOP_up, 1, NULL), -XEN_EINVAL);
	}
}

/* Contexts that must be refused; vcpu n-1 has not been initialised yet. */
static void bad_contexts(void)
{
	static struct vcpu_guest_context x;
	unsigned int id = nr_vcpus() - 1;
	u64 *page = page_alloc();

	if (!id || cpu_nr(id < MAX_CPUS ? id : 1)->up)
		SKIP_TEST("no vcpu that is down");
	REQUIRE(page);
	x.flags = VGCF_in_kernel;
	x.user_regs.cs = FLAT_KERNEL_CS;
	x.user_regs.ss = FLAT_KERNEL_SS;
	x.ctrlreg[3] = xen_pfn_to_cr3(va_mfn(page));
	CHECK_REFUSED(vcpu_op(VCPUOP_initialise, id, &x));
	x.ctrlreg[3] = xen_pfn_to_cr3(0xffffffffffUL);
	CHECK_REFUSED(vcpu_op(VCPUOP_initialise, id, &x));
	x.ctrlreg[3] = 0;
	CHECK_REFUSED(vcpu_op(VCPUOP_initialise, id, &x));
	x.ctrlreg[3] = xen_pfn_to_cr3(root_mfn());
	x.gdt_ents = 512;
	x.gdt_frames[0] = root_mfn();
	CHECK_REFUSED(vcpu_op(VCPUOP_initialise, id, &x));
	x.gdt_frames[0] = va_mfn(page);
	CHECK_REFUSED(vcpu_op(VCPUOP_initialise, id, &x));
	x.gdt_ents = 0xffffffff;
	CHECK_REFUSED(vcpu_op(VCPUOP_initialise, id, &x));
	x.gdt_ents = 0;
	x.event_callback_eip = 0x800000000000;
	CHECK_REFUSED(vcpu_op(VCPUOP_initialise, id, &x));
	x.event_callback_eip = 0;
	x.fs_base = 0x800000000000;
	CHECK_REFUSED(vcpu_op(VCPUOP_initialise, id, &x));
	x.fs_base = 0;
	x.gs_base_kernel = 0x800000000000;
	CHECK_REFUSED(vcpu_op(VCPUOP_initialise, id, &x));
	CHECK_RC(vcpu_op(VCPUOP_initialise, 0, &x), -XEN_EEXIST);
	CHECK_EQ(vcpu_op(VCPUOP_is_up, id, NULL), 0);
	/* Nothing of the failed attempts holds the page. */
	REQUIRE_OK(page_ro(page));
	CHECK_OK(pin(1, va_mfn(page)));
	CHECK_OK(unpin(va_mfn(page)));
	page_free(page);
}

static volatile u64 ran;

static void note(void *arg)
{
	ran = (u64)arg + this_cpu()->id;
}

static void up_and_down(void)
{
	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	for (unsigned int i = 0; i < 5; i++) {
		REQUIRE_OK(cpu_up(1));
		CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 1);
		ran = 0;
		cpu_run(1, note, (void *)(u64)(i * 16));
		REQUIRE(cpu_wait(1));
		CHECK_EQ(ran, i * 16 + 1);
		cpu_down(1);
		CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
		REQUIRE_OK(vcpu_op(VCPUOP_up, 1, NULL));
		for (u64 end = now_ns() + 2000000000; !cpu_nr(1)->up && now_ns() < end;)
			sched_op(SCHEDOP_yield, NULL);
		REQUIRE(cpu_nr(1)->up);
	}
}

static volatile bool stop;

static void open_until_stop(void *arg)
{
	upcall_mask(false);
	while (!stop)
		sched_op(SCHEDOP_yield, NULL);
	upcall_mask(true);
}

static void block_until_stop(void *arg)
{
	while (!stop) {
		sched_op(SCHEDOP_block, NULL);
		upcall_mask(true);
	}
}

static void ipi_with(void (*fn)(void *))
{
	struct evtchn_bind_ipi i = {.vcpu = 1};

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	REQUIRE_OK(cpu_up(1));
	REQUIRE_OK(evtchn_op(EVTCHNOP_bind_ipi, &i));
	port_count[i.port] = 0;
	port_unmask(i.port);
	stop = false;
	cpu_run(1, fn, NULL);
	for (u64 n = 1; n <= 200; n++) {
		u64 end = now_ns() + 5000000000;

		CHECK_OK(send(i.port));
		while (port_count[i.port] < n && now_ns() < end)
			sched_op(SCHEDOP_yield, NULL);
		if (!CHECK_EQ(port_count[i.port], n))
			break;
		CHECK_EQ(port_cpu[i.port], 1);
	}
	stop = true;
	send(i.port);
	REQUIRE(cpu_wait(1));
	port_mask(i.port);
	struct evtchn_close c = {.port = i.port};
	CHECK_OK(evtchn_op(EVTCHNOP_close, &c));
}

static void ipi_running(void)
{
	ipi_with(open_until_stop);
}

static void ipi_blocked(void)
{
	ipi_with(block_until_stop);
}

/* A port that is moved to another vcpu is delivered there. */
static void bind_vcpu(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};
	struct evtchn_bind_vcpu v = {.vcpu = 1};
	struct evtchn_close c;
	u64 end;

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	REQUIRE_OK(cpu_up(1));
	REQUIRE_OK(evtchn_op(EVTCHNOP_alloc_unbound, &a));
	b.remote_port = a.port;
	REQUIRE_OK(evtchn_op(EVTCHNOP_bind_interdomain, &b));
	/* A new connection begins pending. */
	port_mask(b.local_port);
	port_clear(b.local_port);
	v.port = b.local_port;
	CHECK_OK(evtchn_op(EVTCHNOP_bind_vcpu, &v));
	v.vcpu = 9999;
	CHECK_RC(evtchn_op(EVTCHNOP_bind_vcpu, &v), -XEN_ENOENT);
	port_count[b.local_port] = 0;
	port_unmask(b.local_port);
	stop = false;
	cpu_run(1, open_until_stop, NULL);
	CHECK_OK(send(a.port));
	end = now_ns() + 5000000000;
	while (!port_count[b.local_port] && now_ns() < end)
		sched_op(SCHEDOP_yield, NULL);
	CHECK_EQ(port_count[b.local_port], 1);
	CHECK_EQ(port_cpu[b.local_port], 1);
	stop = true;
	REQUIRE(cpu_wait(1));
	c.port = a.port;
	evtchn_op(EVTCHNOP_close, &c);
	c.port = b.local_port;
	evtchn_op(EVTCHNOP_close, &c);
}

/* --- flushes --- */
static volatile u64 *watched;
static volatile u64 last_seen;
static volatile int watcher_trap;

static void watch(void *arg)
{
	for (;;)
		last_seen = *watched;
}

static void watcher(void *arg)
{
	watcher_trap = catch_trap(watch, NULL);
}

static long unmap_all(void)
{
	return update_va_mapping(win(90), 0, UVMF_INVLPG | UVMF_ALL);
}

static long unmap_mask(void)
{
	static u64 mask = ~0UL;

	return update_va_mapping(win(90), 0, UVMF_INVLPG | (u64)&mask);
}

static long unmap_flush(void)
{
	return update_va_mapping(win(90), 0, UVMF_TLB_FLUSH | UVMF_ALL);
}

static long unmap_ext(void)
{
	static u64 mask[1024] = {~0UL};
	long rc = update_va_mapping(win(90), 0, UVMF_NONE);

	return rc ? rc : mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, (u64)mask);
}

static long unmap_invlpg(void)
{
	static u64 mask[1024] = {~0UL};
	long rc = update_va_mapping(win(90), 0, UVMF_NONE);

	return rc ? rc : mmuext(MMUEXT_INVLPG_MULTI, (u64)win(90), (u64)mask);
}

static long unmap_flush_all(void)
{
	long rc = update_va_mapping(win(90), 0, UVMF_NONE);

	return rc ? rc : mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0);
}

/* After the call returns, no other vcpu may see what is written to the page. */
static void flushes(void)
{
	static long (*const ways[])(void) = {unmap_all, unmap_mask,   unmap_flush,
					     unmap_ext, unmap_invlpg, unmap_flush_all};
	u64 *page = page_alloc();

	REQUIRE(page);
	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	REQUIRE_OK(cpu_up(1));
	watched = win(90);
	for (unsigned int i = 0; i < ARRAY_SIZE(ways) * 5; i++) {
		u64 end = now_ns() + 5000000000;

		page[0] = 1;
		last_seen = 0;
		watcher_trap = -2;
		REQUIRE_OK(win_map(90, mk_pte(va_mfn(page), PTE_RO)));
		cpu_run(1, watcher, NULL);
		while (last_seen != 1 && now_ns() < end)
			sched_op(SCHEDOP_yield, NULL);
		CHECK_EQ(last_seen, 1);
		CHECK_OK(ways[i % ARRAY_SIZE(ways)]());
		page[0] = 2;
		if (!cpu_wait(1)) {
			outcome_set(FAILURE, __FILE__, __LINE__, "way %u: never faulted",
				    i % (u32)ARRAY_SIZE(ways));
			return;
		}
		CHECK_EQ(watcher_trap, 14);
		CHECK_EQ(last_seen, 1);
	}
	page_free(page);
}

/* --- races --- */
static u64 *victim;
static volatile u64 races_lost, mapped_rw;
static u64 evil;

/* Maps the page writable, and while it is: puts an entry into it that must never be a valid one. */
static void writer(void *arg)
{
	u64 rw = mk_pte(va_mfn(victim), PTE_KERNEL), va = (u64)win(201);
	volatile u64 *p = win(201);

	while (!stop) {
		if (update_va_mapping(va, rw, UVMF_INVLPG))
			continue;
		mapped_rw++;
		p[7] = evil;
		p[7] = 0;
		update_va_mapping(va, 0, UVMF_INVLPG | UVMF_ALL);
	}
}

/* As long as it is pinned nothing may be in it that was not checked. */
static void race_pin(void)
{
	unsigned int pinned = 0;

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	victim = page_alloc();
	REQUIRE(victim);
	REQUIRE_OK(cpu_up(1));
	REQUIRE_OK(page_ro(victim));
	evil = mk_pte(root_mfn(), PTE_KERNEL);
	stop = false;
	mapped_rw = 0;
	cpu_run(1, writer, NULL);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (pin(1, va_mfn(victim)))
			continue;
		pinned++;
		for (unsigned int k = 0; k < 20; k++)
			if (ACCESS_ONCE(victim[7]) & PTE_RW)
				races_lost++;
		unpin(va_mfn(victim));
	}
	stop = true;
	REQUIRE(cpu_wait(1));
	CHECK_EQ(races_lost, 0);
	if (verbose)
		printf("\n  note: pinned %u times, mapped writable %lu times", pinned, mapped_rw);
	update_va_mapping(win(201), 0, UVMF_INVLPG);
	page_free(victim);
}

static void pinner(void *arg)
{
	while (!stop) {
		pin(1, va_mfn(victim));
		unpin(va_mfn(victim));
	}
}

/* The same frame as tables of two levels. */
static void race_levels(void)
{
	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	victim = page_alloc();
	REQUIRE(victim);
	REQUIRE_OK(cpu_up(1));
	REQUIRE_OK(page_ro(victim));
	stop = false;
	cpu_run(1, pinner, NULL);
	for (unsigned int i = 0; i < ROUNDS / 5; i++) {
		pin(2 + (int)(i % 3), va_mfn(victim));
		unpin(va_mfn(victim));
	}
	stop = true;
	REQUIRE(cpu_wait(1));
	unpin(va_mfn(victim));
	page_free(victim);
}

static volatile u64 *slot;

/* The double fetch: the word changes while the hypervisor reads it. */
static void flipper(void *arg)
{
	u64 good = mk_pte(va_mfn(victim), PTE_RO), bad = mk_pte(root_mfn(), PTE_KERNEL);

	while (!stop) {
		*slot = good;
		*slot = bad;
	}
}

static void race_fetch(void)
{
	static struct mmu_update u;
	u64 ma;

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	victim = page_alloc();
	REQUIRE(victim);
	REQUIRE_OK(cpu_up(1));
	REQUIRE_OK(win_map(202, mk_pte(va_mfn(victim), PTE_RO)));
	pte_get((u64)win(202), 1, &ma);
	u.ptr = ma;
	slot = &u.val;
	stop = false;
	cpu_run(1, flipper, NULL);
	for (unsigned int i = 0; i < ROUNDS / 5; i++) {
		mmu_update(&u, 1, NULL, DOMID_SELF);
		if ((pte_get((u64)win(202), 1, NULL) & PTE_ADDR) >> 12 == root_mfn()) {
			outcome_set(FAILURE, __FILE__, __LINE__, "the root is mapped writable");
			break;
		}
	}
	stop = true;
	REQUIRE(cpu_wait(1));
	win_clear();
	page_free(victim);
}

/* Entries of one table from two sides; then every count must be right. */
static u64 *shared_l1;

static void entry_writer(void *arg)
{
	u64 seed = (u64)arg;

	for (unsigned int i = 0; i < ROUNDS / 4; i++) {
		seed = seed * 6364136223846793005UL + 1442695040888963407UL;
		pt_write(slot_ma(shared_l1, seed >> 60),
			 seed & 1UL << 50
				 ? mk_pte(va_mfn(victim), seed & 1UL << 51 ? PTE_RO : PTE_KERNEL)
				 : 0);
	}
}

static void race_entries(void)
{
	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	victim = page_alloc();
	shared_l1 = page_alloc();
	REQUIRE(victim && shared_l1);
	REQUIRE_OK(cpu_up(1));
	REQUIRE_OK(page_ro(shared_l1));
	REQUIRE_OK(pin(1, va_mfn(shared_l1)));
	cpu_run(1, entry_writer, (void *)1);
	entry_writer((void *)2);
	REQUIRE(cpu_wait(1));
	CHECK_OK(unpin(va_mfn(shared_l1)));
	page_free(shared_l1);
	REQUIRE_OK(page_ro(victim));
	CHECK_OK(pin(1, va_mfn(victim)));
	CHECK_OK(unpin(va_mfn(victim)));
	page_free(victim);
}

static void ptwr_writer(void *arg)
{
	u64 seed = (u64)arg, mfn = va_mfn(victim);

	for (unsigned int i = 0; i < ROUNDS / 8; i++) {
		volatile u64 *p;

		seed = seed * 6364136223846793005UL + 1442695040888963407UL;
		p = &shared_l1[seed >> 60];
		*p = seed & 1UL << 50 ? mk_pte(mfn, seed & 1UL << 51 ? PTE_RO : PTE_KERNEL) : 0;
	}
}

static void ptwr_writer_cpu1(void *arg)
{
	watcher_trap = catch_trap(ptwr_writer, arg);
}

static void race_ptwr(void)
{
	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	victim = page_alloc();
	shared_l1 = page_alloc();
	REQUIRE(victim && shared_l1);
	REQUIRE_OK(cpu_up(1));
	REQUIRE_OK(page_ro(shared_l1));
	REQUIRE_OK(pin(1, va_mfn(shared_l1)));
	cpu_run(1, ptwr_writer_cpu1, (void *)3);
	CHECK_EQ(catch_trap(ptwr_writer, (void *)4), -1);
	REQUIRE(cpu_wait(1));
	CHECK_EQ(watcher_trap, -1);
	CHECK_OK(unpin(va_mfn(shared_l1)));
	page_free(shared_l1);
	REQUIRE_OK(page_ro(victim));
	CHECK_OK(pin(1, va_mfn(victim)));
	CHECK_OK(unpin(va_mfn(victim)));
	page_free(victim);
}

static volatile u64 other_now;

static void tell_time(void *arg)
{
	while (!stop)
		other_now = now_ns();
}

/* One time line for all vcpus. */
static void same_time(void)
{
	u64 worst = 0;

	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	REQUIRE_OK(cpu_up(1));
	stop = false;
	other_now = 0;
	cpu_run(1, tell_time, NULL);
	for (unsigned int i = 0; i < 100000; i++) {
		u64 other = other_now, mine = now_ns();

		if (other > mine && other - mine > worst)
			worst = other - mine;
	}
	stop = true;
	REQUIRE(cpu_wait(1));
	CHECK_EQ(worst, 0);
}

/* A vcpu that stays down for ever: its vcpu_info is moved into our memory. */
static void register_info(void)
{
	struct vcpu_register_vcpu_info r = {0};
	unsigned int id = nr_vcpus() - 1;
	struct vcpu_info *info;
	char *page = page_alloc();

	REQUIRE(page);
	if (id < 2)
		SKIP_TEST("needs three vcpus");
	r.mfn = va_mfn(page);
	r.offset = 4096 - 32;
	CHECK_REFUSED(vcpu_op(VCPUOP_register_vcpu_info, id, &r));
	r.offset = 4;
	CHECK_REFUSED(vcpu_op(VCPUOP_register_vcpu_info, id, &r));
	r.offset = 0xfffffff8;
	CHECK_REFUSED(vcpu_op(VCPUOP_register_vcpu_info, id, &r));
	r.offset = 128;
	r.mfn = root_mfn();
	CHECK_REFUSED(vcpu_op(VCPUOP_register_vcpu_info, id, &r));
	r.mfn = 0xffffffffff;
	CHECK_REFUSED(vcpu_op(VCPUOP_register_vcpu_info, id, &r));
	r.mfn = va_mfn(page);
	CHECK_OK(vcpu_op(VCPUOP_register_vcpu_info, id, &r));
	info = (struct vcpu_info *)(page + 128);
	CHECK_EQ(info->evtchn_upcall_mask, 1);
	CHECK_EQ(info->evtchn_upcall_pending, 1);
	CHECK_EQ(info->evtchn_pending_sel, ~0UL);
	CHECK_RC(vcpu_op(VCPUOP_register_vcpu_info, id, &r), -XEN_EINVAL);
	/* The page is the hypervisor's to write for ever. */
	REQUIRE_OK(page_ro(page));
	CHECK_REFUSED(pin(1, va_mfn(page)));
	REQUIRE_OK(page_rw(page));
}

const struct test smp_tests[] = {
	{"is-up", is_up},
	{"bad-contexts", bad_contexts},
	{"up-and-down", up_and_down},
	{"ipi-running", ipi_running},
	{"ipi-blocked", ipi_blocked},
	{"bind-vcpu", bind_vcpu},
	{"flushes", flushes},
	{"race-pin", race_pin},
	{"race-levels", race_levels},
	{"race-fetch", race_fetch},
	{"race-entries", race_entries},
	{"race-ptwr", race_ptwr},
	{"same-time", same_time},
	{"register-info", register_info},

	{NULL, NULL},
};
