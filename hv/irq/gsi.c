/* SPDX-License-Identifier: MIT */
#include "irq/irq.h"
#include "lib/log.h"
#include "mm/heap.h"
#include "plat/acpi.h"
#include "plat/plat.h"

#define NR_ISA 16

struct gsi_config {
	bool level, low;
	bool set; /* by dom0 */
	struct irq_line *line;
};

static struct gsi_config *gsis; /* [nr_gsis] */
static u32 nr_gsis;
static spinlock_t gsi_lock; /* the table; taken before a line's lock */

/* ISA interrupts are edge, high; everything else is PCI: level, low. The MADT corrects the former. */
void gsi_init(void)
{
	if (gsis)
		return;
	spin_lock_init(&gsi_lock);
	nr_gsis = ioapic_nr_gsis();
	gsis = nr_gsis ? hv_alloc(nr_gsis * sizeof(*gsis)) : NULL;
	if (!gsis) {
		nr_gsis = 0;
		pr_warn("irq: no IO-APIC pins: devices have MSI only\n");
		return;
	}
	for (u32 g = NR_ISA; g < nr_gsis; g++)
		gsis[g].level = gsis[g].low = true;
	for (unsigned int i = 0; i < NR_ISA; i++) {
		const struct acpi_override *o = &acpi.isa[i];

		if (!o->present || o->gsi >= nr_gsis)
			continue;
		gsis[o->gsi].level = o->level;
		gsis[o->gsi].low = o->low;
	}
}

static struct gsi_config *gsi_find(u32 gsi)
{
	return gsi < nr_gsis && ioapic_gsi_valid(gsi) ? &gsis[gsi] : NULL;
}

void gsi_route(struct irq_line *l)
{
	ioapic_set(l->gsi, l->vector, irq_dest(l->cpu), l->level, l->low, !l->enabled || l->masked);
}

void gsi_move(struct irq_line *l)
{
	ioapic_set_dest(l->gsi, irq_dest(l->cpu));
}

void gsi_mask(struct irq_line *l, bool masked)
{
	ioapic_mask(l->gsi, masked);
}

int gsi_setup(u32 gsi, bool level, bool low)
{
	struct gsi_config *g = gsi_find(gsi);
	int rc = 0;

	if (!g)
		return -XEN_EINVAL;
	spin_lock(&gsi_lock);
	if (g->set) {
		rc = -XEN_EEXIST;
	} else {
		g->set = true;
		g->level = level;
		g->low = low;
		if (g->line) {
			struct irq_line *l = g->line;

			spin_lock(&l->lock);
			l->level = level;
			l->low = low;
			gsi_route(l);
			spin_unlock(&l->lock);
		}
	}
	spin_unlock(&gsi_lock);
	return rc;
}

struct irq_line *gsi_line(u32 gsi)
{
	struct gsi_config *g = gsi_find(gsi);
	struct irq_line *l = g ? READ_ONCE(g->line) : NULL;

	/* A line that was put and taken again may have another pin, or none. */
	return l && l->kind == IRQ_IOAPIC && l->gsi == gsi ? l : NULL;
}

struct irq_line *gsi_line_get(u32 gsi, const struct irq_user *u, int *err)
{
	struct gsi_config *g = gsi_find(gsi);
	struct irq_line *l = NULL;

	if (!g) {
		*err = -XEN_EINVAL;
		return NULL;
	}
	spin_lock(&gsi_lock);
	if (gsi_line(gsi)) {
		*err = -XEN_EBUSY;
	} else if ((l = irq_line_alloc(IRQ_IOAPIC, u)) == NULL) {
		*err = -XEN_ENOSPC;
	} else {
		spin_lock(&l->lock);
		l->gsi = gsi;
		l->level = g->level;
		l->low = g->low;
		g->line = l;
		gsi_route(l);
		spin_unlock(&l->lock);
	}
	spin_unlock(&gsi_lock);
	return l;
}
