/* SPDX-License-Identifier: MIT */
/* Which payload is in a kernel file; with DOMUS_TEST_KERNEL also a real one, unpacked and parsed. */
#include "fake/fake.h"
#include <stdlib.h>
#include <string.h>
#include <xen/features.h>
#include "lib/errno.h"
#include "lib/image.h"

#define SETUP 3
#define BEGIN ((SETUP + 1) * 512)

static u8 image[8192];
static const void *payload;
static size_t len, out_size;

static void put(unsigned int at, u64 v, unsigned int n)
{
	memcpy(image + at, &v, n);
}

static int setup(void **state)
{
	memset(image, 0, sizeof(image));
	image[0x1f1] = SETUP;
	put(0x1fe, 0xaa55, 2);
	memcpy(image + 0x202, "HdrS", 4);
	put(0x206, 0x20f, 2);
	put(0x248, 100, 4);
	put(0x24c, 1000, 4);
	memcpy(image + BEGIN + 100,
	       "\xfd"
	       "7zXZ\0",
	       6);
	put(BEGIN + 1096, 123456, 4);
	return 0;
}

static int look(size_t size)
{
	return image_payload(image, size, &payload, &len, &out_size);
}

static void test_bzimage(void **state)
{
	assert_int_equal(look(sizeof(image)), IMG_XZ);
	assert_ptr_equal(payload, image + BEGIN + 100);
	assert_int_equal(len, 1000);
	assert_int_equal(out_size, 123456);
	put(0x206, 0x207, 2); /* a protocol without payload fields */
	assert_int_equal(look(sizeof(image)), IMG_UNKNOWN);
	assert_int_equal(len, sizeof(image));
	put(0x206, 0x208, 2);
	image[0x1f1] = 0; /* means 4 */
	memmove(image + BEGIN + 612, image + BEGIN + 100, 1000);
	assert_int_equal(look(sizeof(image)), IMG_XZ);
	assert_ptr_equal(payload, image + BEGIN + 612);
}

static void test_formats(void **state)
{
	static const struct {
		const char *magic;
		size_t n;
		int format;
	} t[] = {
		{"\x7f"
		 "ELF",
		 4, IMG_ELF},
		{"\x1f\x8b\x08", 3, IMG_GZIP},
		{"\x28\xb5\x2f\xfd", 4, IMG_ZSTD},
		{"\x02\x21\x4c\x18", 4, IMG_LZ4},
		{"\x5d\0\0", 3, IMG_LZMA},
		{"BZh", 3, IMG_BZIP2},
		{"what", 4, IMG_UNKNOWN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		memset(image + BEGIN + 100, 0, 8);
		memcpy(image + BEGIN + 100, t[i].magic, t[i].n);
		assert_int_equal(look(sizeof(image)), t[i].format);
		assert_int_equal(out_size, t[i].format == IMG_ELF	? 1000
					   : t[i].format == IMG_UNKNOWN ? 0
									: 123456);
		/* The same without a boot sector around it. */
		assert_int_equal(
			image_payload(image + BEGIN + 100, 1000, &payload, &len, &out_size),
			t[i].format);
		assert_int_equal(len, 1000);
		assert_int_equal(out_size, t[i].format == IMG_ELF    ? 1000
					   : t[i].format == IMG_GZIP ? 123456
								     : 0);
	}
}

static void test_truncated(void **state)
{
	for (size_t n = 0; n < sizeof(image); n++) {
		u8 *copy = malloc(n ? n : 1); /* the sanitizer sees a read behind it */
		int r;

		memcpy(copy, image, n);
		r = image_payload(copy, n, &payload, &len, &out_size);
		if (n < 0x250)
			assert_int_equal(r, IMG_UNKNOWN);
		else if (n < BEGIN + 1100)
			assert_int_equal(r, -XEN_EINVAL);
		else
			assert_int_equal(r, IMG_XZ);
		free(copy);
	}
}

static void test_hostile_offsets(void **state)
{
	put(0x248, 0xffffffff, 4);
	assert_int_equal(look(sizeof(image)), -XEN_EINVAL);
	put(0x248, 0, 4);
	put(0x24c, 0xffffffff, 4);
	assert_int_equal(look(sizeof(image)), -XEN_EINVAL);
	put(0x24c, sizeof(image) - BEGIN, 4);
	assert_int_equal(look(sizeof(image)), IMG_UNKNOWN);
	put(0x24c, 0, 4);
	assert_int_equal(look(sizeof(image)), IMG_UNKNOWN);
	assert_int_equal(len, sizeof(image));
}

static u8 *read_file(const char *name, size_t *n)
{
	FILE *f = fopen(name, "rb");
	u8 *p;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	*n = (size_t)ftell(f);
	rewind(f);
	p = malloc(*n);
	assert_int_equal(fread(p, 1, *n, f), *n);
	fclose(f);
	return p;
}

static void test_real_kernel(void **state)
{
	const char *name = getenv("DOMUS_TEST_KERNEL");
	struct elf_kernel k;
	u8 *file, *work, *out;
	size_t n;
	long r;

	if (!name || !*name)
		skip();
	file = read_file(name, &n);
	assert_int_equal(image_payload(file, n, &payload, &len, &out_size), IMG_XZ);
	out = malloc(out_size);
	work = malloc(xz_work_size());
	r = unxz(payload, len, out, out_size, work);
	assert_int_equal(r, out_size);
	assert_int_equal(elf_parse(out, (size_t)r, &k), 0);
	assert_true(k.nr_segments >= 2);
	assert_true(k.has_entry && k.has_virt_base && k.has_init_p2m && k.has_supported);
	assert_false(k.legacy);
	assert_int_equal(k.virt_base, 0xffffffff80000000);
	assert_int_equal(k.min_paddr, 0x1000000);
	assert_int_equal(k.init_p2m, 0x8000000000);
	assert_int_equal(k.hv_start_low, 0xffff800000000000);
	assert_string_equal(k.guest_os, "linux");
	assert_string_equal(k.xen_version, "xen-3.0");
	assert_string_equal(k.loader, "generic");
	assert_true(k.pae && k.mod_start_pfn && k.suspend_cancel);
	assert_true(k.supported_features & 1u << XENFEAT_dom0);
	assert_int_equal(k.required_features, 1u << XENFEAT_writable_page_tables);
	assert_int_equal(k.l1_valid_mask, 1);
	assert_int_equal(k.l1_valid_value, 1);
	free(work);
	free(out);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_bzimage, setup),
		cmocka_unit_test_setup(test_formats, setup),
		cmocka_unit_test_setup(test_truncated, setup),
		cmocka_unit_test_setup(test_hostile_offsets, setup),
		cmocka_unit_test(test_real_kernel),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
