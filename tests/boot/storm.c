/* SPDX-License-Identifier: MIT */
/*
 * storm SECONDS [WORKERS [KIND]]: work that is hard on the MMU and the scheduler, by WORKERS
 * processes of each kind (or of the one named) at a time.  What is written is read back and
 * compared.
 *
 *   exec     fork, exec, wait
 *   cow      fork with much memory that parent and child then both write
 *   map      mmap, munmap, mprotect, mremap of odd sizes
 *   threads  threads that map, protect and unmap in one address space: TLB shootdowns
 *   pipe     two processes that send blocks to and fro
 *   file     files in memory, mapped and unmapped
 *   sort     computation with floating point, which shows a lost FPU state
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE	 4096UL
#define MAX_KIDS 256

static time_t deadline;

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int more(void)
{
	return now() < deadline;
}

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "storm: FAILED: %s: %m\n", what);
	_exit(1);
}

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
	return *seed >> 33;
}

static void fill(uint64_t *p, size_t bytes, uint64_t tag)
{
	for (size_t i = 0; i < bytes / 8; i += 64)
		p[i] = tag + i;
}

static void check(const uint64_t *p, size_t bytes, uint64_t tag, const char *who)
{
	for (size_t i = 0; i < bytes / 8; i += 64)
		if (p[i] != tag + i)
			die(who);
}

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void reap(pid_t pid, const char *who)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		die(who);
}

static unsigned long run_exec(uint64_t seed)
{
	unsigned long n = 0;

	(void)seed;
	for (; more(); n++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid) {
			execl("/proc/self/exe", "storm", "nothing", NULL);
			_exit(1);
		}
		reap(pid, "exec child");
	}
	return n;
}

static unsigned long run_cow(uint64_t seed)
{
	size_t bytes = 4UL << 20;
	uint64_t *p = map(bytes);
	unsigned long n = 0;

	for (; more(); n++) {
		uint64_t tag = next(&seed);
		pid_t pid;

		fill(p, bytes, tag);
		pid = fork();
		if (pid < 0)
			die("fork");
		if (!pid) {
			check(p, bytes, tag, "cow child sees the parent's writes");
			fill(p, bytes / 2, ~tag);
			check(p, bytes / 2, ~tag, "cow child");
			_exit(0);
		}
		fill(p, bytes / 4, tag + 1);
		reap(pid, "cow child");
		check(p, bytes / 4, tag + 1, "cow parent");
		check(p + bytes / 32, bytes / 4 * 3, tag + bytes / 32, "cow parent's old pages");
	}
	return n;
}

/* One round of mapping: whole, partly read-only, a hole, grown and moved. */
static void map_round(uint64_t *seed)
{
	size_t pages = 8 + next(seed) % 600, bytes = pages * PAGE, part = pages / 4 * PAGE;
	uint64_t tag = next(seed);
	char *p = map(bytes), *q;

	fill((uint64_t *)p, bytes, tag);
	if (mprotect(p + part, part, PROT_READ))
		die("mprotect");
	check((uint64_t *)p, bytes, tag, "map after mprotect");
	if (mprotect(p + part, part, PROT_READ | PROT_WRITE))
		die("mprotect back");
	fill((uint64_t *)(p + part), part, tag * 3);
	check((uint64_t *)(p + part), part, tag * 3, "map, rewritten part");
	if (munmap(p + 2 * part, part))
		die("munmap of the middle");
	q = mremap(p, 2 * part, 3 * part + PAGE, MREMAP_MAYMOVE);
	if (q == MAP_FAILED)
		die("mremap");
	check((uint64_t *)q, part, tag, "map after mremap");
	check((uint64_t *)(q + part), part, tag * 3, "map after mremap, second part");
	if (munmap(q, 3 * part + PAGE))
		die("munmap");
	if (munmap(p + 3 * part, bytes - 3 * part))
		die("munmap of the end");
}

static unsigned long run_map(uint64_t seed)
{
	unsigned long n = 0;

	for (; more(); n++)
		map_round(&seed);
	return n;
}

static void *thread_body(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg;

	for (int i = 0; i < 20; i++) {
		size_t bytes = (1 + next(&seed) % 64) * PAGE;
		uint64_t tag = next(&seed), *p = map(bytes);

		fill(p, bytes, tag);
		if (mprotect(p, bytes, PROT_READ))
			die("mprotect");
		check(p, bytes, tag, "thread");
		if (i & 1 && madvise(p, bytes, MADV_DONTNEED))
			die("madvise");
		if (i & 1 && *(volatile uint64_t *)p)
			die("thread: a dropped page is not empty");
		if (munmap(p, bytes))
			die("munmap");
	}
	return NULL;
}

static unsigned long run_threads(uint64_t seed)
{
	unsigned long n = 0;
	pthread_t t[4];

	for (; more(); n++) {
		for (int i = 0; i < 4; i++)
			if (pthread_create(&t[i], NULL, thread_body,
					   (void *)(uintptr_t)next(&seed)))
				die("pthread_create");
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
	}
	return n;
}

