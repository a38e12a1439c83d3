/* SPDX-License-Identifier: MIT */
/*
 * The whole UEFI loader over a firmware of our own, from its start to the jump into the hypervisor, with
 * every allocation failing once. Each start is a process: the loader runs once, and has static data.
 */
#define _GNU_SOURCE
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

static const struct file {
	const char *name, *text;
} * files;
static const char *options, *path_a, *path_b;
static unsigned int fail_at, map_changes, read_limit, cut_reads;
static bool no_screen, no_place, no_volume, no_exit, by_network;
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

/* --- its network boot: the same files, by TFTP from 192.168.97.1 --- */

static struct efi_pxe_mode net_mode;
static unsigned int net_requests;
static efi_status net_fails;
static int net_short;

static efi_status EFIAPI mtftp(struct efi_pxe *self, enum efi_tftp what, void *buf, bool overwrite,
			       u64 *size, size_t *block, const struct efi_ip *server,
			       const char *name, const void *info, bool no_buffer)
{
	const struct file *f = files;

	net_requests++;
	assert_memory_equal(server, ((u8[16]){192, 168, 97, 1}), 16);
	assert_in_range(*block, 512, 1468);
	if (net_fails)
		return net_fails;
	while (f->name && strcmp(f->name, name))
		f++;
	if (!f->name)
		return EFI_TFTP_ERROR;
	if (what == EFI_TFTP_FILE_SIZE) {
		*size = strlen(f->text);
		return EFI_SUCCESS;
	}
	assert_int_equal(what, EFI_TFTP_READ);
	*size = min(*size, strlen(f->text) - (size_t)net_short);
	memcpy(buf, f->text, *size);
	return EFI_SUCCESS;
}

static struct efi_pxe pxe = {.mtftp = mtftp, .mode = &net_mode};

/* A packet as servers send it: who gives the file, its name, options. */
static void fill_packet(u8 *packet, u8 last, const char *file, const u8 *options, size_t n)
{
	const u8 server[4] = {192, 168, 97, last};

	memset(packet, 0, EFI_PXE_PACKET);
	if (last)
		memcpy(packet + 20, server, 4);
	memcpy(packet + 28, ((u8[6]){0x52, 0x54, 0, 0x12, 0x34, 0x56}), 6);
	strcpy((char *)packet + 108, file);
	if (n)
		memcpy(packet + 240, options, n);
	if (n < EFI_PXE_PACKET - 240)
		packet[240 + n] = 255;
}

/* --- its protocols and tables --- */

static struct efi_loaded_image self_image;

static efi_status EFIAPI handle_protocol(efi_handle h, const struct efi_guid *guid, void *out)
{
	if (guid->a == 0x5b1b31a1)
		*(void **)out = &self_image;
	else if (guid->a == 0x964e5b22 && !by_network)
		*(void **)out = &volume;
	else if (guid->a == 0x03c4e603 && by_network)
		*(void **)out = &pxe;
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
	no_screen = no_place = no_volume = no_exit = by_network = false;
	net_fails = EFI_SUCCESS;
	net_short = 0;
	format = EFI_PIXEL_BGR;
	own_base = NULL;
	own_size = 0;
	return 0;
}

/* --- tests --- */

static void test_start(void **state)
{
	map_changes = 2;
	start();
	assert_true(result->entered);
	assert_string_equal(result->info.cmdline, "console=vga x");
	assert_string_equal(result->info.loader, "UEFI firmware");
	assert_int_equal(result->info.nr_modules, 2);
	assert_string_equal(result->info.module[0].args, " a b");
	assert_string_equal(result->kernel, "the kernel");
	assert_string_equal(result->ramdisk, "the ramdisk");
	assert_int_equal(result->entry % (2 << 20), 0x30);
	assert_int_equal(result->image, 0x0020000000200000); /* its header has come along */
	assert_int_equal(result->info.nr_ram, 2);
	assert_true(result->info.efi && result->info.efi_systab == (u64)&table);
	assert_int_equal(result->info.fb.bpp, 32);
	assert_true(result->info.fb.red[0] == 16 && result->info.fb.blue[0] == 0);
}

static void test_choices(void **state)
{
	/* A program's name in front, options that are not known, a section. */
	options = "fs0:\\x.EFI -what two";
	start();
	assert_true(result->entered);
	assert_int_equal(result->info.nr_modules, 1);
	assert_string_equal(result->kernel, "another");
	options = "-cfg=\\other";
	expect_failure("\\other: line 1 is neither");
	/* A boot manager's bytes are no words. */
	options = "two\x01";
	start();
	assert_string_equal(result->kernel, "the kernel");
	options = "three";
	expect_failure("there is no section [three]");
	/* Not at the place that it wants: at another multiple of 2 MiB. */
	setup(NULL);
	no_place = true;
	start();
	assert_true(result->entered);
	assert_int_equal(result->entry % (2 << 20), 0x30);
	setup(NULL);
	read_limit = 3;
	start();
	assert_string_equal(result->ramdisk, "the ramdisk");
}

