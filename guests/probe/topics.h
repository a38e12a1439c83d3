/* SPDX-License-Identifier: MIT */
/* The topics, each a file with its table of tests; main.c runs them in this order. */
#ifndef PROBE_TOPICS_H
#define PROBE_TOPICS_H

#include "kit.h"

extern const struct topic topics[];
extern const struct test start_tests[], trap_tests[], user_mode_tests[], mm_entry_tests[],
	mm_pin_tests[], mm_ptwr_tests[], mm_tree_tests[], desc_tests[], evtchn_tests[],
	fifo_tests[], time_tests[], emul_tests[], call_tests[], memory_tests[], grant_tests[],
	smp_tests[], ctx_tests[], priv_tests[], peer_tests[], walk_tests[], bits_tests[],
	padding_tests[], cut_tests[], child_tests[], stale_tests[], fetch_tests[], audit_tests[],
	spec_tests[], pool_tests[], inject_tests[], root_tests[];
/* Of the topic child, in files of their own. */
void child_state(void);
void child_leaves(void);
void child_states(void);
void bench(void);
/* One of neighbour.c's words on the command line: does not return. */
void neighbour(void);
/* spoil.c: returns when it is done. */
void spoil(void);
/* One of load.c's words on the command line: does not return. */
void load(void);
void pace(void); /* pace.c: the same */
/* The other side of the topic peer; returns when the peer says so. */
void offer(void);
void fuzz(void); /* fuzz.c */
/* Does what must end the domain, and nothing but the domain; returns when it did not. */
void crash(const char *how);

#endif
