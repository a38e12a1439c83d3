/* SPDX-License-Identifier: MIT */
/*
 * A firmware of our own under the whole UEFI loader, from its start to the jump into the hypervisor, for the
 * programs that test it. Each start is a process: the loader runs once, and has static data.
 */
#ifndef UNIT_EFI_MACHINE_H
#define UNIT_EFI_MACHINE_H

#include "fake/fake.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "boot/boot.h"
#include "boot/efi/loader.h"
#include "mm/e820.h"

efi_status EFIAPI efi_main(efi_handle self, struct efi_system_table *st);

/* The image is a multiboot1 header: wants to lie at 2 MiB, has 64 bytes of zeroed data, entered at +0x30. */
__asm__(".pushsection .data\n"
	".balign 8\n"
	".global hv_image, hv_image_end, enter_code, enter_code_end\n"
	"hv_image: .long 0, 0x1badb002, 0x10000, -0x1badb002 - 0x10000, 0x200000, 0x200000\n"
	".long 0x200030, 0x200070, 0x200030, 1, 2, 3\n"
	"hv_image_end:\n"
	"enter_code: movabs $entered, %rax\n jmp *%rax\n"
	"enter_code_end:\n"
	".popsection\n");

/* --- what a start came to --- */

static struct result {
	char said[2048];
	efi_status status;
	bool entered, stalled, halted;
	unsigned int left_open; /* of its HTTP */
	u64 entry, image;
	struct boot_info info;
	char kernel[16], ramdisk[16];
	unsigned int allocations;
} * result;

struct boot_e820 boot_e820;
struct efi_region efi_regions[EFI_MAX_REGIONS];
unsigned int efi_nr_regions;
char *test_directmap; /* physical addresses are this program's */

/* --- the machine of a test --- */

static unsigned int (*left_open)(void);

static const struct file {
	const char *name, *text;
} * files;
static const char *options, *path_a, *path_b;
static unsigned int fail_at, map_changes, read_limit, cut_reads;
static bool no_screen, no_place, no_volume, no_exit;
static enum efi_pixel_format format;
static const void *own_base;
static u64 own_size;

static u64 take(size_t pages, u64 at)
{
	void *p = mmap((void *)at, pages << PAGE_SHIFT, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT | (at ? MAP_FIXED_NOREPLACE : 0), -1,
		       0);

	return p == MAP_FAILED ? 0 : (u64)p;
}

