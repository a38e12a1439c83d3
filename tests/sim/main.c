/* SPDX-License-Identifier: MIT */
/*
 * sim [long] [seed=N] [picture=FILE] [NAME...]: the scheduler in a simulated machine, see
 * docs/scheduling.md. Without names all scenarios; with a picture, an SVG is drawn instead. The exit code
 * is 0 only if everything was as it shall be.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "scenario.h"

bool sim_long;
u64 sim_seed = 1;

static const struct {
	const char *name, *what;
	void (*run)(void);
} scenarios[] = {
	{"fair", "each has its share", scenario_fair},
	{"cheats", "nothing is gained by sleeping or yielding", scenario_cheats},
	{"latency", "who wakes is served soon", scenario_latency},
	{"chaos", "anything happens at any time", scenario_chaos},
	{"cost", "a decision costs the same", scenario_cost},
};

void at_most(double value, double limit, const char *unit, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	printf("  %s %s %.4g %s (limit %g)\n", value <= limit ? "ok  " : "FAIL", what, value, unit,
	       limit);
	fflush(stdout);
	if (value > limit && !getenv("SIM_GO_ON"))
		fail("%s: %g %s, at most %g are allowed; seed=%lu", what, value, unit, limit,
		     sim_seed);
}

static bool wanted(const char *name, int argc, char **argv)
{
	bool any = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], name))
			return true;
		any |= strcmp(argv[i], "long") && !strchr(argv[i], '=');
	}
	return !any;
}

static int draw(const char *file)
{
	FILE *to = fopen(file, "w");

	if (!to) {
		perror(file);
		return 1;
	}
	scenario_picture(to);
	return fclose(to) ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *picture = NULL;

	for (int i = 1; i < argc; i++) {
		sim_long |= !strcmp(argv[i], "long");
		if (!strncmp(argv[i], "seed=", 5))
			sim_seed = strtoul(argv[i] + 5, NULL, 10);
		if (!strncmp(argv[i], "picture=", 8))
			picture = argv[i] + 8;
	}
	if (picture)
		return draw(picture);
	for (unsigned int i = 0; i < ARRAY_SIZE(scenarios); i++) {
		if (!wanted(scenarios[i].name, argc, argv))
			continue;
		printf("%s: %s\n", scenarios[i].name, scenarios[i].what);
		scenarios[i].run();
	}
	return 0;
}
