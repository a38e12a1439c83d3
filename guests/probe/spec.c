/* SPDX-License-Identifier: MIT */
/* Protection from speculative execution, as far as a guest may use it: SPEC_CTRL and PRED_CMD. */
#include "hypercall.h"
#include "topics.h"
#include "msr.h"

#define SPEC_CTRL 0x48
#define PRED_CMD  0x49
#define GP	  13

static int wr(u32 nr, u64 val)
{
	struct msr m = {nr, val};

	return catch_trap(do_wrmsr, &m);
}

static int rd(u32 nr, u64 *val)
{
	struct msr m = {nr, 0};
	int v = catch_trap(do_rdmsr, &m);

	*val = m.val;
	return v;
}

struct offer {
	u64 bits; /* of SPEC_CTRL */
	bool ibpb;
};

static struct offer offered(void)
{
	struct offer o = {0, false};
	u32 r[4];

	xen_cpuid(7, 0, r);
	if (r[3] >> 26 & 1)
		o = (struct offer){3, true}; /* IBRS, STIBP: Xen */
	o.bits |= r[3] >> 26 & 2;
	o.bits |= r[3] >> 31 & 1 ? 4 : 0;
	xen_cpuid(0x80000000, 0, r);
	if (r[0] < 0x80000008)
		return o;
	xen_cpuid(0x80000008, 0, r);
	o.ibpb |= r[1] >> 12 & 1;
	o.bits |= (r[1] >> 14 & 1) | (r[1] >> 14 & 2) | (r[1] >> 22 & 4);
	return o;
}

/* Exactly the bits that CPUID promises; the register keeps them and nothing else. */
static void spec_ctrl(void)
{
	struct offer o = offered();
	u64 v;

	if (!o.bits) {
		CHECK_EQ(rd(SPEC_CTRL, &v), GP);
		CHECK_EQ(wr(SPEC_CTRL, 0), GP);
		SKIP_TEST("not offered, and refused");
	}
	for (unsigned int i = 0; i < 64; i++) {
		u64 bit = 1UL << i;

		CHECK_EQ(wr(SPEC_CTRL, 0), -1);
		CHECK_EQ(wr(SPEC_CTRL, bit), bit & o.bits ? -1 : GP);
		CHECK_EQ(rd(SPEC_CTRL, &v), -1);
		CHECK_EQ(v, bit & o.bits);
	}
	CHECK_EQ(wr(SPEC_CTRL, 0), -1);
}

static void pred_cmd(void)
{
	struct offer o = offered();
	u64 v;

	CHECK_EQ(wr(PRED_CMD, 1), o.ibpb ? -1 : GP);
	CHECK_EQ(wr(PRED_CMD, 0), o.ibpb ? -1 : GP);
	for (unsigned int i = 1; i < 64; i++)
		CHECK_EQ(wr(PRED_CMD, 1UL << i), GP);
	CHECK_EQ(rd(PRED_CMD, &v), GP);
}

static void set_other(void *arg)
{
	u64 *v = arg;

	wr(SPEC_CTRL, 0);
	rd(SPEC_CTRL, v);
}

static void each_vcpu_its_own(void)
{
	struct offer o = offered();
	u64 v, other = ~0UL, high = o.bits & ~(o.bits - 1);

	if (!o.bits)
		SKIP_TEST("not offered");
	if (nr_vcpus() < 2)
		SKIP_TEST("one vcpu");
	REQUIRE_OK(cpu_up(1));
	CHECK_EQ(wr(SPEC_CTRL, high), -1);
	cpu_run(1, set_other, &other);
	REQUIRE(cpu_wait(1));
	CHECK_EQ(other, 0);
	CHECK_EQ(rd(SPEC_CTRL, &v), -1);
	CHECK_EQ(v, high);
	CHECK_EQ(wr(SPEC_CTRL, 0), -1);
}

const struct test spec_tests[] = {
	{"spec-ctrl", spec_ctrl},
	{"pred-cmd", pred_cmd},
	{"each-vcpu", each_vcpu_its_own},

	{NULL, NULL},
};
