/* SPDX-License-Identifier: MIT */
/*
 * What leaves the hypervisor no way to go on with the guest: it must end the domain, with a message, and
 * nothing else. One a run: crash=NAME on the command line, CRASH=1 for the script.
 */
#include "hypercall.h"
#include "snippets.h"
#include "tables.h"
#include "topics.h"

#define UNMAPPED (WIN_BASE + 100 * PAGE_SIZE)

static void user_trap_with_stack(u64 sp)
{
	struct regs r;

	if (!user_init())
		return;
	user_regs(&r);
	user_enter(u_ud, u_ud_end, &r, sp);
}

static void stack_hypervisor(void)
{
	user_trap_with_stack(0xffff828000001000);
}

static void stack_m2p(void)
{
	user_trap_with_stack(MACH2PHYS_VIRT_START + 4096);
}

static void stack_unmapped(void)
{
	user_trap_with_stack(UNMAPPED);
}

static void stack_noncanonical(void)
{
	user_trap_with_stack(0x800000000000);
}

static void stack_null(void)
{
	user_trap_with_stack(0);
}

static void stack_table(void)
{
	user_trap_with_stack(start_info->pt_base + 4096);
}

static void kernel_stack_unmapped(void)
{
	asm volatile("mov %0, %%rsp; ud2" : : "r"(UNMAPPED + 2048));
}

static void kernel_stack_hypervisor(void)
{
	asm volatile("mov %0, %%rsp; ud2" : : "r"(0xffff828000001000));
}

static void no_handlers(void)
{
	set_trap_table(NULL);
	asm volatile("ud2");
}

static void no_user_root(void)
{
	struct regs r;

	mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0);
	user_regs(&r);
	iret_regs(&r);
}

static void iret_without_frame(void)
{
	asm volatile("mov %0, %%rsp; mov $23, %%eax; syscall" : : "r"(UNMAPPED) : "rax");
}

static void iret_hypervisor_frame(void)
{
	asm volatile("mov %0, %%rsp; mov $23, %%eax; syscall" : : "r"(0xffff828000001000) : "rax");
}

static void no_event_callback(void)
{
	struct callback_register r = {.type = CALLBACKTYPE_event, .address = 0};
	struct evtchn_bind_ipi i = {.vcpu = 0};
	struct evtchn_send s;

	callback_op(CALLBACKOP_register, &r);
	evtchn_op(EVTCHNOP_bind_ipi, &i);
	port_unmask(i.port);
	s.port = i.port;
	evtchn_op(EVTCHNOP_send, &s);
	upcall_mask(false);
}

static void no_syscall_callback(void)
{
	struct callback_register r = {.type = CALLBACKTYPE_syscall, .address = 0};
	struct regs in;

	callback_op(CALLBACKOP_register, &r);
	if (!user_init())
		return;
	user_regs(&in);
	RUN_USER(u_syscall, &in);
}

static void shutdown_crash(void)
{
	struct sched_shutdown s = {.reason = SHUTDOWN_crash};

	sched_op(SCHEDOP_shutdown, &s);
}

/* A handler that faults at once, for ever: the stack runs out in the end. */
static void endless_faults(void)
{
	struct trap_info t[2] = {{.vector = 14, .cs = FLAT_KERNEL_CS, .address = UNMAPPED}};

	set_trap_table(t);
	(void)*(volatile u8 *)UNMAPPED;
}

/*
 * For pv-l1tf: absent entries that name memory, written to a table or found in a page that becomes one.
 * With the address inverted, as Linux has it, they are the guest's own affair.
 */
static u64 absent(void *page)
{
	u64 e = mk_pte(va_mfn(page), PTE_KERNEL) & ~PTE_P;

	win_map(0, e ^ PTE_ADDR);
	win_map(0, 0);
	printf("probe: inverted is fine\n");
	return e;
}

static void absent_mapped(void)
{
	void *page = page_alloc();

	win_map(0, absent(page));
}

static void absent_stored(void)
{
	struct tree t;

	if (tree_make_pinned(&t))
		*(volatile u64 *)&t.page[1][7] = absent(t.page[0]);
}

static void absent_upper(void)
{
	struct tree t;

	if (tree_make_pinned(&t))
		pt_write(slot_ma(t.page[2], 7), absent(t.page[0]));
}

static void absent_in_table(void)
{
	u64 *page = page_alloc();

	page[511] = absent(page);
	if (!page_ro(page))
		pin(1, va_mfn(page));
}

static const struct test ways[] = {
	{"stack-hypervisor", stack_hypervisor},
	{"stack-m2p", stack_m2p},
	{"stack-unmapped", stack_unmapped},
	{"stack-noncanonical", stack_noncanonical},
	{"stack-null", stack_null},
	{"stack-table", stack_table},
	{"kernel-stack-unmapped", kernel_stack_unmapped},
	{"kernel-stack-hypervisor", kernel_stack_hypervisor},
	{"no-handlers", no_handlers},
	{"no-user-root", no_user_root},
	{"iret-unmapped", iret_without_frame},
	{"iret-hypervisor", iret_hypervisor_frame},
	{"no-event-callback", no_event_callback},
	{"no-syscall-callback", no_syscall_callback},
	{"shutdown", shutdown_crash},
	{"endless-faults", endless_faults},
	{"absent-mapped", absent_mapped},
	{"absent-stored", absent_stored},
	{"absent-upper", absent_upper},
	{"absent-in-table", absent_in_table},

	{NULL, NULL},
};

void crash(const char *how)
{
	for (const struct test *t = ways; t->name; t++) {
		size_t n = strlen(t->name);

		if (strncmp(t->name, how, n) || (how[n] && how[n] != ' '))
			continue;
		printf("probe: crash %s\n", t->name);
		t->fn();
		printf("probe: still alive after %s\n", t->name);
	}
}
