/* SPDX-License-Identifier: MIT */
/* A row of the bench: one operation, executed a thousand times. */
#ifndef PROBE_BENCH_H
#define PROBE_BENCH_H

#include "kit.h"

struct bench_row {
	const char *name;
	void (*op)(void);
	unsigned long each;   /* operations in one op(), 0: one */
	bool (*before)(void); /* false: not possible here */
	void (*after)(void);
	const char *entry; /* of a trap that it makes: the stub that returns at once */
	int vector;
};

/* What a Linux guest does most; ends with a NULL name. */
extern const struct bench_row bench_linux_rows[];
/* Two domains on one CPU; two vcpus on two CPUs, for which the word is bench=two. The same end. */
extern const struct bench_row bench_turn_rows[], bench_two_rows[];
/* bench_linux.c: a channel with both ends here. False: there is none. */
bool bench_pair(u32 *port, u32 *peer);
/* Waits by SCHEDOP_poll until the port is pending, and clears it. */
void bench_wait_port(u32 port);
/* What populated frames cost. Afterwards no memory is free: the last rows. */
void bench_memory(void);
/* grant.c: makes the page a grant to the own domain. False: no grant table. */
bool grant_to_self(unsigned int ref, const void *page);

#endif
