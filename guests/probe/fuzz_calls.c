/* SPDX-License-Identifier: MIT */
/*
 * The fuzzer's hypercalls: what each takes, in the letters of v_field(). Left out, with the reason:
 *	SCHEDOP_shutdown and remote_shutdown of oneself, watchdog		end the domain
 *	SCHEDOP_block and poll, VCPUOP_down of vcpu 0				end the run; see fuzz_wait()
 *	VCPUOP_register_vcpu_info of vcpu 0, EVTCHNOP_reset, init_control	cannot be undone
 *	console_io's write of more than a few bytes				floods the log
 *	platform_op's enter_acpi_sleep, debug keys R and * of dom0		end or flood the machine
 *	destroydomain and caps of dom0						end or slow down the run
 *	domctl and sysctl of a domain other than dom0: now and then only, they must not get anywhere
 */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "fuzz.h"
#include <xen/domctl.h>
#include <xen/platform.h>
#include <xen/sysctl.h>

#define ANYBODY 0
#define DOM0	1
#define GUEST	2

struct call {
	u8 nr, who;
	u32 cmd;
	const char *regs;   /* C command, S structure, A array, N number of elements, or a value */
	const char *fields; /* of the structure */
};

#define MEM(op)	    __HYPERVISOR_memory_op, ANYBODY, XENMEM_##op
#define EVT(op)	    __HYPERVISOR_event_channel_op, ANYBODY, EVTCHNOP_##op
#define GNT(op)	    __HYPERVISOR_grant_table_op, ANYBODY, GNTTABOP_##op
#define VCPU(op)    __HYPERVISOR_vcpu_op, ANYBODY, VCPUOP_##op
#define SCHED(op)   __HYPERVISOR_sched_op, ANYBODY, SCHEDOP_##op
#define EXT(op)	    __HYPERVISOR_mmuext_op, ANYBODY, MMUEXT_##op
#define DEV(op)	    __HYPERVISOR_physdev_op, ANYBODY, PHYSDEVOP_##op
#define DOMCTL(op)  __HYPERVISOR_domctl, DOM0, XEN_DOMCTL_##op
#define SYSCTL(op)  __HYPERVISOR_sysctl, DOM0, XEN_SYSCTL_##op
#define PLAT(op)    __HYPERVISOR_platform_op, DOM0, XENPF_##op
#define OTHER(name) __HYPERVISOR_##name, ANYBODY, 0
#define VERSION(op) __HYPERVISOR_xen_version, ANYBODY, XENVER_##op

/* Those at the top come more often: the first table is half of all calls. */
static const struct call often[] = {
	{OTHER(mmu_update), "ANad", "MT"},
	{OTHER(mmu_update), "ANad", "MP"},
	{OTHER(update_va_mapping), "aPf", ""},
	{EXT(PIN_L1_TABLE), "ANad", "Cymm"},
	{EXT(PIN_L2_TABLE), "ANad", "Cymm"},
	{EXT(PIN_L3_TABLE), "ANad", "Cymm"},
	{EXT(PIN_L4_TABLE), "ANad", "Cymm"},
	{EXT(UNPIN_TABLE), "ANad", "Cymm"},
	{GNT(map_grant_ref), "CAN", "afrdsiq"},
	{GNT(unmap_grant_ref), "CAN", "aqcs"},
	{GNT(copy), "CAN", "qdsyqdsyss"},
	{MEM(exchange), "CS", "plcydxypcccydxyz"},
	{MEM(decrease_reservation), "CS", "plcydx"},
	{MEM(populate_physmap), "CS", "plcydx"},
	{EVT(bind_interdomain), "CS", "dxee"},
	{EVT(alloc_unbound), "CS", "dde"},
	{EVT(close), "CS", "e"},
	{EVT(send), "CS", "e"},
};

