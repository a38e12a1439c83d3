/* SPDX-License-Identifier: MIT */
/* Rows of the bench: what a Linux guest and its drivers do most. */
#include "hypercall.h"
#include "bench.h"
#include "snippets.h"
#include "../../tests/bench/marks.h"

#define TABLE_WIN 100 /* the L1 table of the page, read-only */
#define GRANT_WIN 101
#define GRANT_REF 60
#define USER_OPS  100

static u64 *page;
static u64 pte_rw, slot_ma_;
static volatile u64 *slot;

/* --- entries of an L1 table --- */

static bool table_before(void)
{
	page = page_alloc();
	if (!page)
		return false;
	pte_rw = mk_pte(va_mfn(page), PTE_KERNEL | PTE_US);
	pte_get((u64)page, 1, &slot_ma_);
	if (win_map(TABLE_WIN, mk_pte(slot_ma_ >> 12, PTE_RO)))
		return false;
	slot = (u64 *)((char *)win(TABLE_WIN) + (slot_ma_ & 4095));
	return true;
}

static void op_mmu_update(void)
{
	struct mmu_update u = {.ptr = slot_ma_};

	mmu_update(&u, 1, NULL, DOMID_SELF);
	u.val = pte_rw;
	mmu_update(&u, 1, NULL, DOMID_SELF);
}

static void op_store_8(void)
{
	*slot = 0;
	*slot = pte_rw;
}

/* As Linux write-protects an entry. */
static void op_store_1(void)
{
	asm volatile("lock andb $0xfd, %0" : "+m"(*slot));
	*slot = pte_rw;
}

/* --- user mode --- */

static void user_loop(const char *code, const char *end)
{
	struct regs r;

	user_regs(&r);
	r.rbx = USER_OPS;
	r.rdi = USER_CODE + 16 * PAGE_SIZE;
	user_run(code, end, &r);
}

static void op_user_syscall(void)
{
	user_loop(u_syscalls, u_syscalls_end);
}

static void op_user_fault(void)
{
	user_loop(u_faults, u_faults_end);
}

static void set_syscall(const char *entry)
{
	struct callback_register r = {.type = CALLBACKTYPE_syscall,
				      .flags = CALLBACKF_mask_events,
				      .address = (unsigned long)entry};

	callback_op(CALLBACKOP_register, &r);
}

static bool syscall_before(void)
{
	set_syscall(bench_sysret);
	return user_init();
}

static void syscall_after(void)
{
	set_syscall(syscall_entry);
}

/* --- two processes --- */

static u64 kernel_roots[2], user_roots[2];
static unsigned int process;

static u64 copy_root(u64 mfn)
{
	const u64 *from = mfn_va(mfn);
	u64 *to = page_alloc();

	for (unsigned int i = 0; i < 512; i++)
		to[i] = i >= 256 && i < 272 ? 0 : from[i];
	return page_ro(to) || pin(4, va_mfn(to)) ? 0 : va_mfn(to);
}

static void op_switch(void)
{
	struct mmuext_op op[2] = {{.cmd = MMUEXT_NEW_BASEPTR}, {.cmd = MMUEXT_NEW_USER_BASEPTR}};

	process ^= 1;
	op[0].arg1.mfn = kernel_roots[process];
	op[1].arg1.mfn = user_roots[process];
	mmuext_op(op, 2, NULL, DOMID_SELF);
}

static bool switch_before(void)
{
	if (!user_init())
		return false;
	kernel_roots[0] = root_mfn();
	user_roots[0] = user_root_mfn;
	kernel_roots[1] = copy_root(kernel_roots[0]);
	user_roots[1] = copy_root(user_roots[0]);
	return kernel_roots[1] && user_roots[1];
}

static void switch_after(void)
{
	if (process)
		op_switch();
	unpin(kernel_roots[1]);
	unpin(user_roots[1]);
}

/* --- events --- */

static struct evtchn_send there;

bool bench_pair(u32 *port, u32 *peer)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};

	if (evtchn_op(EVTCHNOP_alloc_unbound, &a))
		return false;
	b.remote_port = a.port;
	if (evtchn_op(EVTCHNOP_bind_interdomain, &b))
		return false;
	*port = b.local_port;
	*peer = a.port;
	return true;
}

static u32 received; /* what a send to `there` makes pending */

static void op_event(void)
{
	evtchn_op(EVTCHNOP_send, &there);
}

static bool event_before(void)
{
	if (!bench_pair(&there.port, &received))
		return false;
	port_unmask(received);
	upcall_mask(false);
	return true;
}

static void event_after(void)
{
	upcall_mask(true);
	port_mask(received);
}

void bench_wait_port(u32 port)
{
	evtchn_port_t p = port;
	struct sched_poll poll = {.nr_ports = 1};

	set_xen_guest_handle(poll.ports, &p);
	while (!port_pending(port))
		sched_op(SCHEDOP_poll, &poll);
	port_clear(port);
}

/* --- grants --- */

static domid_t self;

static void op_grant_map(void)
{
	struct gnttab_map_grant_ref m = {.host_addr = (u64)win(GRANT_WIN),
					 .flags = GNTMAP_host_map,
					 .ref = GRANT_REF,
					 .dom = self};
	struct gnttab_unmap_grant_ref u = {.host_addr = (u64)win(GRANT_WIN)};

	grant_op(GNTTABOP_map_grant_ref, &m, 1);
	u.handle = m.handle;
	grant_op(GNTTABOP_unmap_grant_ref, &u, 1);
}

static struct gnttab_copy copy;

static void op_grant_copy(void)
{
	grant_op(GNTTABOP_copy, &copy, 1);
}

static bool grant_before(void)
{
	u64 *target = page_alloc();

	page = page_alloc();
	if (!target || !page || !grant_to_self(GRANT_REF, page))
		return false;
	self = own_domid();
	copy = (struct gnttab_copy){.len = 4096, .flags = GNTCOPY_source_gref};
	copy.source.u.ref = GRANT_REF;
	copy.source.domid = self;
	copy.dest.u.gmfn = va_mfn(target);
	copy.dest.domid = DOMID_SELF;
	return true;
}

const struct bench_row bench_linux_rows[] = {
	{.name = "mmu_update of one entry, unmap and map",
	 .op = op_mmu_update,
	 .before = table_before},
	{.name = "store to an L1 table, unmap and map", .op = op_store_8, .before = table_before},
	{.name = "store to an L1 table, 1 byte and 8", .op = op_store_1, .before = table_before},
	{.name = "system call of user mode and back",
	 .op = op_user_syscall,
	 .each = USER_OPS,
	 .before = syscall_before,
	 .after = syscall_after},
	{.name = "#PF of user mode and back",
	 .op = op_user_fault,
	 .each = USER_OPS,
	 .before = user_init,
	 .entry = bench_skip3,
	 .vector = 14},
	{.name = "new kernel and user base pointer",
	 .op = op_switch,
	 .before = switch_before,
	 .after = switch_after},
	{.name = "event to oneself, handled",
	 .op = op_event,
	 .before = event_before,
	 .after = event_after},
	{.name = "grant map and unmap", .op = op_grant_map, .before = grant_before},
	{.name = "grant copy of 4 KiB", .op = op_grant_copy, .before = grant_before},
	{.name = NULL},
};
