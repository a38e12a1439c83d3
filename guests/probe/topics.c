/* SPDX-License-Identifier: MIT */
#include "topics.h"

/* fifo behind evtchn, ctx and what uses other vcpus at the end: they change what others rely on. */
const struct topic topics[] = {
	{"start", start_tests},
	{"traps", trap_tests},
	{"user", user_mode_tests},
	{"calls", call_tests},
	{"mm-entry", mm_entry_tests},
	{"mm-pin", mm_pin_tests},
	{"mm-ptwr", mm_ptwr_tests},
	{"mm-tree", mm_tree_tests},
	{"desc", desc_tests},
	{"evtchn", evtchn_tests},
	{"fifo", fifo_tests},
	{"time", time_tests},
	{"emul", emul_tests},
	{"spec", spec_tests},
	{"memory", memory_tests},
	{"grant", grant_tests},
	{"priv", priv_tests},
	{"pools", pool_tests},
	{"peer", peer_tests},
	{"mm-walk", walk_tests},
	{"bits", bits_tests},
	{"padding", padding_tests},
	{"cut", cut_tests},
	{"child", child_tests},
	{"inject", inject_tests},
	{"ctx", ctx_tests},
	{"smp", smp_tests},
	{"stale", stale_tests},
	{"roots", root_tests},
	{"fetch", fetch_tests},
	{"audit", audit_tests},

	{NULL, NULL},
};
