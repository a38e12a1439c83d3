/* SPDX-License-Identifier: MIT */
/* The command line; docs/cmdline.md lists the same options. */
#include "boot/boot.h"
#include "cpu/features.h"
#include "cpu/panic.h"
#include "cpu/spec.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "plat/plat.h"
#include "plat/screen.h"
#include "time/watchdog.h"

/* vga=: the mode is the loader's; only what becomes of the screen when dom0 starts can be chosen. */
static int parse_vga(const char *s)
{
	while (*s) {
		const char *end = strchr(s, ',');
		size_t n = end ? (size_t)(end - s) : strlen(s);

		if (n == 4 && !strncmp(s, "keep", n))
			screen_keep = true;
		else if (n != 7 || strncmp(s, "current", n) != 0)
			return -XEN_EINVAL;
		s += n + (end ? 1 : 0);
	}
	return 0;
}

char opt_console[64] = "com1,vga", opt_com1[64] = "115200,8n1";
struct mem_limits opt_dom0_mem;
unsigned int opt_dom0_max_vcpus, opt_maxcpus;
bool opt_dom0_vcpus_pin;
static char opt_sched[32];

static int parse_dom0_mem(const char *s)
{
	return mem_limits_parse(s, &opt_dom0_mem);
}

/* dom0_max_vcpus=<n> or <min>-<max>: as many as there are CPUs, within the two. */
static int parse_max_vcpus(const char *s)
{
	const char *end;
	unsigned long n = strtoul(s, &end);

	if (*end == '-')
		n = strtoul(end + 1, &end);
	if (*end || n > 256)
		return -XEN_EINVAL;
	opt_dom0_max_vcpus = (unsigned int)n;
	return 0;
}

static void spec_unknown(const char *word)
{
	pr_warn("Command line: unknown word in spec-ctrl=: '%s' (ignored)\n", word);
}

static int parse_spec_ctrl(const char *s)
{
	spec_parse(s, &spec_options, spec_unknown);
	return 0;
}

static void xpti_unknown(const char *word)
{
	pr_warn("Command line: unknown word in xpti=: '%s' (ignored)\n", word);
}

static int parse_xpti(const char *s)
{
	spec_parse_xpti(s, &spec_options, xpti_unknown);
	return 0;
}

static void l1tf_unknown(const char *word)
{
	pr_warn("Command line: unknown word in pv-l1tf=: '%s' (ignored)\n", word);
}

static int parse_l1tf(const char *s)
{
	spec_parse_l1tf(s, &spec_options, l1tf_unknown);
	return 0;
}

static const struct cmdline_opt options[] = {
	{"console", OPT_STRING, opt_console, sizeof(opt_console), NULL},
	{"com1", OPT_STRING, opt_com1, sizeof(opt_com1), NULL},
	{"dom0_mem", OPT_CUSTOM, NULL, 0, parse_dom0_mem},
	{"dom0_max_vcpus", OPT_CUSTOM, NULL, 0, parse_max_vcpus},
	{"dom0_vcpus_pin", OPT_BOOL, &opt_dom0_vcpus_pin, 0, NULL},
	{"loglvl", OPT_CUSTOM, NULL, 0, log_set_level},
	{"guest_loglvl", OPT_CUSTOM, NULL, 0, log_set_guest_level},
	{"maxcpus", OPT_UINT, &opt_maxcpus, 0, NULL},
	{"noreboot", OPT_BOOL, &opt_noreboot, 0, NULL},
	{"pv-l1tf", OPT_CUSTOM, NULL, 0, parse_l1tf},
	{"reboot", OPT_CUSTOM, NULL, 0, reboot_parse},
	{"sched", OPT_STRING, opt_sched, sizeof(opt_sched), NULL},
	{"smap", OPT_BOOL, &opt_smap, 0, NULL},
	{"smep", OPT_BOOL, &opt_smep, 0, NULL},
	{"smt", OPT_BOOL, &opt_smt, 0, NULL},
	{"spec-ctrl", OPT_CUSTOM, NULL, 0, parse_spec_ctrl},
	{"vga", OPT_CUSTOM, NULL, 0, parse_vga},
	{"watchdog", OPT_BOOL, &opt_watchdog, 0, NULL},
	{"watchdog_timeout", OPT_UINT, &opt_watchdog_timeout, 0, NULL},
	{"xpti", OPT_CUSTOM, NULL, 0, parse_xpti},
};

static void warn(const char *what, const char *opt)
{
	pr_warn("Command line: %s: '%s' (ignored)\n", what, opt);
}

void options_parse(const char *line)
{
	cmdline_parse(line, options, ARRAY_SIZE(options), warn);
	if (opt_sched[0] && strcmp(opt_sched, "credit2"))
		pr_warn("Command line: sched=%s is not known; there is one scheduler, credit2\n",
			opt_sched);
}
