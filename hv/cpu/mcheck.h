/* SPDX-License-Identifier: MIT */
/* Machine checks: every one is fatal; what the processor says of it. */
#ifndef CPU_MCHECK_H
#define CPU_MCHECK_H

/* "machine check" with the global status and the first bank that has an error. Kept until the next call. */
const char *mcheck_reason(void);

#endif
