/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>
#include "lib/bits.h"
#include "lib/heap.h"

#define NR 200

static s64 earliest(const struct heap_node *t)
{
	s64 e = INT64_MAX;

	for (unsigned int i = 0; i < NR; i++)
		if (t[i].in && (s64)t[i].key < e)
			e = (s64)t[i].key;
	return e;
}

static void heap_like_model(void **state)
{
	static struct heap_node t[NR];
	struct heap h = {0};
	unsigned int in = 0;

	srand(2);
	for (unsigned int i = 0; i < 100000; i++) {
		struct heap_node *x = &t[(unsigned int)rand() % NR];

		if (x->in && rand() % 2) {
			/* A small step often stays between its neighbours. */
			s64 key = (s64)x->key + rand() % 21 - 10;

			heap_rekey(&h, x, (u64)key);
			assert_true(x->in && (s64)x->key == key);
		} else if (x->in) {
			heap_remove(&h, x);
			in--;
		} else {
			heap_insert(&h, x, (u64)(rand() % 1000 - 500));
			in++;
		}
		/* Take the first ones out now and then. */
		for (int k = rand() % 50 ? 0 : rand() % NR; k > 0 && h.root; k--) {
			assert_int_equal((s64)h.root->key, earliest(t));
			heap_remove(&h, h.root);
			in--;
		}
		assert_int_equal(h.root != NULL, in != 0);
		if (h.root)
			assert_int_equal((s64)h.root->key, earliest(t));
	}
}

/* heap_next(): each once, and nobody before who is above him. */
static void heap_walk(void **state)
{
	static struct heap_node t[NR];
	struct heap h = {0};

	srand(3);
	for (unsigned int round = 0; round < 2000; round++) {
		unsigned int in = 0, seen = 0, last = (unsigned int)rand() % NR;
		bool visited[NR] = {false};

		if (t[last].in)
			heap_remove(&h, &t[last]);
		else
			heap_insert(&h, &t[last], (u64)rand());
		for (unsigned int i = 0; i < NR; i++)
			in += t[i].in;
		for (struct heap_node *n = h.root; n; n = heap_next(n), seen++) {
			assert_true(n->in && !visited[n - t]);
			visited[n - t] = true;
			if (n->prev)
				assert_true(visited[n->prev - t]);
			assert_true(seen < in);
		}
		assert_int_equal(seen, in);
	}
}

static void heap_sorts(void **state)
{
	static struct heap_node t[20000];
	struct heap h = {0};
	s64 last = INT64_MIN;

	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++) {
		heap_insert(&h, &t[i], (u64)i * 7919 % 20011);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++) {
		assert_true((s64)h.root->key >= last);
		last = (s64)h.root->key;
		heap_remove(&h, h.root);
	}
	assert_null(h.root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heap_like_model),
		cmocka_unit_test(heap_walk),
		cmocka_unit_test(heap_sorts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
