/* SPDX-License-Identifier: MIT */
/* Maps: the machine's memory, a guest's as the tools described it, the machine-to-physical table. */
#include "call/memory.h"
#include "lib/string.h"
#include "mm/e820.h"
#include "mm/heap.h"
#include "mm/pgtable.h"

#define M2P_CHUNK   (2UL << 20)
#define M2P_ENTRIES (M2P_CHUNK / sizeof(unsigned long))

BUILD_BUG_ON(sizeof(struct e820_entry) != 20);

struct domain_map {
	u32 nr;
	struct e820_entry e[E820_MAX];
};

/* As many entries as fit; with no buffer at all, the number there are. */
static long give_entries(struct xen_memory_map *m, void *arg, const struct e820_entry *e, u32 nr)
{
	if (m->buffer.p) {
		nr = min(nr, m->nr_entries);
		if (copy_to_guest(m->buffer.p, e, nr * sizeof(*e)))
			return -XEN_EFAULT;
	}
	m->nr_entries = nr;
	return copy_to_guest(arg, m, sizeof(*m));
}

long memory_machine_map(void *arg)
{
	struct xen_memory_map m;

	if (!current->d->privileged)
		return -XEN_EPERM;
	if (copy_from_guest(&m, arg, sizeof(m)))
		return -XEN_EFAULT;
	return give_entries(&m, arg, boot_e820.e, min(boot_e820.nr, (u32)E820_MAX));
}

long memory_get_map(void *arg)
{
	struct domain *d = current->d;
	struct domain_map copy = {0};
	struct xen_memory_map m;

	if (copy_from_guest(&m, arg, sizeof(m)))
		return -XEN_EFAULT;
	spin_lock(&d->lock);
	if (d->memory_map)
		memcpy(&copy, d->memory_map, sizeof(copy));
	spin_unlock(&d->lock);
	return copy.nr ? give_entries(&m, arg, copy.e, copy.nr) : -XEN_ENOSYS;
}

long memory_set_map(const void *arg)
{
	struct xen_foreign_memory_map m;
	struct domain_map *map, *old;
	struct domain *d;
	long err;

	if (!current->d->privileged)
		return -XEN_EPERM;
	if (copy_from_guest(&m, arg, sizeof(m)))
		return -XEN_EFAULT;
	if (!m.map.nr_entries || m.map.nr_entries > E820_MAX)
		return -XEN_EINVAL;
	map = hv_alloc(sizeof(*map));
	if (!map)
		return -XEN_ENOMEM;
	map->nr = m.map.nr_entries;
	d = NULL;
	err = -XEN_EFAULT;
	if (!copy_from_guest(map->e, m.map.buffer.p, map->nr * sizeof(map->e[0])))
		d = memory_target(m.domid, &err);
	if (!d) {
		hv_free(map);
		return err;
	}
	spin_lock(&d->lock);
	old = d->memory_map;
	d->memory_map = map;
	spin_unlock(&d->lock);
	hv_free(old);
	domain_put(d);
	return 0;
}

/* --- machine-to-physical table --- */

static unsigned long m2p_chunks(void)
{
	return DIV_ROUND_UP(max_mfn, M2P_ENTRIES);
}

static u64 next_entry(u64 table, unsigned int idx)
{
	return table & PTE_P ? ((u64 *)mfn_to_virt(pte_mfn(table)))[idx] : 0;
}

/* First frame of the table's i-th 2 MiB; 0 when that is a gap, or made of pages from here and there. */
static mfn_t m2p_chunk_mfn(unsigned long i)
{
	unsigned long va = M2P_VA + i * M2P_CHUNK;
	u64 e = idle_l4[L4_INDEX(va)], first;

	e = next_entry(e, L3_INDEX(va));
	if (e & PTE_PSE)
		return pte_mfn(e) + (va >> PAGE_SHIFT & 0x3ffff);
	e = next_entry(e, L2_INDEX(va));
	if (!(e & PTE_P) || e & PTE_PSE)
		return e & PTE_P ? pte_mfn(e) & ~511UL : 0;
	first = next_entry(e, 0);
	for (unsigned int k = 0; k < 512; k++) {
		u64 l1e = next_entry(e, k);

		if (!(l1e & PTE_P) || pte_mfn(l1e) != pte_mfn(first) + k)
			return 0;
	}
	return pte_mfn(first);
}

long memory_machphys_list(void *arg)
{
	struct xen_machphys_mfn_list l;
	unsigned int n;

	if (copy_from_guest(&l, arg, sizeof(l)))
		return -XEN_EFAULT;
	for (n = 0; n < l.max_extents && n < m2p_chunks(); n++) {
		xen_pfn_t mfn = m2p_chunk_mfn(n);

		if (copy_to_guest(l.extent_start.p + n, &mfn, sizeof(mfn)))
			return -XEN_EFAULT;
	}
	l.nr_extents = n;
	return copy_to_guest(arg, &l, sizeof(l));
}

long memory_machphys_mapping(void *arg)
{
	struct xen_machphys_mapping m = {
		.v_start = M2P_RO_VA,
		.v_end = M2P_RO_VA + m2p_chunks() * M2P_CHUNK,
		.max_mfn = max_mfn - 1,
	};

	return copy_to_guest(arg, &m, sizeof(m));
}
