/* SPDX-License-Identifier: MIT */
/*
 * shares SECONDS DOMID...: how much each of these guests ran meanwhile, by the hypervisor's count, in
 * billionths of the time that passed.  Before that it waits: see SETTLE.
 * shares sleep N: sleeps N times for 10 ms and prints the median and the worst delay, in ns.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sys/privcmd.h>

#define MAX_DOMAINS 128
/*
 * In the emulator a busy dom0 keeps the other processor from executing, while its guest's time goes on: who
 * was there has to wait for the others afterwards.  So dom0 is idle for long before the first look.
 */
#define SETTLE 5

static int fd;

static int get_info(unsigned int first, struct xen_domctl_getdomaininfo *info)
{
	/* Locked, because the hypervisor reads it without paging. */
	static struct xen_domctl op __attribute__((aligned(4096)));
	struct privcmd_hypercall call = {.op = __HYPERVISOR_domctl, .arg = {(uintptr_t)&op}};

	memset(&op, 0, sizeof(op));
	mlock(&op, sizeof(op));
	op.cmd = XEN_DOMCTL_getdomaininfo;
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.domain = (domid_t)first;
	if (ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &call))
		return -1;
	*info = op.u.getdomaininfo;
	return 0;
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct look {
	uint64_t at, ran;
};

/*
 * The clock and a domain's time at one instant: dom0 may have been off its processor in between, then once
 * more.
 */
static int look(unsigned int id, struct look *l)
{
	struct xen_domctl_getdomaininfo info;
	uint64_t before, after;

	for (int i = 0; i < 20; i++) {
		before = clock_ns();
		if (get_info(id, &info))
			return -1;
		after = clock_ns();
		if (after - before < 200000)
			break;
	}
	l->at = before + (after - before) / 2;
	l->ran = info.cpu_time;
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void sleeper(unsigned int n)
{
	struct timespec ten_ms = {.tv_nsec = 10000000};
	uint64_t *late = calloc(n, sizeof(*late));

	for (unsigned int i = 0; late && i < n; i++) {
		uint64_t start = clock_ns(), passed;

		nanosleep(&ten_ms, NULL);
		passed = clock_ns() - start;
		late[i] = passed > 10000000 ? passed - 10000000 : 0;
	}
	if (!late)
		return;
	qsort(late, n, sizeof(*late), compare);
	printf("%llu %llu\n", (unsigned long long)late[n / 2], (unsigned long long)late[n - 1]);
}

static int shares(unsigned int seconds, int nr, char **ids)
{
	struct timespec settle = {.tv_sec = SETTLE}, t = {.tv_sec = seconds};
	static struct look before[MAX_DOMAINS], after[MAX_DOMAINS];

	/* The second look is the one that counts; after the first, all that it needs is in memory. */
	for (int twice = 0; twice < 2; twice++) {
		for (int i = 0; i < nr; i++)
			if (look((unsigned int)atoi(ids[i]), &before[i]))
				return 1;
		nanosleep(twice ? &t : &settle, NULL);
	}
	for (int i = 0; i < nr; i++)
		if (look((unsigned int)atoi(ids[i]), &after[i]))
			return 1;
	for (int i = 0; i < nr; i++)
		printf("%.0f ", 1e9 * (double)(after[i].ran - before[i].ran) /
					(double)(after[i].at - before[i].at));
	printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "sleep")) {
		sleeper((unsigned int)atoi(argv[2]));
		return 0;
	}
	fd = open("/dev/xen/privcmd", O_RDWR);
	if (argc < 3 || argc > 2 + MAX_DOMAINS || fd < 0)
		return 2;
	return shares((unsigned int)atoi(argv[1]), argc - 2, argv + 2);
}
