/* SPDX-License-Identifier: MIT */
/* Control calls with wrong numbers, on ourselves, and on a domain in each state of its life. */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "topics.h"
#include "child.h"
#include <xen/domctl.h>
#include <xen/sysctl.h>

#define LAST_CMD 88

static void nothing(void)
{
}

static void create_refused(u32 vcpus, int grant_frames, u32 flags)
{
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_createdomain, 0);
	long rc;

	op->u.createdomain.max_vcpus = vcpus;
	op->u.createdomain.max_evtchn_port = 1023;
	op->u.createdomain.max_grant_frames = grant_frames;
	op->u.createdomain.flags = flags;
	rc = domctl_do();
	CHECK_REFUSED(rc);
	if (!rc) {
		domctl_new(XEN_DOMCTL_destroydomain, op->domain);
		domctl_do();
	}
}

static void bad_creations(void)
{
	create_refused(0, 4, 0);
	create_refused(100000, 4, 0);
	create_refused(0xffffffff, 4, 0);
	create_refused(1, 4097, 0);
	create_refused(1, 0x7fffffff, 0);
	for (unsigned int bit = 0; bit < 32; bit++)
		if (1u << bit != XEN_DOMCTL_CDF_oos_off && 1u << bit != XEN_DOMCTL_CDF_xs_domain)
			create_refused(1, 4, 1u << bit);
}

static void on_ourselves(void)
{
	static const u8 cmds[] = {XEN_DOMCTL_destroydomain, XEN_DOMCTL_pausedomain,
				  XEN_DOMCTL_setvcpucontext, XEN_DOMCTL_getvcpucontext,
				  XEN_DOMCTL_resumedomain};

	for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
		domctl_new(cmds[i], 0);
		CHECK_RC(domctl_do(), -XEN_EINVAL);
	}
	domctl_new(XEN_DOMCTL_pausedomain, 0x7f00);
	CHECK_RC(domctl_do(), -XEN_ESRCH);
	domctl_new(XEN_DOMCTL_pausedomain, DOMID_IO);
	CHECK_RC(domctl_do(), -XEN_ESRCH);
}

static void bad_numbers(const struct child *c)
{
	static const u32 vcpus[] = {1, 2, 31, 63, 64, 0x7fffffff, 0xffffffff};
	static struct vcpu_guest_context x;
	static xen_pfn_t list[2000];
	struct xen_domctl *op;
	struct xen_sysctl *s;

	for (unsigned int i = 0; i < ARRAY_SIZE(vcpus); i++) {
		domctl_new(XEN_DOMCTL_getvcpuinfo, c->id)->u.getvcpuinfo.vcpu = vcpus[i];
		CHECK_RC(domctl_do(), -XEN_ESRCH);
		op = domctl_new(XEN_DOMCTL_getvcpucontext, c->id);
		op->u.vcpucontext.vcpu = vcpus[i];
		set_xen_guest_handle(op->u.vcpucontext.ctxt, &x);
		CHECK_RC(domctl_do(), -XEN_ESRCH);
		op = domctl_new(XEN_DOMCTL_setvcpucontext, c->id);
		op->u.vcpucontext.vcpu = vcpus[i];
		set_xen_guest_handle(op->u.vcpucontext.ctxt, &x);
		CHECK_RC(domctl_do(), -XEN_ESRCH);
	}
	domctl_new(XEN_DOMCTL_max_vcpus, c->id)->u.max_vcpus.max = 2;
	CHECK_REFUSED(domctl_do());
	op = domctl_new(XEN_DOMCTL_getpageframeinfo3, c->id);
	op->u.getpageframeinfo3.num = 1025;
	set_xen_guest_handle(op->u.getpageframeinfo3.array, list);
	CHECK_RC(domctl_do(), -XEN_E2BIG);
	op = domctl_new(XEN_DOMCTL_setvcpuaffinity, c->id);
	op->u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
	op->u.vcpuaffinity.cpumap_hard.nr_bits = 0xffffffff;
	memset(list, 0xff, sizeof(list));
	op->u.vcpuaffinity.cpumap_hard.bitmap.p = (u8 *)list;
	domctl_do();
	s = sysctl_new(XEN_SYSCTL_debug_keys);
	s->u.debug_keys.nr_keys = 65;
	memset(list, 'h', sizeof(list));
	set_xen_guest_handle(s->u.debug_keys.keys, (char *)list);
	CHECK_RC(sysctl_do(), -XEN_E2BIG);
}

static void bad_shutdown(void)
{
	struct sched_shutdown s = {.reason = SHUTDOWN_MAX + 1};
	struct sched_remote_shutdown r = {.domain_id = 0x7f00};

	CHECK_RC(sched_op(SCHEDOP_shutdown, &s), -XEN_EINVAL);
	s.reason = 0xffffffff;
	CHECK_RC(sched_op(SCHEDOP_shutdown, &s), -XEN_EINVAL);
	CHECK_RC(sched_op(SCHEDOP_remote_shutdown, &r), -XEN_ESRCH);
}

/* Every control call with a zeroed argument: any answer, but an answer. */
static void every_call(const struct child *c)
{
	static u64 page[PAGE_SIZE / 8];

	for (u32 cmd = 3; cmd <= LAST_CMD; cmd++) {
		struct xen_domctl *op = domctl_new(cmd, c->id);

		if (cmd == XEN_DOMCTL_unpausedomain || cmd == XEN_DOMCTL_resumedomain ||
		    cmd == XEN_DOMCTL_max_mem || cmd == XEN_DOMCTL_setvcpucontext ||
		    cmd == XEN_DOMCTL_pausedomain)
			continue;
		op->u.vcpucontext.ctxt.p = (void *)page;
		domctl_do();
	}
	CHECK(child_exists(c->id));
}

void child_states(void)
{
	static struct vcpu_guest_context x;
	struct xen_domctl *op;
	struct child c;
	domid_t id;

	NEEDS_DOM0();
	bad_creations();
	on_ourselves();
	bad_shutdown();
	/* Without vcpus or memory. */
	op = domctl_new(XEN_DOMCTL_createdomain, 0);
	op->u.createdomain.max_vcpus = 1;
	REQUIRE_OK(domctl_do());
	c.id = id = op->domain;
	every_call(&c);
	op = domctl_new(XEN_DOMCTL_getvcpucontext, id);
	set_xen_guest_handle(op->u.vcpucontext.ctxt, &x);
	CHECK_REFUSED(domctl_do());
	domctl_new(XEN_DOMCTL_max_vcpus, id)->u.max_vcpus.max = 1;
	CHECK_OK(domctl_do());
	/* A vcpu that has no state yet. */
	every_call(&c);
	op = domctl_new(XEN_DOMCTL_getvcpucontext, id);
	set_xen_guest_handle(op->u.vcpucontext.ctxt, &x);
	CHECK_RC(domctl_do(), -XEN_ENODATA);
	CHECK_OK(child_destroy(&c));
	CHECK(!child_exists(id));
	if (!child_make(&c, nothing))
		return;
	CHECK(c.id != id);
	every_call(&c);
	bad_numbers(&c);
	op = domctl_new(XEN_DOMCTL_setvcpucontext, c.id);
	set_xen_guest_handle(op->u.vcpucontext.ctxt, &x);
	CHECK_REFUSED(domctl_do());
	CHECK_OK(child_unpause(&c));
	child_wait(&c);
	every_call(&c);
	child_end(&c);
	CHECK_EQ(xen_version(XENVER_version, NULL), 0x40011);
}
