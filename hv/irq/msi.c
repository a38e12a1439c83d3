/* SPDX-License-Identifier: MIT */
#include "irq/msi.h"
#include "irq/pci_regs.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/mmio.h"
#include "plat/plat.h"

/*
 * A function that has, or had, lines. Never freed: its device mapping cannot be given back, and a
 * function that returns finds it again.
 */
struct msi_dev {
	struct msi_dev *next;
	struct pci_addr addr;
	struct msi_caps caps;
	struct irq_line *msi;	/* in use, or NULL */
	unsigned int nr_msix;	/* entries in use */
	unsigned long *used;	/* bit map of the table's entries */
	struct irq_line **line; /* [caps.msix_entries], valid where used */
	paddr_t table_pa;
	volatile u32 *table;
};

static struct msi_dev *devs;
/* The list, the use of capabilities and entries, mappings. Taken before a line's lock. */
static spinlock_t msi_lock = SPINLOCK_INIT;

static u32 cfg_read(const struct pci_addr *a, unsigned int reg, unsigned int size)
{
	return pci_read(a->seg, a->bus, a->devfn, (u16)reg, size);
}

static void cfg_write(const struct pci_addr *a, unsigned int reg, unsigned int size, u32 v)
{
	pci_write(a->seg, a->bus, a->devfn, (u16)reg, size, v);
}

/* --- what the function can do --- */

static void read_msi_cap(const struct pci_addr *a, u16 pos, struct msi_caps *c)
{
	u32 control = cfg_read(a, pos + PCI_MSI_CONTROL, 2);

	c->msi = pos;
	c->msi_64 = control & PCI_MSI_CONTROL_64;
	c->msi_maskable = control & PCI_MSI_CONTROL_MASKABLE;
}

static void read_msix_cap(const struct pci_addr *a, u16 pos, struct msi_caps *c)
{
	u32 control = cfg_read(a, pos + PCI_MSIX_CONTROL, 2);
	u32 table = cfg_read(a, pos + PCI_MSIX_TABLE, 4);

	c->msix = pos;
	c->msix_entries = (u16)((control & PCI_MSIX_CONTROL_SIZE) + 1);
	c->msix_bir = (u8)(table & PCI_MSIX_TABLE_BIR);
	c->msix_offset = table & ~(u32)PCI_MSIX_TABLE_BIR;
}

int msi_read_caps(const struct pci_addr *a, struct msi_caps *c)
{
	unsigned int pos;

	*c = (struct msi_caps){0};
	/* The vendor id of a virtual function reads as ones too; its status register does not. */
	if (cfg_read(a, PCI_VENDOR, 4) == ~0u && cfg_read(a, PCI_STATUS, 2) == 0xffff)
		return -XEN_ENODEV;
	if (!(cfg_read(a, PCI_STATUS, 2) & PCI_STATUS_CAPS))
		return 0;
	pos = cfg_read(a, PCI_CAP_LIST, 1) & 0xfc;
	/* 48 capabilities fill the space: a longer list is a loop. */
	for (unsigned int i = 0; i < 48 && pos >= 0x40; i++) {
		u32 head = cfg_read(a, pos, 2);

		if ((head & 0xff) == PCI_CAP_MSI && !c->msi)
			read_msi_cap(a, (u16)pos, c);
		else if ((head & 0xff) == PCI_CAP_MSIX && !c->msix)
			read_msix_cap(a, (u16)pos, c);
		else if ((head & 0xff) == 0xff)
			break;
		pos = head >> 8 & 0xfc;
	}
	return 0;
}

paddr_t msi_bar_address(const struct pci_addr *a, unsigned int bir)
{
	unsigned int nr_bars;
	paddr_t pa;
	u32 lo;

	switch (cfg_read(a, PCI_HEADER_TYPE, 1) & 0x7f) {
	case 0:
		nr_bars = 6;
		break;
	case 1:
		nr_bars = 2;
		break;
	default:
		return 0;
	}
	if (bir >= nr_bars)
		return 0;
	lo = cfg_read(a, PCI_BAR(bir), 4);
	if (lo == ~0u || (lo & PCI_BAR_IO))
		return 0;
	pa = lo & ~(u32)PCI_BAR_FLAGS;
	if ((lo & PCI_BAR_TYPE) == PCI_BAR_TYPE_64) {
		if (bir + 1 >= nr_bars)
			return 0;
		pa |= (paddr_t)cfg_read(a, PCI_BAR(bir + 1), 4) << 32;
	}
	return pa;
}

