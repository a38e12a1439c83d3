/* SPDX-License-Identifier: MIT */
/*
 * The configuration file of the UEFI loader. Sections in brackets, lines key=value in them, # or ; begins
 * a comment line. [global] may say default=SECTION; without it the first other section counts. Pure.
 */
#ifndef BOOT_EFI_CONFIG_H
#define BOOT_EFI_CONFIG_H

#include "lib/types.h"

struct efi_config {
	const char *text; /* ends at text + size, or at a NUL before */
	size_t size;
};

enum config_result {
	CONFIG_FOUND,
	CONFIG_ABSENT,
	CONFIG_TOO_LONG
};

/*
 * The value of a key, of the first line that has it, without blanks around it. An empty one counts as
 * absent. *line, when not NULL, becomes the number of the line. out has size bytes, and is "" unless found.
 */
enum config_result config_get(const struct efi_config *c, const char *section, const char *key,
			      char *out, size_t size, unsigned int *line);
/*
 * The section to boot: `wanted` when it is not "", else as above. False when there is none such; out is the
 * name that was looked for then, or "".
 */
bool config_section(const struct efi_config *c, const char *wanted, char *out, size_t size);
/* The number of the first line that is neither section, key=value, comment nor blank; 0: there is none. */
unsigned int config_bad_line(const struct efi_config *c);

#endif
