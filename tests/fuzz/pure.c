/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer over what reads bytes that others wrote: kernel images and their compressions, the command
 * line, the loader's information, ACPI tables, instructions, CPU policies, what our UEFI loader reads, and
 * what pure_boot.c has. The first byte of an input says which. The bytes are copied to memory of just
 * their size, so that the sanitizer sees a step beyond.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/arch-x86/cpufeatureset.h>
#include "boot/boot.h"
#include "boot/efi/config.h"
#include "boot/efi/pe.h"
#include "call/cpu_policy.h"
#include "cpu/features.h"
#include "cpu/spec.h"
#include "lib/cmdline.h"
#include "lib/elf.h"
#include "lib/image.h"
#include "lib/log.h"
#include "lib/mem_limits.h"
#include "mm/e820.h"
#include "mm/guest_copy.h"
#include "plat/acpi.h"
#include "plat/efi.h"
#include "pv/cpuid.h"
#include "pv/decode.h"
#include "pure.h"

#define OUT_SIZE 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- what the code is linked with --- */

struct cpu_features cpu_features = {
	.vendor = VENDOR_AMD, .xsave = true, .xcr0 = 7, .max_leaf = 0xd};
struct boot_e820 boot_e820;
struct spec_choice spec_choice;
char *test_directmap;
struct frame *frame_table;
static jmp_buf panicked;

void spec_load_guest(u32 guest_value)
{
}

/* A refusal at boot; here the input simply ends. */
void panic(const char *fmt, ...)
{
	longjmp(panicked, 1);
}

int rdmsr_safe(u32 msr, u64 *v)
{
	*v = msr;
	return 0;
}

int wrmsr_safe(u32 msr, u64 v)
{
	return 0;
}

u64 clock_tsc_hz(void)
{
	return 2000000000;
}

u64 clock_tsc_base(void)
{
	return 0;
}

void clock_scale(u32 *mul, s8 *shift)
{
	*mul = 0x80000000;
	*shift = -1;
}

void log_print(enum log_level lvl, const char *fmt, ...)
{
}

void log_guest(enum log_level lvl, const char *fmt, ...)
{
}

/* Guest memory: the input itself, at address 1 MiB. */
#define GUEST_AT 0x100000UL
static const u8 *guest;
static size_t guest_size;

int copy_from_guest(void *dst, const void *src, size_t n)
{
	unsigned long at = (unsigned long)src - GUEST_AT;

	if (at > guest_size || n > guest_size - at) {
		memset(dst, 0, n);
		return -XEN_EFAULT;
	}
	memcpy(dst, guest + at, n);
	return 0;
}

int copy_to_guest(void *dst, const void *src, size_t n)
{
	return 0;
}

/* --- the readers --- */

static void image(const u8 *data, size_t n)
{
	static struct elf_kernel k;
	const void *payload = NULL;
	size_t len = 0, out_size = 0;
	u8 *out = malloc(OUT_SIZE);
	void *work = malloc(xz_work_size());
	int format = image_payload(data, n, &payload, &len, &out_size);
	long got = -1;

	if (format == IMG_GZIP)
		got = gunzip(payload, len, out, min(out_size, (size_t)OUT_SIZE));
	else if (format == IMG_XZ)
		got = unxz(payload, len, out, OUT_SIZE, work);
	else if (format >= 0)
		elf_parse(payload, len, &k);
	if (got > OUT_SIZE)
		abort();
	if (got >= 0) {
		u8 *copy = exact(out, (size_t)got);

		elf_parse(copy, (size_t)got, &k);
		free(copy);
	}
	free(work);
	free(out);
}

static void elf(const u8 *data, size_t n)
{
	static struct elf_kernel k;

	elf_parse(data, n, &k);
	memset(&k, 0, sizeof(k));
	elfnote_parse(data, n, &k);
	elfnote_parse_legacy(data, n, &k);
}

static void decompress(const u8 *data, size_t n)
{
	u8 *out = malloc(OUT_SIZE);
	void *work = malloc(xz_work_size());

	if (gunzip(data, n, out, OUT_SIZE) > OUT_SIZE ||
	    unxz(data, n, out, OUT_SIZE, work) > OUT_SIZE)
		abort();
	free(work);
	free(out);
}

static void no_warning(const char *what, const char *opt)
{
}

static int custom(const char *value)
{
	struct mem_limits m = {0};

	return mem_limits_parse(value, &m);
}

static void cmdline(const u8 *data, size_t n)
{
	static bool flag;
	static unsigned int number;
	static u64 bytes;
	static char text[16];
	static const struct cmdline_opt opts[] = {
		{"flag", OPT_BOOL, &flag, 0, NULL},
		{"number", OPT_UINT, &number, 0, NULL},
		{"size", OPT_SIZE, &bytes, 0, NULL},
		{"text", OPT_STRING, text, sizeof(text), NULL},
		{"mem", OPT_CUSTOM, NULL, 0, custom},
	};
	char *s = malloc(n + 1);
	struct mem_limits m = {0};
	const char *end;

	memcpy(s, data, n);
	s[n] = 0;
	cmdline_parse(s, opts, sizeof(opts) / sizeof(opts[0]), no_warning);
	if (memchr(text, 0, sizeof(text)) == NULL)
		abort();
	cmdline_size(s, &end, 1024);
	if (!mem_limits_parse(s, &m) && mem_limits_pages(&m, 100000, 1000) > ~0UL / 2)
		abort();
	free(s);
}