/* --- the functions we know --- */

static struct msi_dev *dev_find(const struct pci_addr *a)
{
	for (struct msi_dev *m = devs; m; m = m->next)
		if (m->addr.seg == a->seg && m->addr.bus == a->bus && m->addr.devfn == a->devfn)
			return m;
	return NULL;
}

static bool dev_busy(const struct msi_dev *m)
{
	return m->msi || m->nr_msix;
}

static int dev_alloc_entries(struct msi_dev *m, const struct msi_caps *caps)
{
	unsigned int n = caps->msix_entries;

	hv_free(m->used);
	hv_free(m->line);
	m->used = NULL;
	m->line = NULL;
	m->caps = *caps;
	if (!n)
		return 0;
	m->used = hv_alloc(BITS_TO_LONGS(n) * sizeof(long));
	m->line = hv_alloc(n * sizeof(*m->line));
	if (m->used && m->line)
		return 0;
	m->caps.msix = m->caps.msix_entries = 0;
	return -XEN_ENOMEM;
}

/* Not memcmp(): what lies between the members need not be the same. */
static bool same_caps(const struct msi_caps *a, const struct msi_caps *b)
{
	return a->msi == b->msi && a->msix == b->msix && a->msi_64 == b->msi_64 &&
	       a->msi_maskable == b->msi_maskable && a->msix_entries == b->msix_entries &&
	       a->msix_bir == b->msix_bir && a->msix_offset == b->msix_offset;
}

/* Finds or makes it; its capabilities are read again as long as nothing is in use. */
static struct msi_dev *dev_get(const struct pci_addr *a, int *err)
{
	struct msi_dev *m = dev_find(a);
	struct msi_caps caps;

	if (m && dev_busy(m))
		return m;
	*err = msi_read_caps(a, &caps);
	if (*err)
		return NULL;
	if (!caps.msi && !caps.msix) {
		*err = -XEN_ENODEV;
		return NULL;
	}
	if (!m) {
		m = hv_alloc(sizeof(*m));
		if (!m) {
			*err = -XEN_ENOMEM;
			return NULL;
		}
		m->addr = *a;
		m->next = devs;
		devs = m;
	}
	if (!m->line || !same_caps(&m->caps, &caps))
		*err = dev_alloc_entries(m, &caps);
	return *err ? NULL : m;
}

/* --- messages --- */

static u32 msg_address(const struct irq_line *l)
{
	return MSI_ADDRESS_BASE | irq_dest(l->cpu) << MSI_ADDRESS_DEST_SHIFT;
}

static volatile u32 *entry_of(const struct irq_line *l)
{
	return l->msi->table + l->msi_entry * (MSIX_ENTRY_SIZE / 4);
}

static unsigned int msi_mask_reg(const struct msi_caps *c)
{
	return c->msi + (c->msi_64 ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32);
}

/* The vector never changes, so a move is one write of the low address. */
static void msi_write_message(const struct irq_line *l)
{
	const struct msi_dev *m = l->msi;
	unsigned int data = m->caps.msi + (m->caps.msi_64 ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32);

	cfg_write(&m->addr, m->caps.msi + PCI_MSI_ADDRESS_LO, 4, msg_address(l));
	if (m->caps.msi_64)
		cfg_write(&m->addr, m->caps.msi + PCI_MSI_ADDRESS_HI, 4, 0);
	cfg_write(&m->addr, data, 2, l->vector);
}

