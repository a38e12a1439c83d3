/* SPDX-License-Identifier: MIT */
/* The UEFI loader when the firmware's own network boot has loaded it: by TFTP and by HTTP. */
#define _GNU_SOURCE
#include "efi_machine.h"

static bool by_http;

/* --- its network boot: the same files, by TFTP from 192.168.97.1 --- */

static struct efi_pxe_mode net_mode;
static efi_status net_fails;
static int net_short;

static efi_status EFIAPI mtftp(struct efi_pxe *self, enum efi_tftp what, void *buf, bool overwrite,
			       u64 *size, size_t *block, const struct efi_ip *server,
			       const char *name, const void *info, bool no_buffer)
{
	const struct file *f = files;

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

/* The path of the network card that we come from: MAC, then perhaps IPv4 and URI. */
static _Alignas(8) u8 nic_path[512];
static size_t nic_path_size;

static void add_node(u8 subtype, const void *data, size_t n)
{
	*(struct efi_device_path *)(nic_path + nic_path_size) = (struct efi_device_path){
		EFI_PATH_MESSAGING, subtype, {(u8)(n + 4), (u8)((n + 4) >> 8)}};
	memcpy(nic_path + nic_path_size + 4, data, n);
	nic_path_size += n + 4;
	*(struct efi_device_path *)(nic_path + nic_path_size) =
		(struct efi_device_path){EFI_PATH_END, 0xff, {4, 0}};
}

/* Ours at 0, the mask at 19. */
static const u8 addresses[23] = {192, 168, 97, 50, [19] = 255, 255, 255, 0};

/* --- its HTTP: the same files from http://192.168.97.1:8000/lab --- */

static const struct file *http_file;
static size_t http_at, http_piece;
static unsigned int http_children, http_events, http_polls;
static u32 http_status;
static const char *http_length;
static efi_status http_ends;

static efi_status EFIAPI http_configure(struct efi_http *self, const struct efi_http_config *c)
{
	assert_memory_equal(c->v4->local, ((u8[4]){192, 168, 97, 50}), 4);
	assert_memory_equal(c->v4->mask, ((u8[4]){255, 255, 255, 0}), 4);
	assert_true(c->version == 1 && c->timeout && !c->ipv6 && !c->v4->use_default);
	return EFI_SUCCESS;
}

static efi_status EFIAPI http_request(struct efi_http *self, struct efi_http_token *t)
{
	static const char server[] = "http://192.168.97.1:8000/";
	const struct efi_http_message *m = t->message;
	char url[600];
	size_t n = 0;

	for (; m->request->url[n]; n++)
		url[n] = (char)m->request->url[n];
	url[n] = '\0';
	assert_memory_equal(url, server, sizeof(server) - 1);
	assert_int_equal(m->nr_headers, 1);
	assert_string_equal(m->headers[0].name, "Host");
	assert_string_equal(m->headers[0].value, "192.168.97.1:8000");
	for (http_file = files; http_file->name; http_file++)
		if (!strcmp(http_file->name, url + sizeof(server) - 1))
			break;
	http_at = 0;
	http_polls = 2;
	t->status = EFI_SUCCESS;
	return EFI_SUCCESS;
}

static efi_status EFIAPI http_response(struct efi_http *self, struct efi_http_token *t)
{
	static struct efi_http_header headers[2];
	static char length[24];
	struct efi_http_message *m = t->message;
	size_t left;

	http_polls = 1;
	t->status = http_ends;
	if (m->status) {
		*m->status = http_file->name ? http_status : 20;
		snprintf(length, sizeof(length), "%zu",
			 http_file->name ? strlen(http_file->text) : 0);
		headers[0] = (struct efi_http_header){"Server", "x"};
		headers[1] = (struct efi_http_header){"content-LENGTH",
						      http_length ? http_length : length};
		m->nr_headers = http_length && !*http_length ? 1 : 2;
		m->headers = headers;
		/* The firmware calls an answer of that kind an error, too. */
		if (!http_file->name)
			t->status = EFI_HTTP_ERROR;
		return EFI_SUCCESS;
	}
	left = strlen(http_file->text) - http_at;
	m->body_size = min(min(m->body_size, left), http_piece);
	memcpy(m->body, http_file->text + http_at, m->body_size);
	http_at += m->body_size;
	return EFI_SUCCESS;
}

static efi_status EFIAPI http_poll(struct efi_http *self)
{
	http_polls--;
	return EFI_SUCCESS;
}

static struct efi_http http = {NULL, http_configure, http_request, NULL, http_response, http_poll};

static efi_status EFIAPI create_child(struct efi_service_binding *self, efi_handle *child)
{
	*child = &http;
	http_children++;
	return EFI_SUCCESS;
}

static efi_status EFIAPI destroy_child(struct efi_service_binding *self, efi_handle child)
{
	http_children--;
	return child == &http ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
}

static struct efi_service_binding binding = {create_child, destroy_child};

static efi_status EFIAPI create_event(u32 type, size_t tpl, void *notify, void *context,
				      efi_handle *event)
{
	*event = &http_events;
	http_events++;
	return type ? EFI_INVALID_PARAMETER : EFI_SUCCESS;
}

static efi_status EFIAPI close_event(efi_handle event)
{
	http_events--;
	return EFI_SUCCESS;
}

static efi_status EFIAPI check_event(efi_handle event)
{
	return http_polls ? EFI_ERROR | 6 : EFI_SUCCESS;
}

static efi_status EFIAPI locate_device_path(const struct efi_guid *guid,
					    const struct efi_device_path **path, efi_handle *h)
{
	assert_ptr_equal(*path, nic_path);
	*h = &binding;
	return by_http && guid->a == 0xbdc8e6af ? EFI_SUCCESS : EFI_NOT_FOUND;
}

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

static efi_status protocol(efi_handle h, const struct efi_guid *guid, void **out)
{
	if (guid->a == 0x03c4e603)
		*out = &pxe;
	else if (guid->a == 0x09576e91)
		*out = nic_path;
	else if (guid->a == 0xbdc8e6af && h == &binding)
		*out = &binding;
	else if (guid->a == 0x7a59b29b && h == &http)
		*out = &http;
	else
		return EFI_NOT_FOUND;
	return EFI_SUCCESS;
}

static unsigned int still_open(void)
{
	return http_children + http_events;
}

/* --- tests --- */

static const struct file served[] = {
	{"lab/domus.cfg", CONFIG}, {"lab/vmlinuz", "the kernel"}, {"/initrd", "the ramdisk"}, {}};

static int setup_net(void **state)
{
	setup(state);
	by_http = false;
	network_protocol = protocol;
	left_open = still_open;
	boot.create_event = create_event;
	boot.close_event = close_event;
	boot.check_event = check_event;
	boot.locate_device_path = locate_device_path;
	net_fails = EFI_SUCCESS;
	net_short = 0;
	path_a = path_b = NULL;
	files = served;
	net_mode = (struct efi_pxe_mode){.started = 1, .dhcp_ack_received = 1};
	fill_packet(net_mode.dhcp_ack, 1, "lab/domus.efi", NULL, 0);
	nic_path_size = 0;
	add_node(EFI_PATH_MAC, (u8[33]){0x52, 0x54, 0, 0x12, 0x34, 0x56}, 33);
	return 0;
}

static int setup_http(void **state)
{
	static const struct file lab[] = {{"lab/domus.cfg", CONFIG},
					  {"lab/vmlinuz", "the kernel"},
					  {"initrd", "the ramdisk"},
					  {}};
	static const char url[] = "http://192.168.97.1:8000/lab/domus.efi?x=/y";

	setup_net(state);
	by_http = true;
	files = lab;
	net_mode = (struct efi_pxe_mode){};
	add_node(EFI_PATH_IPV4, addresses, 23);
	add_node(EFI_PATH_URI, url, sizeof(url) - 1);
	http_piece = 4;
	http_status = EFI_HTTP_OK;
	http_length = NULL;
	http_ends = EFI_SUCCESS;
	return 0;
}

static void expect_kernel(const char *text)
{
	start();
	assert_true(result->entered);
	assert_string_equal(result->kernel, text);
	assert_int_equal(result->left_open, 0);
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

	static const struct file renamed[] = {
		{"lab/renamed.cfg", "[x]\nkernel=own\n"}, {"lab/own", "its own"}, {}};

	expect_kernel("the kernel");
	assert_string_equal(result->ramdisk, "the ramdisk");
	/* The file by an option, the server by another. */
	fill_packet(net_mode.dhcp_ack, 1, "elsewhere/x.efi", named, sizeof(named));
	expect_kernel("the kernel");
	fill_packet(net_mode.dhcp_ack, 0, "lab/domus.efi", server, sizeof(server));
	expect_kernel("the kernel");
	/* Options that are of no use here do not change what the others say. */
	fill_packet(net_mode.dhcp_ack, 1, "lab/renamed.efi", (u8[3]){53, 1, 5}, 3);
	files = renamed;
	expect_kernel("its own");
	files = served;
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
	/* A server's address of two bytes; a file name of which only the length is left. */
	fill_packet(net_mode.dhcp_ack, 0, "lab/domus.efi", (u8[6]){54, 2, 192, 168, 97, 1}, 6);
	expect_failure("no configuration");
	memset(endless, 0, sizeof(endless));
	endless[sizeof(endless) - 2] = 67;
	endless[sizeof(endless) - 1] = 13;
	fill_packet(net_mode.dhcp_ack, 1, "elsewhere/x.efi", endless, sizeof(endless));
	memcpy(net_mode.proxy_offer, "lab/domus.efi", 13);
	expect_failure("is in \\elsewhere");
}

static void test_http(void **state)
{
	static const struct file own[] = {
		{"lab/machines/52-54-00-12-34-56.efi.cfg", "[x]\nkernel=own\n"},
		{"lab/own", "its own"},
		{}};

	expect_kernel("the kernel");
	assert_string_equal(result->ramdisk, "the ramdisk");
	files = own;
	expect_kernel("its own");
}

static void test_http_fails(void **state)
{
	http_status = 4;
	expect_failure("neither domus.cfg nor domus.cfg nor xen.cfg is in \\lab");
	http_status = EFI_HTTP_OK;
	http_ends = EFI_TIMEOUT;
	expect_failure("domus.cfg: the server does not answer");
	http_ends = EFI_SUCCESS;
	/* Fewer bytes than were promised, or more than there is room for; none promised, or nonsense. */
	http_length = "100000";
	expect_failure("domus.cfg: it ends too early");
	http_length = "4294967296";
	expect_failure("domus.cfg: no memory below 4 GiB");
	http_length = "99999999999999999999999999";
	expect_failure("domus.cfg: the server does not say how long it is");
	http_length = "12x";
	expect_failure("domus.cfg: the server does not say how long it is");
	http_length = "";
	expect_failure("domus.cfg: the server does not say how long it is");
	http_length = "0";
	expect_failure("domus.cfg: it ends too early");
}

/* Paths of which we make nothing: without a server, a path, an address; too long; cut off. */
static void test_http_paths(void **state)
{
	static const char *const urls[] = {"", "ftp://192.168.97.1:8000/x", "http:/x",
					   "http://192.168.97.1:8000"};
	static char longest[400];

	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		nic_path_size = 0;
		add_node(EFI_PATH_IPV4, addresses, 23);
		add_node(EFI_PATH_URI, urls[i], strlen(urls[i]));
		expect_failure("no configuration");
	}
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "http://192.168.97.1:8000/", 25);
	nic_path_size = 0;
	add_node(EFI_PATH_IPV4, addresses, 23);
	add_node(EFI_PATH_URI, longest, sizeof(longest));
	expect_failure("no configuration");
	nic_path_size = 0;
	add_node(EFI_PATH_IPV4, addresses, 22);
	add_node(EFI_PATH_URI, "http://192.168.97.1:8000/x", 26);
	expect_failure("the firmware cannot read it");
	/* A node that says it is shorter than a node is. */
	setup_http(NULL);
	nic_path[2] = 3;
	expect_failure("no configuration");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_network, setup_net),
		cmocka_unit_test_setup(test_network_fails, setup_net),
		cmocka_unit_test_setup(test_http, setup_http),
		cmocka_unit_test_setup(test_http_fails, setup_http),
		cmocka_unit_test_setup(test_http_paths, setup_http),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
