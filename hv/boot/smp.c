/* SPDX-License-Identifier: MIT */
/* Every processor's stack, per-CPU data and tables; waking the other processors. */
#include "boot/boot.h"
#include "cpu/apic.h"
#include "cpu/cpu.h"
#include "cpu/desc.h"
#include "cpu/features.h"
#include "cpu/percpu.h"
#include "cpu/spec.h"
#include "dom/domain.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/pgtable.h"
#include "plat/acpi.h"
#include "pv/entry.h"
#include "pv/xpti.h"
#include "time/clock.h"
#include "time/timer.h"

#define AP_WAIT_US 1000000

extern char trampoline_start[], trampoline_end[], trampoline_cr3[], trampoline_flags[],
	trampoline_stack[];
extern char _percpu_start[], _percpu_end[];

unsigned long percpu_offsets[CONFIG_NR_CPUS];
unsigned long cpu_online_map[BITS_TO_LONGS(CONFIG_NR_CPUS)];
unsigned int nr_cpus = 1;
u32 cpu_apic_id[CONFIG_NR_CPUS], cpu_acpi_id[CONFIG_NR_CPUS];
struct cpu_info *cpu_infos[CONFIG_NR_CPUS];

static paddr_t trampoline_pa; /* below 1 MiB */

void boot_ap_main(void);

static unsigned int pages_order(size_t bytes)
{
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < bytes)
		order++;
	return order;
}

/* The jump at the end of a stub reaches its entry from where this CPU's copy lies. */
static void patch_stub(char *copy, unsigned long va, const char *jump, void (*entry)(void))
{
	unsigned long at = (unsigned long)(jump - stub_start);
	s32 rel = (s32)((unsigned long)entry - (va + at + 4));

	memcpy(copy + at, &rel, sizeof(rel));
}

static void map_stack_page(unsigned long va, unsigned int page)
{
	char *p = hv_alloc_pages(0);

	if (!p)
		panic("no memory for a processor's stack");
	if (page == STACK_PAGE_STUB) {
		memcpy(p, stub_start, (size_t)(stub_end - stub_start));
		patch_stub(p, va, stub_syscall_jump, entry_syscall);
		patch_stub(p, va, stub_syscall32_jump, entry_syscall32);
		patch_stub(p, va, stub_xpti_syscall_jump, entry_syscall);
		patch_stub(p, va, stub_xpti_syscall32_jump, entry_syscall32);
	}
	*hv_l1e(va + page * PAGE_SIZE, false) =
		make_pte(virt_to_mfn(p), page == STACK_PAGE_STUB ? PTE_HV_RX : PTE_HV);
}

static void alloc_percpu(unsigned int cpu)
{
	size_t size = (size_t)(_percpu_end - _percpu_start);
	char *p;

	if (!cpu)
		return; /* the boot CPU uses the section itself */
	p = hv_alloc_pages(pages_order(size));
	if (!p)
		panic("no memory for a processor's data");
	percpu_offsets[cpu] = (unsigned long)p - (unsigned long)_percpu_start;
}

unsigned long cpu_prepare(unsigned int cpu, u32 apic, u32 acpi_uid)
{
	unsigned long va = CPUSTACK_VA + cpu * STACK_SIZE;
	struct cpu_info *info;

	for (unsigned int i = 0; i < 1u << STACK_ORDER; i++)
		if (i != STACK_PAGE_GUARD)
			map_stack_page(va, i);
	alloc_percpu(cpu);
	if (spec_xpti())
		xpti_prepare_cpu(cpu, va);
	info = (struct cpu_info *)(va + STACK_SIZE) - 1;
	info->cpu = cpu;
	info->percpu_offset = percpu_offsets[cpu];
	cpu_infos[cpu] = info;
	cpu_apic_id[cpu] = apic;
	cpu_acpi_id[cpu] = acpi_uid;
	return va;
}

