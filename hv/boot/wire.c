/* SPDX-License-Identifier: MIT */
#include "boot/wire.h"
#include "cpu/panic.h"
#include "dom/domain.h"
#include "mm/layout.h"
#include "mm/mmio.h"
#include "mm/tlb.h"
#include "plat/plat.h"
#include "pv/mm.h"
#include "plat/acpi.h"

static void panic_end(bool halt)
{
	if (halt)
		machine_halt();
	plat_delay(5000000);
	machine_restart();
}

void wire_board(void)
{
	plat_phys_to_virt = paddr_to_virt;
	plat_map_firmware = map_firmware;
	plat_unmap_firmware = unmap_firmware;
	plat_map_mmio = map_mmio;
	panic_console_hook = console_force_sync;
	panic_end_hook = panic_end;
}

static void console_input(void)
{
	send_global_virq(VIRQ_CONSOLE);
}

void wire_up(void)
{
	extern void (*spin_wait_hook)(void);

	spin_wait_hook = tlb_flush_service;
	console_input_hook = console_input;
	/* Device pages that no guest may touch: the local APIC, the IO-APICs, the MSI window. */
	pv_deny_io(0xfee00, 0xfeeff);
	for (unsigned int i = 0; i < acpi.nr_ioapics; i++)
		pv_deny_io(acpi.ioapic[i].addr >> 12, acpi.ioapic[i].addr >> 12);
}
