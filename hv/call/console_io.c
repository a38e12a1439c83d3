/* SPDX-License-Identifier: MIT */
#include "call/call.h"
#include "lib/log.h"
#include "plat/plat.h"

#define CHUNK	   256
#define GUEST_LINE 160 /* longer lines of a guest are shown in pieces */

/* dom0's own text, as it is; a serial line takes milliseconds for a chunk, so one at a time. */
static long write_dom0(const char *buf, unsigned long n)
{
	unsigned long len = min(n, (unsigned long)CHUNK);
	char s[CHUNK];

	if (copy_from_guest(s, buf, len))
		return -XEN_EFAULT;
	console_write_guest(s, len);
	if (len < n)
		return call_restart(CONSOLEIO_write, n - len, (unsigned long)buf + len, 0, 0);
	return 0;
}

/* Nothing that could steer a terminal gets from a guest to the console. */
static char printable(char c)
{
	return c == '\t' || (c >= 0x20 && c < 0x7f) ? c : '?';
}

static void print_guest_line(char *s, unsigned int len)
{
	s[len] = 0;
	glog_info("(d%u) %s\n", current->d->id, s);
}

static void print_guest(const char *s, unsigned long n)
{
	char line[GUEST_LINE + 1];
	unsigned int len = 0;

	for (unsigned long i = 0; i < n; i++) {
		char c = s[i];

		if (c != '\n' && c != '\r' && c != 0)
			line[len++] = printable(c);
		if (len && (c == '\n' || len == GUEST_LINE)) {
			print_guest_line(line, len);
			len = 0;
		}
	}
	if (len)
		print_guest_line(line, len);
}

/* Whether it is shown, guest_loglvl= and the rate limit decide; the guest need not know. */
static long write_guest(const char *buf, unsigned long n)
{
	unsigned long len = min(n, (unsigned long)CHUNK);
	char s[CHUNK];

	if (copy_from_guest(s, buf, len))
		return -XEN_EFAULT;
	print_guest(s, len);
	if (len < n)
		return call_restart(CONSOLEIO_write, n - len, (unsigned long)buf + len, 0, 0);
	return 0;
}

/* The number of bytes that were there. */
static long read_input(char *buf, unsigned long n)
{
	char s[CHUNK];
	unsigned int len = 0;
	int c;

	while (len < min(n, (unsigned long)CHUNK) && (c = console_getc()) >= 0)
		s[len++] = (char)c;
	if (len && copy_to_guest(buf, s, len))
		return -XEN_EFAULT;
	return len;
}

long do_console_io(unsigned long cmd, unsigned long count, unsigned long buffer, unsigned long a4,
		   unsigned long a5)
{
	bool priv = current->d->privileged;
	unsigned long n = (u32)count;

	/* The count is an int of the ABI. */
	if (n > INT_MAX)
		return -XEN_EINVAL;
	switch ((u32)cmd) {
	case CONSOLEIO_write:
		return priv ? write_dom0((const char *)buffer, n)
			    : write_guest((const char *)buffer, n);
	case CONSOLEIO_read:
		return priv ? read_input((char *)buffer, n) : -XEN_EPERM;
	default:
		return -XEN_ENOSYS;
	}
}
