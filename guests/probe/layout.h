/* SPDX-License-Identifier: MIT */
/* Addresses and numbers that assembly, linker script and C share. */
#ifndef PROBE_LAYOUT_H
#define PROBE_LAYOUT_H

#define VIRT_BASE  0xffffffff80000000
#define LOAD_PADDR 0x100000

/* Free memory, one to one by frame number of the guest; then single pages for tests. */
#define DM_BASE	  0xffff880000000000
#define DM_PAGES  (48UL * 512)
#define WIN_BASE  0xffff888000000000
#define WIN_PAGES 512

#define USER_CODE  0x400000
#define USER_DATA  0x401000
#define USER_STACK 0x403000 /* top */

#define STACK_SIZE 16384
#define MAX_CPUS   4

/* Beyond the 256 vectors. */
#define VEC_EVENT     0x100
#define VEC_SYSCALL   0x101
#define VEC_FAILSAFE  0x102
#define VEC_SYSCALL32 0x103

#endif