static const struct call seldom[] = {
	{OTHER(set_trap_table), "a", ""},
	{OTHER(set_gdt), "pc", ""},
	{OTHER(stack_switch), "ia", ""},
	{OTHER(fpu_taskswitch), "i", ""},
	{OTHER(set_debugreg), "cq", ""},
	{OTHER(get_debugreg), "c", ""},
	{OTHER(update_descriptor), "Mq", ""},
	{OTHER(set_timer_op), "t", ""},
	{OTHER(vm_assist), "cc", ""},
	{OTHER(set_segment_base), "ca", ""},
	{OTHER(update_va_mapping_otherdomain), "aPfd", ""},
	{OTHER(iret), "", ""},
	{__HYPERVISOR_nmi_op, ANYBODY, XENNMI_register_callback, "CS", "aa"},
	{__HYPERVISOR_nmi_op, ANYBODY, XENNMI_unregister_callback, "CS", "z"},
	{__HYPERVISOR_callback_op, ANYBODY, CALLBACKOP_register, "CS", "ssya"},
	{__HYPERVISOR_callback_op, ANYBODY, CALLBACKOP_unregister, "CS", "ss"},
	{__HYPERVISOR_console_io, ANYBODY, CONSOLEIO_read, "Cia", ""},
	{VERSION(version), "Ca", ""},
	{VERSION(extraversion), "Ca", ""},
	{VERSION(compile_info), "Ca", ""},
	{VERSION(capabilities), "Ca", ""},
	{VERSION(changeset), "Ca", ""},
	{VERSION(platform_parameters), "Ca", ""},
	{VERSION(get_features), "CS", "cy"},
	{VERSION(guest_handle), "Ca", ""},
	{VERSION(commandline), "Ca", ""},
	{VERSION(build_id), "Ca", "c"},
	{EXT(NEW_BASEPTR), "ANad", "Cymm"},
	{EXT(NEW_USER_BASEPTR), "ANad", "Cymm"},
	{EXT(TLB_FLUSH_LOCAL), "ANad", "Cymm"},
	{EXT(INVLPG_LOCAL), "ANad", "Cyam"},
	{EXT(TLB_FLUSH_MULTI), "ANad", "Cyma"},
	{EXT(INVLPG_MULTI), "ANad", "Cyaa"},
	{EXT(TLB_FLUSH_ALL), "ANad", "Cymm"},
	{EXT(INVLPG_ALL), "ANad", "Cyam"},
	{EXT(FLUSH_CACHE), "ANad", "Cymm"},
	{EXT(SET_LDT), "ANad", "Cyaq"},
	{EXT(CLEAR_PAGE), "ANad", "Cymm"},
	{EXT(COPY_PAGE), "ANad", "Cymm"},
	{EXT(FLUSH_CACHE_GLOBAL), "ANad", "Cymm"},
	{EXT(MARK_SUPER), "ANad", "Cymm"},
	{GNT(setup_table), "CAN", "dxcssp"},
	{GNT(transfer), "CAN", "mdxrs"},
	{GNT(query_size), "CAN", "dxccs"},
	{GNT(unmap_and_replace), "CAN", "aacs"},
	{GNT(set_version), "CS", "c"},
	{GNT(get_status_frames), "CAN", "cdsp"},
	{GNT(get_version), "CS", "dxc"},
	{GNT(swap_grant_ref), "CAN", "rrs"},
	{GNT(cache_flush), "CAN", "qssi"},
	{MEM(increase_reservation), "CS", "plcydx"},
	{MEM(maximum_ram_page), "Ca", ""},
	{MEM(current_reservation), "CS", "d"},
	{MEM(maximum_reservation), "CS", "d"},
	{MEM(maximum_gpfn), "CS", "d"},
	{MEM(machphys_mfn_list), "CS", "cypc"},
	{MEM(machphys_mapping), "Ca", ""},
	{MEM(add_to_physmap), "CS", "dsclg"},
	{MEM(add_to_physmap_batch), "CS", "dssdppp"},
	{MEM(remove_from_physmap), "CS", "dxg"},
	{MEM(memory_map), "CS", "cyp"},
	{MEM(machine_memory_map), "CS", "cyp"},
	{MEM(set_memory_map), "CS", "dxycyp"},
	{MEM(claim_pages), "CS", "plcydx"},
	{MEM(get_pod_target), "CS", "qqqd"},
	{MEM(acquire_resource), "CS", "dscccyqp"},
	{EVT(bind_virq), "CS", "cve"},
	{EVT(bind_pirq), "CS", "ccc"},
	{EVT(bind_ipi), "CS", "ve"},
	{EVT(status), "CS", "dxeccq"},
	{EVT(bind_vcpu), "CS", "ev"},
	{EVT(unmask), "CS", "e"},
	{EVT(expand_array), "CS", "m"},
	{EVT(set_priority), "CS", "ec"},
	{VCPU(initialise), "Cvp", ""},
	{VCPU(is_up), "Cva", ""},
	{VCPU(get_runstate_info), "Cva", ""},
	{VCPU(register_runstate_memory_area), "CvS", "a"},
	{VCPU(set_periodic_timer), "CvS", "q"},
	{VCPU(stop_periodic_timer), "Cva", ""},
	{VCPU(set_singleshot_timer), "CvS", "tc"},
	{VCPU(stop_singleshot_timer), "Cva", ""},
	{VCPU(send_nmi), "Cva", ""},
	{VCPU(get_physid), "Cva", ""},
	{VCPU(register_vcpu_time_memory_area), "CvS", "a"},
	{SCHED(yield), "Ca", ""},
	{SCHED(pin_override), "CS", "i"},
	{DEV(eoi), "CS", "c"},
	{DEV(irq_status_query), "CS", "cc"},
	{DEV(set_iopl), "CS", "c"},
	{DEV(set_iobitmap), "CS", "pc"},
	{DEV(map_pirq), "CS", "dxccccccq"},
	{DEV(unmap_pirq), "CS", "dxc"},
	{DEV(get_free_pirq), "CS", "cc"},
	{DEV(setup_gsi), "CS", "cbb"},
	{DEV(apic_read), "CS", "qcc"},
	{DEV(apic_write), "CS", "qcc"},
	{DEV(pci_mmcfg_reserved), "CS", "qsbbc"},
	{DEV(pci_device_add), "CS", "sbbcbbc"},
	{DEV(pci_device_remove), "CS", "sbb"},
	{DEV(prepare_msix), "CS", "sbb"},
	{DEV(release_msix), "CS", "sbb"},
	{DEV(restore_msi_ext), "CS", "sbb"},
	{DOMCTL(createdomain), "S", "C1Dxycqqccccccccccqcq"},
	{DOMCTL(max_vcpus), "S", "C1Dxyv"},
	{DOMCTL(max_mem), "S", "C1Dxyl"},
	{DOMCTL(setvcpucontext), "S", "C1Dxyvp"},
	{DOMCTL(getvcpucontext), "S", "C1Dxyvp"},
	{DOMCTL(destroydomain), "S", "C1Dxy"},
	{DOMCTL(pausedomain), "S", "C1Dxy"},
	{DOMCTL(unpausedomain), "S", "C1Dxy"},
	{DOMCTL(getdomaininfo), "S", "C1dxyq"},
	{DOMCTL(resumedomain), "S", "C1Dxy"},
	{DOMCTL(getvcpuinfo), "S", "C1dxyv"},
	{DOMCTL(setvcpuaffinity), "S", "C1Dxyvfpipi"},
	{DOMCTL(getvcpuaffinity), "S", "C1dxyvfpipi"},
	{DOMCTL(setnodeaffinity), "S", "C1Dxypi"},
	{DOMCTL(getnodeaffinity), "S", "C1dxypi"},
	{DOMCTL(scheduler_op), "S", "C1Dxyccss"},
	{DOMCTL(setdomainhandle), "S", "C1Dxyqq"},
	{DOMCTL(hypercall_init), "S", "C1dxym"},
	{DOMCTL(settimeoffset), "S", "C1Dxyq"},
	{DOMCTL(sendtrigger), "S", "C1dxycv"},
	{DOMCTL(set_address_size), "S", "C1Dxyi"},
	{DOMCTL(gettscinfo), "S", "C1dxy"},
	{DOMCTL(getpageframeinfo3), "S", "C1dxyip"},
	{DOMCTL(shadow_op), "S", "C1Dxycccpq"},
	{DOMCTL(get_cpu_policy), "S", "C1dxyccppiii"},
	{DOMCTL(set_cpu_policy), "S", "C1Dxyccppiii"},
	{SYSCTL(readconsole), "S", "C2bbxipi"},
	{SYSCTL(physinfo), "S", "C2"},
	{SYSCTL(sched_id), "S", "C2"},
	{SYSCTL(getdomaininfolist), "S", "C2dxipi"},
	{SYSCTL(getcpuinfo), "S", "C2ipi"},
	{SYSCTL(availheap), "S", "C2iiiq"},
	{SYSCTL(cputopoinfo), "S", "C2ip"},
	{SYSCTL(numainfo), "S", "C2ipp"},
	{SYSCTL(pcitopoinfo), "S", "C2ipp"},
	{SYSCTL(cpupool_op), "S", "C2cccdxccpi"},
	{SYSCTL(scheduler_op), "S", "C2ccci"},
	{SYSCTL(cpu_hotplug), "S", "C2cc"},
	{SYSCTL(get_cpu_featureset), "S", "C2cip"},
	{SYSCTL(get_cpu_policy), "S", "C2cxyiipp"},
	{PLAT(settime64), "S", "C3qccq"},
	{PLAT(read_memtype), "S", "C3cqqq"},
	{PLAT(microcode_update), "S", "C3pi"},
	{PLAT(firmware_info), "S", "C3ccqqq"},
	{PLAT(getidletime), "S", "C3pipiqq"},
	{PLAT(set_processor_pminfo), "S", "C3cccqqp"},
	{PLAT(get_cpuinfo), "S", "C3ccccc"},
	{PLAT(get_cpu_version), "S", "C3cccc"},
	{PLAT(cpu_online), "S", "C3c"},
	{PLAT(resource_op), "S", "C3ccp"},
	{PLAT(get_symbol), "S", "C3ccpqcq"},
};

