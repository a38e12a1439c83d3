/* SPDX-License-Identifier: MIT */
#include "call/physdev.h"
#include "irq/irq.h"
#include "irq/msi.h"
#include "lib/string.h"
#include "plat/acpi.h"

/* Devices and pins belong to dom0; giving them to others needs an IOMMU, which we do not drive. */
static int check_domid(const struct vcpu *v, domid_t domid)
{
	struct domain *d;

	if (domid == DOMID_SELF || domid == v->d->id)
		return 0;
	d = domain_get(domid);
	if (!d)
		return -XEN_ESRCH;
	domain_put(d);
	return -XEN_EOPNOTSUPP;
}

/* bus holds the segment in its upper half, but only for the commands that say so. */
static int decode_msi(const struct physdev_map_pirq *m, struct pci_addr *a)
{
	u32 bus = (u32)m->bus;

	if (m->type == MAP_PIRQ_TYPE_MSI && bus > 0xff)
		return -XEN_EINVAL;
	if ((bus & 0xff00) || m->devfn < 0 || m->devfn > 0xff || m->entry_nr < 0)
		return -XEN_EINVAL;
	a->seg = (u16)(bus >> 16);
	a->bus = (u8)bus;
	a->devfn = (u8)m->devfn;
	return 0;
}

static int map_msi(struct domain *d, struct physdev_map_pirq *m)
{
	struct pci_addr a;
	int rc = decode_msi(m, &a);

	if (rc)
		return rc;
	if (m->type == MAP_PIRQ_TYPE_MULTI_MSI) {
		/* Drivers then ask for a single one. */
		if (m->entry_nr != 1)
			return -XEN_EOPNOTSUPP;
		return pirq_map_msi(d, &a, &m->pirq);
	}
	if (m->table_base)
		return pirq_map_msix(d, &a, (unsigned int)m->entry_nr, m->table_base, &m->pirq);
	return pirq_map_msi(d, &a, &m->pirq);
}

int physdev_map_pirq(struct vcpu *v, union physdev_arg *arg)
{
	struct physdev_map_pirq *m = &arg->map;
	int rc = check_domid(v, m->domid);

	if (rc)
		return rc;
	switch (m->type) {
	case MAP_PIRQ_TYPE_GSI:
		if (m->index < 0)
			return -XEN_EINVAL;
		return pirq_map_gsi(v->d, (u32)m->index, &m->pirq);
	case MAP_PIRQ_TYPE_MSI:
	case MAP_PIRQ_TYPE_MSI_SEG:
	case MAP_PIRQ_TYPE_MULTI_MSI:
		return map_msi(v->d, m);
	default:
		return -XEN_EINVAL;
	}
}

int physdev_unmap_pirq(struct vcpu *v, union physdev_arg *arg)
{
	int rc = check_domid(v, arg->unmap.domid);

	return rc ? rc : pirq_unmap(v->d, arg->unmap.pirq);
}

int physdev_get_free_pirq(struct vcpu *v, union physdev_arg *arg)
{
	if (arg->free_pirq.type != MAP_PIRQ_TYPE_GSI && arg->free_pirq.type != MAP_PIRQ_TYPE_MSI)
		return -XEN_EINVAL;
	return pirq_get_free(v->d, &arg->free_pirq.pirq);
}

int physdev_setup_gsi(struct vcpu *v, union physdev_arg *arg)
{
	const struct physdev_setup_gsi *g = &arg->gsi;
	int rc;

	if (g->gsi < 0 || g->triggering > 1 || g->polarity > 1)
		return -XEN_EINVAL;
	rc = gsi_setup((u32)g->gsi, g->triggering == 1, g->polarity == 1);
	if (!rc)
		pirq_gsi_changed(v->d, (u32)g->gsi);
	return rc;
}

/* --- devices: nothing is kept of them until they use MSI --- */

static int check_device(u16 seg, u8 bus, u8 devfn)
{
	struct pci_addr a = {seg, bus, devfn};
	struct msi_caps caps;

	return msi_read_caps(&a, &caps);
}

int physdev_manage_pci_add(struct vcpu *v, union physdev_arg *arg)
{
	return check_device(0, arg->manage.bus, arg->manage.devfn);
}

int physdev_manage_pci_add_ext(struct vcpu *v, union physdev_arg *arg)
{
	const struct physdev_manage_pci_ext *m = &arg->manage_ext;

	if (m->is_virtfn > 1 || m->is_extfn > 1)
		return -XEN_EINVAL;
	return m->is_virtfn ? 0 : check_device(0, m->bus, m->devfn);
}

int physdev_manage_pci_remove(struct vcpu *v, union physdev_arg *arg)
{
	return 0;
}

int physdev_pci_device_add(struct vcpu *v, union physdev_arg *arg)
{
	struct physdev_pci_device_add add;

	memcpy(&add, arg->add, sizeof(arg->add));
	return add.flags & XEN_PCI_DEV_VIRTFN ? 0 : check_device(add.seg, add.bus, add.devfn);
}

int physdev_pci_device_remove(struct vcpu *v, union physdev_arg *arg)
{
	return 0;
}

/* We use the regions of the firmware's table; dom0 has checked that they are reserved. */
int physdev_pci_mmcfg_reserved(struct vcpu *v, union physdev_arg *arg)
{
	const struct physdev_pci_mmcfg_reserved *r = &arg->mmcfg;

	for (unsigned int i = 0; i < acpi.nr_mcfg && i < ACPI_MAX_MCFG; i++)
		if (acpi.mcfg[i].base == r->address && acpi.mcfg[i].segment == r->segment)
			return 0;
	return -XEN_ENODEV;
}

int physdev_restore_msi(struct vcpu *v, union physdev_arg *arg)
{
	struct pci_addr a = {0, arg->restore.bus, arg->restore.devfn};

	return msi_restore(&a);
}

int physdev_restore_msi_ext(struct vcpu *v, union physdev_arg *arg)
{
	struct pci_addr a = {arg->dev.seg, arg->dev.bus, arg->dev.devfn};

	return msi_restore(&a);
}

static int check_msix(const struct physdev_pci_device *dev)
{
	struct pci_addr a = {dev->seg, dev->bus, dev->devfn};
	struct msi_caps caps;
	int rc = msi_read_caps(&a, &caps);

	if (rc)
		return rc;
	return caps.msix ? 0 : -XEN_ENODEV;
}

/* The table's place is looked up at each use: nothing to prepare. */
int physdev_prepare_msix(struct vcpu *v, union physdev_arg *arg)
{
	return check_msix(&arg->dev);
}

int physdev_release_msix(struct vcpu *v, union physdev_arg *arg)
{
	return check_msix(&arg->dev);
}
