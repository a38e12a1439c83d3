/* SPDX-License-Identifier: MIT */
/*
 * The fuzzer's run: fuzz=SEED,COUNT[,FROM] on the command line. A line with the number of the input and a
 * sum over all results comes every STEP inputs; the same seed gives the same sums on the same machine
 * (one CPU, counted instructions). With FROM every input from that one on is printed before it is tried.
 * What a call may have taken away is given back after each one, and everything is made anew every STEP.
 */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "fuzz.h"
#include "topics.h"
#include <xen/domctl.h>
#include <xen/sysctl.h>

#define STEP	   2048
#define MAX_ID	   8 /* domains that fuzzed domctls may have made */
#define NR_REFS	   40
#define KILL_TRIES 1000

struct playground pg;
bool fuzz_trace;
u64 fuzz_touched;
static u64 rnd_state;
static grant_entry_v1_t *grants;

/* --- numbers --- */

static u64 mix(u64 x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

u64 rnd(void)
{
	rnd_state += 0x9e3779b97f4a7c15;
	return mix(rnd_state);
}

static u64 number(const char **s)
{
	u64 n = 0;

	while (**s >= '0' && **s <= '9')
		n = n * 10 + (u64)(*(*s)++ - '0');
	if (**s == ',')
		(*s)++;
	return n;
}

/* --- the playground --- */

/* A page, its frame and its mapping as at first; a call may have given the frame away. */
static bool page_back(void *page)
{
	struct xen_memory_reservation m = {.nr_extents = 1, .domid = DOMID_SELF};
	xen_pfn_t pfn = va_pfn(page);

	if (!page_rw(page))
		return true;
	set_xen_guest_handle(m.extent_start, &pfn);
	if (memory_op(XENMEM_populate_physmap, &m) != 1)
		return false;
	p2m[va_pfn(page)] = pfn;
	return !page_rw(page);
}

static bool renew(u64 **page)
{
	if (!*page || !page_back(*page)) {
		/* In use for good, by a grant perhaps: it stays lost. */
		*page = page_alloc();
		if (!*page) {
			printf("probe: fuzz: no pages left\n");
			return false;
		}
	}
	memset(*page, 0, PAGE_SIZE);
	return true;
}

static void unpin_all(void)
{
	for (unsigned int i = 0; i < NR_TREES * 5; i++)
		if (pg.table[i / 5][i % 5])
			unpin(va_mfn(pg.table[i / 5][i % 5]));
	for (unsigned int i = 0; i < NR_DATA; i++)
		if (pg.data[i])
			unpin(va_mfn(pg.data[i]));
}

static void clear_window(void)
{
	for (unsigned int i = 0; i < 32; i++)
		page_set(win(i), 0);
}

/* The kernel's own slots go into every root, so that any of them can be loaded. */
static bool make_tree(u64 *t[5])
{
	const u64 *root = mfn_va(root_mfn());

	for (int l = 0; l <= 4; l++)
		if (!renew(&t[l]))
			return false;
	t[1][0] = mk_pte(va_mfn(t[0]), PTE_KERNEL);
	for (int l = 2; l <= 4; l++)
		t[l][0] = mk_pte(va_mfn(t[l - 1]), PTE_TABLE);
	t[4][272] = root[272];
	t[4][273] = root[273];
	t[4][511] = root[511];
	for (int l = 1; l <= 4; l++) {
		long rc = page_ro(t[l]);

		if (rc) {
			printf("probe: fuzz: page %p, mfn %lx: %ld\n", (void *)t[l], va_mfn(t[l]),
			       rc);
			return false;
		}
	}
	return true;
}

static bool make_playground(void)
{
	mmuext(MMUEXT_NEW_BASEPTR, root_mfn(), 0);
	clear_window();
	unpin_all();
	/* Twice: what one tree refers to may be part of another. */
	for (unsigned int round = 0; round < 2; round++)
		for (unsigned int i = 0; i < NR_TREES * 5; i++)
			if (pg.table[i / 5][i % 5])
				page_rw(pg.table[i / 5][i % 5]);
	for (unsigned int i = 0; i < NR_DATA; i++)
		if (!renew(&pg.data[i]))
			return false;
	for (unsigned int i = 0; i < NR_TREES; i++)
		if (!make_tree(pg.table[i]))
			return false;
	return true;
}

/* Two pages that follow each other, and a hole behind them. */
static bool make_arguments(void)
{
	for (unsigned int n = 0; n < 64; n++) {
		char *a = page_alloc(), *b = page_alloc(), *c = page_alloc();

		if (!a || !b || !c)
			return false;
		if (b != a + PAGE_SIZE || c != b + PAGE_SIZE || page_set(c, 0))
			continue;
		pg.arg = a;
		pg.code = page_alloc();
		c = page_alloc();
		/* Behind the code only traps. */
		return pg.code && c == pg.code + PAGE_SIZE && memset(c, 0xcc, PAGE_SIZE);
	}
	return false;
}

/* --- grants: a few pages for anybody, to be mapped by ourselves too --- */

static void make_grants(void)
{
	static xen_pfn_t frame;
	struct gnttab_setup_table t = {.dom = DOMID_SELF, .nr_frames = 1};

	set_xen_guest_handle(t.frame_list, &frame);
	if (grants || grant_op(GNTTABOP_setup_table, &t, 1) || t.status ||
	    win_map(WIN_PAGES - 1, mk_pte(frame, PTE_KERNEL)))
		return;
	grants = win(WIN_PAGES - 1);
}

static void fill_grants(void)
{
	for (u32 i = 8; grants && i < NR_REFS; i++) {
		if (grants[i].flags & (GTF_reading | GTF_writing))
			continue;
		grants[i].flags = 0;
		grants[i].domid = v_domid();
		grants[i].frame = (u32)v_mfn();
		barrier();
		grants[i].flags = one_in(8) ? (u16)rnd() : GTF_permit_access;
		if (one_in(4))
			grants[i].flags |= GTF_readonly;
	}
}

/* Handles are small numbers; those in use are given back, where they are mapped stays a guess. */
static void drop_handles(void)
{
	for (u32 h = 0; h < 64; h++) {
		struct gnttab_unmap_grant_ref u = {.handle = h};

		for (unsigned int i = 0; i < 32; i++) {
			u.host_addr = (u64)win(i);
			grant_op(GNTTABOP_unmap_grant_ref, &u, 1);
			if (!u.status)
				break;
			if (u.status == GNTST_bad_handle)
				return;
		}
	}
}

/* --- as it was --- */

static bool is_timer(u32 port)
{
	struct evtchn_status s = {.dom = DOMID_SELF, .port = port};

	return port && !evtchn_op(EVTCHNOP_status, &s) && s.status == EVTCHNSTAT_virq &&
	       s.u.virq == VIRQ_TIMER && s.vcpu == 0;
}

void bind_timer(void)
{
	struct evtchn_bind_virq b = {.virq = VIRQ_TIMER, .vcpu = 0};

	if (!is_timer(pg.port)) {
		for (u32 p = 1; p < 256; p++)
			if (is_timer(p)) {
				struct evtchn_close c = {.port = p};

				evtchn_op(EVTCHNOP_close, &c);
			}
		if (!evtchn_op(EVTCHNOP_bind_virq, &b))
			pg.port = b.port;
	}
	port_mask(pg.port);
	port_clear(pg.port);
	/* A selector that an input has scribbled into says that the upcall was made: none would come. */
	vcpu_info(0)->evtchn_pending_sel = 0;
	port_unmask(pg.port);
}

#define BIT(name) (1UL << __HYPERVISOR_##name)

/* After each input: what the next one needs to survive. */
static void restore(void)
{
	u64 t = fuzz_touched;

	if (t & BIT(multicall))
		t = ~0UL;
	upcall_mask(true);
	if (t & BIT(set_debugreg))
		set_debugreg(7, 0);
	if (t & (BIT(set_trap_table) | BIT(callback_op)))
		trap_init();
	if (t & BIT(mmuext_op)) {
		mmuext(MMUEXT_NEW_BASEPTR, root_mfn(), 0);
		mmuext(MMUEXT_NEW_USER_BASEPTR, user_root_mfn, 0);
	}
	if (t & (BIT(update_va_mapping) | BIT(update_va_mapping_otherdomain) | BIT(mmu_update) |
		 BIT(memory_op) | BIT(grant_table_op))) {
		page_rw(pg.arg);
		page_rw(pg.arg + PAGE_SIZE);
		page_set(pg.arg + 2 * PAGE_SIZE, 0);
	}
	fuzz_touched = 0;
}

static void restore_seldom(void)
{
	struct physdev_set_iopl iopl = {0};

	set_gdt(NULL, 0);
	mmuext(MMUEXT_SET_LDT, 0, 0);
	for (unsigned int i = 0; i < 8; i++)
		vm_assist(VMASST_CMD_disable, i);
	physdev_op(PHYSDEVOP_set_iopl, &iopl);
	vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	fpu_taskswitch(0);
	bind_timer();
}

/* The ones that domctls have made; their death is a fuzzed path too. */
static void kill_domains(void)
{
	for (domid_t id = 1; is_dom0() && id <= MAX_ID; id++) {
		struct xen_domctl op = {.cmd = XEN_DOMCTL_destroydomain,
					.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
					.domain = id};

		for (int n = 0; n < KILL_TRIES && hcall(__HYPERVISOR_domctl, &op) == -XEN_EAGAIN;)
			n++;
	}
}

/* Debug key A; what it finds is in the log, where the harness looks for it. */
static void audit(void)
{
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_debug_keys,
				.interface_version = XEN_SYSCTL_INTERFACE_VERSION};
	static char key[] = "A";

	op.u.debug_keys.nr_keys = 1;
	set_xen_guest_handle(op.u.debug_keys.keys, key);
	if (is_dom0())
		hcall(__HYPERVISOR_sysctl, &op);
}

