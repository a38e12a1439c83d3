/* SPDX-License-Identifier: MIT */
#include "plat/plat.h"
#include "plat/conring.h"
#include "plat/serial.h"
#include "plat/screen.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "lib/string.h"

#define RING_SIZE (CONFIG_CONSOLE_RING_KB * 1024u)
#define COM1_PORT 0x3f8
#define COM1_IRQ  4
#define LCR_8N1	  0x03
#define IN_SIZE	  16384 /* room for a pasted text: the emulator gives it at once */
#define MAX_BURST 4096
#define CTRL_A	  1
#define CTRL_A_NR 3
#define PREFIX	  "(hv) "

BUILD_BUG_ON((RING_SIZE & (RING_SIZE - 1)) != 0);
BUILD_BUG_ON((IN_SIZE & (IN_SIZE - 1)) != 0);

void (*console_input_hook)(void);
void (*console_debug_key_hook)(char key);

/* out_lock: the ring, the devices' output. in_lock: what was typed. Never both. */
static spinlock_t out_lock, in_lock;
static bool forced; /* panic: nobody else matters any more */

static struct serial_config com1 = {COM1_PORT, CONFIG_SERIAL_BAUD, LCR_8N1, COM1_IRQ};
static bool use_com1, use_vga;

static u8 in_buf[IN_SIZE];
static u32 in_first, in_end;
static unsigned int ctrl_a_run;
static bool to_debug_keys;
static bool line_start = true;

static void lock(spinlock_t *l)
{
	if (!forced)
		spin_lock(l);
}

static void unlock(spinlock_t *l)
{
	if (!forced)
		spin_unlock(l);
}

static void to_devices(const char *s, size_t n)
{
	if (use_com1)
		serial_write(s, n);
	if (use_vga)
		screen_write(s, n);
}

void console_write(const char *s, size_t n)
{
	lock(&out_lock);
	conring_write(s, n);
	to_devices(s, n);
	unlock(&out_lock);
}

void console_write_guest(const char *s, size_t n)
{
	lock(&out_lock);
	to_devices(s, n);
	unlock(&out_lock);
}

/* The log's lines carry a mark that tells them from dom0's on the same line. */
static void write_log(const char *s, size_t n)
{
	lock(&out_lock);
	while (n) {
		const char *nl = memchr(s, '\n', n);
		size_t len = nl ? (size_t)(nl - s) + 1 : n;

		if (line_start) {
			conring_write(PREFIX, sizeof(PREFIX) - 1);
			to_devices(PREFIX, sizeof(PREFIX) - 1);
		}
		conring_write(s, len);
		to_devices(s, len);
		line_start = nl != NULL;
		s += len;
		n -= len;
	}
	unlock(&out_lock);
}

void console_early_init(void)
{
	use_com1 = serial_init(&com1);
	log_sink = write_log;
}

static bool name_in_list(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (list) {
		if (!strncmp(list, name, len) && (!list[len] || list[len] == ','))
			return true;
		list = strchr(list, ',');
		list = list ? list + 1 : NULL;
	}
	return false;
}

/* Chunk by chunk from pos to the end of the ring; locked. */
static void replay_ring(u32 pos, void (*out)(const char *, size_t))
{
	char buf[128];
	size_t n;

	while ((n = conring_read(buf, sizeof(buf), &pos)) != 0)
		out(buf, n);
}

void console_add_screen(void)
{
	lock(&out_lock);
	use_vga = true;
	replay_ring(conring_start(), screen_write);
	unlock(&out_lock);
}

void console_init(const char *console_opt, const char *com1_opt)
{
	bool have_com1 = use_com1, bad_com1 = false;
	u16 old_port = com1.port;

	lock(&out_lock);
	if (com1_opt && *com1_opt) {
		bad_com1 = serial_parse(com1_opt, &com1) != 0;
		if (!bad_com1) {
			have_com1 = serial_init(&com1);
			if (have_com1 && com1.port != old_port)
				replay_ring(conring_start(), serial_write);
		}
	}
	use_com1 = have_com1;
	if (console_opt && *console_opt) {
		use_com1 = have_com1 && name_in_list(console_opt, "com1");
		use_vga = name_in_list(console_opt, "vga");
	}
	unlock(&out_lock);
	if (bad_com1)
		pr_warn("console: com1=%s not understood, port %#x used as it is\n", com1_opt,
			com1.port);
	if (!have_com1)
		pr_info("console: no serial port at %#x\n", com1.port);
}

