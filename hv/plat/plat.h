/* SPDX-License-Identifier: MIT */
/* The board: consoles, reset and power-off, IO-APICs, PIC, PCI configuration space. */
#ifndef PLAT_PLAT_H
#define PLAT_PLAT_H

#include "lib/types.h"

/*
 * What the board needs of the floor above it: set by boot/ as soon as each works, NULL before.
 * phys_to_virt: RAM and device memory below 4 GiB in the direct map (VGA text, BIOS data area).
 */
extern void *(*plat_phys_to_virt)(paddr_t pa);
extern const void *(*plat_map_firmware)(paddr_t pa, size_t size);
extern void (*plat_unmap_firmware)(const void *va, size_t size);
extern volatile void *(*plat_map_mmio)(paddr_t pa, size_t size);
/* Write-combining: for a framebuffer. */
extern volatile void *(*plat_map_wc)(paddr_t pa, size_t size);
/* UEFI firmware: no BIOS data below 1 MiB, nothing there is looked at or written. */
extern bool plat_efi;
/* Busy wait of us microseconds: by the TSC; before plat_delay_calibrate() by an I/O port, roughly. */
void plat_delay(unsigned int us);
/* How fast the TSC runs; 0: not known, the port again. */
void plat_delay_calibrate(u64 tsc_hz);

/* --- serial.c, console.c --- */
/* Very first thing at start: COM1 115200 8n1, until console_init. */
void console_early_init(void);
/* Once the screen is known (screen_init): it shows what was printed so far, too. */
void console_add_screen(void);
/* console= and com1= decide; called once the command line is known. */
void console_init(const char *console_opt, const char *com1_opt);
void console_write(const char *s, size_t n); /* to all consoles and the ring; locked inside */
/* What dom0 prints: to the consoles, not to the ring. */
void console_write_guest(const char *s, size_t n);
/* ISA interrupt of the serial line in use, -1 when it has none; _enable lets the UART raise it. */
int console_irq(void);
/* First of its 8 I/O ports; 0 when there is no serial console. */
u16 console_port(void);
void console_irq_enable(void);
/*
 * Takes the ring to CONSOLE_RING_BYTES at mem. kept: a place of which the last boot's ring may be left,
 * whose last n bytes are printed then (scratch holds them) unless that boot ended in order.
 */
#define CONSOLE_RING_BYTES ROUND_UP(CONFIG_CONSOLE_RING_KB * 1024UL + 64, PAGE_SIZE)
void console_keep(void *mem, bool kept, char *scratch, size_t n);
/* The machine goes down because dom0 wants it: nothing for the next boot to show. */
void console_end_in_order(void);
/* Copies up to n bytes from ring position *pos (a running count) on; advances *pos; returns the count. */
size_t console_ring_read(char *buf, size_t n, u32 *pos);
u32 console_ring_start(void), console_ring_end(void);
void console_ring_clear(void);
/* Input typed at the serial line: a byte or -1. Ctrl-A three times switches to the debug keys and back. */
int console_getc(void);
/* Called by the serial interrupt or poll timer: reads the UART, passes keys on. */
void console_poll_input(void);
extern void (*console_input_hook)(void);     /* there is input for dom0 (VIRQ_CONSOLE) */
extern void (*console_debug_key_hook)(char); /* a debug key was typed */
/* Panic: ignore locks from now on, and write to the screen again when it shows text. */
void console_force_sync(void);
void console_show_tail(unsigned int lines); /* panic: the ring's last lines, to the consoles only */

/* --- reset.c --- */
/* reboot=: n, w or c, and one of t k a p P, separated by commas; only first letters count. */
int reboot_parse(const char *s);
void reset_prepare(void); /* once, when ACPI is known and mappings can be made */
void __noreturn machine_restart(void);
void __noreturn machine_poweroff(void); /* falls back to halt when the board has no way */
void __noreturn machine_halt(void);
/* ACPI sleep type values as dom0's ACPI interpreter gives them. 0 or -XEN_E*. */
int machine_enter_sleep(u16 pm1a_val, u16 pm1b_val);

/* --- pic.c, ioapic.c --- */
void pic_disable(void);
void ioapic_init(void);
unsigned int ioapic_nr_gsis(void);
bool ioapic_gsi_valid(u32 gsi);
/* Programs a pin: vector, destination APIC id, trigger, polarity, mask. */
void ioapic_set(u32 gsi, u8 vector, u32 apic_id, bool level, bool low, bool masked);
void ioapic_mask(u32 gsi, bool masked);
/* Changes only the destination, without masking: an edge that comes meanwhile is not lost. */
void ioapic_set_dest(u32 gsi, u32 apic_id);
/* Register access for PHYSDEVOP_apic_read (by IO-APIC physical address). 0 or -XEN_ENODEV. */
int ioapic_read_reg(paddr_t base, u32 reg, u32 *val);

/* --- pci.c --- */
u32 pci_read(u16 seg, u8 bus, u8 devfn, u16 reg, unsigned int size);
void pci_write(u16 seg, u8 bus, u8 devfn, u16 reg, unsigned int size, u32 val);
/* Raw mechanism-1 access with a guest's cf8 value: size and offset checked by the caller. */
u32 pci_cf8_read(u32 cf8, unsigned int off, unsigned int size);
void pci_cf8_write(u32 cf8, unsigned int off, unsigned int size, u32 val);

/* --- hpet.c, pit.c, rtc.c: raw sources for time/ --- */
bool hpet_init(void);	  /* true when there is one */
u64 hpet_read(void);	  /* counter, monotonic to 64 bit */
u32 hpet_read32(void);	  /* its low half, one access: for calibration */
u64 hpet_period_fs(void); /* femtoseconds a tick */
void pit_start(void);	  /* channel 2, one-shot from 65535, polled */
u16 pit_read(void);
#define PIT_HZ 1193182
u64 rtc_read_unix(void); /* seconds since 1970, UTC */

#endif
