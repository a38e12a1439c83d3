/* SPDX-License-Identifier: MIT */
/*
 * clocks mono SECONDS: a thread on each CPU; counts how often a time was read that is earlier
 * than one that another CPU had read before.
 * clocks drift SECONDS: sleeps, and compares the clocks with the time stamp counter.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS 256
#define BATCH	 1000

static const clockid_t clock_id[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW};
static _Atomic int64_t latest[2];
static _Atomic uint64_t samples, backwards, worst;
static int64_t deadline;

static int64_t now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void sample(int which)
{
	int64_t before = atomic_load(&latest[which]), t = now(clock_id[which]);

	if (t < before) {
		uint64_t by = (uint64_t)(before - t), w = atomic_load(&worst);

		atomic_fetch_add(&backwards, 1);
		while (by > w && !atomic_compare_exchange_weak(&worst, &w, by))
			;
	}
	while (t > before && !atomic_compare_exchange_weak(&latest[which], &before, t))
		;
}

static void *watch(void *arg)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((int)(intptr_t)arg, &one);
	if (sched_setaffinity(0, sizeof(one), &one)) {
		perror("sched_setaffinity");
		exit(1);
	}
	while (now(CLOCK_MONOTONIC) < deadline) {
		for (int i = 0; i < BATCH; i++)
			sample(i & 1);
		atomic_fetch_add(&samples, BATCH);
	}
	return NULL;
}

static int mono(int seconds)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread[MAX_CPUS];

	if (cpus > MAX_CPUS)
		cpus = MAX_CPUS;
	deadline = now(CLOCK_MONOTONIC) + seconds * 1000000000LL;
	for (int i = 0; i < cpus; i++)
		if (pthread_create(&thread[i], NULL, watch, (void *)(intptr_t)i))
			return 1;
	for (int i = 0; i < cpus; i++)
		pthread_join(thread[i], NULL);
	printf("cpus=%d samples=%lu backwards=%lu worst_ns=%lu\n", cpus, samples, backwards, worst);
	return backwards != 0;
}

static uint64_t tsc(void)
{
	return __builtin_ia32_rdtsc();
}

static int drift(int seconds)
{
	int64_t start[2], end[2];
	uint64_t tsc_start, tsc_end;

	tsc_start = tsc();
	for (int i = 0; i < 2; i++)
		start[i] = now(clock_id[i]);
	sleep((unsigned int)seconds);
	tsc_end = tsc();
	for (int i = 0; i < 2; i++)
		end[i] = now(clock_id[i]);
	printf("tsc=%lu mono_ns=%ld raw_ns=%ld\n", tsc_end - tsc_start, end[0] - start[0],
	       end[1] - start[1]);
	return 0;
}

int main(int argc, char **argv)
{
	int seconds = argc > 2 ? atoi(argv[2]) : 10;

	if (argc > 1 && !strcmp(argv[1], "mono"))
		return mono(seconds);
	if (argc > 1 && !strcmp(argv[1], "drift"))
		return drift(seconds);
	fprintf(stderr, "usage: clocks mono|drift SECONDS\n");
	return 2;
}
