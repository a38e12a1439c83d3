/* SPDX-License-Identifier: MIT */
/*
 * The few static ACPI tables that the hypervisor reads: RSDP (from the loader's tag, else by scanning
 * low memory), RSDT/XSDT, MADT, FADT, HPET, MCFG. No AML, but for the package \_S5_ of the DSDT. Results are plain structs, filled once.
 */
#ifndef PLAT_ACPI_H
#define PLAT_ACPI_H

#include "lib/types.h"

#define ACPI_MAX_CPUS	 256
#define ACPI_MAX_IOAPICS 16
#define ACPI_MAX_MCFG	 8

struct acpi_cpu {
	u32 apic_id, acpi_id;
	bool enabled;
};

struct acpi_ioapic {
	u8 id;
	paddr_t addr;
	u32 gsi_base;
};

struct acpi_override { /* ISA interrupt source override */
	bool present, level, low;
	u32 gsi;
};

struct acpi_mcfg {
	paddr_t base;
	u16 segment;
	u8 bus_first, bus_last;
};

struct acpi_info {
	bool found;
	unsigned int nr_cpus;
	struct acpi_cpu cpu[ACPI_MAX_CPUS];
	paddr_t lapic_addr;
	bool pcat_compat;
	unsigned int nr_ioapics;
	struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS];
	struct acpi_override isa[16];
	paddr_t hpet_addr;
	unsigned int nr_mcfg;
	struct acpi_mcfg mcfg[ACPI_MAX_MCFG];
	u16 sci_irq;
	u16 pm1a_cnt, pm1b_cnt, pm1a_evt, pm1b_evt, pm_tmr;
	u8 pm1_evt_len;
	bool has_reset_reg;
	u8 reset_space, reset_value;
	u64 reset_addr;
	paddr_t rsdp, facs, dsdt;
	u32 smi_cmd;	/* port; 0: the board is always in ACPI mode */
	u8 acpi_enable; /* value that switches it to ACPI mode */
	u8 rtc_century; /* CMOS register, 0 = none */
	bool no_8042, has_s5;
	u8 s5_a, s5_b; /* SLP_TYP of soft-off for PM1a and PM1b */
};

extern struct acpi_info acpi;

/*
 * rsdp_copy: the loader's copy of the RSDP (36 bytes, or 20 of ACPI 1.0) or NULL: then low memory is
 * searched. Needs plat_map_firmware. Bad tables are left out with a message. 0 or -XEN_ENOENT.
 */
int acpi_init(const void *rsdp_copy);
/* Pure: parses one checked table into *out; unit-tested. 0 or -XEN_EINVAL. */
int acpi_parse_madt(const void *table, size_t len, struct acpi_info *out);
/* The same for the others. MADT wants out->sci_irq, so FADT comes first. */
int acpi_parse_fadt(const void *table, size_t len, struct acpi_info *out);
int acpi_parse_hpet(const void *table, size_t len, struct acpi_info *out);
int acpi_parse_mcfg(const void *table, size_t len, struct acpi_info *out);
/* Looks for the name object \_S5_ in a DSDT or SSDT; false when there is none that makes sense. */
bool acpi_find_s5(const void *table, size_t len, struct acpi_info *out);
/* True when the table's length is len and its bytes add up to 0. */
bool acpi_checksum_ok(const void *p, size_t len);

#endif
