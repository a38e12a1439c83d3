/* SPDX-License-Identifier: MIT */
#include "boot/wire.h"
#include "boot/boot.h"
#include "call/keys.h"
#include "call/version.h"
#include "cpu/panic.h"
#include "dom/domain.h"
#include "irq/irq.h"
#include "lib/log.h"
#include "mm/layout.h"
#include "lib/string.h"
#include "mm/mmio.h"
#include "mm/tlb.h"
#include "plat/plat.h"
#include "pv/mm.h"
#include "pv/cpuid.h"
#include "pv/pv.h"
#include "plat/acpi.h"

#define PANIC_LOG_LINES 12

static void panic_end(bool halt)
{
	if (halt)
		machine_halt();
	plat_delay(5000000);
	machine_restart();
}

static void panic_log(void)
{
	pr_err("The last lines of the log:\n");
	console_show_tail(PANIC_LOG_LINES);
	pr_err("(end of the last lines)\n");
}

void wire_board(void)
{
	plat_phys_to_virt = paddr_to_virt;
	plat_map_firmware = map_firmware;
	plat_unmap_firmware = unmap_firmware;
	plat_map_mmio = map_mmio;
	plat_map_wc = map_mmio_wc;
	panic_console_hook = console_force_sync;
	panic_end_hook = panic_end;
	panic_log_hook = panic_log;
	panic_guest_hook = pv_show_running;
}

static void console_interrupt(struct irq_line *l)
{
	console_poll_input();
}

/* Typed characters: dom0's, or debug keys. A line without an interrupt is for output only. */
static void wire_console_input(void)
{
	static const struct irq_user user = {.handler = console_interrupt};
	int irq = console_irq(), err;
	struct irq_line *l;

	console_debug_key_hook = debug_key_run;
	if (irq < 0 || irq > 15)
		return;
	l = gsi_line_get(acpi.isa[irq].present ? acpi.isa[irq].gsi : (u32)irq, &user, &err);
	if (!l) {
		pr_warn("console: no interrupt for the serial line (%d)\n", err);
		return;
	}
	irq_start(l, 0);
	console_irq_enable();
	console_poll_input();
}

static void console_input(void)
{
	send_global_virq(VIRQ_CONSOLE);
}

void wire_up(void)
{
	reset_prepare();
	spin_wait_hook = tlb_flush_service;
	console_input_hook = console_input;
	debug_keys_init();
	wire_console_input();
	strlcpy(hv_command_line, boot_info.cmdline, sizeof(hv_command_line));
	cpuid_init();
	/* Device pages that no guest may touch: the local APIC, the IO-APICs, the MSI window. */
	pv_deny_io(0xfee00, 0xfeeff);
	for (unsigned int i = 0; i < acpi.nr_ioapics; i++)
		pv_deny_io(acpi.ioapic[i].addr >> 12, acpi.ioapic[i].addr >> 12);
}
