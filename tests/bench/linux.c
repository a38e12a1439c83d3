/* SPDX-License-Identifier: MIT */
/* Rows of the bench: what processes ask of Linux most. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"
#include "marks.h"

#define ROUNDS 1000
#define WARM   10 /* rounds before the marks */
#define PAGE   4096

struct row {
	const char *name;
	void (*op)(void);
	int (*before)(void); /* 0: ready */
	void (*after)(void);
};

static pid_t self;
static char *area, *next;
static int there[2], back[2];

static void op_getppid(void)
{
	syscall(SYS_getppid);
}

static void handler(int number)
{
	(void)number;
}

static int signal_before(void)
{
	self = getpid();
	return signal(SIGUSR1, handler) == SIG_ERR;
}

static void op_signal(void)
{
	syscall(SYS_kill, self, SIGUSR1);
}

/* Single pages, not huge ones. */
static int area_before(void)
{
	size_t size = (ROUNDS + WARM) * PAGE;

	area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	next = area;
	return area == MAP_FAILED || madvise(area, size, MADV_NOHUGEPAGE);
}

static void area_after(void)
{
	munmap(area, (ROUNDS + WARM) * PAGE);
}

static void op_touch(void)
{
	*(volatile char *)next = 1;
	next += PAGE;
}

static void op_map(void)
{
	volatile char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*p = 1;
	munmap((void *)p, PAGE);
}

static void op_protect(void)
{
	mprotect(area, PAGE, PROT_READ);
	mprotect(area, PAGE, PROT_READ | PROT_WRITE);
	*(volatile char *)area = 1;
}

static void op_fork(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
}

static void echo(void)
{
	char byte;

	close(there[1]);
	while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
		;
	_exit(0);
}

static int switch_before(void)
{
	pid_t child;

	if (pipe(there) || pipe(back))
		return -1;
	child = fork();
	if (!child)
		echo();
	close(there[0]);
	close(back[1]);
	return child < 0;
}

static void switch_after(void)
{
	close(there[1]);
	close(back[0]);
	wait(NULL);
}

static void op_switch(void)
{
	char byte = 0;

	if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
		_exit(1);
}

static const struct row rows[] = {
	{"system call (getppid)", op_getppid, NULL, NULL},
	{"signal sent, handled, returned from", op_signal, signal_before, NULL},
	{"page fault on anonymous memory", op_touch, area_before, area_after},
	{"mmap, touch, munmap of a page", op_map, NULL, NULL},
	{"mprotect read-only and back, touch", op_protect, area_before, area_after},
	{"fork, exit, wait", op_fork, NULL, NULL},
	{"byte through a pipe to another process and back", op_switch, switch_before, switch_after},
};

static void measure(const struct row *r)
{
	for (int i = 0; i < WARM; i++)
		r->op();
	MARK(MARK_ROW);
	for (int i = 0; i < ROUNDS; i++)
		r->op();
	MARK(MARK_ROW);
}

void linux_rows(void)
{
	int done = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];

		if (r->before && r->before()) {
			say("BENCH note row \"%s\" cannot begin\n", r->name);
			continue;
		}
		measure(r);
		if (r->after)
			r->after();
		say("BENCH row.%d %d %s\n", done++, ROUNDS, r->name);
	}
}