static u64 *arg_reg(struct fuzz_regs *r, unsigned int i)
{
	u64 *const at[] = {&r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8};

	return at[i];
}

/* Where a structure of n bytes lies: mostly well, sometimes across two pages, up to the end, or beyond. */
static char *place(size_t n)
{
	switch (below(24)) {
	case 0:
		return pg.arg + 2 * PAGE_SIZE - n;
	case 1:
		return pg.arg + PAGE_SIZE - (n / 2 & ~7UL);
	case 2:
		return pg.arg + 2 * PAGE_SIZE - n + 8;
	default:
		return pg.arg + below(32) * 8;
	}
}

/* Up to what is mapped; the caller's pointer stays where it is. */
static void put(char *at, const char *from, size_t n)
{
	size_t room = (size_t)(pg.arg + 2 * PAGE_SIZE - at);

	memcpy(at, from, n < room ? n : room);
}

static void flip(u64 *w, size_t n)
{
	while (n >= 8 && one_in(8)) {
		u32 i = below((u32)(n / 8));

		w[i] = v_flip(w[i]);
	}
}

static u64 structures(const struct call *c, u32 nr)
{
	static char buf[16 * 256] __attribute__((aligned(8)));
	size_t n = 0;
	char *at;

	for (u32 i = 0; i < nr && n < sizeof(buf) - 256; i++)
		n += v_fields(buf + n, c->fields, c->cmd);
	flip((u64 *)buf, n);
	at = place(n);
	put(at, buf, n);
	return one_in(64) ? v_address() : (u64)at;
}

