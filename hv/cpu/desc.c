/* SPDX-License-Identifier: MIT */
#include "cpu/desc.h"
#include "cpu/percpu.h"
#include "cpu/cpu.h"
#include "cpu/spec.h"
#include "cpu/xpti.h"
#include "lib/string.h"

struct gate {
	u16 off0, sel;
	u8 ist, type;
	u16 off1;
	u32 off2, zero;
};

struct table_reg {
	u16 limit;
	u64 base;
} __packed;

#define TSS_SEL 0x28

static u64 gdt_page[512] __aligned(4096);
static struct gate idt[256] __aligned(4096);
/* Used only between LGDT and LTR of one CPU at a time: TR keeps what it loaded. */
static u64 ltr_gdt[8];
static DEFINE_PER_CPU(struct tss, cpu_tss);

static void set_gate(unsigned int vec, unsigned long addr, unsigned int dpl, unsigned int ist)
{
	idt[vec] = (struct gate){
		.off0 = (u16)addr,
		.sel = HV_CS,
		.ist = (u8)ist,
		.type = (u8)(0x8e | dpl << 5),
		.off1 = (u16)(addr >> 16),
		.off2 = (u32)(addr >> 32),
	};
}

void desc_init(const unsigned long *stubs)
{
	/* selectors 0xe008, 0xe010, 0xe019, 0xe023, 0xe02b, 0xe033 */
	static const u64 d[] = {
		0,
		0x00af9b000000ffff, /* ring 0 code, long */
		0x00cf93000000ffff, /* ring 0 data */
		0x00cfbb000000ffff, /* ring 1 code, 32 bit */
		0x00cffb000000ffff, /* ring 3 code, 32 bit */
		0x00cff3000000ffff, /* ring 3 data */
		0x00affb000000ffff, /* ring 3 code, long */
	};

	memcpy(gdt_page, d, sizeof(d));
	for (unsigned int i = 0; i < 256; i++)
		set_gate(i, stubs[i], i == 3 || i == 4 || i == 0x80 ? 3 : 0, 0);
	set_gate(1, stubs[1], 0, 4);
	set_gate(2, stubs[2], 0, 1);
	set_gate(8, stubs[8], 0, 2);
	set_gate(18, stubs[18], 0, 3);
}

static void load_tr(const struct tss *t)
{
	u64 base = (u64)t;
	struct table_reg r = {sizeof(ltr_gdt) - 1, (u64)ltr_gdt};

	ltr_gdt[1] = 0x00af9b000000ffff;
	ltr_gdt[2] = 0x00cf93000000ffff;
	ltr_gdt[5] = (sizeof(*t) - 1) | (base & 0xffffff) << 16 | 0x89ULL << 40 |
		     (base >> 24 & 0xff) << 56;
	ltr_gdt[6] = base >> 32;
	__asm__ __volatile__("lgdt %0; ltr %w1" ::"m"(r), "r"(TSS_SEL) : "memory");
}

void desc_load_gdt(unsigned long base)
{
	struct table_reg r = {GDT_LIMIT, base};

	__asm__ __volatile__("lgdt %0" ::"m"(r));
}

unsigned long desc_hv_gdt_base(void)
{
	return (unsigned long)gdt_page - GDT_RESERVED_PAGE * PAGE_SIZE;
}

void *desc_gdt_page(void)
{
	return gdt_page;
}

const void *desc_idt_page(void)
{
	return idt;
}

static void set_stacks(struct tss *t, unsigned long stack_va)
{
	struct cpu_info *info = (struct cpu_info *)(stack_va + STACK_SIZE) - 1;

	t->rsp[0] = (u64)&info->guest_regs.es;
	t->ist[0] = stack_va + (STACK_PAGE_NMI + 1) * PAGE_SIZE;
	t->ist[1] = stack_va + STACK_PAGE_DFMC * PAGE_SIZE + PAGE_SIZE / 2;
	t->ist[2] = stack_va + (STACK_PAGE_DFMC + 1) * PAGE_SIZE;
	t->ist[3] = stack_va + (STACK_PAGE_DB + 1) * PAGE_SIZE;
}

/* pv/xpti.S goes on to the usual stacks from there. */
static void set_xpti_stacks(struct tss *t, unsigned long page)
{
	t->rsp[0] = page + XPTI_TOP_ENTRY;
	t->ist[0] = page + XPTI_TOP_NMI;
	t->ist[1] = page + XPTI_TOP_DF;
	t->ist[2] = page + XPTI_TOP_MC;
	t->ist[3] = page + XPTI_TOP_DB;
}

void desc_init_cpu(unsigned int cpu, unsigned long stack_va)
{
	struct tss *t = &per_cpu(cpu_tss, cpu);
	struct table_reg i = {sizeof(idt) - 1, (u64)idt};

	if (spec_xpti()) {
		t = &xpti_page(stack_va)->tss;
		set_xpti_stacks(t, (unsigned long)xpti_page(stack_va));
	} else {
		set_stacks(t, stack_va);
	}
	t->iomap = sizeof(*t);
	load_tr(t);
	desc_load_gdt(desc_hv_gdt_base());
	__asm__ __volatile__("mov %0, %%ss; mov %0, %%ds; mov %0, %%es\n"
			     "pushq %1; leaq 1f(%%rip), %%rax; pushq %%rax; lretq\n1:" ::"r"(HV_DS),
			     "i"(HV_CS)
			     : "rax", "memory");
	__asm__ __volatile__("lidt %0" ::"m"(i));
}
