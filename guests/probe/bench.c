/* SPDX-License-Identifier: MIT */
/*
 * Path lengths: time-stamp counts of one operation with its loop. With QEMU's -icount shift=0 these
 * are instructions, the same in every run.
 */
#include "hypercall.h"
#include "bench.h"
#include "snippets.h"
#include "topics.h"
#include "../../tests/bench/marks.h"

#define ROUNDS 1000UL

static char *page;
static u64 pte_rw, pte_ro;
static struct evtchn_send local;
static struct multicall_entry calls[16];

static void op_empty(void)
{
	barrier();
}

static void op_null(void)
{
	xen_version(XENVER_version, NULL);
}

static void op_is_up(void)
{
	vcpu_op(VCPUOP_is_up, 0, NULL);
}

static void op_multi1(void)
{
	multicall(calls, 1);
}

static void op_multi16(void)
{
	multicall(calls, 16);
}

static void op_send(void)
{
	evtchn_op(EVTCHNOP_send, &local);
}

static void op_timer(void)
{
	set_timer_op(~0UL >> 2);
}

static void op_stack_switch(void)
{
	stack_switch(FLAT_KERNEL_SS, (u64)stacks + STACK_SIZE - 8192);
}

static void op_fpu(void)
{
	fpu_taskswitch(1);
	fpu_taskswitch(0);
}

static void op_flush(void)
{
	mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
}

static void op_uvm_same(void)
{
	update_va_mapping(page, pte_rw, UVMF_INVLPG);
}

static void op_uvm_ro_rw(void)
{
	update_va_mapping(page, pte_ro, UVMF_INVLPG);
	update_va_mapping(page, pte_rw, UVMF_INVLPG);
}

static void op_uvm_unmap_map(void)
{
	update_va_mapping(page, 0, UVMF_INVLPG);
	update_va_mapping(page, pte_rw, UVMF_INVLPG);
}

static void op_ud(void)
{
	asm volatile("ud2");
}

static void op_pf(void)
{
	asm volatile("movb $0, (%0)" : : "D"(WIN_BASE + 64 * PAGE_SIZE) : "memory");
}

static void op_cpuid(void)
{
	u32 a = 0, b, c = 0, d;

	asm volatile(XEN_EMULATE_PREFIX "cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
}

static void op_cr0(void)
{
	u64 v;

	asm volatile("mov %%cr0, %0" : "=r"(v));
}

static void op_yield(void)
{
	sched_op(SCHEDOP_yield, NULL);
}

/* The marks are for the emulator's counters (tests/bench). */
static u64 measure(void (*op)(void), unsigned long rounds)
{
	u64 t;

	for (unsigned int i = 0; i < 10; i++)
		op();
	MARK(MARK_ROW);
	t = rdtsc();
	for (unsigned long i = 0; i < rounds; i++)
		op();
	t = rdtsc() - t;
	MARK(MARK_ROW);
	return t;
}

static const struct bench_row rows[] = {
	{.name = "empty loop", .op = op_empty},
	{.name = "null hypercall", .op = op_null},
	{.name = "vcpu_op is_up", .op = op_is_up},
	{.name = "multicall of 1", .op = op_multi1},
	{.name = "multicall of 16", .op = op_multi16},
	{.name = "event send to a masked local port", .op = op_send},
	{.name = "set_timer_op", .op = op_timer},
	{.name = "stack_switch", .op = op_stack_switch},
	{.name = "fpu_taskswitch set and clear", .op = op_fpu},
	{.name = "mmuext TLB flush local", .op = op_flush},
	{.name = "update_va_mapping same entry", .op = op_uvm_same},
	{.name = "update_va_mapping read-only, read-write", .op = op_uvm_ro_rw},
	{.name = "update_va_mapping unmap, map", .op = op_uvm_unmap_map},
	{.name = "#UD to the handler and back", .op = op_ud, .entry = bench_skip2, .vector = 6},
	{.name = "#PF to the handler and back", .op = op_pf, .entry = bench_skip3, .vector = 14},
	{.name = "forced-emulation cpuid", .op = op_cpuid},
	{.name = "read of CR0", .op = op_cr0},
	{.name = "sched_yield, alone", .op = op_yield},
	{.name = NULL},
};

static void bench_prepare(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};

	page = page_alloc();
	pte_rw = mk_pte(va_mfn(page), PTE_KERNEL);
	pte_ro = mk_pte(va_mfn(page), PTE_RO);
	evtchn_op(EVTCHNOP_alloc_unbound, &a);
	b.remote_port = a.port;
	evtchn_op(EVTCHNOP_bind_interdomain, &b);
	port_mask(a.port);
	port_mask(b.local_port);
	local.port = b.local_port;
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
		calls[i].op = __HYPERVISOR_xen_version;
}

static void set_entry(int vector, unsigned long address)
{
	struct trap_info t[2] = {{.vector = (u8)vector, .cs = FLAT_KERNEL_CS, .address = address}};

	set_trap_table(t);
}

static void run_row(const struct bench_row *r)
{
	unsigned long each = r->each ? r->each : 1;
	u64 t;

	if (r->before && !r->before()) {
		printf("bench: %s: not to be had here\n", r->name);
		return;
	}
	if (r->entry)
		set_entry(r->vector, (unsigned long)r->entry);
	t = measure(r->op, ROUNDS / each);
	if (r->entry)
		set_entry(r->vector, (unsigned long)trap_stubs + (unsigned int)r->vector * 32);
	if (r->after)
		r->after();
	printf("bench: %-42s %lu\n", r->name, t / ROUNDS);
}

static void run_rows(const struct bench_row *r)
{
	for (; r->name; r++)
		run_row(r);
}

void bench(void)
{
	if (!strncmp(option("bench"), "two", 3)) {
		run_rows(bench_two_rows);
		return;
	}
	bench_prepare();
	run_rows(rows);
	run_rows(bench_linux_rows);
	run_rows(bench_turn_rows);
	bench_memory();
}