static bool allowed(const struct call *c)
{
	return c->who != DOM0 || is_dom0() || one_in(32);
}

static const struct call *choose(void)
{
	const struct call *c;

	do
		c = one_in(2) ? &pick(often) : &pick(seldom);
	while (!allowed(c));
	return c;
}

/* What a mutation could have turned a harmless call into. */
static bool deadly(const struct fuzz_regs *r)
{
	u32 cmd = (u32)r->rdi;

	switch (r->rax) {
	case __HYPERVISOR_iret: /* fuzz_bad_iret() knows what it does to the stack */
		return true;
	case __HYPERVISOR_sched_op:
	case __HYPERVISOR_sched_op_compat:
		return cmd != SCHEDOP_yield && cmd != SCHEDOP_pin_override;
	case __HYPERVISOR_vcpu_op:
		return cmd == VCPUOP_up || cmd == VCPUOP_down || cmd == VCPUOP_register_vcpu_info;
	case __HYPERVISOR_event_channel_op:
		return cmd == EVTCHNOP_reset || cmd == EVTCHNOP_init_control;
	case __HYPERVISOR_console_io:
		return cmd == CONSOLEIO_write;
	}
	return false;
}

void fuzz_call_make(struct fuzz_regs *r)
{
	u64 *words = (u64 *)r;

	do {
		const struct call *c = choose();
		u32 nr = one_in(4) ? 1 + below(8) : 1;

		for (unsigned int i = 0; i < sizeof(*r) / 8; i++)
			words[i] = v_register();
		v_buffer();
		for (unsigned int i = 0; c->regs[i]; i++) {
			char k = c->regs[i];

			*arg_reg(r, i) = k == 'S'   ? structures(c, 1)
					 : k == 'A' ? structures(c, nr)
					 : k == 'N' ? (one_in(32) ? v_number() : nr)
						    : v_field(k, c->cmd);
		}
		r->rax = c->nr;
		if (one_in(64))
			*arg_reg(r, below(5)) = v_register();
		if (one_in(256))
			r->rax = one_in(2) ? below(64) : v_number();
	} while (deadly(r));
	fuzz_touched |= 1UL << (r->rax & 63);
}

