/* SPDX-License-Identifier: MIT */
/* The bring-up, in order. */
#include "boot/boot.h"
#include "boot/load.h"
#include "boot/wire.h"
#include "call/version.h"
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
#include "lib/string.h"
#include "mm/e820.h"
#include "mm/heap.h"
#include "mm/mmio.h"
#include "mm/setup.h"
#include "plat/acpi.h"
#include "plat/efi.h"
#include "plat/plat.h"
#include "pv/entry.h"
#include "pv/pv.h"
#include "pv/xpti.h"
#include "time/clock.h"
#include "time/timer.h"
#include "time/watchdog.h"

struct boot_e820 boot_e820;

void boot_main(u32 magic, u32 info);
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

	if (boot_info.nr_lost)
		pr_warn("the memory map has %u ranges too many; what they describe is not used\n",
			boot_info.nr_lost);
	res[n++] = (struct mem_range){0, 1UL << 20};
	res[n++] = (struct mem_range){hv_load_pa, hv_load_pa + (u64)(_hv_end - _hv_start)};
	for (unsigned int i = 0; i < boot_info.nr_modules; i++)
		res[n++] = (struct mem_range){boot_info.module[i].start, boot_info.module[i].end};
	if (ring)
		res[n++] = (struct mem_range){ring, ring + CONSOLE_RING_BYTES};
	mm_setup(boot_info.ram, boot_info.nr_ram, res, n);
	mm_protect_image();
	pr_info("RAM: %lu MiB, of which the hypervisor keeps %lu KiB\n", mm_total_frames() >> 8,
		mm_hv_frames() << 2);
	screen_map();
	boot_keep_console(ring);
}

/* The configuration tables of UEFI know where the RSDP is; nobody has to search. */
static void find_rsdp(void)
{
	const void *p;

	if (boot_info.efi_systab)
		efi_init(boot_info.efi_systab, boot_is_ram);
	p = efi_info.rsdp ? map_firmware(efi_info.rsdp, sizeof(boot_info.rsdp)) : NULL;
	if (!p)
		return;
	memcpy(boot_info.rsdp, p, sizeof(boot_info.rsdp));
	boot_info.has_rsdp = true;
	unmap_firmware(p, sizeof(boot_info.rsdp));
}

static void board(void)
{
	find_rsdp();
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
	mm_drop_boot_maps();
	dom0_build();
	watchdog_start();
	domain_unpause(dom0);
	stack_reset_call(idle_loop);
}

/* A framebuffer in RAM cannot be one. */
static void find_screen(void)
{
	struct screen_fb fb = boot_info.fb;
	u64 end = fb.addr + (u64)fb.pitch * fb.height;

	if (end < fb.addr || boot_touches_ram(fb.addr, end))
		fb.type = SCREEN_FB_NONE;
	screen_init(&fb, boot_info.efi);
	console_add_screen();
}

void boot_main(u32 magic, u32 info)
{
	printf_symbol_hook = symbol_print;
	wire_board();
	console_early_init();
	if (magic == MB2_BOOT_MAGIC)
		mb2_parse(info);
	else
		mb1_parse(info);
	plat_efi = boot_info.efi;
	find_screen();
	if (!boot_info.nr_ram)
		panic("the boot loader passed no memory map");
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