void console_force_sync(void)
{
	forced = true;
	line_start = true;
	conring_repair();
	if (use_vga)
		screen_reclaim();
}

void console_show_tail(unsigned int lines)
{
	replay_ring(conring_tail(lines), to_devices);
}

/* --- the ring --- */

static void show_previous(char *s, size_t n)
{
	static const char own[] = PREFIX "previous boot:";

	while (n) {
		const char *nl = memchr(s, '\n', n);
		size_t len = nl ? (size_t)(nl - s) : n, skip;

		skip = len >= sizeof(PREFIX) - 1 && !strncmp(s, PREFIX, sizeof(PREFIX) - 1)
			       ? sizeof(PREFIX) - 1
			       : 0;
		if (len < sizeof(own) - 1 || strncmp(s, own, sizeof(own) - 1))
			pr_info("previous boot: %.*s\n", (int)(len - skip), s + skip);
		len += nl ? 1 : 0;
		s += len;
		n -= len;
	}
}

void console_keep(void *mem, bool kept, char *scratch, size_t n)
{
	size_t previous = kept ? conring_previous(mem, RING_SIZE, scratch, n) : 0;

	lock(&out_lock);
	conring_move(mem, RING_SIZE);
	unlock(&out_lock);
	show_previous(scratch, previous);
}

void console_end_in_order(void)
{
	conring_end_in_order();
}

size_t console_ring_read(char *buf, size_t n, u32 *pos)
{
	size_t done;

	lock(&out_lock);
	done = conring_read_new(buf, n, pos);
	unlock(&out_lock);
	return done;
}

u32 console_ring_start(void)
{
	return conring_start();
}

u32 console_ring_end(void)
{
	return conring_end();
}

void console_ring_clear(void)
{
	lock(&out_lock);
	conring_clear();
	unlock(&out_lock);
}

/* --- input --- */

int console_irq(void)
{
	return use_com1 ? com1.irq : -1;
}

u16 console_port(void)
{
	return use_com1 ? com1.port : 0;
}

void console_irq_enable(void)
{
	lock(&out_lock);
	serial_enable_irq();
	unlock(&out_lock);
}

int console_getc(void)
{
	int c = -1;

	lock(&in_lock);
	if (in_first != in_end)
		c = in_buf[in_first++ % IN_SIZE];
	unlock(&in_lock);
	return c;
}

static void switch_input(void)
{
	to_debug_keys = !to_debug_keys;
	pr_info("*** Serial input now goes to %s (Ctrl-A three times switches)\n",
		to_debug_keys ? "the hypervisor's debug keys" : "dom0");
}

/* True when the byte belongs to dom0. A run of Ctrl-A shorter than three reaches dom0 as well. */
static bool is_for_dom0(u8 c)
{
	ctrl_a_run = c == CTRL_A ? ctrl_a_run + 1 : 0;
	if (ctrl_a_run == CTRL_A_NR) {
		ctrl_a_run = 0;
		switch_input();
		return false;
	}
	if (!to_debug_keys)
		return true;
	if (c != CTRL_A && console_debug_key_hook)
		console_debug_key_hook((char)c);
	return false;
}

/*
 * Until the UART is empty, because its interrupt is an edge; but a line that never falls silent must
 * not hold us.
 */
void console_poll_input(void)
{
	bool news = false;

	for (unsigned int i = 0; use_com1 && i < MAX_BURST; i++) {
		int c;

		lock(&in_lock);
		c = serial_getc();
		unlock(&in_lock);
		if (c < 0)
			break;
		if (!is_for_dom0((u8)c))
			continue;
		lock(&in_lock);
		if (in_end - in_first < IN_SIZE) {
			in_buf[in_end++ % IN_SIZE] = (u8)c;
			news = true;
		}
		unlock(&in_lock);
	}
	if (news && console_input_hook)
		console_input_hook();
}
