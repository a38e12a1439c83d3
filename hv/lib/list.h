/* SPDX-License-Identifier: MIT */
/* Circular doubly linked lists, intrusive, in the manner of Linux. The caller locks. */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/types.h"

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(n)  \
	{                  \
		&(n), &(n) \
	}

static inline void list_init(struct list_head *h)
{
	h->next = h->prev = h;
}

static inline bool list_empty(const struct list_head *h)
{
	return h->next == h;
}

static inline void list_insert(struct list_head *n, struct list_head *prev, struct list_head *next)
{
	next->prev = n;
	n->next = next;
	n->prev = prev;
	prev->next = n;
}

static inline void list_add(struct list_head *n, struct list_head *h)
{
	list_insert(n, h, h->next);
}

static inline void list_add_tail(struct list_head *n, struct list_head *h)
{
	list_insert(n, h->prev, h);
}

/* Removes n and leaves it as an empty list, so that a second removal is harmless. */
static inline void list_del(struct list_head *n)
{
	n->next->prev = n->prev;
	n->prev->next = n->next;
	list_init(n);
}

#define list_entry(p, t, m)	  container_of(p, t, m)
#define list_first_entry(h, t, m) list_entry((h)->next, t, m)
#define list_for_each_entry(pos, h, m)                                         \
	for (pos = list_entry((h)->next, __typeof__(*pos), m); &pos->m != (h); \
	     pos = list_entry(pos->m.next, __typeof__(*pos), m))
#define list_for_each_entry_safe(pos, tmp, h, m)                \
	for (pos = list_entry((h)->next, __typeof__(*pos), m),  \
	    tmp = list_entry(pos->m.next, __typeof__(*pos), m); \
	     &pos->m != (h); pos = tmp, tmp = list_entry(tmp->m.next, __typeof__(*pos), m))

#endif