static void test_screens(void **state)
{
	format = EFI_PIXEL_RGB;
	start();
	assert_true(result->info.fb.red[0] == 0 && result->info.fb.blue[0] == 16);
	format = EFI_PIXEL_MASKS;
	start();
	assert_true(result->info.fb.red[0] == 10 && result->info.fb.red[1] == 5);
	format = EFI_PIXEL_BLT_ONLY;
	start();
	assert_true(result->entered && !result->info.fb.type);
	no_screen = true;
	start();
	assert_true(result->entered && !result->info.fb.type);
}

static void test_complaints(void **state)
{
	static const struct {
		const char *config, *text;
	} bad[] = {
		{"", "there is no section to start"},
		{"[one]\nkernel\n", "domus.cfg: line 2 is neither"},
		{"[one]\noptions=x\n", "section [one] names no kernel="},
		{"[one]\nkernel=absent\n", "absent: not found"},
		{"[one]\nkernel=empty\n", "empty: it ends too early"},
		{"[one]\nkernel=broken\n", "broken: the firmware cannot read it"},
		{"[one]\nkernel=vmlinuz\nramdisk=absent\n", "absent: not found"},
		{"[global]\ndefault=x\n[one]\nkernel=vmlinuz\n", "there is no section [x]"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct file now[] = {{HERE "domus.cfg", bad[i].config},
				     {HERE "vmlinuz", "k"},
				     {HERE "empty", ""},
				     {HERE "broken", "x"},
				     {}};

		files = now;
		/* An empty file is one that ends too early. */
		expect_failure(*bad[i].config ? bad[i].text : "domus.cfg: it ends too early");
	}
}

static void test_long(void **state)
{
	static const char *const keys[] = {"options", "kernel", "ramdisk"};
	static char config[4000];

	for (unsigned int i = 0; i < 3; i++) {
		struct file now[] = {{HERE "domus.cfg", config}, {HERE "vmlinuz", "k"}, {}};

		strcpy(config, i == 1 ? "[one]\n" : "[one]\nkernel=vmlinuz\n");
		strcat(strcat(config, keys[i]), "=");
		memset(config + strlen(config), 'x', 3000);
		files = now;
		expect_failure("is longer than");
		memset(config, 0, sizeof(config));
	}
}

static void test_no_configuration(void **state)
{
	static const struct file empty[] = {{}};
	static const struct file xen[] = {
		{"xen.cfg", CONFIG}, {"vmlinuz", "k"}, {"\\initrd", "r"}, {}};
	static const struct file named[] = {
		{"\\boot.cfg", CONFIG}, {"\\vmlinuz", "k"}, {"\\initrd", "r"}, {}};

	files = empty;
	expect_failure("neither boot.cfg nor domus.cfg nor xen.cfg is in \\EFI\\domus\\");
	no_volume = true;
	expect_failure("boot.cfg: the firmware cannot read it");
	setup(NULL);
	/* The firmware does not say where we come from: the root of its volume. */
	path_a = path_b = NULL;
	files = xen;
	start();
	assert_true(result->entered);
	path_a = "/boot.efi";
	files = named;
	start();
	assert_true(result->entered);
}

static const struct file served[] = {
	{"lab/domus.cfg", CONFIG}, {"lab/vmlinuz", "the kernel"}, {"/initrd", "the ramdisk"}, {}};

static int setup_net(void **state)
{
	setup(state);
	by_network = true;
	path_a = path_b = NULL;
	files = served;
	net_mode = (struct efi_pxe_mode){.started = 1, .dhcp_ack_received = 1};
	fill_packet(net_mode.dhcp_ack, 1, "lab/domus.efi", NULL, 0);
	return 0;
}

static void expect_kernel(const char *text)
{
	start();
	assert_true(result->entered);
	assert_string_equal(result->kernel, text);
}

static void test_network(void **state)
{
	static const u8 named[] = {0,	53,  1,	  5,   67,  13,	 'l', 'a', 'b', '/',
				   'd', 'o', 'm', 'u', 's', '.', 'e', 'f', 'i'};
	static const u8 server[] = {54, 4, 192, 168, 97, 1};
	static const struct file own[] = {
		{"lab/machines/52-54-00-12-34-56.efi.cfg", "[x]\nkernel=own\n"},
		{"lab/own", "its own"},
		{"lab/domus.cfg", CONFIG},
		{}};

	expect_kernel("the kernel");
	assert_string_equal(result->ramdisk, "the ramdisk");
	/* The file by an option, the server by another. */
	fill_packet(net_mode.dhcp_ack, 1, "elsewhere/x.efi", named, sizeof(named));
	expect_kernel("the kernel");
	fill_packet(net_mode.dhcp_ack, 0, "lab/domus.efi", server, sizeof(server));
	expect_kernel("the kernel");
	/* A proxy knows better than who gives addresses, and a boot server better than both. */
	fill_packet(net_mode.dhcp_ack, 9, "", NULL, 0);
	fill_packet(net_mode.proxy_offer, 1, "lab/domus.efi", NULL, 0);
	net_mode.proxy_offer_received = 1;
	expect_kernel("the kernel");
	fill_packet(net_mode.proxy_offer, 9, "", NULL, 0);
	fill_packet(net_mode.pxe_reply, 1, "lab/domus.efi", NULL, 0);
	net_mode.pxe_reply_received = 1;
	expect_kernel("the kernel");
	files = own;
	expect_kernel("its own");
}

static void test_network_fails(void **state)
{
	static const struct file empty[] = {{}};
	u8 endless[EFI_PXE_PACKET - 240];

	net_fails = EFI_TIMEOUT;
	expect_failure("efi.cfg: the server does not answer");
	net_fails = EFI_SUCCESS;
	net_short = 1;
	expect_failure("domus.cfg: it ends too early");
	files = empty;
	expect_failure("neither domus.cfg nor domus.cfg nor xen.cfg is in \\lab");
	/* By IPv6, or not by this at all: no files. */
	setup_net(NULL);
	net_mode.using_ipv6 = 1;
	expect_failure("no configuration");
	net_mode = (struct efi_pxe_mode){.started = 1};
	expect_failure("no configuration");
	/* Options that run over the packet's end; no server in it. */
	setup_net(NULL);
	memset(endless, 250, sizeof(endless));
	fill_packet(net_mode.dhcp_ack, 0, "lab/domus.efi", endless, sizeof(endless));
	expect_failure("no configuration");
	memset(endless, 0, sizeof(endless));
	endless[sizeof(endless) - 1] = 54;
	fill_packet(net_mode.dhcp_ack, 0, "lab/domus.efi", endless, sizeof(endless));
	expect_failure("no configuration");
}

/* The file system says more than it then gives. */
static void test_cut_file(void **state)
{
	cut_reads = 2;
	expect_failure("vmlinuz: it ends too early");
}

static void test_firmware_stays(void **state)
{
	no_exit = true;
	start();
	assert_non_null(
		strstr(result->said, "the firmware does not let go: status 0x8000000000000002"));
	assert_non_null(strstr(result->said, "Halted"));
	assert_true(result->halted);
	/* Nothing of the firmware's after that. */
	assert_false(result->entered || result->stalled);
}

/* Each allocation fails once: said, and nothing is started. */
static void test_no_memory(void **state)
{
	for (fail_at = 1; fail_at < 20; fail_at++) {
		start();
		if (result->entered)
			break;
		assert_true(result->stalled);
		assert_non_null(strstr(result->said, "no memory below 4 GiB"));
	}
	/* Configuration, kernel, ramdisk, code, information; for the image there is a second try. */
	assert_int_equal(fail_at, 6);
	no_place = true;
	fail_at = 7;
	start();
	assert_false(result->entered);
}

/* --- our own image with sections --- */

static _Alignas(8) u8 pe[0x1000];

static void put_section(unsigned int i, const char *name, const char *text)
{
	u8 *s = pe + 0x80 + 24 + 40 * i, *data = pe + 0x400 + 0x100 * i;

	memcpy(s, name, strlen(name));
	memcpy(s + 8, &(u32){(u32)strlen(text)}, 4);
	memcpy(s + 12, &(u32){(u32)(data - pe)}, 4);
	memcpy(s + 16, &(u32){0x100}, 4);
	memcpy(data, text, strlen(text));
	pe[0x86] = (u8)(i + 1);
}

static void test_unified(void **state)
{
	static const struct file empty[] = {{}};

	files = empty;
	memcpy(pe, "MZ", 2);
	pe[0x3c] = 0x80;
	memcpy(pe + 0x80, "PE\0", 4);
	own_base = pe;
	own_size = sizeof(pe);
	put_section(0, ".config", "[one]\noptions=y\nkernel=-  quiet\n");
	put_section(1, ".kernel", "inside");
	put_section(2, ".ramdisk", "also inside");
	start();
	assert_true(result->entered);
	assert_string_equal(result->kernel, "inside");
	assert_string_equal(result->ramdisk, "also inside");
	assert_string_equal(result->info.cmdline, "y");
	fail_at = 1;
	expect_failure(".kernel: no memory below 4 GiB");
}

static int setup_all(void **state)
{
	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return result == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_start, setup),
		cmocka_unit_test_setup(test_choices, setup),
		cmocka_unit_test_setup(test_screens, setup),
		cmocka_unit_test_setup(test_complaints, setup),
		cmocka_unit_test_setup(test_long, setup),
		cmocka_unit_test_setup(test_no_configuration, setup),
		cmocka_unit_test_setup(test_network, setup_net),
		cmocka_unit_test_setup(test_network_fails, setup_net),
		cmocka_unit_test_setup(test_cut_file, setup),
		cmocka_unit_test_setup(test_firmware_stays, setup),
		cmocka_unit_test_setup(test_no_memory, setup),
		cmocka_unit_test_setup(test_unified, setup),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
