/* SPDX-License-Identifier: MIT */
/* Time and timers. Upper bounds are wide: the emulator shares its CPU with others. */
#include "hypercall.h"
#include "topics.h"
#include "events.h"

#define MS 1000000UL

static void info_fields(void)
{
	const struct vcpu_time_info *t = &this_info()->time;

	CHECK_EQ(ACCESS_ONCE(t->version) & 1, 0);
	CHECK(t->version > 0);
	CHECK(t->tsc_to_system_mul != 0);
	/* The first pair may be that of the clock's start, at 0. */
	CHECK(t->tsc_timestamp > 0 && t->tsc_timestamp <= rdtsc());
	CHECK(now_ns() > t->system_time);
}

static void monotonic(void)
{
	u64 last = 0;

	for (unsigned int i = 0; i < 200000; i++) {
		u64 now = now_ns();

		if (now < last) {
			outcome_set(FAILURE, __FILE__, __LINE__, "%lu after %lu", now, last);
			return;
		}
		last = now;
	}
}

/* Values change only under an odd version; long enough for some updates. */
static void version_protocol(void)
{
	volatile struct vcpu_time_info *t = &this_info()->time;
	u64 end = now_ns() + 1500 * MS;
	unsigned int updates = 0;
	u32 last = t->version;

	while (now_ns() < end) {
		u32 v = t->version;

		CHECK((s64)(v - last) >= 0);
		updates += v != last;
		last = v;
		xen_version(XENVER_version, NULL);
	}
	CHECK(updates >= 1);
}

static void wall_clock(void)
{
	u64 sec = shared.wc_sec | (u64)shared.wc_sec_hi << 32;

	CHECK_EQ(shared.wc_version & 1, 0);
	CHECK(sec > 1577836800UL && sec < 4102444800UL);
	CHECK(shared.wc_nsec < 1000000000);
}

u32 timer_port(void)
{
	static struct evtchn_bind_virq v;
	struct evtchn_bind_virq b = {.virq = VIRQ_TIMER};

	/* In a domain that was made from this one, what is remembered is the parent's. */
	if (!evtchn_op(EVTCHNOP_bind_virq, &b))
		v = b;
	else if (!v.port)
		return 0;
	vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL);
	port_mask(v.port);
	port_clear(v.port);
	port_unmask(v.port);
	upcall_mask(false);
	upcall_mask(true);
	port_count[v.port] = 0;
	return v.port;
}

static long singleshot(u64 at, u32 flags)
{
	struct vcpu_set_singleshot_timer s = {.timeout_abs_ns = at, .flags = flags};

	return vcpu_op(VCPUOP_set_singleshot_timer, 0, &s);
}

static void fires(u32 port, u64 at)
{
	CHECK(wait_count(&port_count[port], 1, 5000 * MS));
	CHECK(now_ns() >= at);
	CHECK(now_ns() < at + 1000 * MS);
	/* Once. */
	wait_count(&port_count[port], 2, 20 * MS);
	CHECK_EQ(port_count[port], 1);
}

static void single_shot(void)
{
	u32 port = timer_port();

	REQUIRE(port);
	for (u64 ns = 1; ns < 40 * MS; ns = ns * 8 + 1) {
		u64 at = now_ns() + ns;

		port_count[port] = 0;
		CHECK_OK(singleshot(at, 0));
		fires(port, at);
	}
}

static void in_the_past(void)
{
	u32 port = timer_port();

	REQUIRE(port);
	CHECK_OK(singleshot(1, 0));
	fires(port, now_ns());
	port_count[port] = 0;
	/* Xen 4.17 takes it as any other. */
	if (singleshot(1, VCPU_SSHOTTMR_future) == -XEN_ETIME) {
		wait_count(&port_count[port], 1, 10 * MS);
		CHECK_EQ(port_count[port], 0);
	}
}

static void stopped(void)
{
	u32 port = timer_port();
	u64 at;

	REQUIRE(port);
	/* Once more when we were away for so long that it may have expired before. */
	do {
		port_count[port] = 0;
		at = now_ns() + 20 * MS;
		CHECK_OK(singleshot(at, 0));
		CHECK_OK(vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL));
	} while (now_ns() >= at);
	wait_count(&port_count[port], 1, 50 * MS);
	CHECK_EQ(port_count[port], 0);
	/* A later one replaces the earlier. */
	do {
		port_count[port] = 0;
		at = now_ns() + 60 * MS;
		CHECK_OK(singleshot(at - 50 * MS, 0));
		CHECK_OK(singleshot(at, 0));
	} while (now_ns() >= at - 50 * MS);
	wait_count(&port_count[port], 1, 30 * MS);
	CHECK(!port_count[port] || now_ns() >= at);
	CHECK(wait_count(&port_count[port], 1, 2000 * MS));
}

