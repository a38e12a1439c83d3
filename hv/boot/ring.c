/* SPDX-License-Identifier: MIT */
/* The console's ring: where in memory, and what the boot before this one has left there. */
#include "boot/boot.h"
#include "lib/log.h"
#include "mm/heap.h"
#include "mm/layout.h"
#include "plat/plat.h"

#define RING_LIMIT	 (4UL << 30)
#define RING_BELOW_TOP	 (48UL << 20)
#define RING_SHOWN_ORDER 1

extern const char _hv_start[], _hv_end[];

/*
 * Where the ring of messages survives a warm restart: firmware keeps its tables at the top of low RAM,
 * GRUB its heap in the 16 MiB below; its modules are loaded from the image on upwards. 0: no such place.
 */
paddr_t boot_ring_place(void)
{
	const struct boot_info *b = &boot_info;
	u64 start = 0, end = 0, pa;

	for (unsigned int i = 0; i < b->nr_ram; i++)
		if (b->ram[i].start < RING_LIMIT && b->ram[i].end > end) {
			start = b->ram[i].start;
			end = min(b->ram[i].end, (u64)RING_LIMIT);
		}
	if (end < start + RING_BELOW_TOP)
		return 0;
	pa = (end - RING_BELOW_TOP) & PAGE_MASK;
	if (pa < hv_load_pa + (u64)(_hv_end - _hv_start) && pa + CONSOLE_RING_BYTES > hv_load_pa)
		return 0;
	for (unsigned int i = 0; i < b->nr_modules; i++)
		if (b->module[i].start < pa + CONSOLE_RING_BYTES && b->module[i].end > pa)
			return 0;
	return pa;
}

static unsigned int order_of(size_t bytes)
{
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < bytes)
		order++;
	return order;
}

void boot_keep_console(paddr_t kept)
{
	void *mem = kept ? paddr_to_virt(kept) : hv_alloc_pages(order_of(CONSOLE_RING_BYTES));
	char *scratch = hv_alloc_pages(RING_SHOWN_ORDER);

	if (!mem || !scratch)
		panic("no memory for the console's ring");
	console_keep(mem, kept != 0, scratch, PAGE_SIZE << RING_SHOWN_ORDER);
	hv_free_pages(scratch, RING_SHOWN_ORDER);
}
