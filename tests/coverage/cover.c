/* SPDX-License-Identifier: MIT */
/*
 * A plugin for QEMU's TCG that notes which instructions of a range of addresses were executed, on any
 * processor.  The notes are a file that is mapped, so they are there however QEMU ends.
 *
 * Arguments: out=FILE, base=ADDRESS, size=BYTES.  FILE has 8 bytes for each byte of the range: how often
 * an instruction that begins there was executed, roughly where several processors count at once.
 *
 * A second range, behind the first one in FILE, is a program of which only the firmware knows where it
 * lies: moved=BYTES is its size, entry=OFFSET where it is entered, code=HEX what stands there.  Blocks
 * that begin so show where it is.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../bench/qemu_api.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 1;

#define CODE_MAX 64

static uint64_t base, size, *hits;
static uint64_t moved_base, moved_size, moved_entry;
static uint8_t code[CODE_MAX];
static size_t code_size;
static const char *path;

/* A block that has all of the code, from its first instruction on. */
static bool is_entry(const struct qemu_plugin_tb *tb)
{
	size_t done = 0;

	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb) && done < code_size; i++) {
		const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		size_t n = qemu_plugin_insn_size(insn);

		if (n > code_size - done)
			n = code_size - done;
		if (memcmp(qemu_plugin_insn_data(insn), code + done, n))
			return false;
		done += n;
	}
	return code_size && done == code_size;
}

static uint64_t *place_of(uint64_t va)
{
	if (va - base < size)
		return &hits[va - base];
	if (moved_base && va - moved_base < moved_size)
		return &hits[size + va - moved_base];
	return NULL;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	if (is_entry(tb))
		moved_base = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)) - moved_entry;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t *at = place_of(qemu_plugin_insn_vaddr(insn));

		if (at)
			qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, at,
								   1);
	}
}

static bool take_code(const char *hex)
{
	unsigned int byte;

	for (; *hex && code_size < CODE_MAX; hex += 2) {
		if (sscanf(hex, "%2x", &byte) != 1)
			return false;
		code[code_size++] = (uint8_t)byte;
	}
	return !*hex;
}

static bool take_argument(const char *name, const char *value)
{
	if (!strncmp(name, "out=", 4))
		path = strdup(value);
	else if (!strncmp(name, "base=", 5))
		base = strtoull(value, NULL, 0);
	else if (!strncmp(name, "size=", 5))
		size = strtoull(value, NULL, 0);
	else if (!strncmp(name, "moved=", 6))
		moved_size = strtoull(value, NULL, 0);
	else if (!strncmp(name, "entry=", 6))
		moved_entry = strtoull(value, NULL, 0);
	else if (!strncmp(name, "code=", 5))
		return take_code(value);
	else
		return false;
	return true;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	int fd;

	(void)info;
	for (int i = 0; i < argc; i++) {
		const char *value = strchr(argv[i], '=');

		if (!value || !take_argument(argv[i], value + 1))
			return -1;
	}
	fd = path && size ? open(path, O_RDWR | O_CREAT | O_TRUNC, 0644) : -1;
	if (fd < 0 || ftruncate(fd, (off_t)((size + moved_size) * sizeof(*hits))))
		return -1;
	hits = mmap(NULL, (size + moved_size) * sizeof(*hits), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (hits == MAP_FAILED)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
