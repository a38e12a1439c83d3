/* SPDX-License-Identifier: MIT */
#include "plat/serial.h"
#include "cpu/cpu.h"
#include "cpu/irqflags.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Registers of the 16550, offsets from the port; the first two are the divisor while DLAB is set. */
#define UART_DATA    0
#define UART_IER     1
#define UART_FCR     2
#define UART_LCR     3
#define UART_MCR     4
#define UART_LSR     5
#define UART_SCRATCH 7

#define IER_RX	     0x01
#define FCR_ENABLE   0x07 /* FIFOs on and emptied, interrupt at the first byte */
#define LCR_DLAB     0x80
#define MCR_DTR_RTS  0x03
#define MCR_OUT2     0x08 /* connects the interrupt line on a PC */
#define LSR_READY    0x01
#define LSR_THRE     0x20
#define LSR_IDLE     0x40 /* the last bit has left */
#define UART_CLOCK   115200
#define FIFO_SIZE    16
#define WAIT_SPINS   200000 /* some 200 ms: sixteen bytes at 1200 baud */
#define MAX_RX_BURST 256

static u16 port; /* 0: none */
static bool stalled;

/* "8n1": data bits, parity, stop bits. */
static int parse_line(const char *s, const char **end, u8 *lcr)
{
	static const char parity[] = "noems";
	static const u8 parity_bits[] = {0, 1, 3, 5, 7};
	const char *p;

	if (s[0] < '5' || s[0] > '8' || !s[1] || (p = strchr(parity, s[1])) == NULL ||
	    (s[2] != '1' && s[2] != '2'))
		return -XEN_EINVAL;
	*lcr = (u8)((s[0] - '5') | (s[2] == '2') << 2 | parity_bits[p - parity] << 3);
	*end = s + 3;
	return 0;
}

static int parse_number(const char *s, const char **end, unsigned long max, unsigned long *v)
{
	if (*s < '0' || *s > '9')
		return -XEN_EINVAL;
	*v = strtoul(s, end);
	return *v <= max ? 0 : -XEN_EINVAL;
}

static int parse_field(unsigned int field, const char *s, const char **end, struct serial_config *c)
{
	unsigned long v;

	switch (field) {
	case 0:
		if (!strncmp(s, "auto", 4)) {
			c->baud = 0;
			*end = s + 4;
			return 0;
		}
		if (parse_number(s, end, UART_CLOCK, &v) || !v || UART_CLOCK / v > 0xffff)
			return -XEN_EINVAL;
		c->baud = (u32)v;
		return 0;
	case 1:
		return parse_line(s, end, &c->lcr);
	case 2:
		if (parse_number(s, end, 0xfff8, &v) || !v)
			return -XEN_EINVAL;
		c->port = (u16)v;
		return 0;
	case 3:
		if (parse_number(s, end, 15, &v))
			return -XEN_EINVAL;
		c->irq = v ? (int)v : -1;
		return 0;
	}
	return -XEN_EINVAL;
}

int serial_parse(const char *opt, struct serial_config *c)
{
	struct serial_config new = *c;

	for (unsigned int field = 0;; field++) {
		if (*opt && *opt != ',' && parse_field(field, opt, &opt, &new))
			return -XEN_EINVAL;
		if (!*opt)
			break;
		if (*opt++ != ',')
			return -XEN_EINVAL;
	}
	*c = new;
	return 0;
}

/* An absent UART reads as all ones; the scratch register tells other devices at that port. */
static bool detect(u16 p)
{
	u8 saved = inb(p + UART_SCRATCH);
	bool ok = inb(p + UART_LSR) != 0xff;

	outb(0x55, p + UART_SCRATCH);
	ok = ok && inb(p + UART_SCRATCH) == 0x55;
	outb(0xaa, p + UART_SCRATCH);
	ok = ok && inb(p + UART_SCRATCH) == 0xaa;
	outb(saved, p + UART_SCRATCH);
	return ok;
}

void serial_drain(void)
{
	for (unsigned int i = 0; port && !stalled && i < WAIT_SPINS; i++)
		if (inb(port + UART_LSR) & LSR_IDLE)
			return;
}

bool serial_init(const struct serial_config *c)
{
	serial_drain(); /* setting the line up again empties the FIFO */
	port = 0;
	stalled = false;
	if (!c->port || !detect(c->port))
		return false;
	outb(0, c->port + UART_IER);
	if (c->baud) {
		u32 div = UART_CLOCK / c->baud;

		outb(LCR_DLAB | c->lcr, c->port + UART_LCR);
		outb((u8)div, c->port + UART_DATA);
		outb((u8)(div >> 8), c->port + UART_IER);
	}
	outb(c->lcr, c->port + UART_LCR);
	outb(FCR_ENABLE, c->port + UART_FCR);
	outb(MCR_DTR_RTS | MCR_OUT2, c->port + UART_MCR);
	port = c->port;
	return true;
}

/*
 * Waits until the transmitter is empty. A line that once timed out is not waited for again until
 * it moves by itself.
 */
static bool wait_tx(void)
{
	for (unsigned int i = 0; i < (stalled ? 1u : WAIT_SPINS); i++) {
		if (inb(port + UART_LSR) & LSR_THRE) {
			stalled = false;
			return true;
		}
		cpu_relax();
	}
	stalled = true;
	return false;
}

static bool put(u8 c, unsigned int *room)
{
	if (!*room) {
		if (!wait_tx())
			return false;
		*room = FIFO_SIZE;
	}
	--*room;
	outb(c, port + UART_DATA);
	return true;
}

void serial_write(const char *s, size_t n)
{
	unsigned int room = 0;

	if (!port)
		return;
	for (; n; n--, s++)
		if ((*s == '\n' && !put('\r', &room)) || !put((u8)*s, &room))
			return;
}

int serial_getc(void)
{
	if (!port || !(inb(port + UART_LSR) & LSR_READY))
		return -1;
	return inb(port + UART_DATA);
}

void serial_enable_irq(void)
{
	if (port)
		outb(IER_RX, port + UART_IER);
}
