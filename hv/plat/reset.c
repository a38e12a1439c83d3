/* SPDX-License-Identifier: MIT */
#include "plat/plat.h"
#include "plat/acpi.h"
#include "plat/serial.h"
#include "cpu/panic.h"
#include "cpu/cpu.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

/* PM1 registers: ACPI 6.4, 4.8.3. */
#define PM1_SCI_EN    (1u << 0)
#define PM1_SLP_TYP   (7u << 10)
#define PM1_SLP_EN    (1u << 13)
#define PM1_WAKE      (1u << 15) /* in the status register */
#define SLP_TYP_SHIFT 10

#define SPACE_MEMORY 0
#define SPACE_IO     1
#define SPACE_PCI    2

#define RESET_PORT  0xcf9
#define RESET_HARD  0x02
#define RESET_GO    0x06
#define RESET_CYCLE 0x0e /* and the power off in between */
#define KBC_STATUS  0x64
#define KBC_BUSY    0x02
#define KBC_PULSE   0xfe
#define WAIT_US	    50000

/* BIOS data area: what the firmware is to think of the restart. */
#define BDA_FLAG  0x472
#define FLAG_WARM 0x1234

static char method; /* of reboot=, 0: all of them in turn */
static bool warm;   /* the same */
static volatile u8 *reset_reg;

void machine_halt(void)
{
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

int reboot_parse(const char *s)
{
	static const char methods[] = "tkapP";

	for (;;) {
		if (*s == 'n')
			opt_noreboot = true;
		else if (*s == 'w' || *s == 'c')
			warm = *s == 'w';
		else if (*s && strchr(methods, *s))
			method = *s;
		else
			return -XEN_EINVAL;
		s = strchr(s, ',');
		if (!s++)
			return 0;
	}
}

/* A panic must not wait for a lock, or want memory. */
void reset_prepare(void)
{
	if (acpi.has_reset_reg && acpi.reset_space == SPACE_MEMORY)
		reset_reg = plat_map_mmio(acpi.reset_addr, 1);
}

static void reset_by_memory(void)
{
	if (reset_reg)
		*reset_reg = acpi.reset_value;
}

/* The address names device, function and register on bus 0. */
static void reset_by_pci(void)
{
	u8 devfn = (u8)((acpi.reset_addr >> 32 & 0x1f) << 3 | (acpi.reset_addr >> 16 & 7));

	pci_write(0, 0, devfn, (u16)acpi.reset_addr, 1, acpi.reset_value);
}

static void reset_by_acpi(void)
{
	if (!acpi.has_reset_reg)
		return;
	if (acpi.reset_space == SPACE_IO && acpi.reset_addr <= 0xffff)
		outb(acpi.reset_value, (u16)acpi.reset_addr);
	else if (acpi.reset_space == SPACE_MEMORY)
		reset_by_memory();
	else if (acpi.reset_space == SPACE_PCI)
		reset_by_pci();
	plat_delay(WAIT_US);
}

static void reset_by_chipset(u8 go)
{
	outb(RESET_HARD, RESET_PORT);
	plat_delay(50);
	outb(go, RESET_PORT);
	plat_delay(WAIT_US);
}

static void reset_by_keyboard(void)
{
	for (unsigned int i = 0; i < 1000 && inb(KBC_STATUS) & KBC_BUSY; i++)
		plat_delay(2);
	outb(KBC_PULSE, KBC_STATUS);
	plat_delay(WAIT_US);
}

/* An exception without a table of handlers ends in shutdown, which boards turn into a reset. */
static void __noreturn triple_fault(void)
{
	static const struct {
		u16 limit;
		u64 base;
	} __packed nothing;

	__asm__ __volatile__("lidt %0; int3" ::"m"(nothing));
	machine_halt();
}

static void reset_by(char how)
{
	switch (how) {
	case 't':
		triple_fault();
	case 'k':
		reset_by_keyboard();
		break;
	case 'a':
		reset_by_acpi();
		break;
	case 'P':
		reset_by_chipset(RESET_CYCLE);
		break;
	default:
		reset_by_chipset(RESET_GO);
	}
}

void machine_restart(void)
{
	static const char in_turn[] = "apk";

	serial_drain();
	if (plat_phys_to_virt && !plat_efi)
		*(volatile u16 *)plat_phys_to_virt(BDA_FLAG) = warm ? FLAG_WARM : 0;
	if (method)
		reset_by(method);
	for (unsigned int i = 0; in_turn[i]; i++)
		if (in_turn[i] != 'k' || !acpi.no_8042)
			reset_by(in_turn[i]);
	triple_fault();
}

/* The sleep registers obey only in ACPI mode; dom0 has switched to it long ago, if it ran. */
static void enter_acpi_mode(void)
{
	if (inw(acpi.pm1a_cnt) & PM1_SCI_EN || !acpi.smi_cmd || !acpi.acpi_enable)
		return;
	outb(acpi.acpi_enable, (u16)acpi.smi_cmd);
	for (unsigned int i = 0; i < 1000 && !(inw(acpi.pm1a_cnt) & PM1_SCI_EN); i++)
		plat_delay(1000);
}

static void write_pm1(u16 port, u16 val, u16 enable)
{
	u16 v = (u16)((inw(port) & ~(PM1_SLP_TYP | PM1_SLP_EN)) | (val & PM1_SLP_TYP));

	outw(v | enable, port);
}

int machine_enter_sleep(u16 pm1a_val, u16 pm1b_val)
{
	if (!acpi.pm1a_cnt)
		return -XEN_ENODEV;
	serial_drain();
	enter_acpi_mode();
	if (acpi.pm1a_evt)
		outw(PM1_WAKE, acpi.pm1a_evt);
	/* First the type alone, then with the start bit. */
	for (u16 enable = 0;; enable = PM1_SLP_EN) {
		write_pm1(acpi.pm1a_cnt, pm1a_val, enable);
		if (acpi.pm1b_cnt)
			write_pm1(acpi.pm1b_cnt, pm1b_val, enable);
		if (enable)
			break;
	}
	plat_delay(WAIT_US);
	return -XEN_EIO;
}

void machine_poweroff(void)
{
	if (acpi.has_s5)
		(void)machine_enter_sleep((u16)(acpi.s5_a << SLP_TYP_SHIFT),
					  (u16)(acpi.s5_b << SLP_TYP_SHIFT));
	plat_delay(3000000); /* an emulator, or a slow board, may take its time */
	pr_err("This board cannot be switched off by us. You may do it now.\n");
	machine_halt();
}
