/* SPDX-License-Identifier: MIT */
#include "fake/fake.h"
#include "fake/pack.h"
#include <stdlib.h>
#include <string.h>
#include "lib/crc.h"
#include "lib/errno.h"
#include "lib/image.h"
#include "lib/xz.h"

static long decode(const void *in, size_t in_len, void *out, size_t out_size)
{
	static void *work;

	if (!work)
		work = malloc(xz_work_size());
	memset(work, 0xa5, xz_work_size()); /* nothing may be left from the last time */
	return unxz(in, in_len, out, out_size, work);
}

static const char *const commands[] = {
	"xz -6",
	"xz -0 --check=none",
	"xz -T1 --check=crc32 --x86 --lzma2=dict=32MiB",
	"xz --check=crc64 --x86=start=4096 --lzma2=preset=6",
	"xz --lzma2=preset=6,lc=0,lp=2,pb=0",
	"xz --lzma2=preset=6,lc=4,lp=0,pb=4",
	"xz --lzma2=preset=6,lc=1,lp=3,pb=3,nice=5,mode=fast,mf=hc3",
	"xz --block-size=1000",
	"xz -T2 --block-size=30000 --x86 --lzma2=dict=4KiB",
};

static void test_streams(void **state)
{
	static const size_t sizes[] = {0, 1, 4, 5, 6, 100, 5000, 65536, 150000};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		u8 *data = pack_data(sizes[i]);

		for (size_t c = 0; c < ARRAY_SIZE(commands); c++)
			pack_check(decode, commands[c], data, sizes[i]);
		free(data);
	}
}

static void test_large(void **state)
{
	u8 *data = pack_data(5000000); /* more than one chunk of 2 MiB */

	pack_check(decode, "xz -3 --check=crc32 --x86 --lzma2", data, 5000000);
	memset(data, 0, 5000000);
	pack_check(decode, "xz -3", data, 5000000);
	for (int i = 0; i < 300000; i++)
		data[i] = (u8)fake_random(); /* chunks of plain bytes */
	pack_check(decode, "xz -3", data, 400000);
	free(data);
}

static void test_room_and_trailer(void **state)
{
	u8 *data = pack_data(100000), *out = malloc(200000);
	size_t n;
	u8 *packed = pack_run("xz", data, 100000, &n);

	assert_int_equal(decode(packed, n, out, 200000), 100000);
	assert_int_equal(decode(packed, n, out, 99999), -XEN_ENOSPC);
	assert_int_equal(decode(packed, n, out, 1), -XEN_ENOSPC);
	assert_int_equal(decode(packed, n, out, 0), -XEN_ENOSPC);
	packed = realloc(packed, n + 4); /* as Linux appends the size */
	memcpy(packed + n, "size", 4);
	assert_int_equal(decode(packed, n + 4, out, 200000), 100000);
	free(packed);
	free(data);
	free(out);
}

static void test_unsupported(void **state)
{
	u8 *data = pack_data(1000), out[1000];
	static const char *const others[] = {"xz --check=sha256", "xz --delta --lzma2",
					     "xz --arm --lzma2",  "xz --x86 --x86 --lzma2",
					     "xz --format=lzma",  "gzip"};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		size_t n;
		u8 *packed = pack_run(others[i], data, 1000, &n);

		assert_int_equal(decode(packed, n, out, sizeof(out)), -XEN_EINVAL);
		free(packed);
	}
	free(data);
}

static void test_damage(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		u8 *data, *packed;
		size_t n;

		if (strstr(commands[i], "none"))
			continue; /* nobody can see a flipped bit of data there */
		data = pack_data(5000);
		packed = pack_run(commands[i], data, 5000, &n);
		pack_damage(decode, packed, n, data, 5000, 1000);
		free(packed);
		free(data);
	}
}

static void test_single_bits(void **state)
{
	u8 *data = pack_data(300), out[300];
	size_t n;
	u8 *packed = pack_run("xz --check=crc32 --x86 --lzma2", data, 300, &n);

	for (size_t i = 0; i < n * 8; i++) {
		packed[i / 8] ^= (u8)(1u << (i % 8));
		assert_true(decode(packed, n, out, sizeof(out)) < 0);
		packed[i / 8] ^= (u8)(1u << (i % 8));
	}
	assert_int_equal(decode(packed, n, out, sizeof(out)), 300);
	free(packed);
	free(data);
}

/* LZMA2 itself has no check sum: noise must not lead outside the buffers. */
static void test_noise(void **state)
{
	struct lzma2 *l = malloc(sizeof(*l));

	for (int round = 0; round < 20000; round++) {
		size_t in_n = 40 + fake_below(300), out_n = fake_below(6000);
		u8 *in = malloc(in_n), *out = malloc(out_n + 1);

		for (size_t i = 0; i < in_n; i++)
			in[i] = (u8)fake_random();
		/* A chunk whose sizes fit, with a reset of everything. */
		in[0] = 0xe0;
		in[1] = (u8)(fake_below(6000) >> 8);
		in[3] = 0;
		in[4] = (u8)(fake_below((u32)min(in_n - 28, (size_t)250)) + 5);
		in[5] = (u8)fake_below(225);
		in[6] = 0;
		l->in = in;
		l->in_end = in + in_n;
		l->out = out;
		l->out_end = out + out_n;
		(void)!lzma2_decode(l);
		assert_true(l->out >= out && l->out <= out + out_n);
		free(in);
		free(out);
	}
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_room_and_trailer),
		cmocka_unit_test(test_unsupported),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_single_bits),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests_name("unxz", tests, NULL, NULL);
}
