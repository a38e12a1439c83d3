/* SPDX-License-Identifier: MIT */
#include "lib/image.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Linux's boot protocol (Documentation/x86/boot.rst): offsets in the first sectors of a bzImage. */
#define SETUP_SECTS    0x1f1
#define BOOT_FLAG      0x1fe
#define HEADER_MAGIC   0x202
#define PROTOCOL       0x206
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c
#define HEADER_END     0x250
#define PROTO_PAYLOAD  0x0208
#define SECTOR	       512

static const struct {
	enum image_format format;
	u8 len, magic[6];
} magics[] = {
	{IMG_ELF, 4, {0x7f, 'E', 'L', 'F'}},
	{IMG_GZIP, 3, {0x1f, 0x8b, 8}},
	{IMG_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0}},
	{IMG_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}},
	{IMG_LZ4, 4, {0x02, 0x21, 0x4c, 0x18}},
	{IMG_LZMA, 3, {0x5d, 0, 0}},
	{IMG_BZIP2, 3, {'B', 'Z', 'h'}},
};

static u32 get32(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static enum image_format format_of(const u8 *p, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (n >= magics[i].len && !memcmp(p, magics[i].magic, magics[i].len))
			return magics[i].format;
	return IMG_UNKNOWN;
}

/* 1 when buf is a bzImage with a payload, 0 when it is something else. */
static int find_payload(const u8 *buf, size_t size, const u8 **payload, size_t *len)
{
	size_t setup, offset, length;

	if (size < HEADER_END || buf[BOOT_FLAG] != 0x55 || buf[BOOT_FLAG + 1] != 0xaa ||
	    memcmp(buf + HEADER_MAGIC, "HdrS", 4))
		return 0;
	if ((buf[PROTOCOL] | buf[PROTOCOL + 1] << 8) < PROTO_PAYLOAD)
		return 0;
	setup = (buf[SETUP_SECTS] ? buf[SETUP_SECTS] : 4) + 1u;
	offset = setup * SECTOR + get32(buf + PAYLOAD_OFFSET);
	length = get32(buf + PAYLOAD_LENGTH);
	if (!length)
		return 0;
	if (offset > size || length > size - offset)
		return -XEN_EINVAL;
	*payload = buf + offset;
	*len = length;
	return 1;
}

int image_payload(const void *buf, size_t size, const void **payload, size_t *len, size_t *out_size)
{
	const u8 *p = buf;
	enum image_format format;
	size_t n = size;
	int linux_image = find_payload(buf, size, &p, &n);

	*payload = NULL;
	*len = *out_size = 0;
	if (linux_image < 0)
		return linux_image;
	format = format_of(p, n);
	*payload = p;
	*len = n;
	if (format == IMG_ELF)
		*out_size = n;
	/* gzip ends with the size; Linux's build appends it to the other formats. */
	else if (n >= 4 && (format == IMG_GZIP || (linux_image && format != IMG_UNKNOWN)))
		*out_size = get32(p + n - 4);
	return format;
}
