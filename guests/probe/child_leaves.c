/* SPDX-License-Identifier: MIT */
/* What a dead domain leaves is cleared while the machine is idle, all of it and by itself. */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "topics.h"
#include "child.h"
#include <xen/sysctl.h>

#define LIMIT	 (20UL * 1000 * 1000 * 1000) /* ns */
#define NAP	 (20UL * 1000 * 1000)
#define LEAST	 256UL /* KiB that a child has */
#define TEXT_LEN 8192

static char text[TEXT_LEN];
static u64 waiting, cleared; /* KiB */

/* The number behind the last occurrence of what. */
static bool number_after(const char *what, u64 *value)
{
	const char *at = NULL;

	for (const char *p = text; *p; p++)
		if (!strncmp(p, what, strlen(what)))
			at = p + strlen(what);
	if (!at)
		return false;
	for (*value = 0; *at >= '0' && *at <= '9'; at++)
		*value = *value * 10 + (u64)(*at - '0');
	return true;
}

/* Asks by debug key; false: another hypervisor has another answer. */
static bool ask(void)
{
	static char key = 'm';
	static u32 pos;
	struct xen_sysctl *s;

	while (log_read(text, TEXT_LEN - 1, &pos))
		;
	s = sysctl_new(XEN_SYSCTL_debug_keys);
	s->u.debug_keys.nr_keys = 1;
	set_xen_guest_handle(s->u.debug_keys.keys, &key);
	if (sysctl_do())
		return false;
	text[log_read(text, TEXT_LEN - 1, &pos)] = '\0';
	return number_after("of what is free, ", &waiting) &&
	       number_after("idle CPUs have cleared ", &cleared);
}

static bool wait_until_cleared(void)
{
	u64 end = now_ns() + LIMIT;

	while (ask() && waiting && now_ns() < end) {
		struct sched_poll nap = {.timeout = now_ns() + NAP};

		sched_op(SCHEDOP_poll, &nap);
	}
	return !waiting;
}

static void fill(void)
{
	for (void *p; (p = page_alloc());)
		memset(p, 0x5a, PAGE_SIZE);
}

void child_leaves(void)
{
	struct child c;
	u64 before;

	NEEDS_DOM0();
	if (!ask())
		SKIP_TEST("the hypervisor does not say");
	CHECK(wait_until_cleared());
	for (unsigned int round = 0; round < 2; round++) {
		before = cleared;
		if (!child_make_and_run(&c, fill))
			return;
		child_wait(&c);
		child_end(&c);
		CHECK(wait_until_cleared());
		CHECK(cleared >= before + LEAST);
	}
}
