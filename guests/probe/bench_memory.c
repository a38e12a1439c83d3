/* SPDX-License-Identifier: MIT */
/*
 * What a frame costs that is populated: one that was given up just before, so that the hypervisor must
 * clear it first, and one that it could clear while it was idle. For that nothing else may be free,
 * and so these rows are the last ones.
 */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "bench.h"
#include "child.h"
#include "events.h"
#include <xen/domctl.h>

#define NR_FRAMES 500
#define IDLE_TIME (100UL * 1000 * 1000) /* ns, for 2 MB */

static xen_pfn_t pfns[NR_FRAMES], mfns[NR_FRAMES];

static struct xen_memory_reservation reservation(unsigned long n, unsigned int order)
{
	return (struct xen_memory_reservation){
		.nr_extents = n, .extent_order = order, .domid = DOMID_SELF};
}

/* All that the machine has. The list of what came may be left out. */
static bool take_all(void)
{
	struct xen_memory_reservation r;

	domctl_new(XEN_DOMCTL_max_mem, 0)->u.max_mem.max_memkb = 1UL << 30;
	if (domctl_do())
		return false;
	for (unsigned int order = 10; order--;) {
		r = reservation(1UL << 12, order);
		while (memory_op(XENMEM_increase_reservation, &r) == 1L << 12)
			;
	}
	return true;
}

static bool give_up(void)
{
	struct xen_memory_reservation r = reservation(NR_FRAMES, 0);

	set_xen_guest_handle(r.extent_start, mfns);
	return memory_op(XENMEM_decrease_reservation, &r) == NR_FRAMES;
}

static bool unmap_pages(void)
{
	for (unsigned int i = 0; i < NR_FRAMES; i++) {
		void *page = page_alloc();

		if (!page)
			return false;
		pfns[i] = va_pfn(page);
		mfns[i] = va_mfn(page);
		if (page_set(page, 0))
			return false;
	}
	return true;
}

static void row(const char *name)
{
	struct xen_memory_reservation r = reservation(NR_FRAMES, 0);
	long n;
	u64 t;

	memcpy(mfns, pfns, sizeof(mfns));
	set_xen_guest_handle(r.extent_start, mfns);
	t = rdtsc();
	n = memory_op(XENMEM_populate_physmap, &r);
	t = rdtsc() - t;
	if (n == NR_FRAMES)
		printf("bench: %-42s %lu\n", name, t / NR_FRAMES);
	else
		printf("bench: %s: only %ld frames came\n", name, n);
}

static void sleep_a_while(void)
{
	u64 end = now_ns() + IDLE_TIME;

	timer_port();
	while (now_ns() < end) {
		set_timer_op(end);
		sched_op(SCHEDOP_block, NULL);
		upcall_mask(true);
	}
}

void bench_memory(void)
{
	if (!(start_info->flags & SIF_INITDOMAIN) || !unmap_pages() || !take_all() || !give_up()) {
		printf("bench: frames populated: not to be had here\n");
		return;
	}
	row("frame populated, just given up");
	if (!give_up())
		return;
	sleep_a_while();
	row("frame populated, cleared while idle");
}
