/* SPDX-License-Identifier: MIT */
/* Error codes: only the ABI's own, as XEN_Exxx; functions return them negated. */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

#include <xen/errno.h>

/* Internal, never reaches a guest: the function wants to be called again. */
#define XEN_ERESTART 85

#endif