static bool renew_all(void)
{
	restore_seldom();
	drop_handles();
	kill_domains();
	if (!make_playground())
		return false;
	fill_grants();
	return true;
}

/* A call that blocks, with a timer that ends it, again and again. */
static u64 fuzz_wait(void)
{
	struct vcpu_set_periodic_timer every = {.period_ns = 2000000};
	long rc;

	bind_timer();
	vcpu_op(VCPUOP_set_periodic_timer, 0, &every);
	if (one_in(2)) {
		trace(" block\n");
		rc = sched_op(SCHEDOP_block, NULL);
	} else {
		v_buffer();
		v_fields(pg.arg, "pcyt", 0);
		trace(" poll\n");
		upcall_mask(false);
		rc = sched_op(SCHEDOP_poll, pg.arg);
	}
	vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	return (u64)rc;
}

static u64 choose(void)
{
	switch (below(32)) {
	case 0:
		return fuzz_user_code();
	case 1:
		return fuzz_int();
	case 2:
		return fuzz_bad_iret();
	case 3:
	case 4:
	case 5:
		return fuzz_kernel_code();
	case 6:
	case 7:
	case 8:
	case 9:
		return fuzz_tables();
	case 10:
	case 11:
		return fuzz_multicall();
	case 12:
		return one_in(8) ? fuzz_wait() : fuzz_call();
	default:
		return fuzz_call();
	}
}

