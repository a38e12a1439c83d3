/* SPDX-License-Identifier: MIT */
/* What loader and firmware hand over at the start: see pure.h. */
#include "pure.h"
#include <sys/mman.h>
#include "boot/boot.h"
#include "boot/efi/mbi.h"
#include "boot/mb2.h"
#include "cpu/features.h"
#include "cpu/panic.h"
#include "cpu/spec.h"
#include "lib/log.h"
#include "lib/mem_limits.h"
#include "mm/e820.h"
#include "mm/layout.h"
#include "plat/efi.h"
#include "plat/plat.h"
#include "plat/screen.h"
#include "time/watchdog.h"

/* --- what the code is linked with --- */

bool opt_noreboot, opt_smap, opt_smep, opt_smt, opt_watchdog, screen_keep;
unsigned int opt_watchdog_timeout;
void *(*plat_phys_to_virt)(paddr_t pa);
volatile void *(*plat_map_wc)(paddr_t pa, size_t size);
const void *(*plat_map_firmware)(paddr_t pa, size_t size);
void (*plat_unmap_firmware)(const void *va, size_t size);
volatile void *(*plat_map_mmio)(paddr_t pa, size_t size);

/* The font is made by the build of the hypervisor. */
const u8 *font_glyph(u8 c)
{
	static u8 glyph[FONT_HEIGHT];

	memset(glyph, c, sizeof(glyph));
	return glyph;
}

/* These two have unit tests. */
int log_set_level(const char *value)
{
	return 0;
}

int log_set_guest_level(const char *value)
{
	return 0;
}

/* Writes ports elsewhere; its parser is a few letters. */
int reboot_parse(const char *s)
{
	return 0;
}

/* --- the lower 4 GiB --- */

