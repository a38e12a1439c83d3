/* SPDX-License-Identifier: MIT */
#include "boot/dom0.h"
#include "lib/crc.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/buddy.h"
#include "mm/heap.h"

#define MAX_KERNEL	  (1UL << 30)
#define ARCH_DOM0_FEATURE 11 /* XENFEAT_dom0 */

static unsigned int order_of(size_t bytes)
{
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < bytes)
		order++;
	return order;
}

static const char *const format_name[] = {
	[IMG_ZSTD] = "zstd",
	[IMG_LZ4] = "lz4",
	[IMG_LZMA] = "lzma",
	[IMG_BZIP2] = "bzip2",
};

static long unpack(int format, const void *in, size_t len, void *out, size_t out_size)
{
	unsigned int order = order_of(xz_work_size());
	void *work;
	unsigned int crc_order = order_of(CRC32_WIDE_SIZE);
	void *crc = hv_alloc_pages(crc_order); /* a large table for the checksum; optional */
	long n = -XEN_ENOMEM;

	crc32_lend(crc);
	work = format == IMG_GZIP ? NULL : hv_alloc_pages(order);
	if (format == IMG_GZIP)
		n = gunzip(in, len, out, out_size);
	else if (work)
		n = unxz(in, len, out, out_size, work);
	crc32_lend(NULL);
	if (work)
		hv_free_pages(work, order);
	if (crc)
		hv_free_pages(crc, crc_order);
	return n;
}

static void decompress(struct dom0_image *img, int format, const void *in, size_t len,
		       size_t out_size)
{
	struct frame *f;
	long n;

	if (format != IMG_GZIP && format != IMG_XZ)
		panic("dom0 kernel is compressed with %s: use xz, gzip or a plain ELF",
		      format > 0 && format <= IMG_BZIP2 && format_name[format]
			      ? format_name[format]
			      : "an unknown method");
	if (!out_size || out_size > MAX_KERNEL)
		panic("dom0 kernel image is truncated or damaged (no size of the unpacked kernel)");
	img->order = order_of(out_size);
	f = buddy_alloc(img->order, 0);
	if (!f)
		panic("no %lu MiB in one piece to unpack the dom0 kernel",
		      PAGE_SIZE << img->order >> 20);
	img->buffer = frame_to_virt(f);
	n = unpack(format, in, len, img->buffer, out_size);
	if (n < 0)
		panic("dom0 kernel image is truncated or damaged (%s: error %ld)",
		      format == IMG_XZ ? "xz" : "gzip", n);
	img->elf = img->buffer;
	img->size = (size_t)n;
}

static void check_notes(const struct elf_kernel *k)
{
	if (k->has_supported && !(k->supported_features >> ARCH_DOM0_FEATURE & 1))
		panic("dom0 kernel says that it cannot be dom0 (no XENFEAT_dom0 in its notes)");
	pr_info("dom0 kernel: %s %s, entry 0x%lx%s\n", k->guest_os[0] ? k->guest_os : "unknown",
		k->guest_version, k->has_entry ? k->entry : k->e_entry,
		k->legacy ? ", __xen_guest" : "");
}

void dom0_image_open(struct dom0_image *img, const void *module, size_t size)
{
	size_t len = 0, out_size = 0;
	const void *payload = NULL;
	int format = image_payload(module, size, &payload, &len, &out_size), rc;

	*img = (struct dom0_image){.elf = payload, .size = len};
	if (format < 0)
		panic("dom0 kernel image is truncated (bzImage of %lu bytes)", size);
	if (format == IMG_UNKNOWN)
		panic("the first boot module is not a kernel (neither bzImage, gzip nor ELF)");
	if (format != IMG_ELF)
		decompress(img, format, payload, len, out_size);
	rc = elf_parse(img->elf, img->size, &img->k);
	if (rc == -XEN_ENOEXEC)
		panic("dom0 kernel has no Xen notes: it was built without CONFIG_XEN_PV");
	if (rc)
		panic("dom0 kernel is not a complete 64-bit x86 ELF image (%d)", rc);
	check_notes(&img->k);
}

void dom0_image_close(struct dom0_image *img)
{
	if (img->buffer)
		buddy_free(mfn_to_frame(virt_to_mfn(img->buffer)), img->order);
	img->buffer = NULL;
}
