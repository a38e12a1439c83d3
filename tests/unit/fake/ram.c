/* SPDX-License-Identifier: MIT */
#include "fake/fake.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/xen.h>
#include "lib/bits.h"
#include "mm/frame.h"

struct frame *frame_table;
char *test_directmap;

static void *reserve(void *old, size_t size)
{
	void *p = mmap(old, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (old ? MAP_FIXED : 0), -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

void fake_ram_reset(void)
{
	frame_table = reserve(frame_table, FAKE_MAX_MFN * sizeof(struct frame));
	test_directmap = reserve(test_directmap, FAKE_MAX_MFN * PAGE_SIZE);
	memset(frame_sections, 0, sizeof(frame_sections));
	max_mfn = frames_whole = 0;
}

void fake_ram_add(mfn_t start, unsigned long nr)
{
	assert_true(start + nr <= FAKE_MAX_MFN);
	for (mfn_t m = start; m < start + nr; m++) {
		frame_table[m].state = FS_RESERVED;
		frame_table[m].owner = DOMID_INVALID;
		set_bit((unsigned int)(m >> SECTION_SHIFT), frame_sections);
	}
	max_mfn = max(max_mfn, start + nr);
	frames_whole = 0;
	while (frames_whole < max_mfn &&
	       test_bit((unsigned int)(frames_whole >> SECTION_SHIFT), frame_sections))
		frames_whole = min(max_mfn, frames_whole + (1UL << SECTION_SHIFT));
}
