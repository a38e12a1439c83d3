/* SPDX-License-Identifier: MIT */
/* Included first in every C file: nothing is exported, so no address goes through a table. */
#ifndef LIB_VISIBILITY_H
#define LIB_VISIBILITY_H

#pragma GCC visibility push(hidden)

#endif
