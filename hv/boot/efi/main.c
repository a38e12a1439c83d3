/* SPDX-License-Identifier: MIT */
#include "boot/efi/config.h"
#include "boot/efi/loader.h"
#include "boot/efi/mbi.h"
#include "boot/efi/pe.h"
#include "boot/load.h"
#include "boot/mb2.h"
#include "lib/printf.h"
#include "lib/string.h"

#define CMDLINE	 2048
#define MBI_SIZE (256u << 10)
#define READ_US	 10000000 /* how long an error stays on the screen */

/* What the boot consists of, wherever each part comes from. */
struct plan {
	char folder[LOADER_PATH], name[LOADER_PATH];
	char wanted[64], config_name[LOADER_PATH]; /* of our own command line; "" when not given */
	char section[64];
	struct efi_config config;
	char options[CMDLINE], args[LOADER_ARGS];
	struct loaded kernel, ramdisk;
	bool has_ramdisk;
};

struct efi_system_table *efi_system;
const struct efi_loaded_image *efi_self;

static const struct efi_guid image_guid = {
	0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};

efi_status EFIAPI efi_main(efi_handle self, struct efi_system_table *st);

static void complain(const char *what, const char *why)
{
	say("Domus: %s: %s.\n", what, why);
}

/* The next word of a text; false at its end. */
static bool next_word(const char **s, char *out, size_t size)
{
	size_t n = 0;

	while (**s == ' ')
		(*s)++;
	for (; **s && **s != ' '; (*s)++)
		if (n + 1 < size)
			out[n++] = **s;
	out[n] = '\0';
	return n != 0;
}

/* A shell puts the name of the program in front, a boot entry need not. */
static bool is_program(const char *word)
{
	size_t n = strlen(word);

	return n > 4 && word[n - 4] == '.' && (word[n - 3] | 0x20) == 'e' &&
	       (word[n - 2] | 0x20) == 'f' && (word[n - 1] | 0x20) == 'i';
}

/* Our own command line: -cfg=FILE, section. A boot manager may pass anything: only plain text counts. */
static void own_command_line(struct plan *p)
{
	size_t n = efi_self->options ? efi_self->options_size / sizeof(efi_char) : 0;
	char line[LOADER_PATH], word[LOADER_PATH];
	const char *s = line;

	if (n >= sizeof(line))
		return;
	for (size_t i = 0; i <= n; i++) {
		efi_char c = i < n ? efi_self->options[i] : 0;

		line[i] = (char)c;
		if (!c)
			break;
		if (c < ' ' || c > '~')
			return;
	}
	for (bool first = true; next_word(&s, word, sizeof(word)); first = false) {
		if (first && is_program(word))
			continue;
		if (!strncmp(word, "-cfg=", 5))
			strlcpy(p->config_name, word + 5, sizeof(p->config_name));
		else if (*word != '-')
			strlcpy(p->wanted, word, sizeof(p->wanted));
	}
}

enum found {
	ABSENT,
	BAD, /* and it was said why */
	FOUND
};

static enum found use_config(struct plan *p, const char *name, const void *text, size_t size)
{
	unsigned int line;

	p->config = (struct efi_config){text, size};
	strlcpy(p->config_name, name, sizeof(p->config_name));
	line = config_bad_line(&p->config);
	if (!line)
		return FOUND;
	say("Domus: %s: line %u is neither [section] nor key=value.\n", name, line);
	return BAD;
}

static enum found read_config(struct plan *p, const char *name, bool must)
{
	struct loaded file;
	efi_status st = read_file(p->folder, name, &file);

	if (!st)
		return use_config(p, name, (const void *)file.start, file.end - file.start);
	if (st == EFI_NOT_FOUND && !must)
		return ABSENT;
	complain(name, status_text(st));
	return BAD;
}

/* Of domus.efi that is domus.cfg. */
static bool own_config_name(const struct plan *p, char *out, size_t size)
{
	size_t n = strlen(p->name);

	if (n > 4 && p->name[n - 4] == '.')
		n -= 4;
	return n && (size_t)hv_snprintf(out, size, "%.*s.cfg", (int)n, p->name) < size;
}

static bool find_config(struct plan *p)
{
	enum found f = ABSENT;
	char name[LOADER_PATH];
	const void *section;
	size_t n;

	section = pe_section(efi_self->base, efi_self->size, ".config", &n);
	if (section)
		return use_config(p, "section .config", section, n) == FOUND;
	if (*p->config_name) {
		strlcpy(name, p->config_name, sizeof(name));
		return read_config(p, name, true) == FOUND;
	}
	if (net_machine_config(name, sizeof(name)))
		f = read_config(p, name, false);
	if (f == ABSENT && own_config_name(p, name, sizeof(name)))
		f = read_config(p, name, false);
	if (f == ABSENT)
		f = read_config(p, "domus.cfg", false);
	if (f == ABSENT)
		f = read_config(p, "xen.cfg", false);
	if (f == ABSENT)
		say("Domus: no configuration: neither %s nor domus.cfg nor xen.cfg is in \\%s,\n"
		    "and this program has no section .config.\n",
		    name, p->folder + (*p->folder == '\\'));
	return f == FOUND;
}

/* A value of the section; with a complaint when it does not fit. */
static bool get(const struct plan *p, const char *key, char *out, size_t size)
{
	unsigned int line = 0;

	if (config_get(&p->config, p->section, key, out, size, &line) != CONFIG_TOO_LONG)
		return true;
	say("Domus: %s: line %u: %s= is longer than %lu characters.\n", p->config_name, line, key,
	    size - 1);
	return false;
}