static void acpi_any(const u8 *data, size_t n)
{
	static int (*const parse[])(const void *, size_t, struct acpi_info *) = {
		acpi_parse_madt, acpi_parse_fadt, acpi_parse_hpet, acpi_parse_mcfg};
	struct acpi_info *info = calloc(1, sizeof(*info));
	u8 *copy;

	if (n) {
		copy = exact(data + 1, n - 1);
		if (data[0] % 5 == 4)
			acpi_find_s5(copy, n - 1, info);
		else
			parse[data[0] % 5](copy, n - 1, info);
		acpi_checksum_ok(copy, n - 1);
		if (info->nr_cpus > ACPI_MAX_CPUS || info->nr_ioapics > ACPI_MAX_IOAPICS ||
		    info->nr_mcfg > ACPI_MAX_MCFG)
			abort();
		free(copy);
	}
	free(info);
}

/* The size at the beginning is the loader's: it says how much there is. */
static void multiboot(const u8 *data, size_t n)
{
	u32 total = (u32)n;
	u8 *copy;

	if (n < 16)
		return;
	copy = exact(data, n & ~7UL);
	total &= ~7u;
	memcpy(copy, &total, 4);
	memset(&boot_info, 0, sizeof(boot_info));
	memset(&boot_e820, 0, sizeof(boot_e820));
	test_directmap = (char *)copy;
	if (!setjmp(panicked))
		mb2_parse(0);
	free(copy);
}

static void instruction(const u8 *data, size_t n)
{
	struct cpu_user_regs regs = {0};
	struct insn i;
	long v;

	guest = data;
	guest_size = n;
	if (!insn_fetch(&i, GUEST_AT + (n > 20 ? n - 20 : 0)))
		return;
	if (i.opcode & 1)
		insn_modrm(&i);
	insn_imm(&i, 1u << (i.opcode % 3), &v);
	insn_write_reg(&regs, &i, i.reg, 1u << (i.opcode % 4), 0x123456789abcdef0);
	insn_read_reg(&regs, &i, i.rm, 1u << (i.opcode % 4));
	*insn_reg(&regs, i.reg & 15) = 1;
	if (i.pos > i.len || i.pos > INSN_MAX)
		abort();
}

static void processor(u32 leaf, u32 sub, u32 r[4])
{
	static const u32 last[] = {0x1f, 0x80000028};

	memset(r, 0x77, 16);
	if (!(leaf & ~0x80000000u))
		r[0] = last[leaf >> 31];
}

static void policy(const u8 *data, size_t n)
{
	u32 fs[CPU_FEATURE_WORDS];
	static xen_cpuid_leaf_t out[POLICY_MAX_LEAVES];
	xen_cpuid_leaf_t leaf;
	xen_msr_entry_t msr, msrs[POLICY_MAX_MSRS];

	if (!cpuid_host.read) {
		cpuid_host = (struct cpuid_host){
			.read = processor, .xcr0 = 7, .arch_caps = 0xffffffffUL, .amd = 1};
		cpuid_derive();
	}
	memset(fs, 0xff, sizeof(fs));
	for (; n >= sizeof(leaf); data += sizeof(leaf), n -= sizeof(leaf)) {
		memcpy(&leaf, data, sizeof(leaf));
		policy_take_leaf(fs, &leaf);
		memcpy(&msr, data, sizeof(msr));
		policy_take_msr(fs, &msr);
	}
	if (policy_leaves(fs, out) > POLICY_MAX_LEAVES || policy_msrs(fs, msrs) > POLICY_MAX_MSRS)
		abort();
}

static void efi_config(const u8 *data, size_t n)
{
	struct efi_config c = {(const char *)data, n};
	char section[16], out[32];

	if (config_bad_line(&c) > n || !config_section(&c, "", section, sizeof(section)))
		return;
	config_get(&c, section, "kernel", out, sizeof(out), NULL);
	if (strlen(section) >= sizeof(section) || strlen(out) >= sizeof(out))
		abort();
}

static void pe_image(const u8 *data, size_t n)
{
	size_t len = 0;
	const u8 *s = pe_section(data, n, ".config", &len);

	if (s && (s < data || len > n || s + len > data + n))
		abort();
}

static void efi_map(const u8 *data, size_t n)
{
	memset(&boot_info, 0, sizeof(boot_info));
	memset(&boot_e820, 0, sizeof(boot_e820));
	efi_nr_regions = 0;
	if (n)
		efi_map_parse(data, n, 40 + data[0] % 2 * 8);
	for (u32 i = 1; i < boot_e820.nr; i++)
		if (boot_e820.e[i].addr < boot_e820.e[i - 1].addr + boot_e820.e[i - 1].size)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const newer[])(const u8 *data, size_t n) = {efi_config, pe_image, efi_map};
	static void (*const boot[])(const u8 *data, size_t n) = {
		fuzz_mb1, fuzz_options, fuzz_screen, fuzz_efi_system, fuzz_handover};
	static void (*const readers[])(const u8 *data, size_t n) = {
		image, elf, decompress, cmdline, acpi_any, multiboot, instruction, policy};
	u8 *copy;

	if (!size)
		return 0;
	copy = exact(data + 1, size - 1);
	if (data[0] >= 200 && data[0] < 240)
		boot[data[0] % 5](copy, size - 1);
	else if (data[0] >= 240)
		newer[data[0] % 3](copy, size - 1);
	else
		readers[data[0] % 8](copy, size - 1);
	free(copy);
	return 0;
}
