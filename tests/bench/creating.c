/* SPDX-License-Identifier: MIT */
/* creating BEGIN END PROGRAM ARGUMENT...: runs a program between two marks of marks.h. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "marks.h"

/* A mark has its number in the instruction. */
#define CASE(n)          \
	case n:          \
		MARK(n); \
		break

static void mark(int n)
{
	switch (n) {
		CASE(MARK_CREATE_1);
		CASE(MARK_CREATED_1);
		CASE(MARK_CREATE_10);
		CASE(MARK_CREATED_10);
		CASE(MARK_CREATE_100);
		CASE(MARK_CREATED_100);
		CASE(MARK_DESTROY);
		CASE(MARK_DESTROYED);
	}
}

static int find(const char *name)
{
	static const char *const names[MARK_LAST] = MARK_NAMES;

	for (int m = 0; m < MARK_LAST; m++)
		if (!strcmp(name, names[m]))
			return m;
	return -1;
}

int main(int argc, char **argv)
{
	int status, begin, end;

	if (argc < 4)
		return 2;
	begin = find(argv[1]);
	end = find(argv[2]);
	if (begin < 0 || end < 0)
		return 2;
	mark(begin);
	if (!fork()) {
		execv(argv[3], argv + 3);
		_exit(127);
	}
	wait(&status);
	mark(end);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
