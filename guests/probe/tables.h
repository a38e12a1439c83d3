/* SPDX-License-Identifier: MIT */
/* A tree of one table a level, and a data page at its end; for the tests of page tables. */
#ifndef PROBE_TABLES_H
#define PROBE_TABLES_H

#include "kit.h"

struct tree {
	u64 *page[5]; /* by level; 0 is the data page, mapped writable by the L1 */
};

/* Read-only pages with entry 0 of each pointing down; not validated yet. */
bool tree_make(struct tree *t);
bool tree_make_pinned(struct tree *t);
/* All pages must become writable again. */
void tree_free(struct tree *t, bool pinned);

#endif
