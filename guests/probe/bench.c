/* SPDX-License-Identifier: MIT */
/*
 * Path lengths: time-stamp counts of one operation with its loop. With QEMU's -icount shift=0 these
 * are instructions, the same in every run.
 */
#include "hypercall.h"
#include "snippets.h"
#include "topics.h"

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

static u64 measure(void (*op)(void))
{
	u64 t;

	for (unsigned int i = 0; i < 10; i++)
		op();
	t = rdtsc();
	for (unsigned long i = 0; i < ROUNDS; i++)
		op();
	return (rdtsc() - t) / ROUNDS;
}

static const struct {
	const char *name;
	void (*op)(void);
	const char *entry; /* of a trap that it makes: the stub that returns at once */
	int vector;
} rows[] = {
	{"empty loop", op_empty, NULL, 0},
	{"null hypercall", op_null, NULL, 0},
	{"vcpu_op is_up", op_is_up, NULL, 0},
	{"multicall of 1", op_multi1, NULL, 0},
	{"multicall of 16", op_multi16, NULL, 0},
	{"event send to a masked local port", op_send, NULL, 0},
	{"set_timer_op", op_timer, NULL, 0},
	{"stack_switch", op_stack_switch, NULL, 0},
	{"fpu_taskswitch set and clear", op_fpu, NULL, 0},
	{"mmuext TLB flush local", op_flush, NULL, 0},
	{"update_va_mapping same entry", op_uvm_same, NULL, 0},
	{"update_va_mapping read-only, read-write", op_uvm_ro_rw, NULL, 0},
	{"update_va_mapping unmap, map", op_uvm_unmap_map, NULL, 0},
	{"#UD to the handler and back", op_ud, bench_skip2, 6},
	{"#PF to the handler and back", op_pf, bench_skip3, 14},
	{"forced-emulation cpuid", op_cpuid, NULL, 0},
	{"read of CR0", op_cr0, NULL, 0},
	{"sched_yield, alone", op_yield, NULL, 0},
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

void bench(void)
{
	bench_prepare();
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 t;

		if (rows[i].entry)
			set_entry(rows[i].vector, (unsigned long)rows[i].entry);
		t = measure(rows[i].op);
		if (rows[i].entry)
			set_entry(rows[i].vector,
				  (unsigned long)trap_stubs + (unsigned int)rows[i].vector * 32);
		printf("bench: %-42s %lu\n", rows[i].name, t);
	}
}
