/* SPDX-License-Identifier: MIT */
/* What the parts of the start know of each other: the loader's information, options, CPUs. */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "lib/mem_limits.h"
#include "lib/types.h"
#include "mm/plan.h"

#define BOOT_MAX_MODULES 8
#define BOOT_CMDLINE	 2048

struct boot_module {
	paddr_t start, end; /* end exclusive */
	char args[1024];
};

struct boot_info {
	char cmdline[BOOT_CMDLINE];
	char loader[64];
	unsigned int nr_ram;
	struct mem_range ram[PLAN_MAX_RAM];
	unsigned int nr_modules;
	struct boot_module module[BOOT_MAX_MODULES];
	bool has_rsdp;
	u8 rsdp[36];
	bool has_framebuffer;
	u64 fb_addr;
	u32 fb_pitch, fb_width, fb_height;
	u8 fb_bpp, fb_type;
	u8 fb_red[2], fb_green[2], fb_blue[2]; /* position, size */
};

extern struct boot_info boot_info;

/* Copies the multiboot2 information at physical address pa; panics when there is no memory map. */
void mb2_parse(paddr_t pa);

/* --- options.c --- */
extern char opt_console[64], opt_com1[64];
extern struct mem_limits opt_dom0_mem;
extern unsigned int opt_dom0_max_vcpus, opt_maxcpus;
extern bool opt_dom0_vcpus_pin;
void options_parse(const char *line);

/* --- ring.c --- */
/* CONSOLE_RING_BYTES of RAM that nobody uses between two boots, to be reserved; 0: there is none. */
paddr_t boot_ring_place(void);
/* Takes the console's ring there (to the heap when it is 0) and shows what the last boot has left. */
void boot_keep_console(paddr_t place);

/* --- smp.c --- */
/* Stack, per-CPU data and SYSCALL stub of a CPU; returns the lowest address of its stack. */
unsigned long cpu_prepare(unsigned int cpu, u32 apic_id, u32 acpi_id);
/* Tables, MSRs, APIC, clock and timers of the CPU that runs this. */
void cpu_setup_self(unsigned int cpu);
void smp_boot_others(void);

/* --- dom0.c --- */
void dom0_build(void);

#endif
