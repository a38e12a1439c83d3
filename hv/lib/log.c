/* SPDX-License-Identifier: MIT */
#include "lib/log.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/spinlock.h"
#include "lib/string.h"

#define LINE_MAX_LEN 512

/* A guest gets this many messages at once, and one more each interval. */
#define GUEST_BURST    10
#define GUEST_INTERVAL 500000000LL
#define LEVEL_NONE     (-1)

void (*log_sink)(const char *s, size_t n);
s64 (*log_clock)(void);

static int own_level = LOG_INFO;
static int guest_level = LOG_WARN;

static spinlock_t guest_lock;
static unsigned int tokens = GUEST_BURST;
static s64 last_refill;
static unsigned int suppressed;

static void emit(const char *fmt, va_list ap)
{
	char buf[LINE_MAX_LEN];
	int n = hv_vsnprintf(buf, sizeof(buf), fmt, ap);
	size_t len = min((size_t)(n > 0 ? n : 0), sizeof(buf) - 1);

	/* A line cut short still ends. */
	if (n >= (int)sizeof(buf))
		buf[len - 1] = '\n';
	log_sink(buf, len);
}

void log_print(enum log_level lvl, const char *fmt, ...)
{
	va_list ap;

	if ((int)lvl > READ_ONCE(own_level) || !log_sink)
		return;
	va_start(ap, fmt);
	emit(fmt, ap);
	va_end(ap);
}

/* Takes a token; on success *lost is how many messages had none since the last one that had. */
static bool guest_may_print(unsigned int *lost)
{
	s64 now = log_clock ? log_clock() : 0;
	s64 due;
	bool ok;

	spin_lock(&guest_lock);
	due = (now - last_refill) / GUEST_INTERVAL;
	if (due > 0) {
		tokens = (unsigned int)min(due + (s64)tokens, (s64)GUEST_BURST);
		last_refill += due * GUEST_INTERVAL;
	}
	ok = tokens > 0;
	if (ok) {
		tokens--;
		*lost = suppressed;
		suppressed = 0;
	} else {
		suppressed++;
	}
	spin_unlock(&guest_lock);
	return ok;
}

void log_guest(enum log_level lvl, const char *fmt, ...)
{
	unsigned int lost = 0;
	va_list ap;

	if ((int)lvl > READ_ONCE(guest_level) || !log_sink || !guest_may_print(&lost))
		return;
	if (lost)
		log_print(LOG_ERR, "%u messages about guests suppressed\n", lost);
	va_start(ap, fmt);
	emit(fmt, ap);
	va_end(ap);
}

static bool parse_level(const char *s, size_t n, int *level)
{
	static const struct {
		const char *name;
		int level;
	} names[] = {
		{"none", LEVEL_NONE}, {"error", LOG_ERR},   {"warning", LOG_WARN},
		{"info", LOG_INFO},   {"debug", LOG_DEBUG}, {"all", LOG_DEBUG},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].name) == n && !strncmp(s, names[i].name, n)) {
			*level = names[i].level;
			return true;
		}
	return false;
}

static int set_level(const char *value, int *level)
{
	const char *slash = strchr(value, '/');
	int a, b;

	if (!parse_level(value, slash ? (size_t)(slash - value) : strlen(value), &a))
		return -XEN_EINVAL;
	b = a;
	if (slash && !parse_level(slash + 1, strlen(slash + 1), &b))
		return -XEN_EINVAL;
	WRITE_ONCE(*level, max(a, b));
	return 0;
}

int log_set_level(const char *value)
{
	return set_level(value, &own_level);
}

int log_set_guest_level(const char *value)
{
	return set_level(value, &guest_level);
}
