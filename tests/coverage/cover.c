/* SPDX-License-Identifier: MIT */
/*
 * A plugin for QEMU's TCG that notes which instructions of a range of addresses were executed, on any
 * processor.  The notes are a file that is mapped, so they are there however QEMU ends.
 *
 * Arguments: out=FILE, base=ADDRESS, size=BYTES.  FILE has 8 bytes for each byte of the range: how often
 * an instruction that begins there was executed, roughly where several processors count at once.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../bench/qemu_api.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 1;

static uint64_t base, size, *hits;
static const char *path;

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t at = qemu_plugin_insn_vaddr(insn) - base;

		if (at < size)
			qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
								   &hits[at], 1);
	}
}

static bool take_argument(const char *name, const char *value)
{
	if (!strncmp(name, "out=", 4))
		path = strdup(value);
	else if (!strncmp(name, "base=", 5))
		base = strtoull(value, NULL, 0);
	else if (!strncmp(name, "size=", 5))
		size = strtoull(value, NULL, 0);
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
	if (fd < 0 || ftruncate(fd, (off_t)(size * sizeof(*hits))))
		return -1;
	hits = mmap(NULL, size * sizeof(*hits), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (hits == MAP_FAILED)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