static void move(int fd, char *p, size_t bytes, ssize_t (*fn)(int, char *, size_t))
{
	while (bytes) {
		ssize_t got = fn(fd, p, bytes);

		if (got <= 0)
			die("pipe");
		p += got;
		bytes -= (size_t)got;
	}
}

static ssize_t do_read(int fd, char *p, size_t n)
{
	return read(fd, p, n);
}

static ssize_t do_write(int fd, char *p, size_t n)
{
	return write(fd, p, n);
}

/* The child sends every block back until it is told to end by a closed pipe. */
static void pipe_child(int in, int out)
{
	static char block[16384];
	ssize_t got;

	while ((got = read(in, block, sizeof(block))) > 0)
		move(out, block, (size_t)got, do_write);
	_exit(got < 0);
}

static unsigned long run_pipe(uint64_t seed)
{
	static uint64_t out[2048], in[2048];
	int there[2], back[2];
	unsigned long n = 0;
	pid_t pid;

	if (pipe(there) || pipe(back))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(there[1]);
		close(back[0]);
		pipe_child(there[0], back[1]);
	}
	close(there[0]);
	close(back[1]);
	for (; more(); n++) {
		size_t bytes = 8 * (1 + next(&seed) % 2048);

		for (size_t i = 0; i < bytes / 8; i++)
			out[i] = next(&seed);
		move(there[1], (char *)out, bytes, do_write);
		move(back[0], (char *)in, bytes, do_read);
		if (memcmp(in, out, bytes))
			die("pipe: other bytes came back");
	}
	close(there[1]);
	reap(pid, "pipe child");
	return n;
}

static unsigned long run_file(uint64_t seed)
{
	unsigned long n = 0;

	for (; more(); n++) {
		size_t bytes = (16 + next(&seed) % 256) * PAGE;
		uint64_t tag = next(&seed), *p, word;
		int fd = memfd_create("storm", 0);

		if (fd < 0 || ftruncate(fd, (off_t)bytes))
			die("memfd");
		p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			die("mmap of a file");
		fill(p, bytes, tag);
		if (munmap(p, bytes))
			die("munmap of a file");
		if (pread(fd, &word, 8, (off_t)(bytes - PAGE)) != 8 ||
		    word != tag + (bytes - PAGE) / 8)
			die("file");
		close(fd);
	}
	return n;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static unsigned long run_sort(uint64_t seed)
{
	static double v[20000];
	unsigned long n = 0;

	for (; more(); n++) {
		double sum = 0, again = 0;

		for (int i = 0; i < 20000; i++) {
			v[i] = (double)(next(&seed) % 1000003);
			sum += v[i];
		}
		qsort(v, 20000, sizeof(v[0]), compare);
		for (int i = 0; i < 20000; i++) {
			again += v[i];
			if (i && v[i] < v[i - 1])
				die("sort: not in order");
		}
		if (sum != again)
			die("sort: another sum");
	}
	return n;
}

static const struct {
	const char *name;
	unsigned long (*run)(uint64_t seed);
} kinds[] = {
	{"exec", run_exec}, {"cow", run_cow},	{"map", run_map},   {"threads", run_threads},
	{"pipe", run_pipe}, {"file", run_file}, {"sort", run_sort},
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* The counts of all workers, in memory that they share. */
static unsigned long *count;
static pid_t kid[MAX_KIDS];

static void start(unsigned long nr, unsigned long kind)
{
	kid[nr] = fork();
	if (kid[nr] < 0)
		die("fork of a worker");
	if (!kid[nr]) {
		count[nr] = kinds[kind].run(nr * 7919 + 1);
		_exit(0);
	}
}

static void finish(unsigned long first, unsigned long workers, unsigned long kind)
{
	unsigned long sum = 0;

	for (unsigned long i = first; i < first + workers; i++) {
		reap(kid[i], kinds[kind].name);
		sum += count[i];
	}
	printf("%s=%lu ", kinds[kind].name, sum);
}

int main(int argc, char **argv)
{
	unsigned long workers = argc > 2 ? strtoul(argv[2], NULL, 0) : 1, nr = 0;
	const char *only = argc > 3 ? argv[3] : NULL;

	if (argc > 1 && !strcmp(argv[1], "nothing"))
		return 0;
	if (argc < 2 || workers * NR_KINDS > MAX_KIDS)
		return 2;
	deadline = now() + atol(argv[1]);
	count = mmap(NULL, MAX_KIDS * sizeof(*count), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (count == MAP_FAILED)
		die("mmap of the counts");
	signal(SIGPIPE, SIG_IGN);
	for (unsigned long k = 0; k < NR_KINDS; k++)
		for (unsigned long w = 0; w < workers && (!only || !strcmp(only, kinds[k].name));
		     w++)
			start(nr++, k);
	nr = 0;
	for (unsigned long k = 0; k < NR_KINDS; k++) {
		if (only && strcmp(only, kinds[k].name))
			continue;
		finish(nr, workers, k);
		nr += workers;
	}
	printf("storm: ok\n");
	return 0;
}
