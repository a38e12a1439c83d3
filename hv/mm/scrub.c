/* SPDX-License-Identifier: MIT */
#include "mm/scrub.h"
#include "cpu/percpu.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/tlb.h"

static bool must_disturb(const struct frame *f, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (f[i].content == FC_WAITS && tlb_flush_disturbs(f[i].stamp))
			return true;
	return false;
}

/* Each stamp by itself: which of two is the later one cannot be told, the clock may have wrapped. */
static void flush_stale(const struct frame *f, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (f[i].content == FC_WAITS)
			tlb_flush_since(cpu_online_map, f[i].stamp);
}

static unsigned int clear(struct frame *f, unsigned int nr)
{
	const struct cpu_info *ci = get_cpu_info();
	unsigned int cleared = 0;

	for (unsigned int i = 0; i < nr; i++) {
		if (f[i].content != FC_WAITS)
			continue;
		if (cleared && READ_ONCE(ci->hazard))
			break;
		clear_lines(frame_to_virt(&f[i]), PAGE_SIZE);
		f[i].content = FC_ZERO;
		cleared++;
		tlb_flush_service();
	}
	return cleared;
}

enum scrub_result scrub_step(bool disturb)
{
	unsigned int order = 0, cleared;
	struct frame *f = buddy_scrub_take(&order);
	bool disturbs;

	if (!f)
		return buddy_neglected() ? SCRUB_DONE : SCRUB_NOTHING;
	disturbs = must_disturb(f, 1u << order);
	if (disturbs && !disturb) {
		buddy_scrub_give(f, order, 0);
		return SCRUB_TOO_SOON;
	}
	flush_stale(f, 1u << order);
	cleared = clear(f, 1u << order);
	buddy_scrub_give(f, order, cleared);
	return disturbs ? SCRUB_DISTURBED : SCRUB_DONE;
}
