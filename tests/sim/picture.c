/* SPDX-License-Identifier: MIT */
/* docs/scheduling.svg: the shares of four guests on one CPU, and how late a thousand vcpus wake. */
#include <math.h>
#include "scenario.h"

#define SECONDS	 60
#define PER_S	 4 /* points a second */
#define POINTS	 (SECONDS * PER_S)
#define LEFT	 70
#define WIDTH	 640
#define HEIGHT	 200
#define SERIES	 4
#define PANEL	 270
#define TOP	 40
#define LOG_FROM 1.0 /* us */
#define LOG_TO	 100000.0

static const char *const colours[SERIES] = {"#1b6ca8", "#d1495b", "#66a182", "#8d6a9f"};

static double x_of(unsigned int point)
{
	return LEFT + (double)WIDTH * point / POINTS;
}

static void line(FILE *to, const double *y, unsigned int s, double top)
{
	fprintf(to, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"",
		colours[s]);
	for (unsigned int i = 0; i < POINTS; i++)
		fprintf(to, "%.1f,%.1f ", x_of(i), top + HEIGHT * (1 - y[i]));
	fprintf(to, "\"/>\n");
}

static void text(FILE *to, double x, double y, const char *anchor, const char *what)
{
	fprintf(to, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
		what);
}

static void frame(FILE *to, double top, const char *title, const char *const *names)
{
	double x = LEFT + WIDTH;

	fprintf(to,
		"<rect x=\"%d\" y=\"%.0f\" width=\"%d\" height=\"%d\" fill=\"none\" "
		"stroke=\"#888\"/>\n",
		LEFT, top, WIDTH, HEIGHT);
	text(to, LEFT, top - 10, "start", title);
	for (unsigned int s = SERIES; s-- > 0;) {
		if (!names[s])
			continue;
		fprintf(to, "<g fill=\"%s\">", colours[s]);
		text(to, x, top - 10, "end", names[s]);
		fprintf(to, "</g>\n");
		x -= 50;
	}
	for (unsigned int t = 0; t <= SECONDS; t += 10) {
		char label[16];

		snprintf(label, sizeof(label), "%u s", t);
		text(to, x_of(t * PER_S), top + HEIGHT + 15, "middle", label);
	}
}

static void level(FILE *to, double y, const char *label)
{
	fprintf(to, "<path stroke=\"#ddd\" d=\"M%d %.1fh%d\"/>\n", LEFT, y, WIDTH);
	text(to, LEFT - 5, y + 4, "end", label);
}

/* One CPU; guests come, one is capped, one sleeps. */
static void shares(FILE *to, double top)
{
	static const char *const names[SERIES] = {"weight 256", "512", "1024", "naps"};
	static double y[SERIES][POINTS];
	nsec_t before[SERIES] = {0};

	guests_reset(1, sim_seed);
	for (unsigned int s = 0; s < 3; s++)
		guest_weight(guest_new(1, HOG, 0, 0), (u16)(256 << s), 0);
	guest_new(1, SLEEPER, 50 * NSEC_PER_USEC, 10 * NSEC_PER_MSEC);
	guest_start(guests[0]);
	guest_start(guests[3]);
	for (unsigned int i = 0; i < POINTS; i++) {
		if (i == 10 * PER_S)
			guest_start(guests[1]);
		if (i == 20 * PER_S)
			guest_start(guests[2]);
		if (i == 30 * PER_S)
			guest_weight(guests[2], 1024, 30);
		if (i == 40 * PER_S)
			guest_weight(guests[2], 1024, 0);
		if (i == 45 * PER_S || i == 55 * PER_S)
			guest_pause(guests[1], i == 45 * PER_S);
		machine_run(NSEC_PER_SEC / PER_S);
		for (unsigned int s = 0; s < SERIES; s++) {
			nsec_t ran = guest_ran(guests[s]);

			y[s][i] = (double)(ran - before[s]) * PER_S / 1e9;
			before[s] = ran;
		}
	}
	frame(to, top,
	      "One CPU: 512 comes at 10 s, 1024 at 20 s, capped to 30 % at 30 to 40 s, "
	      "512 paused at 45 to 55 s",
	      (const char *const[SERIES]){NULL});
	for (unsigned int s = 0; s < SERIES; s++) {
		fprintf(to, "<g fill=\"%s\">", colours[s]);
		text(to, LEFT + WIDTH + 8, top + 15 + 16 * s, "start", names[s]);
		fprintf(to, "</g>\n");
	}
	for (unsigned int p = 25; p <= 100; p += 25) {
		char label[16];

		snprintf(label, sizeof(label), "%u %%", p);
		level(to, top + HEIGHT * (1 - p / 100.0), label);
	}
	for (unsigned int s = 0; s < SERIES; s++)
		line(to, y[s], s, top);
}

static double log_place(nsec_t ns)
{
	double us = (double)ns / 1e3;

	us = us < LOG_FROM ? LOG_FROM : us > LOG_TO ? LOG_TO : us;
	return log(us / LOG_FROM) / log(LOG_TO / LOG_FROM);
}

static void latency(FILE *to, double top)
{
	static const char *const names[SERIES] = {"median", "99 %", "worst", NULL};
	static const char *const decades[] = {"1 us", "10 us", "100 us", "1 ms", "10 ms", "100 ms"};
	static double y[SERIES][POINTS];
	static struct stats late;

	guests_reset(16, sim_seed);
	for (unsigned int i = 0; i < 100; i++)
		guest_new(1, HOG, 0, 0);
	for (unsigned int i = 0; i < 900; i++)
		guest_new(1, SLEEPER, 50 * NSEC_PER_USEC, 100 * NSEC_PER_MSEC)->late = &late;
	guests_start();
	machine_run(NSEC_PER_SEC);
	for (unsigned int i = 0; i < POINTS; i++) {
		stats_reset(&late);
		machine_run(NSEC_PER_SEC / PER_S);
		y[0][i] = log_place(stats_quantile(&late, 500));
		y[1][i] = log_place(stats_quantile(&late, 990));
		y[2][i] = log_place(late.worst);
	}
	frame(to, top, "900 vcpus that nap beside 100 busy ones on 16 CPUs: woken how late", names);
	for (unsigned int i = 0; i < ARRAY_SIZE(decades); i++)
		level(to, top + HEIGHT * (1 - i / 5.0), decades[i]);
	for (unsigned int s = 0; s < 3; s++)
		line(to, y[s], s, top);
}

void scenario_picture(FILE *to)
{
	fprintf(to,
		"<!-- SPDX-License-Identifier: MIT; made by `make sim` -->\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 %d\" "
		"font-family=\"sans-serif\" font-size=\"12\">\n"
		"<rect width=\"800\" height=\"%d\" fill=\"#fff\"/>\n",
		2 * PANEL + 30, 2 * PANEL + 30);
	shares(to, TOP);
	latency(to, TOP + PANEL);
	fprintf(to, "</svg>\n");
}
