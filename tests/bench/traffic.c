/* SPDX-License-Identifier: MIT */
/*
 * traffic serve: in dom0; each connection says in its first byte what it is: 's', we send, until it is
 * closed, 'r', we receive, and answer with a byte for each round.
 * traffic ADDRESS DISK: in the guest; 64 KiB at a time from and to the disk past the page cache, and to and
 * from dom0, each row between two marks; prints "BENCH row.NUMBER ROUNDS NAME" for each.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "marks.h"

#define SIZE   65536
#define ROUNDS 200
#define WARM   20 /* rounds before the marks */
#define PORT   5001

static char buffer[SIZE] __attribute__((aligned(4096)));
static int fd;

static int fail(const char *what)
{
	printf("BENCH note traffic: ");
	fflush(stdout);
	perror(what);
	return 1;
}

static int all(int file, bool out)
{
	size_t done = 0;
	ssize_t n;

	while (done < SIZE) {
		n = out ? write(file, buffer + done, SIZE - done) :
			  read(file, buffer + done, SIZE - done);
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

static int read_all(int from)
{
	return all(from, false);
}

static int write_all(int to)
{
	return all(to, true);
}

static int disk_read(void)
{
	return read_all(fd);
}

static int disk_write(void)
{
	return write_all(fd);
}

static int net_receive(void)
{
	return read_all(fd);
}

/* A round is over when the other side has it. */
static int net_send(void)
{
	char byte;

	return write_all(fd) || read(fd, &byte, 1) != 1;
}

static int measure(int (*op)(void))
{
	for (int i = 0; i < WARM; i++)
		if (op())
			return -1;
	MARK(MARK_ROW);
	for (int i = 0; i < ROUNDS; i++)
		if (op())
			return -1;
	MARK(MARK_ROW);
	return 0;
}

static int to_server(const char *address, char what)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd < 0 || !inet_aton(address, &to.sin_addr) ||
	       connect(fd, (struct sockaddr *)&to, sizeof(to)) || write(fd, &what, 1) != 1;
}

static int row(int (*op)(void), const char *name)
{
	static int number;

	if (measure(op))
		return fail(name);
	close(fd);
	printf("BENCH row.%d %d %s\n", number++, ROUNDS, name);
	return 0;
}

static int guest(const char *address, const char *disk)
{
	MARK(MARK_INIT); /* counting begins */
	fd = open(disk, O_RDWR | O_DIRECT);
	if (fd < 0)
		return fail(disk);
	if (row(disk_read, "64 KiB read from a disk"))
		return 1;
	fd = open(disk, O_RDWR | O_DIRECT);
	if (fd < 0)
		return fail(disk);
	if (row(disk_write, "64 KiB written to a disk"))
		return 1;
	if (to_server(address, 'r'))
		return fail(address);
	if (row(net_send, "64 KiB sent by TCP, answered"))
		return 1;
	if (to_server(address, 's'))
		return fail(address);
	return row(net_receive, "64 KiB received by TCP");
}

static void answer(int client)
{
	char what, byte = 0;

	if (read(client, &what, 1) == 1)
		while (what == 's' ? !write_all(client)
				   : !read_all(client) && write(client, &byte, 1) == 1)
			;
	close(client);
}

static int serve(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int s = socket(AF_INET, SOCK_STREAM, 0), client;

	signal(SIGPIPE, SIG_IGN);
	if (s < 0 || bind(s, (struct sockaddr *)&any, sizeof(any)) || listen(s, 4))
		return fail("serve");
	for (;;) {
		client = accept(s, NULL, NULL);
		if (client >= 0)
			answer(client);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	return argc == 3 ? guest(argv[1], argv[2]) : 2;
}
