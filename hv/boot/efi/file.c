/* SPDX-License-Identifier: MIT */
#include "boot/efi/loader.h"
#include "lib/string.h"

#define CHUNK (4u << 20) /* some firmware does not read more at once */

static const struct efi_guid fs_guid = {
	0x964e5b22, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};

/* That of the device that we come from, or NULL. */
static struct efi_file_system *file_system(void)
{
	struct efi_file_system *fs;

	return efi_system->boot->handle_protocol(efi_self->device, &fs_guid, &fs) ? NULL : fs;
}

/* Appends the text of a file path node, as far as it is ASCII; dst stays whole when it does not fit. */
static void append_node(char *dst, size_t size, const struct efi_device_path *n, size_t len)
{
	const u8 *p = (const u8 *)(n + 1);
	size_t at = strlen(dst);

	if (at && dst[at - 1] != '\\' && at + 1 < size)
		dst[at++] = '\\';
	for (size_t i = 0; i + 1 < len - sizeof(*n) && at + 1 < size; i += 2) {
		unsigned int c = p[i] | p[i + 1] << 8;

		if (!c)
			break;
		dst[at++] = c < 0x80 ? (char)c : '?';
	}
	dst[at] = '\0';
}

void own_path(char *folder, char *name, size_t size)
{
	const struct efi_device_path *n = efi_self->path;
	size_t cut = 0;

	folder[0] = name[0] = '\0';
	if (!file_system() && net_own_path(folder, size))
		n = NULL;
	while (n && n->type != EFI_PATH_END) {
		size_t len = n->length[0] | (size_t)n->length[1] << 8;

		if (len < sizeof(*n))
			break;
		if (n->type == EFI_PATH_MEDIA && n->subtype == EFI_PATH_FILE)
			append_node(folder, size, n, len);
		n = (const void *)((const char *)n + len);
	}
	for (size_t i = 0; folder[i]; i++) {
		if (folder[i] == '/')
			folder[i] = '\\';
		if (folder[i] == '\\')
			cut = i + 1;
	}
	strlcpy(name, folder + cut, size);
	folder[cut] = '\0';
}

/* folder and name as one path; false when it is too long. */
static bool full_path(char *out, size_t size, const char *folder, const char *name)
{
	out[0] = '\0';
	if (*name != '/' && *name != '\\')
		strlcpy(out, folder, size);
	if (strlcat(out, name, size) >= size)
		return false;
	for (char *c = out; *c; c++)
		if (*c == '/')
			*c = '\\';
	return *out;
}

static efi_status open_file(struct efi_file_system *fs, const char *path, struct efi_file **out)
{
	efi_char wide[2 * LOADER_PATH];
	struct efi_file *root;
	efi_status st;
	size_t n = 0;

	for (; path[n]; n++)
		wide[n] = (u8)path[n];
	wide[n] = 0;
	st = fs->open_volume(fs, &root);
	if (st)
		return st;
	st = root->open(root, out, wide, EFI_FILE_READ, 0);
	root->close(root);
	return st;
}

/* The size is where the end is; no need for a protocol's structure of variable length. */
static efi_status file_size(struct efi_file *f, u64 *size)
{
	efi_status st = f->set_position(f, ~0ULL);

	if (!st)
		st = f->get_position(f, size);
	return st ? st : f->set_position(f, 0);
}

static efi_status read_all(struct efi_file *f, u64 pa, u64 size)
{
	for (u64 done = 0; done < size;) {
		size_t n = (size_t)min(size - done, (u64)CHUNK);
		efi_status st = f->read(f, &n, (void *)(pa + done));

		if (st)
			return st;
		if (!n)
			return EFI_LOAD_ERROR;
		done += n;
	}
	return EFI_SUCCESS;
}

efi_status pages_for_file(u64 size, struct loaded *out)
{
	if (!size)
		return EFI_LOAD_ERROR;
	out->start = size < LOADER_BELOW_4G ? pages_below_4g(size + 1) : 0;
	if (!out->start)
		return EFI_OUT_OF_RESOURCES;
	out->end = out->start + size;
	*(char *)out->end = '\0';
	return EFI_SUCCESS;
}

static efi_status load(struct efi_file *f, struct loaded *out)
{
	efi_status st;
	u64 size;

	st = file_size(f, &size);
	if (!st)
		st = pages_for_file(size, out);
	return st ? st : read_all(f, out->start, size);
}

efi_status read_file(const char *folder, const char *name, struct loaded *out)
{
	struct efi_file_system *fs = file_system();
	char path[2 * LOADER_PATH];
	struct efi_file *f;
	efi_status st;

	if (!full_path(path, sizeof(path), folder, name))
		return EFI_INVALID_PARAMETER;
	if (!fs)
		return net_read_file(path, out);
	st = open_file(fs, path, &f);
	if (st)
		return st;
	st = load(f, out);
	f->close(f);
	return st;
}