static void call_body(void *arg)
{
	fuzz_syscall(arg);
}

u64 fuzz_call(void)
{
	struct fuzz_regs r;
	u64 nr;

	fuzz_call_make(&r);
	nr = r.rax;
	trace(" call %lu (%lx, %lx, %lx, %lx, %lx)\n", nr, r.rdi, r.rsi, r.rdx, r.r10, r.r8);
	return catch_trap(call_body, &r) < 0 ? r.rax : 1000 + this_cpu()->trap.vector;
}

/*
 * All of them use the same memory, so that one call's answer can be the next one's argument. The list is
 * at the end of it: what a wrong count would write to is not there.
 */
u64 fuzz_multicall(void)
{
	u64 n = 1 + below(8);
	struct multicall_entry *list = (void *)(pg.arg + 2 * PAGE_SIZE - n * sizeof(*list));
	struct fuzz_regs r;

	for (u64 i = 0; i < n; i++) {
		/* Before the entry: what it needs may lie there too. */
		fuzz_call_make(&r);
		list[i].op = r.rax;
		for (unsigned int k = 0; k < 5; k++)
			list[i].args[k] = *arg_reg(&r, k);
		list[i].args[5] = v_register();
		trace(" multicall %lu: %lu (%lx, %lx, %lx, %lx, %lx)\n", i, list[i].op,
		      list[i].args[0], list[i].args[1], list[i].args[2], list[i].args[3],
		      list[i].args[4]);
	}
	r.rax = __HYPERVISOR_multicall;
	/* One call may have changed the number of another. */
	fuzz_touched = ~0UL;
	r.rdi = (u64)list;
	r.rsi = one_in(16) ? v_number() : n;
	return catch_trap(call_body, &r) < 0 ? r.rax ^ list[n - 1].result
					     : 1000 + this_cpu()->trap.vector;
}
