/* SPDX-License-Identifier: MIT */
/*
 * A second domain, made by the probe when it is dom0: a copy of itself, without privileges, that runs
 * one function. Both have the image at the same addresses, so a pointer into it means the same to both.
 */
#ifndef PROBE_CHILD_H
#define PROBE_CHILD_H

#include "kit.h"

#define CHILD_HEAP   128
#define CHILD_TABLES 12
#define CHILD_WIN    500 /* window pages from here on: the child's page, and one for copies */

/* Shared: the child's own page, which dom0 has mapped as long as it waits. */
struct child_page {
	void (*fn)(void);
	volatile u32 done;
	volatile u32 order; /* from dom0, and back to 0 when it is carried out */
	volatile u64 arg[16];
	enum outcome outcome;
	char text[2048];
};

extern union child_union {
	struct child_page page;
	char bytes[PAGE_SIZE];
} child_union;
/* In the child: its own page. */
#define me (&child_union.page)

struct child {
	domid_t id;
	u64 shared_mfn;
	unsigned long nr; /* of its frames */
	unsigned long
		image; /* the first so many of them are the image, then come heap and tables */
	struct child_page *page; /* in dom0's window */
};
extern unsigned long child_mfn[];
/* Its table of a level, 4 the root; at level 1 the one of the image. */
u64 child_table_mfn(const struct child *c, int level);

/* Built, paused. False: an ERROR has been noted. arg may be changed in c->page before it runs. */
bool child_make(struct child *c, void (*fn)(void));
bool child_make_and_run(struct child *c, void (*fn)(void));
long child_unpause(const struct child *c);
/* Until it is done; its outcome becomes that of the test. */
void child_wait(struct child *c);
/* Ends it, and demands that nothing of it is left. */
void child_end(struct child *c);
/* Ends it and says what domctl answers; the domain may stay as long as somebody holds its frames. */
long child_destroy(struct child *c);
bool child_exists(domid_t id);
/* Both on CPU 0, so that they take turns; or anywhere. */
void child_together(const struct child *c, bool on);

/* --- dom0's own calls --- */
struct xen_domctl;
struct xen_sysctl;
/* A zeroed structure with the version filled in. */
struct xen_domctl *domctl_new(u32 cmd, domid_t id);
long domctl_do(void);
struct xen_sysctl *sysctl_new(u32 cmd);
long sysctl_do(void);
u64 free_frames(void);
/* The hypervisor's log from *pos on; the number of bytes, and *pos behind them. */
u32 log_read(char *buf, u32 size, u32 *pos);

#define NEEDS_DOM0()                                        \
	do {                                                \
		if (!is_dom0())                             \
			SKIP_TEST("only dom0 may do that"); \
	} while (0)

#endif