static efi_status EFIAPI allocate_pages(enum efi_allocate how, enum efi_memory_type type,
					size_t pages, u64 *pa)
{
	u64 got;

	if (type != EFI_LOADER_DATA || (how == EFI_ALLOCATE_BELOW && *pa != 0xffffffff))
		return EFI_INVALID_PARAMETER;
	if (++result->allocations == fail_at || (how == EFI_ALLOCATE_AT && no_place))
		return EFI_OUT_OF_RESOURCES;
	got = take(pages, how == EFI_ALLOCATE_AT ? *pa : 0);
	if (got)
		*pa = got;
	return got ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

static efi_status EFIAPI free_pages(u64 pa, size_t pages)
{
	return pa % PAGE_SIZE || munmap((void *)pa, pages << PAGE_SHIFT) ? EFI_INVALID_PARAMETER
									 : EFI_SUCCESS;
}

static efi_status EFIAPI get_memory_map(size_t *size, void *map, size_t *key, size_t *desc_size,
					u32 *version)
{
	static const struct efi_memory_desc map_is[] = {
		{EFI_CONVENTIONAL, 0, 0, 0, 0xa0, EFI_MEMORY_WB},
		{EFI_BOOT_SERVICES_DATA, 0, 0x100000, 0, 0x100, EFI_MEMORY_WB}};

	if (*size < sizeof(map_is))
		return EFI_BUFFER_TOO_SMALL;
	memcpy(map, map_is, sizeof(map_is));
	*size = sizeof(map_is);
	*desc_size = sizeof(map_is[0]);
	*version = 1;
	*key = map_changes;
	return EFI_SUCCESS;
}

static efi_status EFIAPI exit_boot_services(efi_handle image, size_t key)
{
	if (no_exit || key != map_changes || map_changes) {
		map_changes -= map_changes ? 1 : 0;
		return EFI_INVALID_PARAMETER;
	}
	return EFI_SUCCESS;
}

static efi_status EFIAPI stall(size_t microseconds)
{
	result->stalled = true;
	return EFI_SUCCESS;
}

static efi_status EFIAPI set_watchdog_timer(size_t seconds, u64 code, size_t size,
					    const efi_char *data)
{
	return EFI_SUCCESS;
}

static efi_status EFIAPI output_string(struct efi_text_output *self, const efi_char *s)
{
	size_t n = strlen(result->said);

	for (; *s && n + 1 < sizeof(result->said); s++)
		result->said[n++] = (char)*s;
	return EFI_SUCCESS;
}

/* --- our own console, for when it is gone (raw.c) --- */

void raw_prepare(const struct screen_fb *fb, const char *options)
{
}

void raw_write(const char *s, size_t n)
{
	strncat(result->said, s, min(n, sizeof(result->said) - 1 - strlen(result->said)));
}

void raw_halt(void)
{
	result->halted = true;
	exit(0);
}

/* --- its files --- */

static const struct file *open_now;
static u64 position;

static efi_status EFIAPI file_close(struct efi_file *self)
{
	return EFI_SUCCESS;
}

static efi_status EFIAPI file_read(struct efi_file *self, size_t *n, void *buf)
{
	size_t left = strlen(open_now->text) - position;

	*n = min(min(*n, left), (size_t)read_limit);
	if (cut_reads && !--cut_reads)
		*n = 0;
	memcpy(buf, open_now->text + position, *n);
	position += *n;
	return strcmp(open_now->name, "\\EFI\\domus\\broken") ? EFI_SUCCESS : EFI_ERROR | 7;
}

static efi_status EFIAPI get_position(struct efi_file *self, u64 *at)
{
	*at = position;
	return EFI_SUCCESS;
}

static efi_status EFIAPI set_position(struct efi_file *self, u64 at)
{
	position = at == ~0ULL ? strlen(open_now->text) : at;
	return EFI_SUCCESS;
}

static efi_status EFIAPI file_open(struct efi_file *self, struct efi_file **out,
				   const efi_char *name, u64 mode, u64 attributes)
{
	char text[600];
	size_t n = 0;

	for (; name[n] && n + 1 < sizeof(text); n++)
		text[n] = (char)name[n];
	text[n] = '\0';
	for (open_now = files; open_now->name; open_now++)
		if (!strcmp(open_now->name, text)) {
			*out = self;
			position = 0;
			return EFI_SUCCESS;
		}
	return EFI_NOT_FOUND;
}

static struct efi_file file = {0,	  file_open, file_close,   NULL,
			       file_read, NULL,	     get_position, set_position};

static efi_status EFIAPI open_volume(struct efi_file_system *self, struct efi_file **root)
{
	*root = &file;
	return no_volume ? EFI_ERROR | 7 : EFI_SUCCESS;
}

static struct efi_file_system volume = {0, open_volume};

/* --- its protocols and tables --- */

static struct efi_loaded_image self_image;
/* What a machine that has come by network has in the place of a file system. */
static efi_status (*network_protocol)(efi_handle h, const struct efi_guid *guid, void **out);

static efi_status EFIAPI handle_protocol(efi_handle h, const struct efi_guid *guid, void *out)
{
	if (guid->a == 0x5b1b31a1)
		*(void **)out = &self_image;
	else if (network_protocol)
		return network_protocol(h, guid, out);
	else if (guid->a == 0x964e5b22)
		*(void **)out = &volume;
	else
		return EFI_NOT_FOUND;
	return EFI_SUCCESS;
}

static efi_status EFIAPI locate_protocol(const struct efi_guid *guid, void *registration, void *out)
{
	static struct efi_gop_info info = {0, 1024, 768, 0, {0x7c00, 0x3e0, 0x1f, 0}, 1024};
	static struct efi_gop_mode mode = {1, 0, &info, sizeof(info), 0x80000000, 3 << 20};
	static struct efi_gop gop = {NULL, NULL, NULL, &mode};

	info.format = format;
	*(void **)out = &gop;
	return no_screen ? EFI_NOT_FOUND : EFI_SUCCESS;
}

static struct efi_boot_services boot = {.allocate_pages = allocate_pages,
					.free_pages = free_pages,
					.get_memory_map = get_memory_map,
					.handle_protocol = handle_protocol,
					.exit_boot_services = exit_boot_services,
					.stall = stall,
					.set_watchdog_timer = set_watchdog_timer,
					.locate_protocol = locate_protocol};
static struct efi_text_output con_out = {NULL, output_string};
static struct efi_system_table table = {.con_out = &con_out, .boot = &boot};

/* A node of the path that we were started from; returns where the next one begins. */
static u8 *path_node(u8 *at, const char *s)
{
	size_t n = strlen(s) * 2 + 2 + sizeof(struct efi_device_path);

	*(struct efi_device_path *)at =
		(struct efi_device_path){EFI_PATH_MEDIA, EFI_PATH_FILE, {(u8)n, (u8)(n >> 8)}};
	for (size_t i = 0; i <= strlen(s); i++)
		memcpy(at + 4 + 2 * i, &(u16){(u8)s[i]}, 2);
	return at + n;
}

static void describe_self(void)
{
	static _Alignas(8) u8 path[1024];
	static efi_char words[512];
	u8 *end = path;

	if (path_a)
		end = path_node(end, path_a);
	if (path_b)
		end = path_node(end, path_b);
	*(struct efi_device_path *)end = (struct efi_device_path){EFI_PATH_END, 0xff, {4, 0}};
	for (size_t i = 0; options && options[i]; i++)
		words[i] = (u8)options[i];
	self_image =
		(struct efi_loaded_image){.path = (void *)path,
					  .options = options ? words : NULL,
					  .options_size = options ? (u32)strlen(options) * 2 : 0,
					  .base = own_base,
					  .size = own_size};
}

/* The hypervisor's own start. */
void entered(u64 entry, u64 info)
{
	const struct boot_module *m = boot_info.module;

	result->entered = true;
	result->left_open = left_open ? left_open() : 0;
	result->entry = entry;
	memcpy(&result->image, (void *)(entry - 0x30 + 0x10), 8);
	mb2_parse(info);
	result->info = boot_info;
	memcpy(result->kernel, (void *)m[0].start, min(m[0].end - m[0].start, 15ul));
	if (boot_info.nr_modules > 1)
		memcpy(result->ramdisk, (void *)m[1].start, min(m[1].end - m[1].start, 15ul));
	exit(0);
}

static void start(void)
{
	pid_t pid;
	int status;

	memset(result, 0, sizeof(*result));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		describe_self();
		result->status = efi_main(&boot, &table);
		exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void expect_failure(const char *text)
{
	start();
	if (!strstr(result->said, text))
		print_error("said: %s\nnot: %s\n", result->said, text);
	assert_non_null(strstr(result->said, text));
	assert_false(result->entered);
	assert_true(result->stalled);
	assert_true(result->status & EFI_ERROR);
}

#define CONFIG                                                                    \
	"[global]\ndefault=one\n[one]\noptions=console=vga x\nkernel=vmlinuz  a " \
	"b\nramdisk=/initrd\n"
#define HERE "\\EFI\\domus\\"
static const struct file good[] = {{HERE "domus.cfg", CONFIG "[two]\nkernel=/other\n"},
				   {HERE "vmlinuz", "the kernel"},
				   {"\\initrd", "the ramdisk"},
				   {"\\other", "another"},
				   {}};

static int setup(void **state)
{
	files = good;
	options = NULL;
	path_a = "\\EFI\\domus";
	path_b = "boot.efi";
	fail_at = map_changes = cut_reads = 0;
	read_limit = 1 << 20;
	no_screen = no_place = no_volume = no_exit = false;
	format = EFI_PIXEL_BGR;
	own_base = NULL;
	own_size = 0;
	return 0;
}

static int setup_all(void **state)
{
	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return result == MAP_FAILED;
}

#endif
