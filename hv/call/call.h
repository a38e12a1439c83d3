/* SPDX-License-Identifier: MIT */
/* The table of hypercalls (call/table.c) and the prototypes of all handlers. */
#ifndef CALL_CALL_H
#define CALL_CALL_H

#include "dom/hypercall.h"
#include "dom/handlers.h"

extern call_fn *const call_table[NR_CALLS];

#endif
