/* SPDX-License-Identifier: MIT */
#include "boot/efi/loader.h"
#include "lib/string.h"
#include "plat/plat.h"
#include "plat/serial.h"

#define COM1 0x3f8
#define N8_1 3

void *(*plat_phys_to_virt)(paddr_t pa);

static struct serial_config serial = {.port = COM1, .lcr = N8_1, .irq = -1};
static struct screen_fb screen;
static bool up;

/* The firmware leaves all memory mapped one to one (UEFI 2.10, 2.3.4). */
static void *as_it_is(paddr_t pa)
{
	return (void *)pa;
}

void raw_prepare(const struct screen_fb *fb, const char *options)
{
	const char *at = strstr(options, "com1=");
	char value[64], *end;

	screen = *fb;
	if (!at)
		return;
	strlcpy(value, at + 5, sizeof(value));
	end = strchr(value, ' ');
	if (end)
		*end = '\0';
	serial_parse(value, &serial); /* what it does not understand it leaves as it is */
}

void raw_write(const char *s, size_t n)
{
	if (!up) {
		plat_phys_to_virt = as_it_is;
		serial_init(&serial);
		if (!fb_init(&screen))
			screen.type = SCREEN_FB_NONE;
		up = true;
	}
	serial_write(s, n);
	if (screen.type)
		fb_write(s, n);
}

void raw_halt(void)
{
	serial_drain();
	for (;;)
		__asm__ __volatile__("cli; hlt");
}
