/* SPDX-License-Identifier: MIT */
#include "call/physdev.h"
#include "call/call.h"
#include "lib/bits.h"
#include "plat/plat.h"

#define NR_PORTS 65536u

static int eoi(struct vcpu *v, union physdev_arg *a)
{
	u32 port;
	int rc = pirq_eoi_port(v->d, a->eoi.irq, &port);

	if (!rc && port)
		(void)evtchn_op_unmask(v->d, port);
	return rc;
}

static int irq_status_query(struct vcpu *v, union physdev_arg *a)
{
	bool needs_eoi = false;
	int rc = pirq_needs_eoi(v->d, a->status.irq, &needs_eoi);

	a->status.flags = needs_eoi ? XENIRQSTAT_needs_eoi : 0;
	return rc;
}

/* The older form: an EOI unmasks the event channel too. */
static int pirq_eoi_gmfn_v1(struct vcpu *v, union physdev_arg *a)
{
	return pirq_set_eoi_page(v->d, a->eoi_gmfn.gmfn, true);
}

static int pirq_eoi_gmfn_v2(struct vcpu *v, union physdev_arg *a)
{
	return pirq_set_eoi_page(v->d, a->eoi_gmfn.gmfn, false);
}

/* The processor's own IOPL stays 0: the emulator of I/O instructions asks pv.iopl. */
static int set_iopl(struct vcpu *v, union physdev_arg *a)
{
	if (a->iopl.iopl > 3)
		return -XEN_EINVAL;
	v->pv.iopl = (u8)a->iopl.iopl;
	return 0;
}

static int set_iobitmap(struct vcpu *v, union physdev_arg *a)
{
	if (a->iobitmap.nr_ports > NR_PORTS)
		return -XEN_EINVAL;
	v->pv.io_bitmap = (unsigned long)a->iobitmap.bitmap.p;
	v->pv.io_bitmap_nr = a->iobitmap.nr_ports;
	return 0;
}

static int apic_read(struct vcpu *v, union physdev_arg *a)
{
	a->apic.value = 0;
	if (a->apic.reg > 0xff)
		return -XEN_EINVAL;
	return ioapic_read_reg(a->apic.apic_physbase, a->apic.reg, &a->apic.value);
}

/* Pins are programmed by map, set-up and bind only. */
static int apic_write(struct vcpu *v, union physdev_arg *a)
{
	return -XEN_EPERM;
}

static int alloc_irq_vector(struct vcpu *v, union physdev_arg *a)
{
	if (!ioapic_gsi_valid(a->irq.irq))
		return -XEN_EINVAL;
	a->irq.vector = pirq_vector(v->d, a->irq.irq);
	return 0;
}

static int free_irq_vector(struct vcpu *v, union physdev_arg *a)
{
	return 0;
}

enum {
	ANYBODY = 0,
	DOM0 = 1,
	OUT = 2
};

static const struct physdev_cmd {
	u8 cmd;
	u8 flags;
	u8 size;
	physdev_fn *fn;
} cmds[] = {
	/* the frequent one first */
	{PHYSDEVOP_eoi, ANYBODY, sizeof(struct physdev_eoi), eoi},
	{PHYSDEVOP_irq_status_query, OUT, sizeof(struct physdev_irq_status_query),
	 irq_status_query},
	{PHYSDEVOP_set_iopl, ANYBODY, sizeof(struct physdev_set_iopl), set_iopl},
	{PHYSDEVOP_set_iobitmap, ANYBODY, sizeof(struct physdev_set_iobitmap), set_iobitmap},
	{PHYSDEVOP_apic_read, DOM0 | OUT, sizeof(struct physdev_apic), apic_read},
	{PHYSDEVOP_apic_write, DOM0, sizeof(struct physdev_apic), apic_write},
	{PHYSDEVOP_alloc_irq_vector, DOM0 | OUT, sizeof(struct physdev_irq), alloc_irq_vector},
	{PHYSDEVOP_free_irq_vector, DOM0, sizeof(struct physdev_irq), free_irq_vector},
	{PHYSDEVOP_map_pirq, DOM0 | OUT, sizeof(struct physdev_map_pirq), physdev_map_pirq},
	{PHYSDEVOP_unmap_pirq, DOM0, sizeof(struct physdev_unmap_pirq), physdev_unmap_pirq},
	{PHYSDEVOP_manage_pci_add, DOM0, sizeof(struct physdev_manage_pci), physdev_manage_pci_add},
	{PHYSDEVOP_manage_pci_remove, DOM0, sizeof(struct physdev_manage_pci),
	 physdev_manage_pci_remove},
	{PHYSDEVOP_pirq_eoi_gmfn_v1, ANYBODY, sizeof(struct physdev_pirq_eoi_gmfn),
	 pirq_eoi_gmfn_v1},
	{PHYSDEVOP_restore_msi, DOM0, sizeof(struct physdev_restore_msi), physdev_restore_msi},
	{PHYSDEVOP_manage_pci_add_ext, DOM0, sizeof(struct physdev_manage_pci_ext),
	 physdev_manage_pci_add_ext},
	{PHYSDEVOP_setup_gsi, DOM0, sizeof(struct physdev_setup_gsi), physdev_setup_gsi},
	{PHYSDEVOP_get_free_pirq, DOM0 | OUT, sizeof(struct physdev_get_free_pirq),
	 physdev_get_free_pirq},
	{PHYSDEVOP_pci_mmcfg_reserved, DOM0, sizeof(struct physdev_pci_mmcfg_reserved),
	 physdev_pci_mmcfg_reserved},
	{PHYSDEVOP_pci_device_add, DOM0, offsetof(struct physdev_pci_device_add, optarr),
	 physdev_pci_device_add},
	{PHYSDEVOP_pci_device_remove, DOM0, sizeof(struct physdev_pci_device),
	 physdev_pci_device_remove},
	{PHYSDEVOP_restore_msi_ext, DOM0, sizeof(struct physdev_pci_device),
	 physdev_restore_msi_ext},
	{PHYSDEVOP_pirq_eoi_gmfn_v2, ANYBODY, sizeof(struct physdev_pirq_eoi_gmfn),
	 pirq_eoi_gmfn_v2},
	{PHYSDEVOP_prepare_msix, DOM0, sizeof(struct physdev_pci_device), physdev_prepare_msix},
	{PHYSDEVOP_release_msix, DOM0, sizeof(struct physdev_pci_device), physdev_release_msix},
};

/* dbgp_op and everything that is not in the table: -XEN_ENOSYS. */
long do_physdev_op(unsigned long cmd, unsigned long arg, unsigned long a3, unsigned long a4,
		   unsigned long a5)
{
	struct vcpu *v = current;
	union physdev_arg a;
	int rc;

	for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
		const struct physdev_cmd *c = &cmds[i];

		if (c->cmd != cmd)
			continue;
		if ((c->flags & DOM0) && !v->d->privileged)
			return -XEN_EPERM;
		memset(&a, 0, sizeof(a));
		if (copy_from_guest(&a, (const void *)arg, c->size))
			return -XEN_EFAULT;
		rc = c->fn(v, &a);
		if (!rc && (c->flags & OUT) && copy_to_guest((void *)arg, &a, c->size))
			rc = -XEN_EFAULT;
		return rc;
	}
	return -XEN_ENOSYS;
}