/* An entry may be changed only while masked; what arrives then is kept pending by the device. */
static void msix_write_message(const struct irq_line *l)
{
	volatile u32 *e = entry_of(l);
	u32 control = e[MSIX_CONTROL];

	e[MSIX_CONTROL] = control | MSIX_CONTROL_MASK;
	e[MSIX_ADDRESS_LO] = msg_address(l);
	e[MSIX_ADDRESS_HI] = 0;
	e[MSIX_DATA] = l->vector;
	e[MSIX_CONTROL] = control;
}

void msi_route(struct irq_line *l)
{
	if (l->kind == IRQ_MSIX)
		msix_write_message(l);
	else
		msi_write_message(l);
}

void msi_mask(struct irq_line *l, bool masked)
{
	const struct msi_dev *m = l->msi;
	u32 v;

	if (l->kind == IRQ_MSIX) {
		volatile u32 *e = entry_of(l);

		v = e[MSIX_CONTROL] & ~(u32)MSIX_CONTROL_MASK;
		e[MSIX_CONTROL] = v | (masked ? MSIX_CONTROL_MASK : 0);
		(void)e[MSIX_CONTROL]; /* posted writes arrive before we go on */
	} else if (m->caps.msi_maskable) {
		v = cfg_read(&m->addr, msi_mask_reg(&m->caps), 4) & ~1u;
		cfg_write(&m->addr, msi_mask_reg(&m->caps), 4, v | masked);
	}
}

static void control_update(const struct pci_addr *a, unsigned int reg, u32 clear, u32 set)
{
	u32 old = cfg_read(a, reg, 2), v = (old & ~clear) | set;

	if (v != old)
		cfg_write(a, reg, 2, v);
}

/* Linux has done this already; another dom0 may leave it to us. */
void msi_enable(struct irq_line *l)
{
	const struct msi_dev *m = l->msi;

	if (l->kind == IRQ_MSIX)
		control_update(&m->addr, m->caps.msix + PCI_MSIX_CONTROL, PCI_MSIX_CONTROL_MASKALL,
			       PCI_MSIX_CONTROL_ENABLE);
	else
		control_update(&m->addr, m->caps.msi + PCI_MSI_CONTROL, PCI_MSI_CONTROL_QSIZE,
			       PCI_MSI_CONTROL_ENABLE);
}

void msi_release(struct irq_line *l)
{
	struct msi_dev *m = l->msi;

	spin_lock(&msi_lock);
	if (l->kind == IRQ_MSIX) {
		clear_bit(l->msi_entry, m->used);
		m->nr_msix--;
	} else {
		/* The vector will be somebody else's: an MSI without a mask bit must be off. */
		control_update(&m->addr, m->caps.msi + PCI_MSI_CONTROL, PCI_MSI_CONTROL_ENABLE, 0);
		m->msi = NULL;
	}
	spin_unlock(&msi_lock);
}

/* --- taking lines --- */

struct irq_line *msi_line_get(const struct pci_addr *a, const struct irq_user *u, int *err)
{
	struct irq_line *l = NULL;
	struct msi_dev *m;

	*err = 0;
	spin_lock(&msi_lock);
	m = dev_get(a, err);
	if (!m) {
		; /* *err is set */
	} else if (!m->caps.msi) {
		*err = -XEN_ENODEV;
	} else if (dev_busy(m)) {
		*err = -XEN_EEXIST;
	} else if ((l = irq_line_alloc(IRQ_MSI, u)) == NULL) {
		*err = -XEN_ENOSPC;
	} else {
		spin_lock(&l->lock);
		l->msi = m;
		m->msi = l;
		msi_mask(l, true);
		msi_route(l);
		spin_unlock(&l->lock);
	}
	spin_unlock(&msi_lock);
	return l;
}

