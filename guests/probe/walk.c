/* SPDX-License-Identifier: MIT */
/* A root that maps itself shows tables as memory, the hypervisor's too: no call goes through it. */
#include "hypercall.h"
#include "topics.h"
#include "snippets.h"
#include "tables.h"

#define SLOT 300UL

/* The table that entry i of the root points to, as a page in the self map. */
static u64 shown(u64 i)
{
	return 0xffff000000000000 | SLOT << 39 | SLOT << 30 | SLOT << 21 | i << 12;
}

static u64 first_read;

static void read_word(void *va)
{
	first_read = *(volatile u64 *)va;
}

static void self_map(void)
{
	u64 slot_at = (root_mfn() << 12) + SLOT * 8, own = VIRT_BASE >> 39 & 511;
	struct mmu_update *u = (void *)shown(own);

	REQUIRE_OK(pt_write(slot_at, mk_pte(root_mfn(), PTE_P | PTE_US | PTE_A)));
	CHECK_EQ(catch_trap(read_word, (void *)shown(own)), -1);
	for (u64 i = 256; i < 272; i++) {
		/* 256 is the machine-to-physical table, which guests may read. */
		if (i != 256)
			CHECK_EQ(catch_trap(read_word, (void *)shown(i)), 14);
		CHECK_RC(console_io(CONSOLEIO_write, 8, shown(i)), -XEN_EFAULT);
		CHECK_RC(mmu_update(shown(i), 1, NULL, DOMID_SELF), -XEN_EFAULT);
		CHECK_RC(xen_version(XENVER_extraversion, shown(i)), -XEN_EFAULT);
		CHECK_REFUSED(update_va_mapping(shown(i), 0, UVMF_INVLPG));
	}
	CHECK_REFUSED(mmu_update(u, 1, NULL, DOMID_SELF));
	CHECK_REFUSED(update_va_mapping(shown(own), 0, UVMF_INVLPG));
	CHECK_EQ(try_write64((u64 *)shown(own) + 510, 0), 14);
	CHECK_OK(pt_write(slot_at, 0));
	tlb_flush();
}

/* A user program that stores to a table which it may read. */
static void user_store(void)
{
	u64 *table, *l1;
	struct regs r;

	REQUIRE(user_init());
	table = page_alloc();
	REQUIRE(table);
	l1 = mfn_va(user_root_mfn);
	l1 = mfn_va((l1[0] & PTE_ADDR) >> 12);
	l1 = mfn_va((l1[0] & PTE_ADDR) >> 12);
	l1 = mfn_va((l1[USER_DATA >> 21] & PTE_ADDR) >> 12);
	REQUIRE_OK(page_ro(table));
	REQUIRE_OK(pin(1, va_mfn(table)));
	REQUIRE_OK(pt_write(slot_ma(l1, 3), mk_pte(va_mfn(table), PTE_RO | PTE_US | PTE_NX)));
	user_regs(&r);
	r.rdi = (USER_DATA & ~0x1fffffUL) + 3 * PAGE_SIZE + 8;
	CHECK_EQ(RUN_USER(u_read, &r), 6);
	CHECK_EQ(RUN_USER(u_write, &r), 14);
	CHECK_EQ(table[1], 0);
	/* The same where the kernel has its programs' memory mapped too, as Linux has. */
	CHECK_OK(pt_write(root_mfn() << 12, ((u64 *)mfn_va(user_root_mfn))[0]));
	CHECK_EQ(RUN_USER(u_write, &r), 14);
	CHECK_EQ(table[1], 0);
	CHECK_OK(pt_write(root_mfn() << 12, 0));
	CHECK_OK(pt_write(slot_ma(l1, 3), 0));
	CHECK_OK(unpin(va_mfn(table)));
	page_free(table);
}

/* The machine-to-physical table is for kernels. */
static void m2p_for_users(void)
{
	struct regs r;

	REQUIRE(user_init());
	CHECK_EQ(try_read(&mfn_pfn(root_mfn())), -1);
	user_regs(&r);
	r.rdi = (u64)&mfn_pfn(root_mfn());
	CHECK_EQ(RUN_USER(u_read, &r), 14);
	CHECK_EQ(RUN_USER(u_write, &r), 14);
}

/* A page of descriptors is written by update_descriptor alone, whatever is checked there. */
static void descriptor_page(void)
{
	u64 *gdt = page_alloc();
	unsigned long mfn = va_mfn(gdt);

	REQUIRE(gdt);
	REQUIRE_OK(page_ro(gdt));
	REQUIRE_OK(set_gdt(&mfn, 512));
	CHECK_REFUSED(pt_write(slot_ma(gdt, 3), 0x00cf93000000ffff));
	CHECK_EQ(try_write64(&gdt[3], 0x00cf93000000ffff), 14);
	CHECK_REFUSED(mmuext(MMUEXT_CLEAR_PAGE, mfn, 0));
	CHECK_EQ(gdt[3], 0);
	CHECK_OK(set_gdt(NULL, 0));
	page_free(gdt);
}

const struct test walk_tests[] = {
	{"self-map", self_map},
	{"user-store", user_store},
	{"descriptor-page", descriptor_page},
	{"m2p-for-users", m2p_for_users},
	{NULL, NULL},
};
