/* SPDX-License-Identifier: MIT */
/* The page of stubs through which older PV kernels make their hypercalls (note HYPERCALL_PAGE). */
#ifndef PV_HYPERCALL_PAGE_H
#define PV_HYPERCALL_PAGE_H

/* page: 4096 bytes, overwritten: call n at n * 32. */
void pv_fill_hypercall_page(void *page);

#endif
