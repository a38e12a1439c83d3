/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own log. pr_*() print through the sink that the console registers; on the build
 * machine the sink is stderr. Levels follow loglvl=. glog_*() is for everything a guest can trigger:
 * it is rate-limited and governed by guest_loglvl=. ASSERT() is about our own state only.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include "lib/types.h"

enum log_level {
	LOG_ERR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG
};

void log_print(enum log_level lvl, const char *fmt, ...) __printf(2, 3);
void log_guest(enum log_level lvl, const char *fmt, ...) __printf(2, 3);
/* Prints a clear line, registers and a stack trace, then reboots or halts (noreboot). */
void __noreturn panic(const char *fmt, ...) __printf(1, 2);

/* Where lines go; NULL: nowhere. Called with complete text, any number of lines or a part of one. */
extern void (*log_sink)(const char *s, size_t n);
/* ns since boot for the limit on guests' messages; NULL: the first burst is all there is. */
extern s64 (*log_clock)(void);
/*
 * loglvl= and guest_loglvl=: none, error, warning, info, debug, all; of "a/b" (Xen's spelling) the
 * wider one counts. 0 or -XEN_EINVAL.
 */
int log_set_level(const char *value);
int log_set_guest_level(const char *value);

#define pr_err(...)    log_print(LOG_ERR, __VA_ARGS__)
#define pr_warn(...)   log_print(LOG_WARN, __VA_ARGS__)
#define pr_info(...)   log_print(LOG_INFO, __VA_ARGS__)
#define pr_debug(...)  log_print(LOG_DEBUG, __VA_ARGS__)
#define glog_err(...)  log_guest(LOG_ERR, __VA_ARGS__)
#define glog_warn(...) log_guest(LOG_WARN, __VA_ARGS__)
#define glog_info(...) log_guest(LOG_INFO, __VA_ARGS__)

#define ASSERT(c)                                                                       \
	do {                                                                            \
		if (unlikely(!(c)))                                                     \
			panic("assertion failed: %s at %s:%d", #c, __FILE__, __LINE__); \
	} while (0)
#define BUG() panic("BUG at %s:%d", __FILE__, __LINE__)

#endif