static void far_future(void)
{
	u32 port = timer_port();

	REQUIRE(port);
	CHECK_OK(singleshot(~0UL, 0));
	CHECK_OK(singleshot(~0UL >> 1, 0));
	CHECK_OK(singleshot(1UL << 63, 0));
	CHECK_OK(set_timer_op(~0UL >> 1));
	CHECK_OK(set_timer_op(0));
	vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL);
	wait_count(&port_count[port], 100, 10 * MS);
	CHECK(port_count[port] < 100);
}

static void timer_op(void)
{
	u32 port = timer_port();
	u64 at;

	REQUIRE(port);
	at = now_ns() + 5 * MS;
	CHECK_OK(set_timer_op(at));
	fires(port, at);
	port_count[port] = 0;
	CHECK_OK(set_timer_op(now_ns() + 20 * MS));
	CHECK_OK(set_timer_op(0));
	wait_count(&port_count[port], 1, 50 * MS);
	CHECK_EQ(port_count[port], 0);
}

static void periodic(void)
{
	struct vcpu_set_periodic_timer p = {.period_ns = 10 * MS};
	u32 port = timer_port();
	u64 start;

	REQUIRE(port);
	CHECK_OK(vcpu_op(VCPUOP_set_periodic_timer, 0, &p));
	start = now_ns();
	CHECK(wait_count(&port_count[port], 20, 5000 * MS));
	CHECK(now_ns() >= start + 180 * MS);
	CHECK_OK(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
	port_count[port] = 0;
	wait_count(&port_count[port], 2, 50 * MS);
	CHECK(port_count[port] < 2);
	p.period_ns = 1000;
	CHECK_RC(vcpu_op(VCPUOP_set_periodic_timer, 0, &p), -XEN_EINVAL);
	p.period_ns = ~0UL;
	CHECK_REFUSED(vcpu_op(VCPUOP_set_periodic_timer, 0, &p));
	CHECK_OK(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
}

/* A blocked vcpu is woken by its timer, not before. */
static void block_until(void)
{
	u32 port = timer_port();
	u64 at;

	REQUIRE(port);
	at = now_ns() + 30 * MS;
	CHECK_OK(singleshot(at, 0));
	CHECK_OK(sched_op(SCHEDOP_block, NULL));
	CHECK(now_ns() >= at);
	CHECK_EQ(port_count[port], 1);
	upcall_mask(true);
}

static void runstate(void)
{
	static struct vcpu_runstate_info area;
	struct vcpu_register_runstate_memory_area r;
	struct vcpu_runstate_info info;
	u64 sum;

	r.addr.h.p = &area;
	CHECK_OK(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &r));
	CHECK_OK(vcpu_op(VCPUOP_get_runstate_info, 0, &info));
	CHECK_EQ(info.state, RUNSTATE_running);
	sum = info.time[0] + info.time[1] + info.time[2] + info.time[3];
	CHECK(sum <= now_ns());
	CHECK(info.time[RUNSTATE_running] > 0);
	CHECK_EQ(area.state, RUNSTATE_running);
	sched_op(SCHEDOP_yield, NULL);
	CHECK(area.time[RUNSTATE_running] <= info.time[RUNSTATE_running] + 60000 * MS);
	r.addr.h.p = (void *)win(33);
	vcpu_op(VCPUOP_register_runstate_memory_area, 0, &r);
	sched_op(SCHEDOP_yield, NULL);
	r.addr.h.p = &area;
	CHECK_OK(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &r));
	CHECK_RC(vcpu_op(VCPUOP_get_runstate_info, 9999, &info), -XEN_ENOENT);
}

/* The user's and the kernel's clocks count the same seconds. */
static void tsc_rate(void)
{
	const struct vcpu_time_info *t = &this_info()->time;
	u64 a = now_ns(), t0 = rdtsc(), b, t1;
	unsigned __int128 ns;

	do {
		b = now_ns();
		t1 = rdtsc();
	} while (b < a + 100 * MS);
	ns = t1 - t0;
	ns = t->tsc_shift < 0 ? ns >> -t->tsc_shift : ns << t->tsc_shift;
	ns = ns * t->tsc_to_system_mul >> 32;
	CHECK((u64)ns > b - a - 10 * MS && (u64)ns < b - a + 10 * MS);
}

const struct test time_tests[] = {
	{"fields", info_fields},       {"monotonic", monotonic},
	{"version", version_protocol}, {"wall-clock", wall_clock},
	{"single-shot", single_shot},  {"past", in_the_past},
	{"stopped", stopped},	       {"far-future", far_future},
	{"timer-op", timer_op},	       {"periodic", periodic},
	{"block", block_until},	       {"runstate", runstate},
	{"tsc-rate", tsc_rate},	       {NULL, NULL},
};
