/* SPDX-License-Identifier: MIT */
#include "lib/types.h"
#include "dom/domain.h"
#include "irq/irq.h"
#include "irq/msi.h"
#include "mm/heap.h"
#include "plat/plat.h"
#include "lib/nospec.h"

int pirq_init_domain(struct domain *d)
{
	struct pirq_domain *p = &d->pirqs;

	*p = (struct pirq_domain){0};
	spin_lock_init(&p->lock);
	if (!d->privileged)
		return 0;
	p->tbl = hv_alloc(MAX_PIRQS * sizeof(*p->tbl));
	if (!p->tbl)
		return -XEN_ENOMEM;
	p->nr = MAX_PIRQS;
	return 0;
}

static struct pirq *pirq_get(struct domain *d, u32 pirq)
{
	return pirq < d->pirqs.nr ? &d->pirqs.tbl[nospec_index(pirq, d->pirqs.nr)] : NULL;
}

/* --- delivery --- */

static void pirq_interrupt(struct irq_line *l)
{
	struct domain *d = l->owner;
	/* The table lives as long as any of its lines: see irq_line_put in pirq_detach. */
	u32 port = READ_ONCE(d->pirqs.tbl[l->owner_irq].port);

	if (port)
		evtchn_pirq_pending(d, port);
}

static void eoi_map_update(struct pirq_domain *p, u32 pirq, bool needs_eoi)
{
	if (!p->eoi_map)
		return;
	if (needs_eoi)
		(void)test_and_set_bit_atomic(pirq, p->eoi_map);
	else
		(void)test_and_clear_bit_atomic(pirq, p->eoi_map);
}

int pirq_bind(struct domain *d, u32 pirq, u32 port, bool share)
{
	struct pirq *p = pirq_get(d, pirq);
	int rc = 0;

	(void)share;
	if (!p)
		return -XEN_EINVAL;
	spin_lock(&d->pirqs.lock);
	if (!p->line) {
		rc = -XEN_EINVAL;
	} else if (p->port) {
		rc = -XEN_EEXIST;
	} else {
		WRITE_ONCE(p->port, port);
		irq_start(p->line, d->vcpu[0] ? d->vcpu[0]->sched.cpu : 0);
	}
	spin_unlock(&d->pirqs.lock);
	return rc;
}

void pirq_unbind(struct domain *d, u32 pirq)
{
	struct pirq *p = pirq_get(d, pirq);

	if (!p)
		return;
	spin_lock(&d->pirqs.lock);
	WRITE_ONCE(p->port, 0);
	if (p->line)
		irq_stop(p->line);
	spin_unlock(&d->pirqs.lock);
}

void pirq_set_affinity(struct domain *d, u32 pirq, unsigned int cpu)
{
	struct pirq *p = pirq_get(d, pirq);

	if (!p)
		return;
	spin_lock(&d->pirqs.lock);
	if (p->line && p->port)
		irq_set_cpu(p->line, cpu);
	spin_unlock(&d->pirqs.lock);
}

int pirq_eoi_port(struct domain *d, u32 pirq, u32 *port)
{
	struct pirq *p = pirq_get(d, pirq);
	int rc = 0;

	*port = 0;
	if (!p)
		return -XEN_EINVAL;
	spin_lock(&d->pirqs.lock);
	if (!p->line) {
		rc = -XEN_EINVAL;
	} else {
		irq_eoi(p->line);
		if (d->pirqs.auto_unmask)
			*port = p->port;
	}
	spin_unlock(&d->pirqs.lock);
	return rc;
}

int pirq_eoi(struct domain *d, u32 pirq)
{
	u32 port;

	return pirq_eoi_port(d, pirq, &port);
}

/* --- mapping --- */

/* Where the search for numbers of MSIs begins: after every number that is, or may mean, a pin. */
static u32 first_msi(const struct domain *d)
{
	u32 pins = max(ioapic_nr_gsis(), 16u);

	return min(pins, d->pirqs.nr);
}

