/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the start know of each other: the loader's information, options, CPUs. Whatever the
 * loader speaks, it ends up in boot_info and boot_e820 (mm/e820.h); after that nobody asks who it was.
 */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "lib/mem_limits.h"
#include "lib/types.h"
#include "mm/plan.h"
#include "plat/screen.h"

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
	unsigned int nr_lost; /* ranges of the memory map that found no room, or make no sense */
	unsigned int nr_modules;
	struct boot_module module[BOOT_MAX_MODULES];
	bool has_rsdp;
	u8 rsdp[36];
	struct screen_fb fb; /* type 0: none */
	bool efi;	     /* UEFI firmware: no BIOS area, no text mode */
	paddr_t efi_systab;  /* of the 64-bit system table; 0: not known */
};

extern struct boot_info boot_info;
extern paddr_t hv_load_pa; /* where the image lies, a multiple of 2 MiB; set in head.S */

/* --- info.c: what the parsers fill boot_info with; everything is cut to what fits --- */
/* Copies a text of at most len bytes, whether it ends there or not, as far as size - 1 bytes of it fit. */
void boot_copy_text(char *dst, size_t size, const char *text, size_t len);
/* One more module [start, end); NULL when it makes no sense or there are too many. */
struct boot_module *boot_add_module(u64 start, u64 end);
/* One more range of the memory map, by its E820 type. */
void boot_add_memory(u64 start, u64 size, u32 type);
/* Whether the memory map has pa as RAM; what lies there may be anything by now. */
bool boot_is_ram(paddr_t pa);
/* Whether any of [start, end) is. */
bool boot_touches_ram(paddr_t start, paddr_t end);
/* Cuts a loader's file name off the front of an argument line. */
void boot_drop_word(char *args);
/* A page below 1 MiB that is RAM and no module lies in, for processors to start in; 0: there is none. */
paddr_t boot_low_page(void);

/* --- mb2.c, mb1.c --- */
/* The multiboot2 information at physical address pa (below 4 GiB), to boot_info. */
void mb2_parse(paddr_t pa);
/* The same for multiboot1. */
void mb1_parse(paddr_t pa);

/* --- efi_map.c --- */
/*
 * A UEFI memory map of size bytes, to boot_info and boot_e820, in ascending order and joined; areas that
 * the firmware keeps also to efi_regions (plat/efi.h). What the firmware needed only until now is RAM.
 */
void efi_map_parse(const void *map, size_t size, size_t desc_size);

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
