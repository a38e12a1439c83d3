/* SPDX-License-Identifier: MIT */
#include "time/timer_heap.h"

/*
 * child: the first of those that hang below; next: the sibling to the right; prev: the sibling to
 * the left, or the parent of a first child; NULL at the root.
 */

/* Both are roots, either may be NULL. */
static struct timer *meld(struct timer *a, struct timer *b)
{
	if (!a || !b)
		return a ? a : b;
	if (b->expires < a->expires) {
		struct timer *t = a;

		a = b;
		b = t;
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
static struct timer *combine(struct timer *list)
{
	struct timer *pairs = NULL, *root = NULL;

	while (list) {
		struct timer *a = list, *b = a->next;

		list = b ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b)
			b->next = b->prev = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *t = pairs;

		pairs = t->next;
		t->next = NULL;
		root = meld(root, t);
	}
	return root;
}

void timer_heap_insert(struct timer_heap *h, struct timer *t)
{
	t->child = t->next = t->prev = NULL;
	t->heap_pos = 1;
	h->root = meld(h->root, t);
}

static void unlink(struct timer *t)
{
	if (t->prev->child == t)
		t->prev->child = t->next;
	else
		t->prev->next = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->next = t->prev = NULL;
}

void timer_heap_remove(struct timer_heap *h, struct timer *t)
{
	struct timer *below = combine(t->child);

	if (t == h->root) {
		h->root = below;
	} else {
		unlink(t);
		h->root = meld(h->root, below);
	}
	t->child = NULL;
	t->heap_pos = 0;
}
