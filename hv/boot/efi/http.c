/* SPDX-License-Identifier: MIT */
/*
 * Files of the HTTP server that the firmware's own HTTP boot has loaded us from (UEFI 24.7), by the firmware's
 * HTTP (29.6). The path of the device that we come from tells our URL and the addresses that it was given.
 */
#include "boot/efi/loader.h"
#include "lib/string.h"

#define TIMEOUT_MS 10000
#define CHUNK	   (1u << 20)
#define MAX_URL	   (3 * LOADER_PATH)

static const struct efi_guid binding_guid = {
	0xbdc8e6af, 0xd9bc, 0x4379, {0xa7, 0x2a, 0xe0, 0xc4, 0xe7, 0x5d, 0xae, 0x1c}};
static const struct efi_guid http_guid = {
	0x7a59b29b, 0x910b, 0x4171, {0x82, 0x42, 0xa8, 0x5a, 0x0d, 0xf2, 0x5b, 0x5b}};

/* What is between "://" and the next slash, and from that on; false: we do not come from there. */
static bool own_url(char *url, size_t size, size_t *host, size_t *path)
{
	size_t len, n = 0, at = 0;
	const u8 *uri = net_node(EFI_PATH_URI, &len);

	if (!uri || len >= size)
		return false;
	for (; n < len && uri[n]; n++)
		url[n] = (char)uri[n];
	url[n] = '\0';
	if (strncmp(url, "http", 4))
		return false;
	while (url[at] && strncmp(url + at, "://", 3))
		at++;
	if (!url[at])
		return false;
	*host = at += 3;
	while (url[at] && url[at] != '/')
		at++;
	*path = at;
	return url[at] == '/';
}

bool http_own_path(char *out, size_t size)
{
	char url[MAX_URL] = "";
	size_t host, path;

	if (!own_url(url, sizeof(url), &host, &path))
		return false;
	/* What a query says is not part of the file's name. */
	for (char *c = url; *c; c++)
		if (*c == '?' || *c == '#')
			*c = '\0';
	return strlcpy(out, url + path, size) < size;
}

/* One request and its answer; what the firmware is given the address of lives as long. */
struct exchange {
	struct efi_http *http;
	struct efi_http_token token;
	struct efi_http_message message;
	struct efi_http_request get;
	struct efi_http_header host;
	efi_char url[MAX_URL];
	u32 status;
};

/* Polls until what was asked for is there. The firmware ends it after TIMEOUT_MS. */
static efi_status finish(struct exchange *x)
{
	while (efi_system->boot->check_event(x->token.event))
		x->http->poll(x->http);
	return x->token.status;
}

static efi_status ask(struct exchange *x, const char *url, const char *host)
{
	efi_status st;
	size_t n = 0;

	for (; url[n]; n++)
		x->url[n] = (u8)url[n];
	x->url[n] = 0;
	x->get.url = x->url;
	x->host.name = "Host";
	x->host.value = host;
	x->message.request = &x->get;
	x->message.nr_headers = 1;
	x->message.headers = &x->host;
	st = x->http->request(x->http, &x->token);
	return st ? st : finish(x);
}

static efi_status respond(struct exchange *x)
{
	efi_status st = x->http->response(x->http, &x->token);

	return st ? st : finish(x);
}

static bool same_word(const char *a, const char *b)
{
	for (; *a && (*a | 0x20) == (*b | 0x20); a++)
		b++;
	return !*a && !*b;
}

/* The number of bytes that follow; false: the server does not say, or nonsense. */
static bool content_length(const struct efi_http_message *m, u64 *size)
{
	for (size_t i = 0; i < m->nr_headers; i++) {
		const char *c = m->headers[i].value;

		if (!same_word(m->headers[i].name, "Content-Length"))
			continue;
		for (*size = 0; *c >= '0' && *c <= '9' && *size < LOADER_BELOW_4G; c++)
			*size = *size * 10 + (u64)(*c - '0');
		return !*c;
	}
	return false;
}

/* The headers are the firmware's memory, which it would have us free; it all goes when the boot services end. */
static efi_status answer(struct exchange *x, u64 *size)
{
	efi_status st;

	x->message = (struct efi_http_message){.status = &x->status};
	st = respond(x);
	if (st && st != EFI_HTTP_ERROR)
		return st;
	if (x->status != EFI_HTTP_OK)
		return EFI_NOT_FOUND;
	return content_length(&x->message, size) ? EFI_SUCCESS : EFI_PROTOCOL_ERROR;
}

static efi_status body(struct exchange *x, const struct loaded *to)
{
	for (u64 at = to->start; at < to->end; at += x->message.body_size) {
		efi_status st;

		x->message = (struct efi_http_message){.body = (void *)at,
						       .body_size = min(to->end - at, (u64)CHUNK)};
		st = respond(x);
		if (st)
			return st;
		if (!x->message.body_size)
			return EFI_LOAD_ERROR;
	}
	return EFI_SUCCESS;
}

static efi_status fetch(struct efi_http *http, const char *url, const char *host,
			struct loaded *out)
{
	struct exchange x = {.http = http};
	efi_status st;
	u64 size;

	x.token.message = &x.message;
	st = efi_system->boot->create_event(0, 0, NULL, NULL, &x.token.event);
	if (st)
		return st;
	st = ask(&x, url, host);
	if (!st)
		st = answer(&x, &size);
	if (!st)
		st = pages_for_file(size, out);
	if (!st)
		st = body(&x, out);
	efi_system->boot->close_event(x.token.event);
	return st;
}

/* With the address that the firmware has got for itself: UEFI 10.3.4.12 says where it stands. */
static efi_status configure(struct efi_http *http)
{
	struct efi_http_config c = {};
	struct efi_http_v4 v4 = {};
	size_t len;
	const u8 *node = net_node(EFI_PATH_IPV4, &len);

	if (!node || len < 23)
		return EFI_UNSUPPORTED;
	memcpy(v4.local, node, 4);
	memcpy(v4.mask, node + 19, 4);
	c.version = 1;
	c.timeout = TIMEOUT_MS;
	c.v4 = &v4;
	return http->configure(http, &c);
}

efi_status http_read_file(const char *name, struct loaded *out)
{
	struct efi_boot_services *bs = efi_system->boot;
	const struct efi_device_path *path = device_path();
	char url[MAX_URL] = "", host_name[MAX_URL];
	struct efi_service_binding *binding;
	size_t host, rest;
	struct efi_http *http;
	efi_handle nic, child = NULL;
	efi_status st;

	if (!own_url(url, sizeof(url), &host, &rest) ||
	    bs->locate_device_path(&binding_guid, &path, &nic) ||
	    bs->handle_protocol(nic, &binding_guid, &binding))
		return EFI_NOT_FOUND;
	strlcpy(host_name, url + host, rest - host + 1);
	url[rest + (*name != '/')] = '\0';
	if (strlcat(url, name, sizeof(url)) >= sizeof(url))
		return EFI_INVALID_PARAMETER;
	st = binding->create_child(binding, &child);
	if (st)
		return st;
	st = bs->handle_protocol(child, &http_guid, &http);
	if (!st)
		st = configure(http);
	if (!st)
		st = fetch(http, url, host_name, out);
	binding->destroy_child(binding, child);
	return st;
}
