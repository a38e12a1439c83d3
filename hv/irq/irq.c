/* SPDX-License-Identifier: MIT */
#include "irq/irq.h"
#include "irq/msi.h"
#include "cpu/apic.h"
#include "cpu/irqflags.h"
#include "cpu/percpu.h"
#include "lib/log.h"
#include "lib/string.h"

#define NR_LINES (VEC_DEV_LAST - VEC_DEV_FIRST + 1)

/*
 * Guests reach these by `int n` (Linux system calls, the old hypercall trap): whoever wants a gate
 * of their own there shall find it free.
 */
#define VEC_SYSCALL   0x80
#define VEC_HYPERCALL 0x82

static struct irq_line lines[NR_LINES];
static spinlock_t alloc_lock; /* kind: IRQ_NONE <-> used */
static unsigned int alloc_next;
static u64 spurious;

void irq_init(void)
{
	for (unsigned int i = 0; i < NR_LINES; i++) {
		spin_lock_init(&lines[i].lock);
		lines[i].vector = (u8)(VEC_DEV_FIRST + i);
	}
	spin_lock_init(&alloc_lock);
	gsi_init();
}

u32 irq_dest(unsigned int cpu)
{
	u32 id = cpu < CONFIG_NR_CPUS ? cpu_apic_id[cpu] : cpu_apic_id[0];

	/* Without interrupt remapping a destination has 8 bits, and 255 is everybody. */
	return id < 0xff ? id : cpu_apic_id[0];
}

/* Round robin, so that a freed vector rests: a straggling interrupt then finds nobody. */
struct irq_line *irq_line_alloc(enum irq_kind kind, const struct irq_user *u)
{
	struct irq_line *l = NULL;

	spin_lock(&alloc_lock);
	for (unsigned int i = 0; i < NR_LINES; i++) {
		struct irq_line *c = &lines[(alloc_next + i) % NR_LINES];

		if (c->kind != IRQ_NONE || c->vector == VEC_SYSCALL || c->vector == VEC_HYPERCALL)
			continue;
		alloc_next = (alloc_next + i + 1) % NR_LINES;
		l = c;
		break;
	}
	if (l) {
		l->level = l->low = l->enabled = l->masked = false;
		l->gsi = 0;
		l->cpu = 0;
		l->handler = u->handler;
		l->owner = u->owner;
		l->owner_irq = u->owner_irq;
		l->msi = NULL;
		l->msi_entry = 0;
		l->count = 0;
		l->kind = kind;
	}
	spin_unlock(&alloc_lock);
	return l;
}

/* --- the line's back end --- */

static void line_route(struct irq_line *l)
{
	if (l->kind == IRQ_IOAPIC)
		gsi_route(l);
	else
		msi_route(l);
}

static void line_mask(struct irq_line *l, bool masked)
{
	if (l->kind == IRQ_IOAPIC)
		gsi_mask(l, masked);
	else
		msi_mask(l, masked);
}

void irq_start(struct irq_line *l, unsigned int cpu)
{
	spin_lock(&l->lock);
	l->cpu = cpu;
	l->enabled = true;
	l->masked = false;
	line_route(l);
	line_mask(l, false);
	if (l->kind != IRQ_IOAPIC)
		msi_enable(l);
	spin_unlock(&l->lock);
}

void irq_stop(struct irq_line *l)
{
	spin_lock(&l->lock);
	l->enabled = false;
	l->masked = false;
	line_mask(l, true);
	spin_unlock(&l->lock);
}

void irq_eoi(struct irq_line *l)
{
	spin_lock(&l->lock);
	if (l->masked) {
		l->masked = false;
		line_mask(l, false);
	}
	spin_unlock(&l->lock);
}

void irq_set_cpu(struct irq_line *l, unsigned int cpu)
{
	spin_lock(&l->lock);
	if (l->cpu != cpu) {
		l->cpu = cpu;
		if (l->kind == IRQ_IOAPIC)
			gsi_move(l);
		else
			msi_route(l);
	}
	spin_unlock(&l->lock);
}

void irq_line_put(struct irq_line *l)
{
	irq_stop(l);
	while (atomic_load(&l->running)) {
		/* The handler may wait for a lock whose holder waits for our flush. */
		if (spin_wait_hook)
			spin_wait_hook();
		cpu_relax();
	}
	if (l->kind != IRQ_IOAPIC)
		msi_release(l);
	spin_lock(&l->lock);
	l->handler = NULL;
	l->owner = NULL;
	l->msi = NULL;
	spin_unlock(&l->lock);
	spin_lock(&alloc_lock);
	l->kind = IRQ_NONE;
	spin_unlock(&alloc_lock);
}

/* --- dispatch --- */

/*
 * Notes the interrupt on its line and returns true when the handler is to be called. A level pin is
 * masked until irq_eoi, before the LAPIC is told: it would fire again at once otherwise.
 */
static bool line_accept(struct irq_line *l)
{
	bool run;

	spin_lock(&l->lock);
	run = l->enabled;
	if (run) {
		l->count++;
		atomic_add(&l->running, 1u);
	}
	if (l->kind == IRQ_IOAPIC && l->level) {
		l->masked = run;
		line_mask(l, true);
	}
	spin_unlock(&l->lock);
	return run;
}

void do_irq(unsigned int vector)
{
	struct irq_line *l;
	bool run;

	if (vector < VEC_DEV_FIRST || vector > VEC_DEV_LAST) {
		apic_eoi();
		atomic_add(&spurious, 1ul);
		return;
	}
	l = &lines[vector - VEC_DEV_FIRST];
	run = line_accept(l);
	apic_eoi();
	if (run) {
		l->handler(l);
		atomic_sub(&l->running, 1u);
	} else {
		atomic_add(&spurious, 1ul);
	}
}

u64 irq_spurious_count(void)
{
	return atomic_load(&spurious);
}

void irq_dump(void)
{
	static const char *const kinds[] = {"-", "io-apic", "msi", "msi-x"};

	for (unsigned int i = 0; i < NR_LINES; i++) {
		const struct irq_line *l = &lines[i];

		if (l->kind == IRQ_NONE)
			continue;
		pr_info("irq: vector %#x %s gsi/entry %u cpu %u %s%s%s pirq %u count %lu\n",
			l->vector, kinds[l->kind & 3],
			l->kind == IRQ_IOAPIC ? l->gsi : l->msi_entry, l->cpu,
			l->level ? "level" : "edge", l->enabled ? "" : " off",
			l->masked ? " waits for eoi" : "", l->owner_irq, (unsigned long)l->count);
	}
	pr_info("irq: %lu spurious\n", (unsigned long)irq_spurious_count());
}
