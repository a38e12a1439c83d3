/* SPDX-License-Identifier: MIT */
/*
 * A plugin for QEMU's TCG that counts what the emulated processor executes, apart for the
 * hypervisor, the kernel and the user, and writes all counters to a file at each mark of the
 * guest (marks.h) and at up to three addresses: the hypervisor's entry, dom0's and a guest's kernel's.
 *
 * Arguments: out=FILE, hv=ADDRESS (0: none), kernel=ADDRESS, guest=ADDRESS, move=SIZE if the loader may
 * move the hypervisor by multiples of a power of two, count=off for marks and host time only, count=late to
 * count from the first mark of marks.h on: what comes before is faster then, count=blocks for instructions
 * alone, which is three times as fast: a block that a fault leaves counts whole.  With
 * blocks=FILE, FILE.MARK gets address and instructions of each block run since the mark before.
 * Which part an instruction belongs to is told by its address.  Several processors must take turns in
 * one thread, as with -icount; what they do is added up.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "marks.h"
#include "qemu_api.h"

enum part {
	PART_HV,
	PART_KERNEL,
	PART_USER,
	PARTS
};

enum kind {
	KIND_INSNS,
	KIND_CR3,
	KIND_CR_OTHER,
	KIND_INVLPG,
	KIND_MSR,
	KIND_LOCKED,
	KIND_SYSCALL,
	KIND_SYSRET,
	KIND_IRET,
	KIND_PORT_IO,
	KIND_HLT,
	KINDS,
	KIND_NONE = KINDS,
};

static const char *const part_names[PARTS] = {"hv", "kernel", "user"};
static const char *const kind_names[KINDS] = {"insns", "cr3",	 "cr",	    "invlpg",
					      "msr",   "locked", "syscall", "sysret",
					      "iret",  "port",	 "hlt"};
static const char *const mark_names[MARK_LAST] = MARK_NAMES;

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 1;

static uint64_t counters[PARTS][KINDS];
static uint64_t hv_entry, hv_entry_mask = ~0ull, kernel_entry, guest_entry;
static bool counting = true, counting_blocks, late;
static uint64_t plugin;
static FILE *out;

/* A translated block.  QEMU may translate one address several times; a reader adds them up. */
struct block {
	struct block *next;
	uint64_t address, insns;
};

static struct block *blocks;
static const char *blocks_path;

static void write_blocks(const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s.%s", blocks_path, name);
	file = fopen(path, "w");
	if (!file)
		return;
	for (struct block *b = blocks; b; b = b->next) {
		if (b->insns)
			fprintf(file, "%llx %llu\n", (unsigned long long)b->address,
				(unsigned long long)b->insns);
		b->insns = 0;
	}
	fclose(file);
}

static void write_mark(const char *name)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	fprintf(out, "{\"mark\": \"%s\", \"host\": %lld.%06ld", name,
		(long long)now.tv_sec, now.tv_nsec / 1000);
	for (int p = 0; p < PARTS; p++)
		for (int k = 0; k < KINDS; k++)
			fprintf(out, ", \"%s.%s\": %llu", part_names[p], kind_names[k],
				(unsigned long long)counters[p][k]);
	fprintf(out, "}\n");
	if (blocks_path)
		write_blocks(name);
	fflush(out);
}

/* The ABI gives the hypervisor these slots of the top-level page table. */
static enum part part_of(uint64_t address)
{
	if (address >= 0xffff800000000000 && address < 0xffff880000000000)
		return PART_HV;
	return address >> 47 ? PART_KERNEL : PART_USER;
}

/* The loader enters the hypervisor between 1 MiB and 4 GiB. */
static bool is_hv_entry(uint64_t address)
{
	return hv_entry && address >> 20 && !(address >> 32) &&
	       !((address ^ hv_entry) & hv_entry_mask);
}

static bool is_prefix(uint8_t byte, bool *lock)
{
	switch (byte) {
	case 0xf0:
		*lock = true;
		return true;
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64 ... 0x67:
	case 0xf2:
	case 0xf3:
	case 0x40 ... 0x4f:
		return true;
	default:
		return false;
	}
}

/* Opcodes that follow the byte 0f; modrm is their next byte. */
static enum kind kind_of_0f(uint8_t opcode, uint8_t modrm)
{
	unsigned int reg = modrm >> 3 & 7;

	switch (opcode) {
	case 0x01:
		return reg == 7 && modrm < 0xc0 ? KIND_INVLPG : KIND_NONE;
	case 0x05:
		return KIND_SYSCALL;
	case 0x07:
		return KIND_SYSRET;
	case 0x22:
		return reg == 3 ? KIND_CR3 : KIND_CR_OTHER;
	case 0x30:
		return KIND_MSR;
	default:
		return KIND_NONE;
	}
}

