/* SPDX-License-Identifier: MIT */
/* The fuzzer's values: each kind of argument mostly as it should be, and sometimes not. */
#define __XEN_TOOLS__
#include "hypercall.h"
#include "fuzz.h"
#include <xen/domctl.h>
#include <xen/platform.h>
#include <xen/sysctl.h>

#define HOLE (WIN_BASE + 300 * PAGE_SIZE)

static const u64 numbers[] = {
	0,	    1,	       2,	   3,	       4,	  7,	     8,		15,
	16,	    31,	       32,	   33,	       63,	  64,	     127,	128,
	255,	    256,       511,	   512,	       1023,	  1024,	     4095,	4096,
	4097,	    0x7fff,    0x8000,	   0xfffe,     0xffff,	  0x10000,   0xfffff,	0x100000,
	0x7fffffff, 1UL << 31, 0xfffffffe, 0xffffffff, 1UL << 32, 1UL << 39, 1UL << 40, 1UL << 44,
	1UL << 51,  1UL << 52, 1UL << 62,  ~0UL >> 1,  1UL << 63, ~0UL - 1,  ~0UL,	~0UL << 12};

u64 v_number(void)
{
	u64 n = pick(numbers);

	switch (below(6)) {
	case 0:
		return rnd();
	case 1:
		return below(64);
	case 2:
		return n + below(3) - 1;
	case 3:
		return 1UL << below(64);
	default:
		return n;
	}
}

/* A frame of this kernel's image, tables or code, which must not be written to by accident. */
static bool is_kernel(u64 mfn)
{
	static u64 max;

	max = max ?: (u64)memory_op(XENMEM_maximum_ram_page, NULL);
	return mfn <= max && try_read(&mfn_pfn(mfn)) < 0 && mfn_pfn(mfn) < pg.first &&
	       p2m[mfn_pfn(mfn)] == mfn;
}

/* Frames that are not the playground's: the hypervisor's, devices', other domains', nobody's. */
static u64 any_foreign_mfn(void)
{
	static const u64 frames[] = {0,	      1,       0xa0,	0xb8,	   0xf0,	0x100,
				     0x200,   0x201,   0x210,	0x400,	   0x8000,	0xfee00,
				     0xfec00, 0xfed00, 0xfffff, 1UL << 20, 0xfffffffff, 1UL << 40};

	switch (below(4)) {
	case 0:
		return pick(frames);
	case 1:
		return below(0x40000);
	case 2:
		return start_copy.shared_info >> 12;
	default:
		return v_number();
	}
}

static u64 foreign_mfn(void)
{
	u64 mfn;

	do
		mfn = any_foreign_mfn();
	while (is_kernel(mfn));
	return mfn;
}

static const u64 *any_page(void)
{
	u32 n = below(NR_TREES * 5 + NR_DATA);

	return n < NR_DATA ? pg.data[n] : pg.table[(n - NR_DATA) / 5][(n - NR_DATA) % 5];
}

u64 v_flip(u64 v)
{
	u64 bit;

	do
		bit = 1UL << below(64);
	while (is_kernel(v ^ bit) || is_kernel((v ^ bit) << 12 >> 24));
	return v ^ bit;
}

u64 v_mfn(void)
{
	if (one_in(16))
		return foreign_mfn();
	return va_mfn(any_page());
}

static u64 table_mfn(unsigned int level)
{
	return va_mfn(pg.table[below(NR_TREES)][level]);
}

static u64 data_entry(void)
{
	static const u64 flags[] = {
		PTE_KERNEL,	     PTE_RO,	     PTE_KERNEL | PTE_US,  PTE_RO | PTE_NX,
		PTE_KERNEL | PTE_NX, PTE_P | PTE_RW, PTE_KERNEL | PTE_PCD, PTE_RO | PTE_G};

	return mk_pte(one_in(4) ? v_mfn() : va_mfn(pick(pg.data)), pick(flags));
}

u64 v_entry(unsigned int level)
{
	u64 e;

	switch (below(16)) {
	case 0:
		return 0;
	case 1:
		return rnd();
	case 2:
		e = mk_pte(foreign_mfn() & 0xffffffffff, PTE_TABLE);
		break;
	case 3: /* another level, or itself */
		e = mk_pte(table_mfn(below(5)), one_in(2) ? PTE_TABLE : PTE_RO);
		break;
	default:
		e = level < 2 ? data_entry() : mk_pte(table_mfn(level - 1), PTE_TABLE);
	}
	return one_in(8) ? v_flip(e) : e;
}

/* Slots of a root that keep this kernel alive are not touched. */
static u32 free_slot(void)
{
	u32 i = one_in(4) ? below(512) : below(8);

	return i >= 272 && (i < 274 || i == 511) ? 5 : i;
}

u64 v_slot(void)
{
	u64 mfn = one_in(32) ? foreign_mfn() : table_mfn(below(5));

	return (mfn << 12) + (u64)free_slot() * 8;
}

