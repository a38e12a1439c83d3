/* SPDX-License-Identifier: MIT */
/*
 * Two probes against each other.  One is started with `offer`: it grants pages to the domain with the
 * next id and does what that one orders.  The other, started with `peer=ID test=peer`, maps, tries what
 * it may not, and orders its peer to pull the pages away under it.  They talk by a granted page.
 */
#ifndef PROBE_PEER_H
#define PROBE_PEER_H

#include "kit.h"

#define PEER_MAGIC 0x50524f4245ULL

/* Grants of the offering side; below 8 are the tools' own. */
enum {
	REF_OFFICE = 8, /* struct office */
	REF_DATA,	/* writable; its first word is PEER_MAGIC */
	REF_READ_ONLY,	/* the same, for reading */
	REF_OTHERS,	/* for a domain that is not there */
	REF_ROOT,	/* the page table that the domain runs on */
	REF_TABLE,	/* a pinned L1 table */
	REF_ANY_FRAME,	/* the frame that ORDER_FRAME names */
	REF_GIVEN_AWAY, /* for ORDER_GIVE */
	REF_END
};

enum order {
	ORDER_NONE,
	ORDER_PIN,    /* ref: make a table of the page, and undo it; what pinning returned */
	ORDER_REVOKE, /* ref: clear the entry */
	ORDER_GRANT,  /* ref: grant it again */
	ORDER_FLAGS,  /* ref: the entry's flags */
	ORDER_FRAME,  /* frame: what REF_ANY_FRAME names */
	ORDER_GIVE,   /* return REF_GIVEN_AWAY's page to the hypervisor; number of pages */
	ORDER_SEND,   /* on the channel */
	ORDER_COUNT,  /* events on the channel so far */
	ORDER_CLOSE,  /* the channel */
	ORDER_WATCH,  /* answer, wait until nothing is mapped any more, say so, and end */
	ORDER_END,    /* at once */
};

struct office {
	u64 magic;
	volatile u32 order;
	u32 port;	 /* for the peer */
	u32 others_port; /* for a domain that is not there */
	u32 pad;
	u64 arg;
	s64 result;
	u64 frame[REF_END];
};

#endif