/*
 * The number for a new mapping: the wanted one if it is free; for -1 `dflt` if free, else any free
 * one beyond the pins. Lock held. Negative error.
 */
static int pick(const struct domain *d, int wanted, int dflt)
{
	const struct pirq_domain *p = &d->pirqs;

	if (wanted >= 0) {
		if ((u32)wanted >= p->nr)
			return -XEN_EINVAL;
		return p->tbl[wanted].line || p->tbl[wanted].port ? -XEN_EEXIST : wanted;
	}
	if (wanted != -1)
		return -XEN_EINVAL;
	if (dflt >= 0 && (u32)dflt < p->nr && !p->tbl[dflt].line && !p->tbl[dflt].port &&
	    !p->tbl[dflt].reserved)
		return dflt;
	for (u32 i = first_msi(d); i < p->nr; i++)
		if (!p->tbl[i].line && !p->tbl[i].port && !p->tbl[i].reserved)
			return (int)i;
	return -XEN_ENOSPC;
}

static void attach(struct domain *d, int pirq, struct irq_line *l, bool msi)
{
	struct pirq *p = &d->pirqs.tbl[pirq];

	p->reserved = false;
	p->msi = msi;
	p->level = !msi && l->level;
	p->line = l;
	eoi_map_update(&d->pirqs, (u32)pirq, p->level);
}

static struct irq_user user_of(struct domain *d, int pirq)
{
	return (struct irq_user){.handler = pirq_interrupt, .owner = d, .owner_irq = (u32)pirq};
}

/* The hypervisor has the pin (its console): dom0 gets a number that it cannot bind. */
static int pirq_hide(struct pirq_domain *p, int pirq)
{
	p->tbl[pirq].reserved = true;
	return 0;
}

int pirq_map_gsi(struct domain *d, u32 gsi, int *pirq)
{
	struct irq_line *l;
	int n, rc = 0;

	spin_lock(&d->pirqs.lock);
	l = gsi_line(gsi);
	if (l && l->owner == d) { /* mapped before: the same answer again */
		n = (int)l->owner_irq;
		if (*pirq >= 0 && *pirq != n)
			rc = -XEN_EEXIST;
	} else {
		n = pick(d, *pirq, gsi < MAX_PIRQS ? (int)gsi : -1);
		if (n < 0) {
			rc = n;
		} else {
			struct irq_user u = user_of(d, n);

			l = gsi_line_get(gsi, &u, &rc);
			if (l)
				attach(d, n, l, false);
			else if (rc == -XEN_EBUSY)
				rc = pirq_hide(&d->pirqs, n);
		}
	}
	if (!rc)
		*pirq = n;
	spin_unlock(&d->pirqs.lock);
	return rc;
}

static int map_msi(struct domain *d, const struct pci_addr *a, bool msix, unsigned int entry,
		   u64 bar, int *pirq)
{
	struct irq_line *l;
	struct irq_user u;
	int n, rc = 0;

	spin_lock(&d->pirqs.lock);
	n = pick(d, *pirq, -1);
	if (n >= 0) {
		u = user_of(d, n);
		l = msix ? msix_line_get(a, entry, bar, &u, &rc) : msi_line_get(a, &u, &rc);
		if (l) {
			attach(d, n, l, true);
			*pirq = n;
		}
	} else {
		rc = n;
	}
	spin_unlock(&d->pirqs.lock);
	return rc;
}

int pirq_map_msi(struct domain *d, const struct pci_addr *a, int *pirq)
{
	return map_msi(d, a, false, 0, 0, pirq);
}

int pirq_map_msix(struct domain *d, const struct pci_addr *a, unsigned int entry, u64 bar,
		  int *pirq)
{
	return map_msi(d, a, true, entry, bar, pirq);
}

