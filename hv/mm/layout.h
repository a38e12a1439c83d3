/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's half of every address space: L4 slots 256..271 (<xen/arch-x86/xen-x86_64.h>,
 * HYPERVISOR_VIRT_START..END). Everything else belongs to the guest. 512 GiB a slot.
 */
#ifndef MM_LAYOUT_H
#define MM_LAYOUT_H

#define HV_SLOT_FIRST 256
#define HV_SLOT_LAST  271

/* Slot 256: machine-to-physical table, guests may read it. 257: the same, writable for us. */
#define M2P_RO_VA 0xffff800000000000
#define M2P_VA	  0xffff808000000000
/* Slot 258: frame table, see mm/frame.h for where it is backed. */
#define FRAMETABLE_VA 0xffff810000000000
/* Slot 259: our image, per-CPU stacks, device mappings. */
#define HV_IMAGE_VA 0xffff818000000000
#define CPUSTACK_VA 0xffff818040000000
#define MMIO_VA	    0xffff819000000000
#define MMIO_VA_END 0xffff81a000000000
/* Slot 260: differs per domain; each vcpu's descriptor tables. */
#define PERDOMAIN_VA 0xffff820000000000
/* Slots 261..271: all RAM, one to one. */
#define DIRECTMAP_VA  0xffff828000000000
#define DIRECTMAP_MAX (11UL << 39)

#define HV_VA_START 0xffff800000000000
#define HV_VA_END   0xffff880000000000

/* So much RAM boot/head.S has mapped, all of which may be read. */
#define BOOT_MAPPED (4UL << 30)

#ifndef __ASSEMBLY__
#include "lib/types.h"

#ifdef UNIT_TEST
extern char *test_directmap; /* the fake RAM of unit tests */
#define DIRECTMAP_BASE ((unsigned long)test_directmap)
#else
#define DIRECTMAP_BASE DIRECTMAP_VA
#endif

static inline void *mfn_to_virt(mfn_t mfn)
{
	return (void *)(DIRECTMAP_BASE + (mfn << PAGE_SHIFT));
}

static inline void *paddr_to_virt(paddr_t pa)
{
	return (void *)(DIRECTMAP_BASE + pa);
}

/* Only for addresses inside the direct map. */
static inline mfn_t virt_to_mfn(const void *va)
{
	return ((unsigned long)va - DIRECTMAP_BASE) >> PAGE_SHIFT;
}
#endif
#endif