u64 v_address(void)
{
	static const u64 bad[] = {0,
				  8,
				  HOLE,
				  0x7ffffffff000,
				  0x800000000000,
				  0xffff7fffffffffff,
				  0xffff800000000000,
				  0xffff810000000000,
				  0xffff818000000000,
				  0xffff828000001000,
				  0xffff87ffffffffff,
				  MACH2PHYS_VIRT_START,
				  0xfffffffffffffff8};
	u64 a;

	switch (below(16)) {
	case 0:
		return pick(bad) + (one_in(2) ? below(4096) : 0);
	case 1:
		return (u64)any_page() + below(4096);
	case 2: /* across the end of what is mapped */
		return (u64)pg.arg + 2 * PAGE_SIZE - 1 - below(64);
	case 3:
		return WIN_BASE + (u64)below(32) * PAGE_SIZE + (one_in(2) ? below(4096) : 0);
	case 4: /* across two pages */
		return (u64)pg.arg + PAGE_SIZE - below(64);
	default:
		a = (u64)pg.arg + PAGE_SIZE + below(3000);
		return one_in(4) ? a : a & ~7UL;
	}
}

u64 v_register(void)
{
	switch (below(8)) {
	case 0:
		return v_mfn();
	case 1:
		return v_slot();
	case 2:
	case 3:
		return v_address();
	case 4:
		return rnd();
	default:
		return v_number();
	}
}

domid_t v_domid(void)
{
	static const domid_t ids[] = {0,	  1,	    2,	       3,	  0x1234,
				      0x7fef,	  DOMID_IO, DOMID_XEN, DOMID_COW, DOMID_INVALID,
				      DOMID_IDLE, 0xffff};

	return one_in(4) ? pick(ids) : one_in(2) ? DOMID_SELF : own_domid();
}

/* Any but dom0, and not by accident DOMID_SELF. */
static domid_t v_other_domid(void)
{
	static const domid_t ids[] = {1, 2, 3, 4, 5, 0x1234, 0x7fef, DOMID_IO, DOMID_INVALID};

	return one_in(4) ? pick(ids) : (domid_t)(1 + below(5));
}

/* The console's channel and xenstore's stay: without them nobody hears what this one has to say. */
u32 v_port(void)
{
	u32 p = one_in(16) ? (u32)v_number() : below(24);

	if (!is_dom0() &&
	    (p == start_copy.console.domU.evtchn || p == start_copy.store_evtchn || p == pg.port))
		return 60;
	return p == pg.port ? 61 : p;
}

void v_buffer(void)
{
	u64 *w = (u64 *)(pg.arg + PAGE_SIZE);
	u32 kind = below(4), n = one_in(8) ? 512 : 32;

	for (u32 i = 0; i < n; i++)
		w[i] = kind == 0   ? v_mfn()
		       : kind == 1 ? va_pfn(any_page())
		       : kind == 2 ? v_number()
				   : v_port() | (u64)v_port() << 32;
}

static u64 pfn_of_ours(void)
{
	return one_in(8) ? v_number() : va_pfn(any_page());
}

/*
 * u64: a address, m frame, g pfn, P L1 entry, T entry of any level, M slot, p pointer to a list, q
 * number, l small number.  u32: i number, f some flags, c small number, e port, r reference, v vcpu, C the
 * command, 1 2 3 the versions of domctl, sysctl and platform_op.  u16: d domain, D another domain, s small
 * number.  u8: b.  z, y, x: a zero of 8, 4 and 2 bytes.  t: a moment soon.
 */
u64 v_field(char kind, u32 cmd)
{
	switch (kind) {
	case 'a':
		return v_address();
	case 'm':
		return v_mfn();
	case 'g':
		return pfn_of_ours();
	case 'P':
		return v_entry(1);
	case 'T':
		return v_entry(1 + below(4));
	case 'M':
		return v_slot() | (one_in(4) ? below(8) : 0);
	case 'p':
		return one_in(8) ? v_address() : (u64)pg.arg + PAGE_SIZE;
	case 'f':
		return one_in(8) ? v_number() : (u64)(below(4) | (one_in(4) ? 1u << below(32) : 0));
	case 'c':
	case 'l':
	case 's':
		return one_in(16) ? v_number() : below(9);
	case 'e':
		return v_port();
	case 'r':
		return one_in(16) ? v_number() : below(40);
	case 'v':
		return one_in(8) ? v_number() : below(4);
	case 'd':
		return v_domid();
	case 'D':
		return v_other_domid();
	case 't':
		return now_ns() + below(100000);
	case 'C':
		return cmd;
	case '1':
		return one_in(64) ? v_number() : XEN_DOMCTL_INTERFACE_VERSION;
	case '2':
		return one_in(64) ? v_number() : XEN_SYSCTL_INTERFACE_VERSION;
	case '3':
		return one_in(64) ? v_number() : XENPF_INTERFACE_VERSION;
	case 'x':
	case 'y':
	case 'z':
		return one_in(64) ? v_number() : 0;
	default:
		return v_number();
	}
}

static size_t width(char kind)
{
	switch (kind) {
	case 'i':
	case 'f':
	case 'c':
	case 'e':
	case 'r':
	case 'v':
	case 'C':
	case '1':
	case '2':
	case '3':
	case 'y':
		return 4;
	case 'd':
	case 'D':
	case 's':
	case 'x':
		return 2;
	case 'b':
		return 1;
	default:
		return 8;
	}
}

size_t v_fields(char *dst, const char *fields, u32 cmd)
{
	size_t at = 0;

	for (; *fields; fields++) {
		size_t n = width(*fields);
		u64 v = v_field(*fields, cmd);

		at = (at + n - 1) & ~(n - 1);
		memcpy(dst + at, &v, n);
		at += n;
	}
	return (at + 7) & ~7UL;
}
