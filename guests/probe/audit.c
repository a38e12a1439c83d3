/* SPDX-License-Identifier: MIT */
/* The last topic: after everything else the hypervisor recounts all references, and finds no mistake. */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "topics.h"
#include "child.h"
#include <xen/sysctl.h>

static char text[8192];

static bool has(const char *what)
{
	size_t n = strlen(what);

	for (const char *p = text; *p; p++)
		if (!strncmp(p, what, n))
			return true;
	return false;
}

static void counts(void)
{
	static char key = 'A';
	struct xen_sysctl *s;
	u32 pos = 0, n;

	NEEDS_DOM0();
	while (log_read(text, sizeof(text) - 1, &pos))
		;
	s = sysctl_new(XEN_SYSCTL_debug_keys);
	s->u.debug_keys.nr_keys = 1;
	set_xen_guest_handle(s->u.debug_keys.keys, &key);
	REQUIRE_OK(sysctl_do());
	n = log_read(text, sizeof(text) - 1, &pos);
	text[n] = '\0';
	/* Another hypervisor answers this key with something else. */
	if (!has("audit: "))
		SKIP_TEST("no audit");
	if (!has("audit: d0: 0 errors") || !has("audit: free lists in order"))
		outcome_set(FAILURE, __FILE__, __LINE__, "%s", text);
}

const struct test audit_tests[] = {
	{"counts", counts},
	{NULL, NULL},
};
