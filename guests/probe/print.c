/* SPDX-License-Identifier: MIT */
/* Printing: dom0 by the hypervisor's console, another domain into its console ring. */
#include "hypercall.h"
#include <xen/io/console.h>

static struct xencons_interface *ring;
static evtchn_port_t ring_port, ring_peer_port; /* ours is 0 while the channel is closed */
static domid_t ring_peer;
static char *captured;
static size_t capture_room;

void *memset(void *d, int c, size_t n)
{
	void *ret = d;

	asm volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
	return ret;
}

void *memcpy(void *d, const void *s, size_t n)
{
	void *ret = d;

	asm volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
	return ret;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] || !a[i])
			return (u8)a[i] - (u8)b[i];
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, ~0UL);
}

struct out {
	char *buf;
	size_t size, n;
};

static void put(struct out *o, char c)
{
	if (o->n + 1 < o->size)
		o->buf[o->n] = c;
	o->n++;
}

static void put_text(struct out *o, const char *s, int width, bool left)
{
	int pad = width - (int)strlen(s);

	for (; !left && pad > 0; pad--)
		put(o, ' ');
	while (*s)
		put(o, *s++);
	for (; pad > 0; pad--)
		put(o, ' ');
}

static void put_number(struct out *o, u64 v, unsigned int base, bool minus, int width, char fill)
{
	char t[24];
	int n = 0;

	do
		t[n++] = "0123456789abcdef"[v % base];
	while (v /= base);
	if (minus)
		t[n++] = '-';
	while (width-- > n)
		put(o, fill);
	while (n)
		put(o, t[--n]);
}

static const char *format_one(struct out *o, const char *f, va_list *ap)
{
	bool left = false, is_long = false;
	char fill = ' ';
	int width = 0;
	s64 v;

	for (; *f == '-' || *f == '0'; f++) {
		left |= *f == '-';
		fill = *f == '0' ? '0' : fill;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		width = width * 10 + *f - '0';
	for (; *f == 'l' || *f == 'z'; f++)
		is_long = true;
	switch (*f) {
	case 's':
		put_text(o, va_arg(*ap, const char *), width, left);
		break;
	case 'c':
		put(o, (char)va_arg(*ap, int));
		break;
	case 'd':
		v = is_long ? va_arg(*ap, long) : va_arg(*ap, int);
		put_number(o, v < 0 ? -(u64)v : (u64)v, 10, v < 0, width, fill);
		break;
	case 'u':
	case 'x':
		put_number(o, is_long ? va_arg(*ap, u64) : va_arg(*ap, u32), *f == 'u' ? 10 : 16,
			   false, width, fill);
		break;
	case 'p':
		put_number(o, va_arg(*ap, u64), 16, false, 16, '0');
		break;
	default:
		put(o, *f);
	}
	return f + 1;
}

int vsnprintf(char *buf, size_t size, const char *f, va_list ap)
{
	struct out o = {buf, size, 0};
	va_list copy;

	va_copy(copy, ap);
	while (*f)
		if (*f == '%')
			f = format_one(&o, f + 1, &copy);
		else
			put(&o, *f++);
	va_end(copy);
	if (size)
		buf[o.n < size ? o.n : size - 1] = '\0';
	return (int)o.n;
}

static void ring_notify(void)
{
	struct evtchn_send send = {.port = ring_port};

	if (ring_port)
		evtchn_op(EVTCHNOP_send, &send);
}

/* The ring's page is part of the first mapping, as the tools build a domain. */
void console_init(void)
{
	if (is_dom0())
		return;
	ring = (void *)(VIRT_BASE + (mfn_pfn(start_copy.console.domU.mfn) << 12));
	ring_port = start_copy.console.domU.evtchn;
}

/* We never read, and an upcall for it would disturb the tests that count them. */
void console_quiet(void)
{
	if (ring_port)
		port_mask(ring_port);
	if (!is_dom0())
		port_mask(start_copy.store_evtchn);
}

bool console_hold(void)
{
	struct evtchn_status s = {.dom = DOMID_SELF, .port = ring_port};
	struct evtchn_close c = {.port = ring_port};

	if (!ring)
		return true;
	if (evtchn_op(EVTCHNOP_status, &s) || s.status != EVTCHNSTAT_interdomain)
		return false;
	ring_peer = s.u.interdomain.dom;
	ring_peer_port = s.u.interdomain.port;
	ring_port = 0;
	return !evtchn_op(EVTCHNOP_close, &c);
}

void console_release(void)
{
	struct evtchn_bind_interdomain b = {.remote_dom = ring_peer, .remote_port = ring_peer_port};

	if (!ring || evtchn_op(EVTCHNOP_bind_interdomain, &b))
		return;
	ring_port = b.local_port;
	console_quiet();
	ring_notify();
}

static bool ring_full(void)
{
	return ACCESS_ONCE(ring->out_prod) - ACCESS_ONCE(ring->out_cons) >= sizeof(ring->out);
}

static void ring_write(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* Nobody is called to make room while the channel is closed: the rest is lost. */
		while (ring_full() && ring_port)
			sched_op(SCHEDOP_yield, NULL);
		if (ring_full())
			return;
		ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = s[i];
		barrier();
		ring->out_prod++;
		if (s[i] == '\n' || i == n - 1)
			ring_notify();
	}
}

void console_capture(char *buf, size_t size)
{
	captured = buf;
	capture_room = size - 1;
	*buf = '\0';
}

static void capture(const char *s, size_t n)
{
	n = n < capture_room ? n : capture_room;
	memcpy(captured, s, n);
	captured += n;
	capture_room -= n;
	*captured = '\0';
}

void printf(const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	n = n < (int)sizeof(buf) ? n : (int)sizeof(buf) - 1;
	if (captured)
		capture(buf, (size_t)n);
	else if (ring)
		ring_write(buf, (size_t)n);
	else
		console_io(CONSOLEIO_write, n, buf);
}
