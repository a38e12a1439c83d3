/* SPDX-License-Identifier: MIT */
#include "fake/pack.h"
#include "fake/fake.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t put_text(u8 *p, size_t n)
{
	static const char *const words[] = {"static ", "int ", "return ", "struct domain *d",
					    ";\n\t",   "->",   "0x",	  "(void)",
					    "frame",   "}\n"};
	size_t done = 0;

	while (done + 20 < n) {
		const char *w = words[fake_below(10)];

		memcpy(p + done, w, strlen(w));
		done += strlen(w);
	}
	return done;
}

/* Calls and jumps near and far, also inside each other's displacement. */
static size_t put_code(u8 *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		u32 r = fake_below(10);

		p[i] = r < 3   ? 0xe8 + (u8)fake_below(2)
		       : r < 5 ? 0
		       : r < 7 ? 0xff
			       : (u8)fake_random();
	}
	return n;
}

u8 *pack_data(size_t n)
{
	u8 *p = malloc(n + 1);

	for (size_t done = 0; done < n;) {
		size_t part = fake_below(5000) + 1;

		part = min(part, n - done);

		switch (fake_below(5)) {
		case 0:
			part = put_text(p + done, part);
			break;
		case 1:
			memset(p + done, (int)fake_below(256), part);
			break;
		case 2:
			part = put_code(p + done, part);
			break;
		case 3:
			for (size_t i = 0; i < part; i++)
				p[done + i] = (u8)fake_random();
			break;
		default:
			if (done)
				memmove(p + done, p + fake_below((u32)done), min(part, done) / 2);
			part = min(part, done) / 2;
		}
		done += part;
	}
	return p;
}

u8 *pack_run(const char *command, const u8 *in, size_t n, size_t *out_n)
{
	char name[] = "/tmp/domus-pack-XXXXXX", line[256];
	int fd = mkstemp(name);
	size_t room = 1 << 20;
	u8 *out = malloc(room);
	FILE *f;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, in, n), n);
	close(fd);
	snprintf(line, sizeof(line), "(%s) < %s", command, name);
	f = popen(line, "r");
	assert_non_null(f);
	*out_n = 0;
	for (size_t got; (got = fread(out + *out_n, 1, room - *out_n, f)); room *= 2) {
		*out_n += got;
		out = realloc(out, room * 2);
	}
	assert_int_equal(pclose(f), 0);
	unlink(name);
	/* Exactly as large as its text, so that the sanitizer sees any read behind it. */
	return realloc(out, *out_n ? *out_n : 1);
}

void pack_check(pack_decode decode, const char *command, const u8 *data, size_t n)
{
	size_t packed_n;
	u8 *packed = pack_run(command, data, n, &packed_n), *out = malloc(n ? n : 1);
	long r = decode(packed, packed_n, out, n);

	if (r != (long)n)
		print_message("%s: %zu bytes, result %ld\n", command, n, r);
	assert_int_equal(r, n);
	assert_true(!memcmp(out, data, n));
	if (n) /* one byte short */
		assert_true(decode(packed, packed_n, out, n - 1) < 0);
	free(out);
	free(packed);
}

static void damage_one(pack_decode decode, const u8 *packed, size_t cut, unsigned int flips,
		       const u8 *data, size_t n)
{
	u8 *copy = malloc(cut ? cut : 1), *out = malloc(n);
	long r;

	memcpy(copy, packed, cut);
	while (flips-- && cut) {
		/* The headers are small, so they get half of it. */
		size_t some = fake_below(2) ? cut : min(cut, (size_t)64), at = fake_random() % some;

		if (fake_below(2))
			at = cut - 1 - at;
		copy[at] ^= (u8)(1u << fake_below(8));
	}
	r = decode(copy, cut, out, n);
	assert_true(r <= (long)n);
	if (r >= 0)
		assert_true(r == (long)n && !memcmp(out, data, n));
	free(out);
	free(copy);
}

void pack_damage(pack_decode decode, const u8 *packed, size_t packed_n, const u8 *data, size_t n,
		 unsigned int rounds)
{
	for (size_t cut = 0; cut < packed_n; cut += cut < 300 || cut + 300 > packed_n ? 1 : 97) {
		u8 *copy = malloc(cut ? cut : 1), *out = malloc(n);

		memcpy(copy, packed, cut);
		assert_true(decode(copy, cut, out, n) < 0);
		free(out);
		free(copy);
	}
	for (unsigned int i = 0; i < rounds; i++)
		damage_one(decode, packed, packed_n, 1 + fake_below(3), data, n);
}
