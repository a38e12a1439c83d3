/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's command line: a static table of options, parsed in place. Pure. Options are
 * name=value, name (= true), no-name (= false). Unknown ones are reported and ignored; the last wins.
 * Sizes take K M G T suffixes (default K as Xen's dom0_mem: a bare number is KiB).
 */
#ifndef LIB_CMDLINE_H
#define LIB_CMDLINE_H

#include "lib/types.h"

enum opt_kind {
	OPT_BOOL,
	OPT_UINT,
	OPT_SIZE,
	OPT_STRING,
	OPT_CUSTOM
};

struct cmdline_opt {
	const char *name;
	enum opt_kind kind;
	void *var;			 /* bool, unsigned int, u64 (bytes), char array */
	size_t size;			 /* of a string */
	int (*parse)(const char *value); /* OPT_CUSTOM: 0 or -XEN_EINVAL */
};

/* warn(text, option) is called for each unknown or ill-formed option. Returns how many. */
int cmdline_parse(const char *line, const struct cmdline_opt *tbl, size_t nr,
		  void (*warn)(const char *what, const char *opt));
/* "512M" -> bytes; *end after the suffix. bare numbers are multiplied by unit. */
u64 cmdline_size(const char *s, const char **end, u64 unit);
/* The words for yes and no of a switch: 0, or -XEN_EINVAL and *b is left alone. */
int cmdline_bool(const char *v, bool *b);

#endif
