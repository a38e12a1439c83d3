/* SPDX-License-Identifier: MIT */
/* Instructions of ours that may fault on a guest's or a device's account, and where to go on then. */
#ifndef CPU_EXTABLE_H
#define CPU_EXTABLE_H

/* For inline assembly: a fault at label `from` continues at label `to`. */
#define EX_TABLE(from, to) \
	".pushsection .ex_table, \"a\"\n\t.quad " from ", " to "\n\t.popsection\n\t"

/* The address to continue at, 0 when ip is not in the table. */
unsigned long extable_find(unsigned long ip);

#endif
