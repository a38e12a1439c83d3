/* SPDX-License-Identifier: MIT */
#include "lib/heap.h"

/* Both are roots, either may be NULL. */
static struct heap_node *meld(struct heap_node *a, struct heap_node *b)
{
	if (!a || !b)
		return a ? a : b;
	if (heap_less(b->key, a->key)) {
		struct heap_node *n = a;

		a = b;
		b = n;
	}
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	b->prev = a;
	a->child = b;
	return a;
}

/*
 * Makes one heap of a list of siblings: pairs from left to right, then all pairs from right to left.
 * That order is what keeps removal logarithmic on average.
 */
static struct heap_node *combine(struct heap_node *list)
{
	struct heap_node *pairs = NULL, *root = NULL;

	while (list) {
		struct heap_node *a = list, *b = a->next;

		list = b ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b)
			b->next = b->prev = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct heap_node *n = pairs;

		pairs = n->next;
		n->next = NULL;
		root = meld(root, n);
	}
	return root;
}

void heap_insert(struct heap *h, struct heap_node *n, u64 key)
{
	n->key = key;
	n->child = n->next = n->prev = NULL;
	n->in = true;
	h->root = meld(h->root, n);
}

static void unlink(struct heap_node *n)
{
	if (n->prev->child == n)
		n->prev->child = n->next;
	else
		n->prev->next = n->next;
	if (n->next)
		n->next->prev = n->prev;
	n->next = n->prev = NULL;
}

void heap_remove(struct heap *h, struct heap_node *n)
{
	struct heap_node *below = combine(n->child);

	if (n == h->root) {
		h->root = below;
	} else {
		unlink(n);
		h->root = meld(h->root, below);
	}
	n->child = NULL;
	n->in = false;
}

struct heap_node *heap_next(const struct heap_node *n)
{
	if (n->child)
		return n->child;
	while (n && !n->next) {
		/* Up: the prev of the leftmost is the parent. */
		while (n->prev && n->prev->child != n)
			n = n->prev;
		n = n->prev;
	}
	return n ? n->next : NULL;
}

void heap_rekey(struct heap *h, struct heap_node *n, u64 key)
{
	bool sooner = heap_less(key, n->key);

	/* Nothing is above the root, and nothing below a leaf. */
	if (sooner ? n == h->root : !n->child || key == n->key) {
		n->key = key;
		return;
	}
	heap_remove(h, n);
	heap_insert(h, n, key);
}
