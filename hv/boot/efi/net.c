/* SPDX-License-Identifier: MIT */
#include "boot/efi/loader.h"
#include "lib/printf.h"

static const struct efi_guid path_guid = {
	0x09576e91, 0x6d3f, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};

const struct efi_device_path *device_path(void)
{
	const struct efi_device_path *path;

	return efi_system->boot->handle_protocol(efi_self->device, &path_guid, &path) ? NULL : path;
}

const u8 *net_node(u8 subtype, size_t *len)
{
	for (const struct efi_device_path *n = device_path(); n && n->type != EFI_PATH_END;) {
		size_t whole = n->length[0] | (size_t)n->length[1] << 8;

		if (whole < sizeof(*n))
			break;
		*len = whole - sizeof(*n);
		if (n->type == EFI_PATH_MESSAGING && n->subtype == subtype)
			return (const u8 *)(n + 1);
		n = (const void *)((const char *)n + whole);
	}
	return NULL;
}

bool net_machine_config(char *out, size_t size)
{
	size_t len;
	const u8 *m = net_node(EFI_PATH_MAC, &len);

	if (!m || len < 6)
		return false;
	hv_snprintf(out, size, "machines\\%02x-%02x-%02x-%02x-%02x-%02x.efi.cfg", m[0], m[1], m[2],
		    m[3], m[4], m[5]);
	return true;
}

bool net_own_path(char *out, size_t size)
{
	return pxe_own_path(out, size) || http_own_path(out, size);
}

efi_status net_read_file(const char *path, struct loaded *out)
{
	char name[2 * LOADER_PATH];
	efi_status st;
	size_t n = 0;

	for (; path[n] && n + 1 < sizeof(name); n++)
		name[n] = path[n] == '\\' ? '/' : path[n];
	name[n] = '\0';
	st = pxe_read_file(name, out);
	return st == EFI_UNSUPPORTED ? http_read_file(name, out) : st;
}
