/* SPDX-License-Identifier: MIT */
/* What the table of hypercalls knows beside the handlers: for messages and tests. */
#ifndef CALL_TABLE_H
#define CALL_TABLE_H

#include "lib/types.h"
#include "dom/hypercall.h"

enum call_caller {
	CALLER_ANY,
	CALLER_PRIV
};

struct call_info {
	const char *name; /* NULL: no such call */
	u8 nargs;
	u8 who;
};

extern const struct call_info call_info[NR_CALLS];

#endif
