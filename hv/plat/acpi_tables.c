/* SPDX-License-Identifier: MIT */
/* Parsers of single tables: pure, every offset checked against the length. ACPI 6.4, chapter 5.2. */
#include "plat/acpi.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define HEADER_SIZE 36

#define MADT_LAPIC_ADDR	  36
#define MADT_FLAGS	  40
#define MADT_ENTRIES	  44
#define MADT_PCAT_COMPAT  1u
#define MADT_LAPIC	  0
#define MADT_IOAPIC	  1
#define MADT_OVERRIDE	  2
#define MADT_LAPIC_ADDR64 5
#define MADT_X2APIC	  9
#define MADT_CPU_ENABLED  1u
#define MADT_POLARITY(f)  ((f)&3)
#define MADT_TRIGGER(f)	  ((f) >> 2 & 3)
#define MADT_CONFORMS	  0
#define MADT_LOW_OR_LEVEL 3

#define FADT_FACS	   36
#define FADT_DSDT	   40
#define FADT_SCI	   46
#define FADT_SMI_CMD	   48
#define FADT_ACPI_ENABLE   52
#define FADT_PM1A_EVT	   56
#define FADT_PM1B_EVT	   60
#define FADT_PM1A_CNT	   64
#define FADT_PM1B_CNT	   68
#define FADT_PM_TMR	   76
#define FADT_PM1_EVT_LEN   88
#define FADT_CENTURY	   108
#define FADT_BOOT_ARCH	   109
#define FADT_FLAGS	   112
#define FADT_RESET_REG	   116
#define FADT_RESET_VALUE   128
#define FADT_X_FACS	   132
#define FADT_X_DSDT	   140
#define FADT_X_PM1A_EVT	   148
#define FADT_X_PM1B_EVT	   160
#define FADT_X_PM1A_CNT	   172
#define FADT_X_PM1B_CNT	   184
#define FADT_X_PM_TMR	   208
#define FADT_MIN_SIZE	   116 /* ACPI 1.0 */
#define FADT_REVISION	   8
#define FADT_HAS_8042	   2u
#define FADT_RESET_SUPPORT (1u << 10)

#define GAS_SPACE   0
#define GAS_ADDRESS 4
#define GAS_SIZE    12
#define GAS_MEMORY  0
#define GAS_IO	    1

#define HPET_GAS     40
#define MCFG_ENTRIES 44
#define MCFG_ENTRY   16

#define AML_NAME    0x08
#define AML_PACKAGE 0x12
#define AML_ZERO    0x00
#define AML_ONE	    0x01
#define AML_BYTE    0x0a
#define AML_WORD    0x0b
#define AML_DWORD   0x0c

static u64 get(const u8 *p, unsigned int size)
{
	u64 v = 0;

	memcpy(&v, p, size);
	return v;
}

static u16 get16(const u8 *p)
{
	return (u16)get(p, 2);
}

static u32 get32(const u8 *p)
{
	return (u32)get(p, 4);
}

static u64 get64(const u8 *p)
{
	return get(p, 8);
}

bool acpi_checksum_ok(const void *p, size_t len)
{
	const u8 *b = p;
	u8 sum = 0;

	while (len--)
		sum = (u8)(sum + *b++);
	return sum == 0;
}

/* A CPU may be listed twice, by a LAPIC and an x2APIC entry; disabled ones do not count. */
static void add_cpu(struct acpi_info *out, u32 apic_id, u32 acpi_id, u32 flags)
{
	if (!(flags & MADT_CPU_ENABLED))
		return;
	for (unsigned int i = 0; i < out->nr_cpus; i++)
		if (out->cpu[i].apic_id == apic_id)
			return;
	if (out->nr_cpus == ACPI_MAX_CPUS) {
		pr_warn("ACPI: CPU with APIC id %u left out: too many\n", apic_id);
		return;
	}
	out->cpu[out->nr_cpus].apic_id = apic_id;
	out->cpu[out->nr_cpus].acpi_id = acpi_id;
	out->cpu[out->nr_cpus++].enabled = true;
}

static void add_ioapic(struct acpi_info *out, u8 id, paddr_t addr, u32 gsi_base)
{
	struct acpi_ioapic *io = &out->ioapic[out->nr_ioapics];

	if (out->nr_ioapics == ACPI_MAX_IOAPICS || !addr) {
		pr_warn("ACPI: IO-APIC %u at %#lx left out\n", id, addr);
		return;
	}
	io->id = id;
	io->addr = addr;
	io->gsi_base = gsi_base;
	out->nr_ioapics++;
}