/* From a section of our own, else the file that the configuration names. */
static bool fetch(struct plan *p, const char *section, const char *file, struct loaded *out)
{
	const void *s;
	efi_status st;
	size_t n;

	s = pe_section(efi_self->base, efi_self->size, section, &n);
	if (s && n) {
		say("Domus: %s from section %s, %lu bytes\n", section + 1, section, n);
		out->start = pages_below_4g(n);
		out->end = out->start + n;
		if (out->start)
			memcpy((void *)out->start, s, n);
		else
			complain(section, status_text(EFI_OUT_OF_RESOURCES));
		return out->start;
	}
	st = read_file(p->folder, file, out);
	if (st)
		complain(file, status_text(st));
	else
		say("Domus: %s, %lu bytes\n", file, out->end - out->start);
	return !st;
}

static bool load_kernel(struct plan *p)
{
	char line[LOADER_ARGS], file[LOADER_PATH];
	const char *rest = line;
	size_t n;

	if (!get(p, "kernel", line, sizeof(line)))
		return false;
	if (!next_word(&rest, file, sizeof(file)) &&
	    !pe_section(efi_self->base, efi_self->size, ".kernel", &n)) {
		say("Domus: %s: section [%s] names no kernel=.\n", p->config_name, p->section);
		return false;
	}
	strlcpy(p->args, rest + (*rest == ' '), sizeof(p->args));
	return fetch(p, ".kernel", file, &p->kernel);
}

static bool load_ramdisk(struct plan *p)
{
	char file[LOADER_PATH];
	size_t n;

	if (!get(p, "ramdisk", file, sizeof(file)))
		return false;
	p->has_ramdisk = *file || pe_section(efi_self->base, efi_self->size, ".ramdisk", &n);
	return !p->has_ramdisk || fetch(p, ".ramdisk", file, &p->ramdisk);
}

static bool make_plan(struct plan *p)
{
	own_path(p->folder, p->name, sizeof(p->folder));
	own_command_line(p);
	if (!find_config(p))
		return false;
	if (!config_section(&p->config, p->wanted, p->section, sizeof(p->section))) {
		say("Domus: %s: there is no section%s%s%s.\n", p->config_name,
		    *p->section ? " [" : "", p->section, *p->section ? "]" : " to start");
		return false;
	}
	say("Domus: %s, section [%s]\n", p->config_name, p->section);
	return get(p, "options", p->options, sizeof(p->options)) && load_kernel(p) &&
	       load_ramdisk(p);
}

static void describe(struct mbi *m, const struct plan *p)
{
	struct screen_fb fb;

	mbi_text(m, TAG_CMDLINE, p->options);
	mbi_text(m, TAG_LOADER, "UEFI firmware");
	mbi_module(m, (u32)p->kernel.start, (u32)p->kernel.end, p->args);
	if (p->has_ramdisk)
		mbi_module(m, (u32)p->ramdisk.start, (u32)p->ramdisk.end, "");
	find_framebuffer(&fb);
	if (fb.type)
		mbi_fb(m, &fb);
	raw_prepare(&fb, p->options);
	mbi_systab(m, (u64)efi_system);
}

/* The multiboot1 header of the image, which tells how large it is; the build has put one there. */
static const u32 *image_header(void)
{
	const u32 *h = (const void *)hv_image;

	while (h[0] != MB1_HEADER_MAGIC || h[0] + h[1] + h[2] != 0)
		h++;
	return h;
}

/* The image to its place, its zeroed data with it. Returns where it is to be entered; 0: no memory. */
static u64 place_image(void)
{
	const u32 *h = image_header();
	u32 load = h[4], bss_end = h[6], entry = h[7];
	size_t size = (size_t)(hv_image_end - hv_image), whole = bss_end - load;
	u64 pa = pages_for_image(load, whole);

	if (!pa)
		return 0;
	memcpy((void *)pa, hv_image, size);
	memset((void *)(pa + size), 0, whole - size);
	return pa + (entry - load);
}

static efi_status start(efi_handle self, const struct plan *p)
{
	void (*enter)(u64 entry, u64 info) __attribute__((sysv_abi));
	u64 code = pages_below_4g(PAGE_SIZE), info = pages_below_4g(MBI_SIZE);
	u64 entry = place_image();
	struct mbi m;
	efi_status st;

	if (!code || !info || !entry) {
		complain("the hypervisor", status_text(EFI_OUT_OF_RESOURCES));
		return EFI_OUT_OF_RESOURCES;
	}
	memcpy((void *)code, enter_code, (size_t)(enter_code_end - enter_code));
	mbi_begin(&m, (void *)info, MBI_SIZE);
	describe(&m, p);
	st = leave_firmware(self, &m);
	if (st) {
		say("Domus: the firmware does not let go: status 0x%lx.\n", st);
		return st;
	}
	enter = (void *)code;
	enter(entry, info);
	__builtin_unreachable();
}

efi_status EFIAPI efi_main(efi_handle self, struct efi_system_table *st)
{
	static struct plan p;
	efi_status rc = EFI_LOAD_ERROR;

	efi_system = st;
	st->boot->set_watchdog_timer(0, 0, 0, NULL);
	if (st->boot->handle_protocol(self, &image_guid, &efi_self))
		return EFI_LOAD_ERROR;
	say("Domus: started by UEFI firmware\n");
	if (make_plan(&p))
		rc = start(self, &p);
	if (firmware_gone) {
		say("Domus: not started, and there is no firmware to go back to. Halted.\n");
		raw_halt();
	}
	say("Domus: not started. The firmware goes on in ten seconds.\n");
	st->boot->stall(READ_US);
	return rc;
}