/* Zeroes to be read, with nothing behind them: a step beyond is a fault. */
static char *lower_4g(void)
{
	static char *base;

	if (!base) {
		base = mmap(NULL, BOOT_MAPPED + PAGE_SIZE, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (base == MAP_FAILED || mprotect(base, BOOT_MAPPED, PROT_READ | PROT_WRITE))
			abort();
	}
	return base;
}

static void forget(void)
{
	memset(&boot_info, 0, sizeof(boot_info));
	memset(&boot_e820, 0, sizeof(boot_e820));
	efi_nr_regions = 0;
}

static void check_boot_info(void)
{
	const struct boot_info *b = &boot_info;

	if (b->nr_modules > BOOT_MAX_MODULES || b->nr_ram > PLAN_MAX_RAM || boot_e820.nr > E820_MAX)
		abort();
	if (!memchr(b->cmdline, 0, sizeof(b->cmdline)) || !memchr(b->loader, 0, sizeof(b->loader)))
		abort();
	for (unsigned int i = 0; i < b->nr_modules; i++)
		if (b->module[i].end < b->module[i].start ||
		    !memchr(b->module[i].args, 0, sizeof(b->module[i].args)))
			abort();
	for (unsigned int i = 0; i < b->nr_ram; i++)
		if (b->ram[i].end < b->ram[i].start)
			abort();
	boot_low_page();
}

/*
 * The bytes lie at both ends, so that small addresses and those close to 4 GiB find them; the first byte
 * says at which of them the information begins.
 */
void fuzz_mb1(const u8 *data, size_t n)
{
	char *base = lower_4g();
	size_t at = n ? BOOT_MAPPED - (n - 1) : 0;

	if (!n--)
		return;
	memcpy(base, data + 1, n);
	memcpy(base + at, data + 1, n);
	test_directmap = base;
	forget();
	mb1_parse(*data & 1 ? at : 0);
	check_boot_info();
	memset(base, 0, n);
	memset(base + at, 0, n);
}

/* --- the command line --- */

void fuzz_options(const u8 *data, size_t n)
{
	char *s = malloc(n + 1);

	memcpy(s, data, n);
	s[n] = 0;
	options_parse(s);
	if (!memchr(opt_console, 0, sizeof(opt_console)) || !memchr(opt_com1, 0, sizeof(opt_com1)) ||
	    opt_dom0_max_vcpus > 256)
		abort();
	free(s);
}

/* --- the screen --- */

#define MOST_PIXELS (1u << 20) /* bytes of a framebuffer that is tried */

static void *framebuffer;
static u64 framebuffer_at, framebuffer_size;

static void *fb_virt(paddr_t pa)
{
	return framebuffer && pa == framebuffer_at ? framebuffer : NULL;
}

static volatile void *fb_wc(paddr_t pa, size_t size)
{
	return size == framebuffer_size ? fb_virt(pa) : NULL;
}

void fuzz_screen(const u8 *data, size_t n)
{
	struct screen_fb fb;

	if (n < sizeof(fb))
		return;
	memcpy(&fb, data, sizeof(fb));
	framebuffer_at = fb.addr;
	framebuffer_size = (u64)fb.pitch * fb.height;
	/* What is refused must be refused without memory. */
	framebuffer = framebuffer_size <= MOST_PIXELS ? malloc(framebuffer_size) : NULL;
	plat_phys_to_virt = fb_virt;
	plat_map_wc = fb_wc;
	if (fb_init(&fb)) {
		fb_write((const char *)data + sizeof(fb), n - sizeof(fb));
		fb_map();
		fb_write((const char *)data, n);
		fb_release();
		fb_write("x\n", 2);
		fb_reclaim();
		fb_write((const char *)data + sizeof(fb), n - sizeof(fb));
	}
	free(framebuffer);
	framebuffer = NULL;
}

/* --- the firmware's system table: physical addresses are offsets into the input --- */

static u8 *firmware;
static size_t firmware_size;

static volatile void *map_mmio(paddr_t pa, size_t size)
{
	return pa <= firmware_size && size <= firmware_size - pa ? firmware + pa : NULL;
}

static const void *map_firmware(paddr_t pa, size_t size)
{
	return (const void *)map_mmio(pa, size);
}

static void unmap_firmware(const void *va, size_t size)
{
	if ((const u8 *)va < firmware || (const u8 *)va + size > firmware + firmware_size)
		abort();
}

static bool is_ram(paddr_t pa)
{
	return pa & 1;
}

void fuzz_efi_system(const u8 *data, size_t n)
{
	firmware_size = n ? n - 1 : 0;
	firmware = exact(data + 1, firmware_size);
	plat_map_firmware = map_firmware;
	plat_unmap_firmware = unmap_firmware;
	plat_map_mmio = map_mmio;
	memset(&efi_info, 0, sizeof(efi_info));
	if (n)
		efi_init(data[0] * 8u, is_ram);
	if (efi_info.vendor[EFI_VENDOR_LEN - 1])
		abort();
	free(firmware);
}

/* --- from our loader to the hypervisor --- */

/* The next text of the input; "" at its end. */
static const char *text(const char **s, const char *end)
{
	const char *t = *s;

	*s += strlen(t);
	if (*s < end)
		(*s)++;
	return t;
}

/* What is written is read as it was, or something did not fit. */
void fuzz_handover(const u8 *data, size_t n)
{
	char *all = malloc(n + 1);
	const char *s = all, *end = all + n, *cmdline, *args;
	size_t size = n > 1 ? (data[0] | data[1] << 8) & 0x1ff8u : 64, room;
	void *buf = aligned_alloc(8, size + 8), *map;
	struct mbi m;

	memcpy(all, data, n);
	all[n] = 0;
	mbi_begin(&m, buf, size);
	mbi_text(&m, TAG_CMDLINE, cmdline = text(&s, end));
	mbi_module(&m, 0x1000, 0x2000, args = text(&s, end));
	mbi_text(&m, TAG_LOADER, text(&s, end));
	map = mbi_map_room(&m, &room);
	if (map) {
		room = min(room, ROUND_DOWN((size_t)(end - s), 8ul));
		memcpy(map, s, room);
		mbi_map_end(&m, room, 40 + room % 16, 1);
	}
	if (map && !m.full) {
		forget();
		test_directmap = buf;
		mb2_parse(0);
		check_boot_info();
		if (strncmp(boot_info.cmdline, cmdline, BOOT_CMDLINE - 1) ||
		    boot_info.nr_modules != 1 || boot_info.module[0].end != 0x2000 ||
		    strncmp(boot_info.module[0].args, args, sizeof(boot_info.module[0].args) - 1))
			abort();
	}
	free(buf);
	free(all);
}
