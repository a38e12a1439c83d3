/* SPDX-License-Identifier: MIT */
#include "fake/fake.h"
#include "fake/pack.h"
#include <stdlib.h>
#include <string.h>
#include "lib/crc.h"
#include "lib/errno.h"
#include "lib/image.h"

static const size_t sizes[] = {0, 1, 2, 7, 8, 100, 258, 259, 32768, 65535, 65536, 200000};

static void test_sizes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		u8 *data = pack_data(sizes[i]);

		pack_check(gunzip, "gzip -9", data, sizes[i]);
		pack_check(gunzip, "gzip -1", data, sizes[i]);
		free(data);
	}
}

static void test_large(void **state)
{
	u8 *data = pack_data(3000000);

	pack_check(gunzip, "gzip -6", data, 3000000);
	free(data);
}

static void test_noise_and_zeroes(void **state)
{
	u8 *data = calloc(1, 300000);

	pack_check(gunzip, "gzip", data, 300000); /* one distance code */
	for (int i = 0; i < 300000; i++)
		data[i] = (u8)fake_random(); /* stored blocks */
	pack_check(gunzip, "gzip", data, 300000);
	free(data);
}

static void test_fixed_codes(void **state)
{
	const u8 *data = (const u8 *)"aaaaaaaaaaaab";

	pack_check(gunzip, "gzip -9", data, 13);
	pack_check(gunzip, "gzip -9", data, 3);
}

/* Name, extra field, comment and header check sum. */
static void test_header_fields(void **state)
{
	static const u8 fields[] = {0x1f, 0x8b, 8,   0x1e, 0,	0,   0, 0,   0, 3,    4,
				    0,	  'e',	'x', 't',  'r', 'n', 0, 'c', 0, 0x12, 0x34};
	u8 data[5000], out[5000], packed[6000];
	size_t n;
	u8 *plain;

	memset(data, 'q', sizeof(data));
	plain = pack_run("gzip -n", data, sizeof(data), &n);
	memcpy(packed, fields, sizeof(fields));
	memcpy(packed + sizeof(fields), plain + 10, n - 10);
	n += sizeof(fields) - 10;
	assert_int_equal(gunzip(packed, n, out, sizeof(out)), sizeof(out));
	assert_memory_equal(data, out, sizeof(out));
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(gunzip(packed, cut, out, sizeof(out)), -XEN_EINVAL);
	packed[3] |= 0x20; /* unknown flag */
	assert_int_equal(gunzip(packed, n, out, sizeof(out)), -XEN_EINVAL);
	free(plain);
}

static void test_room(void **state)
{
	u8 *data = pack_data(100000), *out = malloc(200000);
	size_t n;
	u8 *packed = pack_run("gzip", data, 100000, &n);

	assert_int_equal(gunzip(packed, n, out, 200000), 100000);
	assert_int_equal(gunzip(packed, n, out, 99999), -XEN_ENOSPC);
	assert_int_equal(gunzip(packed, n, out, 50000), -XEN_ENOSPC);
	assert_int_equal(gunzip(packed, n, out, 0), -XEN_ENOSPC);
	free(packed);
	free(data);
	free(out);
}

static void test_damage(void **state)
{
	static const char *const commands[] = {"gzip -9n", "gzip -1n"};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		u8 *data = pack_data(20000);
		size_t n;
		u8 *packed = pack_run(commands[i], data, 20000, &n);

		pack_damage(gunzip, packed, n, data, 20000, 2000);
		free(packed);
		free(data);
	}
}

/* Noise behind a good header. */
static void test_noise(void **state)
{
	u8 in[600] = {0x1f, 0x8b, 8}, out[4000];

	for (int round = 0; round < 20000; round++) {
		size_t n = 10 + fake_below(590);

		for (size_t i = 10; i < n; i++)
			in[i] = (u8)fake_random();
		in[10] = (in[10] & ~7) | (u8)(round % 8);
		assert_true(gunzip(in, n, out, sizeof(out)) < 0);
	}
}

static void test_crc(void **state)
{
	u8 *data = pack_data(1000);

	assert_int_equal(crc32(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(crc64(0, "123456789", 9), 0x995dc9bbdf1939fa);
	assert_int_equal(crc32(0, "", 0), 0);
	for (size_t cut = 0; cut <= 1000; cut += 13) {
		assert_int_equal(crc32(crc32(0, data, cut), data + cut, 1000 - cut),
				 crc32(0, data, 1000));
		assert_int_equal(crc64(crc64(0, data, cut), data + cut, 1000 - cut),
				 crc64(0, data, 1000));
	}
	/* The same with the larger tables. */
	void *mem = malloc(CRC32_WIDE_SIZE);
	u32 plain[64];

	for (size_t n = 0; n < 64; n++)
		plain[n] = crc32(5, data + n % 9, n * 11);
	crc32_lend(mem);
	for (size_t n = 0; n < 64; n++)
		assert_int_equal(crc32(5, data + n % 9, n * 11), plain[n]);
	assert_int_equal(crc32(0, "123456789", 9), 0xcbf43926);
	crc32_lend(NULL);
	free(mem);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc),	    cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_large),	    cmocka_unit_test(test_noise_and_zeroes),
		cmocka_unit_test(test_fixed_codes), cmocka_unit_test(test_header_fields),
		cmocka_unit_test(test_room),	    cmocka_unit_test(test_damage),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests_name("gunzip", tests, NULL, NULL);
}