/* Maps the table where it is now. dom0 may have moved it since the last time, but not while in use. */
static int dev_map_table(struct msi_dev *m, paddr_t bar)
{
	size_t size = m->caps.msix_entries * (size_t)MSIX_ENTRY_SIZE;
	paddr_t own = msi_bar_address(&m->addr, m->caps.msix_bir);
	paddr_t pa = (own ? own : bar & ~(paddr_t)PCI_BAR_FLAGS) + m->caps.msix_offset;
	mfn_t last = PFN_DOWN(pa + size - 1);

	if (!(cfg_read(&m->addr, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY) && own)
		return -XEN_ENXIO;
	if (m->table && m->table_pa == pa)
		return 0;
	if (m->nr_msix)
		return -XEN_EBUSY;
	if ((!own && !bar) || pa + size < pa || pa + size > 1ul << 52)
		return -XEN_EINVAL;
	for (mfn_t mfn = PFN_DOWN(pa); mfn <= last; mfn++)
		if (mfn_valid(mfn) && mfn_to_frame(mfn)->state != FS_NOTRAM)
			return -XEN_EINVAL;
	m->table = map_mmio(pa, size);
	m->table_pa = pa;
	return m->table ? 0 : -XEN_ENOMEM;
}

static int msix_check(struct msi_dev *m, unsigned int entry, paddr_t bar)
{
	if (!m->caps.msix)
		return -XEN_ENODEV;
	if (entry >= m->caps.msix_entries)
		return -XEN_EINVAL;
	if (m->msi || test_bit(entry, m->used))
		return -XEN_EEXIST;
	return dev_map_table(m, bar);
}

struct irq_line *msix_line_get(const struct pci_addr *a, unsigned int entry, paddr_t bar,
			       const struct irq_user *u, int *err)
{
	struct irq_line *l = NULL;
	struct msi_dev *m;

	*err = 0;
	spin_lock(&msi_lock);
	m = dev_get(a, err);
	if (m)
		*err = msix_check(m, entry, bar);
	if (!*err) {
		l = irq_line_alloc(IRQ_MSIX, u);
		*err = l ? 0 : -XEN_ENOSPC;
	}
	if (l) {
		spin_lock(&l->lock);
		l->msi = m;
		l->msi_entry = entry;
		m->line[entry] = l;
		m->nr_msix++;
		set_bit(entry, m->used);
		msi_mask(l, true);
		msi_route(l);
		spin_unlock(&l->lock);
	}
	spin_unlock(&msi_lock);
	return l;
}

/* --- dom0's own accesses --- */

static void restore_line(struct irq_line *l)
{
	spin_lock(&l->lock);
	msi_route(l);
	msi_mask(l, !l->enabled);
	spin_unlock(&l->lock);
}

int msi_restore(const struct pci_addr *a)
{
	struct msi_dev *m;
	unsigned int i;
	int rc = -XEN_ENODEV;

	spin_lock(&msi_lock);
	m = dev_find(a);
	if (m && dev_busy(m)) {
		rc = 0;
		if (m->msi)
			restore_line(m->msi);
		for_each_set_bit(i, m->used, m->nr_msix ? m->caps.msix_entries : 0u)
			restore_line(m->line[i]);
	}
	spin_unlock(&msi_lock);
	return rc;
}

static bool overlaps(unsigned int reg, unsigned int size, unsigned int first, unsigned int len)
{
	return reg < first + len && first < reg + size;
}

bool msi_filter_write(const struct pci_addr *a, u16 reg, unsigned int size, u32 *val)
{
	const struct msi_dev *m;
	struct msi_caps c = {0};
	unsigned int control, len;

	spin_lock(&msi_lock);
	m = dev_find(a);
	if (m && m->msi)
		c = m->caps;
	spin_unlock(&msi_lock);
	if (!c.msi)
		return true;
	/* Address, data and, where there are any, the mask bits are ours. */
	len = c.msi_64 ? PCI_MSI_DATA_64 + 2 : PCI_MSI_DATA_32 + 2;
	if (c.msi_maskable)
		len = (c.msi_64 ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32) + 4;
	if (overlaps(reg, size, c.msi + PCI_MSI_ADDRESS_LO, len - PCI_MSI_ADDRESS_LO))
		return false;
	/* More than one message would use vectors that are not this function's. */
	control = c.msi + PCI_MSI_CONTROL;
	if (overlaps(reg, size, control, 1)) {
		unsigned int shift = (control - reg) * 8;

		*val &= ~((u32)PCI_MSI_CONTROL_QSIZE << shift);
	}
	return true;
}