static enum kind kind_of(const uint8_t *bytes, size_t size)
{
	bool lock = false;
	size_t i = 0;

	while (i < size && is_prefix(bytes[i], &lock))
		i++;
	if (lock)
		return KIND_LOCKED;
	if (i + 1 < size && bytes[i] == 0x0f)
		return kind_of_0f(bytes[i + 1], i + 2 < size ? bytes[i + 2] : 0);
	if (i + 1 < size && (bytes[i] == 0x86 || bytes[i] == 0x87))
		return bytes[i + 1] < 0xc0 ? KIND_LOCKED : KIND_NONE;
	switch (i < size ? bytes[i] : 0) {
	case 0xcf:
		return KIND_IRET;
	case 0xf4:
		return KIND_HLT;
	case 0xe4 ... 0xe7:
	case 0xec ... 0xef:
	case 0x6c ... 0x6f:
		return KIND_PORT_IO;
	default:
		return KIND_NONE;
	}
}

static bool is_address(uint64_t address)
{
	return address == kernel_entry || is_hv_entry(address) || (guest_entry && address == guest_entry);
}

static const char *mark_at(const uint8_t *bytes, size_t size, uint64_t address)
{
	uint32_t disp;

	if (is_hv_entry(address))
		return "hv_entry";
	if (address == kernel_entry)
		return "kernel_entry";
	if (guest_entry && address == guest_entry)
		return "guest_entry";
	if (size != 7 || bytes[0] != 0x0f || bytes[1] != 0x1f || bytes[2] != 0x80)
		return NULL;
	memcpy(&disp, bytes + 3, sizeof(disp));
	disp -= MARK_DISP;
	return disp < MARK_LAST ? mark_names[disp] : NULL;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb);

static void begin(uint64_t id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
}

static void at_address(unsigned int cpu, void *name)
{
	(void)cpu;
	write_mark(name);
}

static void at_mark(unsigned int cpu, void *name)
{
	at_address(cpu, name);
	if (!late)
		return;
	late = false;
	counting = true;
	qemu_plugin_reset(plugin, begin);
}

static void count(struct qemu_plugin_insn *insn, uint64_t *counter)
{
	qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, counter, 1);
}

static void count_block(struct qemu_plugin_tb *tb, size_t n)
{
	struct block *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	b->address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
	b->next = blocks;
	blocks = b;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &b->insns, n);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	if (blocks_path && n)
		count_block(tb, n);
	if (counting_blocks && n) {
		uint64_t first = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));

		qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
							 &counters[part_of(first)][KIND_INSNS], n);
	}
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint8_t *bytes = qemu_plugin_insn_data(insn);
		size_t size = qemu_plugin_insn_size(insn);
		uint64_t address = qemu_plugin_insn_vaddr(insn);
		const char *mark = mark_at(bytes, size, address);

		if (mark)
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, is_address(address) ? at_address : at_mark,
				QEMU_PLUGIN_CB_NO_REGS, (void *)mark);
		if (counting) {
			uint64_t *mine = counters[part_of(address)];
			enum kind kind = kind_of(bytes, size);

			count(insn, &mine[KIND_INSNS]);
			if (kind != KIND_NONE)
				count(insn, &mine[kind]);
		}
	}
}

static void set_counting(const char *how)
{
	counting_blocks = !strcmp(how, "blocks");
	late = !strcmp(how, "late");
	counting = !counting_blocks && !late && strcmp(how, "off");
}

static bool take_argument(const char *name, const char *value)
{
	if (!strncmp(name, "out=", 4))
		out = fopen(value, "w");
	else if (!strncmp(name, "hv=", 3))
		hv_entry = strtoull(value, NULL, 0);
	else if (!strncmp(name, "kernel=", 7))
		kernel_entry = strtoull(value, NULL, 0);
	else if (!strncmp(name, "guest=", 6))
		guest_entry = strtoull(value, NULL, 0);
	else if (!strncmp(name, "move=", 5))
		hv_entry_mask = strtoull(value, NULL, 0) - 1;
	else if (!strncmp(name, "blocks=", 7))
		blocks_path = strdup(value);
	else if (!strncmp(name, "count=", 6))
		set_counting(value);
	else
		return false;
	return true;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	plugin = id;
	for (int i = 0; i < argc; i++) {
		const char *value = strchr(argv[i], '=');

		if (!value || !take_argument(argv[i], value + 1))
			return -1;
	}
	if (!out || !kernel_entry)
		return -1;
	begin(id);
	return 0;
}
