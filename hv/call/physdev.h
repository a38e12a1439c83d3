/* SPDX-License-Identifier: MIT */
/*
 * PHYSDEVOP_map_pirq and the PCI commands, split from physdev_op.c for length. Each handler gets
 * its argument copied in; 0 or an ABI error.
 */
#ifndef CALL_PHYSDEV_H
#define CALL_PHYSDEV_H

#include "lib/types.h"
#include <xen/xen.h>
#include <xen/physdev.h>
#include "dom/domain.h"

union physdev_arg {
	struct physdev_eoi eoi;
	struct physdev_pirq_eoi_gmfn eoi_gmfn;
	struct physdev_irq_status_query status;
	struct physdev_set_iopl iopl;
	struct physdev_set_iobitmap iobitmap;
	struct physdev_apic apic;
	struct physdev_irq irq;
	struct physdev_map_pirq map;
	struct physdev_unmap_pirq unmap;
	struct physdev_setup_gsi gsi;
	struct physdev_get_free_pirq free_pirq;
	struct physdev_manage_pci manage;
	struct physdev_manage_pci_ext manage_ext;
	struct physdev_pci_mmcfg_reserved mmcfg;
	struct physdev_restore_msi restore;
	struct physdev_pci_device dev;
	u8 add[offsetof(struct physdev_pci_device_add, optarr)];
};

typedef int physdev_fn(struct vcpu *v, union physdev_arg *a);

physdev_fn physdev_map_pirq, physdev_unmap_pirq, physdev_get_free_pirq, physdev_setup_gsi;
physdev_fn physdev_manage_pci_add, physdev_manage_pci_add_ext, physdev_manage_pci_remove;
physdev_fn physdev_pci_device_add, physdev_pci_device_remove, physdev_pci_mmcfg_reserved;
physdev_fn physdev_restore_msi, physdev_restore_msi_ext;
physdev_fn physdev_prepare_msix, physdev_release_msix;

#endif
