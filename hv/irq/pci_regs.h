/* SPDX-License-Identifier: MIT */
/* PCI configuration registers that interrupts need: PCI Local Bus 3.0, chapter 6 and 6.8. Owns nothing. */
#ifndef IRQ_PCI_REGS_H
#define IRQ_PCI_REGS_H

#define PCI_VENDOR	   0x00
#define PCI_COMMAND	   0x04
#define PCI_COMMAND_MEMORY 0x02
#define PCI_STATUS	   0x06
#define PCI_STATUS_CAPS	   0x10
#define PCI_HEADER_TYPE	   0x0e
#define PCI_BAR(n)	   (0x10 + 4 * (n))
#define PCI_CAP_LIST	   0x34

#define PCI_BAR_IO	0x1
#define PCI_BAR_TYPE	0x6
#define PCI_BAR_TYPE_64 0x4
#define PCI_BAR_FLAGS	0xf

#define PCI_CAP_MSI  0x05
#define PCI_CAP_MSIX 0x11

/* Offsets from the MSI capability. */
#define PCI_MSI_CONTROL		 0x02
#define PCI_MSI_CONTROL_ENABLE	 0x0001
#define PCI_MSI_CONTROL_QSIZE	 0x0070 /* number of messages in use, as a power of two */
#define PCI_MSI_CONTROL_64	 0x0080
#define PCI_MSI_CONTROL_MASKABLE 0x0100
#define PCI_MSI_ADDRESS_LO	 0x04
#define PCI_MSI_ADDRESS_HI	 0x08
#define PCI_MSI_DATA_32		 0x08
#define PCI_MSI_DATA_64		 0x0c
#define PCI_MSI_MASK_32		 0x0c
#define PCI_MSI_MASK_64		 0x10

/* Offsets from the MSI-X capability. */
#define PCI_MSIX_CONTROL	 0x02
#define PCI_MSIX_CONTROL_SIZE	 0x07ff
#define PCI_MSIX_CONTROL_MASKALL 0x4000
#define PCI_MSIX_CONTROL_ENABLE	 0x8000
#define PCI_MSIX_TABLE		 0x04
#define PCI_MSIX_TABLE_BIR	 0x7

/* A table entry, in 32-bit words. */
#define MSIX_ENTRY_SIZE	  16
#define MSIX_ADDRESS_LO	  0
#define MSIX_ADDRESS_HI	  1
#define MSIX_DATA	  2
#define MSIX_CONTROL	  3
#define MSIX_CONTROL_MASK 1u

/* Physical destination, fixed delivery, edge: Intel SDM 3A, 11.11. */
#define MSI_ADDRESS_BASE       0xfee00000u
#define MSI_ADDRESS_DEST_SHIFT 12

#endif
