/* SPDX-License-Identifier: MIT */
/*
 * Basic types and macros of every floor. Owns nothing.
 * mfn: machine frame number, paddr_t: machine address, gfn/pfn: a guest's own number for a frame.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdint.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdarg.h>
#include <limits.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef u64 paddr_t;
typedef unsigned long mfn_t;

#define INVALID_MFN (~0UL)
#define PAGE_SHIFT  12
#define PAGE_SIZE   (1UL << PAGE_SHIFT)
#define PAGE_MASK   (~(PAGE_SIZE - 1))

#define ARRAY_SIZE(a)	      (sizeof(a) / sizeof((a)[0]))
#define DIV_ROUND_UP(n, d)    (((n) + (d)-1) / (d))
#define ROUND_UP(x, a)	      (((x) + (a)-1) & ~((__typeof__(x))(a)-1))
#define ROUND_DOWN(x, a)      ((x) & ~((__typeof__(x))(a)-1))
#define PFN_UP(x)	      (((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x)	      ((x) >> PAGE_SHIFT)
#define container_of(p, t, m) ((t *)((char *)(p)-offsetof(t, m)))
#define min(a, b)	      ((a) < (b) ? (a) : (b))
#define max(a, b)	      ((a) > (b) ? (a) : (b))
#define likely(x)	      __builtin_expect(!!(x), 1)
#define unlikely(x)	      __builtin_expect(!!(x), 0)
#define __packed	      __attribute__((packed))
#define __aligned(n)	      __attribute__((aligned(n)))
#define __printf(f, a)	      __attribute__((format(printf, f, a)))
#define __section(s)	      __attribute__((section(s)))
#define __noreturn	      __attribute__((noreturn))
#define __must_check	      __attribute__((warn_unused_result))
#define BUILD_BUG_ON(c)	      _Static_assert(!(c), "BUILD_BUG_ON: " #c)

/* Plain accesses to memory that another processor or a guest may change at any time. */
#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define barrier()	 __asm__ __volatile__("" ::: "memory")

#endif