/* What "conforms to the bus" means: ISA is edge, high; but the SCI is always shared, level, low. */
static void add_override(struct acpi_info *out, u8 bus, u8 irq, u32 gsi, u16 flags)
{
	struct acpi_override *o = &out->isa[irq % ARRAY_SIZE(out->isa)];
	bool sci = out->sci_irq && irq == out->sci_irq;
	unsigned int polarity = MADT_POLARITY(flags), trigger = MADT_TRIGGER(flags);

	if (bus || irq >= ARRAY_SIZE(out->isa))
		return;
	o->present = true;
	o->gsi = gsi;
	o->low = polarity == MADT_LOW_OR_LEVEL || (polarity == MADT_CONFORMS && sci);
	o->level = trigger == MADT_LOW_OR_LEVEL || (trigger == MADT_CONFORMS && sci);
}

/* e: an entry of its own length, which the caller has checked to lie in the table. */
static int parse_madt_entry(const u8 *e, struct acpi_info *out)
{
	static const u8 min_len[] = {
		[MADT_LAPIC] = 8,	  [MADT_IOAPIC] = 12, [MADT_OVERRIDE] = 10,
		[MADT_LAPIC_ADDR64] = 12, [MADT_X2APIC] = 16,
	};

	if (e[0] < ARRAY_SIZE(min_len) && e[1] < min_len[e[0]])
		return -XEN_EINVAL;
	switch (e[0]) {
	case MADT_LAPIC:
		if (e[3] != 0xff)
			add_cpu(out, e[3], e[2], get32(e + 4));
		break;
	case MADT_IOAPIC:
		add_ioapic(out, e[2], get32(e + 4), get32(e + 8));
		break;
	case MADT_OVERRIDE:
		add_override(out, e[2], e[3], get32(e + 4), get16(e + 8));
		break;
	case MADT_LAPIC_ADDR64:
		out->lapic_addr = get64(e + 4);
		break;
	case MADT_X2APIC:
		if (get32(e + 4) != ~0u)
			add_cpu(out, get32(e + 4), get32(e + 12), get32(e + 8));
		break;
	}
	return 0;
}

int acpi_parse_madt(const void *table, size_t len, struct acpi_info *out)
{
	const u8 *t = table;
	size_t pos = MADT_ENTRIES;

	if (len < MADT_ENTRIES)
		return -XEN_EINVAL;
	out->lapic_addr = get32(t + MADT_LAPIC_ADDR);
	out->pcat_compat = (get32(t + MADT_FLAGS) & MADT_PCAT_COMPAT) != 0;
	if (out->sci_irq && out->sci_irq < ARRAY_SIZE(out->isa))
		out->isa[out->sci_irq] = (struct acpi_override){
			.present = true, .level = true, .low = true, .gsi = out->sci_irq};
	while (pos + 2 <= len) {
		u8 entry_len = t[pos + 1];

		if (entry_len < 2 || entry_len > len - pos || parse_madt_entry(t + pos, out))
			return -XEN_EINVAL;
		pos += entry_len;
	}
	return 0;
}

/* A register of 32 bits in the old table, and of 12 in the extended one, which wins when it is set. */
static u32 fadt_port(const u8 *t, size_t len, size_t old, size_t ext)
{
	u64 port = get32(t + old);

	if (ext + GAS_SIZE <= len && get64(t + ext + GAS_ADDRESS) && t[ext + GAS_SPACE] == GAS_IO)
		port = get64(t + ext + GAS_ADDRESS);
	return port <= 0xffff ? (u32)port : 0;
}

static u64 fadt_address(const u8 *t, size_t len, size_t old, size_t ext)
{
	if (ext + 8 <= len && get64(t + ext))
		return get64(t + ext);
	return get32(t + old);
}

