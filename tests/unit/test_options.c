/* SPDX-License-Identifier: MIT */
/* The hypervisor's command line: each option that has a form of its own, and what is wrong with some. */
#include "fake/fake.h"
#include <string.h>
#include "boot/boot.h"
#include "cpu/features.h"
#include "cpu/panic.h"
#include "cpu/spec.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "plat/plat.h"
#include "plat/screen.h"
#include "time/watchdog.h"

bool opt_noreboot, opt_smap = true, opt_smep = true, opt_smt = true, opt_watchdog, screen_keep;
unsigned int opt_watchdog_timeout = 5;

static char reboot_value[16];

int reboot_parse(const char *s)
{
	snprintf(reboot_value, sizeof(reboot_value), "%s", s);
	return *s == 'x' ? -XEN_EINVAL : 0;
}

/* test_log.c has these two. */
int log_set_level(const char *value)
{
	return 0;
}

int log_set_guest_level(const char *value)
{
	return 0;
}

/* How many warnings a line gives. */
static unsigned int parse(const char *line)
{
	unsigned int before = fake_log_lines;

	options_parse(line);
	return fake_log_lines - before;
}

static void test_plain(void **state)
{
	assert_int_equal(parse(""), 0);
	assert_string_equal(opt_console, "com1,vga");
	assert_int_equal(parse("console=vga com1=9600,8n1 noreboot no-smap smep=0 smt=off maxcpus=3 "
			       "watchdog watchdog_timeout=9 sched=credit2 reboot=w,k dom0_vcpus_pin"), 0);
	assert_string_equal(opt_console, "vga");
	assert_string_equal(opt_com1, "9600,8n1");
	assert_true(opt_noreboot && !opt_smap && !opt_smep && !opt_smt && opt_watchdog && opt_dom0_vcpus_pin);
	assert_int_equal(opt_maxcpus, 3);
	assert_int_equal(opt_watchdog_timeout, 9);
	assert_string_equal(reboot_value, "w,k");
	assert_int_equal(parse("sched=credit"), 1);
	assert_int_equal(parse("sched=credit2"), 0);
	assert_int_equal(parse("nonsense reboot=x"), 2);
}

static void test_dom0(void **state)
{
	assert_int_equal(parse("dom0_mem=512M,max:1G dom0_max_vcpus=4"), 0);
	assert_int_equal(opt_dom0_max_vcpus, 4);
	assert_int_equal(mem_limits_pages(&opt_dom0_mem, 1 << 20, 0), 512 << 8);
	assert_int_equal(parse("dom0_max_vcpus=2-8"), 0);
	assert_int_equal(opt_dom0_max_vcpus, 8);
	assert_int_equal(parse("dom0_max_vcpus=2-x dom0_max_vcpus=257 dom0_max_vcpus=9k dom0_mem=many"), 4);
	assert_int_equal(opt_dom0_max_vcpus, 8);
}

static void test_vga(void **state)
{
	assert_int_equal(parse("vga=current"), 0);
	assert_false(screen_keep);
	assert_int_equal(parse("vga=gfx-800x600x32"), 1);
	assert_int_equal(parse("vga=keeps vga=cur"), 2);
	assert_false(screen_keep);
	assert_int_equal(parse("vga=current,keep"), 0);
	assert_true(screen_keep);
}

/* The words are spec_parse()'s, and have tests of their own; here the unknown ones are told. */
static void test_speculation(void **state)
{
	assert_int_equal(parse("spec-ctrl=no-ibpb,what xpti=dom0=1,who pv-l1tf=domu=0,why"), 3);
	assert_int_equal(spec_options.ibpb, 0);
	assert_int_equal(spec_options.xpti_dom0, 1);
	assert_int_equal(spec_options.l1tf_domu, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_dom0),
		cmocka_unit_test(test_vga),
		cmocka_unit_test(test_speculation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