static void syscall_setup(unsigned long stack_va)
{
	const char *entry = spec_xpti() ? stub_xpti_syscall : stub_syscall;
	const char *entry32 = spec_xpti() ? stub_xpti_syscall32 : stub_syscall32;

	wrmsr(MSR_STAR, (u64)GUEST_CS32 << 48 | (u64)HV_CS << 32);
	wrmsr(MSR_LSTAR, stack_va + (unsigned long)(entry - stub_start));
	wrmsr(MSR_CSTAR, stack_va + (unsigned long)(entry32 - stub_start));
	wrmsr(MSR_SFMASK, 0x47700); /* TF IF DF IOPL NT RF... AC: the hypervisor's own flags */
	if (cpu_features.vendor == VENDOR_INTEL)
		wrmsr(0x174, 0); /* SYSENTER_CS: the instruction is not offered to guests */
}

void cpu_setup_self(unsigned int cpu)
{
	unsigned long va = CPUSTACK_VA + cpu * STACK_SIZE;

	cpu_features_init_cpu();
	desc_init_cpu(cpu, va);
	spec_init_cpu();
	syscall_setup(va);
	apic_init_cpu();
}

/* The first C code of another processor, on its own stack. */
void boot_ap_main(void)
{
	unsigned int cpu = smp_cpu_id();

	cpu_setup_self(cpu);
	clock_init_cpu();
	timer_init_cpu();
	sched_init_cpu(cpu);
	get_cpu_info()->curr = idle_vcpu(cpu);
	atomic_or(&cpu_online_map[BIT_WORD(cpu)], BIT_MASK(cpu));
	stack_reset_call(idle_loop);
}

static bool cpu_is_online(unsigned int cpu)
{
	return atomic_load(&cpu_online_map[BIT_WORD(cpu)]) & BIT_MASK(cpu);
}

static bool wait_online(unsigned int cpu, unsigned int us)
{
	nsec_t end = clock_now() + us * NSEC_PER_USEC;

	while (!cpu_is_online(cpu) && clock_now() < end)
		clock_udelay(
			20); /* publishes this CPU's TSC for the comparison in clock_init_cpu() */
	return cpu_is_online(cpu);
}

static void *low_field(const char *sym)
{
	return (char *)paddr_to_virt(trampoline_pa) + (sym - trampoline_start);
}

static bool boot_one(unsigned int cpu, u32 apic, u32 acpi_uid)
{
	unsigned long va = cpu_prepare(cpu, apic, acpi_uid);

	*(u64 *)low_field(trampoline_stack) = va + STACK_SIZE - sizeof(struct cpu_info) - 8;
	smp_mb();
	apic_send_init(apic);
	apic_send_startup(apic, (u8)(trampoline_pa >> PAGE_SHIFT));
	if (wait_online(cpu, 1000))
		return true;
	apic_send_startup(apic, (u8)(trampoline_pa >> PAGE_SHIFT));
	return wait_online(cpu, AP_WAIT_US);
}

static bool make_trampoline(void)
{
	trampoline_pa = boot_low_page();
	if (!trampoline_pa) {
		pr_warn("no free memory below 1 MiB: the other processors cannot be started\n");
		return false;
	}
	memcpy(paddr_to_virt(trampoline_pa), trampoline_start,
	       (size_t)(trampoline_end - trampoline_start));
	*(u32 *)low_field(trampoline_cr3) = (u32)hv_virt_to_phys(idle_l4);
	*(u32 *)low_field(trampoline_flags) = cpu_features.nx;
	return true;
}

void smp_boot_others(void)
{
	unsigned int limit =
		opt_maxcpus ? min(opt_maxcpus, (unsigned int)CONFIG_NR_CPUS) : CONFIG_NR_CPUS;
	u32 self = apic_id(), skipped = 0;

	if (!make_trampoline())
		limit = 1;
	for (unsigned int i = 0; i < acpi.nr_cpus && nr_cpus < limit; i++) {
		const struct acpi_cpu *c = &acpi.cpu[i];

		if (!c->enabled || c->apic_id == self)
			continue;
		if (!opt_smt && spec_is_sibling(c->apic_id)) {
			skipped++;
			continue;
		}
		if (boot_one(nr_cpus, c->apic_id, c->acpi_id))
			nr_cpus++;
		else
			pr_err("CPU with APIC id %u does not start\n", c->apic_id);
	}
	if (skipped)
		pr_info("%u sibling threads are left alone (smt=0)\n", skipped);
	pr_info("%u CPUs\n", nr_cpus);
}