/*
 * Takes the line off a pirq. Waits for a handler that is running on another CPU; the caller holds
 * pirqs.lock, which handlers do not take, and no event-channel lock, which they do.
 */
static void pirq_detach(struct pirq_domain *pd, u32 pirq)
{
	struct pirq *p = &pd->tbl[pirq];

	irq_line_put(p->line);
	p->line = NULL;
	p->level = p->msi = false;
	eoi_map_update(pd, pirq, false);
}

int pirq_unmap(struct domain *d, int pirq)
{
	struct pirq *p = pirq < 0 ? NULL : pirq_get(d, (u32)pirq);
	int rc = 0;

	if (!p)
		return -XEN_EINVAL;
	spin_lock(&d->pirqs.lock);
	if (p->line)
		pirq_detach(&d->pirqs, (u32)pirq);
	else if (!p->reserved)
		rc = -XEN_EINVAL;
	p->reserved = false;
	spin_unlock(&d->pirqs.lock);
	return rc;
}

int pirq_get_free(struct domain *d, u32 *pirq)
{
	int n;

	spin_lock(&d->pirqs.lock);
	n = pick(d, -1, -1);
	if (n >= 0) {
		d->pirqs.tbl[n].reserved = true;
		*pirq = (u32)n;
	}
	spin_unlock(&d->pirqs.lock);
	return n < 0 ? n : 0;
}

/* --- what the guest asks --- */

int pirq_needs_eoi(struct domain *d, u32 pirq, bool *needs_eoi)
{
	struct pirq *p = pirq_get(d, pirq);

	if (!p)
		return -XEN_EINVAL;
	*needs_eoi = READ_ONCE(p->level);
	return 0;
}

u8 pirq_vector(struct domain *d, u32 pirq)
{
	struct pirq *p = pirq_get(d, pirq);
	u8 vector = 0;

	if (!p)
		return 0;
	spin_lock(&d->pirqs.lock);
	if (p->line)
		vector = p->line->vector;
	spin_unlock(&d->pirqs.lock);
	return vector;
}

void pirq_gsi_changed(struct domain *d, u32 gsi)
{
	struct irq_line *l;

	spin_lock(&d->pirqs.lock);
	l = gsi_line(gsi);
	if (l && l->owner == d) {
		struct pirq *p = &d->pirqs.tbl[l->owner_irq];

		p->level = l->level;
		eoi_map_update(&d->pirqs, l->owner_irq, p->level);
	}
	spin_unlock(&d->pirqs.lock);
}

int pirq_set_eoi_page(struct domain *d, u64 mfn, bool auto_unmask)
{
	struct pirq_domain *p = &d->pirqs;
	struct frame *f = get_frame_and_writable(mfn, d->id);
	int rc = 0;

	if (!f)
		return -XEN_EINVAL;
	spin_lock(&p->lock);
	if (p->eoi_frame) {
		rc = -XEN_EBUSY;
	} else {
		p->eoi_frame = f;
		p->eoi_map = frame_to_virt(f);
		p->auto_unmask = auto_unmask;
		for (u32 i = 0; i < p->nr; i++)
			eoi_map_update(p, i, p->tbl[i].level);
	}
	spin_unlock(&p->lock);
	if (rc)
		put_frame_and_writable(f);
	return rc;
}

void pirq_destroy_domain(struct domain *d)
{
	struct pirq_domain *p = &d->pirqs;
	struct frame *f;
	struct pirq *tbl;

	spin_lock(&p->lock);
	for (u32 i = 0; i < p->nr; i++)
		if (p->tbl[i].line)
			pirq_detach(p, i);
	f = p->eoi_frame;
	p->eoi_frame = NULL;
	p->eoi_map = NULL;
	tbl = p->tbl;
	p->tbl = NULL;
	p->nr = 0;
	spin_unlock(&p->lock);
	hv_free(tbl);
	if (f)
		put_frame_and_writable(f);
}
