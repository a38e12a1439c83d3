/* SPDX-License-Identifier: MIT */
/*
 * A pairing heap: the node with the smallest key is at the root. The nodes are in what they sort, so
 * nothing is allocated and nothing fails. O(1) insertion, O(log n) amortised removal, no recursion. Keys
 * are compared by their signed difference, so that a key may wrap. The caller locks.
 */
#ifndef LIB_HEAP_H
#define LIB_HEAP_H

#include "lib/types.h"

struct heap_node {
	u64 key;
	/* child: the first below; next: sibling to the right; prev: to the left, or the parent. */
	struct heap_node *child, *next, *prev;
	bool in;
};

struct heap {
	struct heap_node *root; /* NULL: empty */
};

/* Tests count comparisons: tests/sim/count.h. */
#ifndef HEAP_COUNT
#define HEAP_COUNT() ((void)0)
#endif

static inline bool heap_less(u64 a, u64 b)
{
	HEAP_COUNT();
	return (s64)(a - b) < 0;
}

void heap_insert(struct heap *h, struct heap_node *n, u64 key); /* must not be in */
void heap_remove(struct heap *h, struct heap_node *n);		/* must be in this heap */
/* From the root on, each node once, none before those above it; NULL after the last. */
struct heap_node *heap_next(const struct heap_node *n);
/* Gives a node of this heap another key, without moving it where the order allows that. */
void heap_rekey(struct heap *h, struct heap_node *n, u64 key);

#endif