int acpi_parse_fadt(const void *table, size_t len, struct acpi_info *out)
{
	const u8 *t = table;

	if (len < FADT_MIN_SIZE)
		return -XEN_EINVAL;
	out->facs = fadt_address(t, len, FADT_FACS, FADT_X_FACS);
	out->dsdt = fadt_address(t, len, FADT_DSDT, FADT_X_DSDT);
	out->sci_irq = get16(t + FADT_SCI);
	out->smi_cmd = get32(t + FADT_SMI_CMD);
	out->smi_cmd = out->smi_cmd <= 0xffff ? out->smi_cmd : 0;
	out->acpi_enable = t[FADT_ACPI_ENABLE];
	out->pm1a_evt = (u16)fadt_port(t, len, FADT_PM1A_EVT, FADT_X_PM1A_EVT);
	out->pm1b_evt = (u16)fadt_port(t, len, FADT_PM1B_EVT, FADT_X_PM1B_EVT);
	out->pm1a_cnt = (u16)fadt_port(t, len, FADT_PM1A_CNT, FADT_X_PM1A_CNT);
	out->pm1b_cnt = (u16)fadt_port(t, len, FADT_PM1B_CNT, FADT_X_PM1B_CNT);
	out->pm_tmr = (u16)fadt_port(t, len, FADT_PM_TMR, FADT_X_PM_TMR);
	out->pm1_evt_len = t[FADT_PM1_EVT_LEN];
	out->rtc_century = t[FADT_CENTURY];
	out->no_8042 = t[FADT_REVISION] >= 3 && !(get16(t + FADT_BOOT_ARCH) & FADT_HAS_8042);
	if (len > FADT_RESET_VALUE && get32(t + FADT_FLAGS) & FADT_RESET_SUPPORT) {
		out->reset_space = t[FADT_RESET_REG + GAS_SPACE];
		out->reset_addr = get64(t + FADT_RESET_REG + GAS_ADDRESS);
		out->reset_value = t[FADT_RESET_VALUE];
		out->has_reset_reg = out->reset_addr != 0;
	}
	return 0;
}

int acpi_parse_hpet(const void *table, size_t len, struct acpi_info *out)
{
	const u8 *t = table;

	if (len < HPET_GAS + GAS_SIZE || t[HPET_GAS + GAS_SPACE] != GAS_MEMORY)
		return -XEN_EINVAL;
	out->hpet_addr = get64(t + HPET_GAS + GAS_ADDRESS);
	return 0;
}

int acpi_parse_mcfg(const void *table, size_t len, struct acpi_info *out)
{
	const u8 *t = table;

	if (len < MCFG_ENTRIES)
		return -XEN_EINVAL;
	for (size_t pos = MCFG_ENTRIES; pos + MCFG_ENTRY <= len; pos += MCFG_ENTRY) {
		struct acpi_mcfg *m = &out->mcfg[out->nr_mcfg];
		const u8 *e = t + pos;

		if (out->nr_mcfg == ACPI_MAX_MCFG)
			break;
		if (!get64(e) || get64(e) & 0xfffff || e[10] > e[11])
			continue;
		m->base = get64(e);
		m->segment = get16(e + 8);
		m->bus_first = e[10];
		m->bus_last = e[11];
		out->nr_mcfg++;
	}
	return 0;
}

/* An integer constant at *pos; false when it is none, or too wide for SLP_TYP. */
static bool aml_integer(const u8 *t, size_t len, size_t *pos, u8 *v)
{
	static const u8 width[] = {[AML_BYTE] = 1, [AML_WORD] = 2, [AML_DWORD] = 4};
	size_t p = *pos;
	u64 n;

	if (p >= len)
		return false;
	if (t[p] == AML_ZERO || t[p] == AML_ONE) {
		*v = t[p];
		*pos = p + 1;
		return true;
	}
	if (t[p] >= ARRAY_SIZE(width) || !width[t[p]] || len - p - 1 < width[t[p]])
		return false;
	n = get(t + p + 1, width[t[p]]);
	*pos = p + 1 + width[t[p]];
	*v = (u8)n;
	return n <= 7;
}

/* p: behind the name: package, length of 1..4 bytes, number of elements, elements. */
static bool parse_s5(const u8 *t, size_t len, size_t p, struct acpi_info *out)
{
	u8 a, b, elements;

	if (p + 2 > len || t[p] != AML_PACKAGE)
		return false;
	p += 2u + (t[p + 1] >> 6);
	if (p >= len)
		return false;
	elements = t[p++];
	if (!elements || !aml_integer(t, len, &p, &a))
		return false;
	b = a;
	if (elements > 1 && !aml_integer(t, len, &p, &b))
		return false;
	out->s5_a = a;
	out->s5_b = b;
	out->has_s5 = true;
	return true;
}

bool acpi_find_s5(const void *table, size_t len, struct acpi_info *out)
{
	const u8 *t = table;

	for (size_t p = HEADER_SIZE; p + 4 <= len; p++) {
		bool named;

		if (t[p] != '_' || memcmp(t + p, "_S5_", 4))
			continue;
		named = t[p - 1] == AML_NAME || (t[p - 1] == '\\' && t[p - 2] == AML_NAME);
		if (named && parse_s5(t, len, p + 4, out))
			return true;
	}
	return false;
}
