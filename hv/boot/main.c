/* SPDX-License-Identifier: MIT */
/* The bring-up, in order. */
#include "boot/boot.h"
#include "boot/load.h"
#include "boot/wire.h"
#include "cpu/apic.h"
#include "cpu/cpu.h"
#include "cpu/desc.h"
#include "cpu/features.h"
#include "cpu/percpu.h"
#include "cpu/panic.h"
#include "cpu/spec.h"
#include "cpu/symbols.h"
#include "dom/domain.h"
#include "irq/irq.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "mm/e820.h"
#include "mm/heap.h"
#include "mm/setup.h"
#include "plat/acpi.h"
#include "plat/plat.h"
#include "pv/entry.h"
#include "pv/pv.h"
#include "pv/xpti.h"
#include "time/clock.h"
#include "time/timer.h"
#include "time/watchdog.h"

#define DOMUS_VERSION "0.1"

struct boot_e820 boot_e820;

void boot_main(u32 mbi);
extern const char _hv_start[], _hv_end[];

static void banner(void)
{
	pr_info("Domus " DOMUS_VERSION ", a type-1 hypervisor with the Xen 4.17 interface\n");
	pr_info("Loader: %s\n", boot_info.loader);
	pr_info("Command line: %s\n", boot_info.cmdline);
}

static void memory(void)
{
	struct mem_range res[BOOT_MAX_MODULES + 3];
	paddr_t ring = boot_ring_place();
	unsigned int n = 0;

	res[n++] = (struct mem_range){0, 1UL << 20};
	res[n++] = (struct mem_range){HV_LOAD_PA, HV_LOAD_PA + (u64)(_hv_end - _hv_start)};
	for (unsigned int i = 0; i < boot_info.nr_modules; i++)
		res[n++] = (struct mem_range){boot_info.module[i].start, boot_info.module[i].end};
	if (ring)
		res[n++] = (struct mem_range){ring, ring + CONSOLE_RING_BYTES};
	mm_setup(boot_info.ram, boot_info.nr_ram, res, n);
	mm_protect_image();
	pr_info("RAM: %lu MiB, of which the hypervisor keeps %lu KiB\n", mm_total_frames() >> 8,
		mm_hv_frames() << 2);
	boot_keep_console(ring);
}

static void board(void)
{
	if (acpi_init(boot_info.has_rsdp ? boot_info.rsdp : NULL))
		panic("no ACPI tables: neither the loader nor the BIOS area has an RSDP");
	/* Before the local APIC stops listening to it: a request already raised would never be taken back. */
	pic_disable();
	apic_init();
}

static u32 acpi_id_of(u32 apic)
{
	for (unsigned int i = 0; i < acpi.nr_cpus; i++)
		if (acpi.cpu[i].apic_id == apic)
			return acpi.cpu[i].acpi_id;
	return 0;
}

static void boot_rest(void);

/* On the final stack of CPU 0. */
static void boot_on_stack(void)
{
	cpu_setup_self(0);
	set_bit(0, cpu_online_map);
	clock_init();
	clock_init_cpu();
	timer_init_cpu();
	boot_rest();
	panic("the start came back");
}

static void boot_rest(void)
{
	ioapic_init();
	irq_init();
	sched_init();
	sched_init_cpu(0);
	get_cpu_info()->curr = idle_vcpu(0);
	domain_memory_init();
	pv_domain_init_ops();
	wire_up();
	smp_boot_others();
	mm_drop_identity();
	dom0_build();
	watchdog_start();
	domain_unpause(dom0);
	stack_reset_call(idle_loop);
}

void boot_main(u32 mbi)
{
	printf_symbol_hook = symbol_print;
	wire_board();
	console_early_init();
	mb2_parse(mbi);
	options_parse(boot_info.cmdline);
	console_init(opt_console, opt_com1);
	banner();
	cpu_features_init();
	cpu_features_init_cpu();
	spec_init();
	desc_init(spec_xpti() ? xpti_entries : entry_stubs);
	memory();
	board();
	if (spec_xpti())
		xpti_init();
	cpu_prepare(0, apic_id(), acpi_id_of(apic_id()));
	__asm__ __volatile__("mov %0, %%rsp\n\tjmp %P1" ::"r"((unsigned long)cpu_infos[0] - 8),
			     "i"(boot_on_stack)
			     : "memory");
	__builtin_unreachable();
}