static void input_body(void *sum)
{
	*(u64 *)sum ^= choose();
}

/* An input may be made in memory that the one before has taken away. */
static u64 one_input(u64 sum)
{
	int vector = catch_trap(input_body, &sum);

	return vector < 0 ? mix(sum) : mix(sum ^ (u64)vector);
}

void fuzz(void)
{
	const char *s = option("fuzz");
	u64 seed = number(&s), count = number(&s), from = number(&s), sum = 0;

	rnd_state = mix(seed);
	if (!user_init() || !make_arguments()) {
		printf("probe: fuzz: no memory\n");
		return;
	}
	pg.first = va_pfn(pg.code) + 2;
	own_domid();
	make_grants();
	for (u64 i = 0; i < count; i++) {
		if (i % STEP == 0) {
			rnd_state = mix(seed ^ mix(i));
			if (!renew_all()) {
				printf("probe: fuzz: no playground\n");
				return;
			}
			printf("probe: fuzz: seed %lu input %lu sum %016lx\n", seed, i, sum);
		}
		fuzz_trace = from && i >= from;
		rnd_state = mix(seed ^ mix(i));
		trace("fuzz %lu:", i);
		sum = one_input(sum);
		restore();
		if (i % 64 == 0)
			restore_seldom();
	}
	renew_all();
	audit();
	printf("probe: fuzz: seed %lu done, %lu inputs, sum %016lx\n", seed, count, sum);
}
