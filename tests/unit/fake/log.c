/* SPDX-License-Identifier: MIT */
#include "fake/fake.h"
#include <stdlib.h>
#include "lib/log.h"

char fake_panic_text[256];
unsigned int fake_log_lines;

static void print(const char *fmt, va_list ap)
{
	fake_log_lines++;
	if (getenv("DOMUS_TEST_LOG"))
		vfprintf(stderr, fmt, ap);
}

void log_print(enum log_level lvl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print(fmt, ap);
	va_end(ap);
}

void log_guest(enum log_level lvl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print(fmt, ap);
	va_end(ap);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fake_panic_text, sizeof(fake_panic_text), fmt, ap);
	va_end(ap);
	mock_assert(0, fake_panic_text, __FILE__, __LINE__);
	abort();
}
