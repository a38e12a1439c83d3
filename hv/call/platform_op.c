/* SPDX-License-Identifier: MIT */
#include "lib/types.h"
#include <xen/xen.h>
#include <xen/platform.h>
#include "call/call.h"
#include "cpu/cpu.h"
#include "cpu/symbols.h"
#include "dom/vtime.h"
#include "plat/efi.h"
#include "plat/plat.h"
#include "time/clock.h"

static int set_wall(u64 secs, u32 nsecs, u64 system_time)
{
	/* Room for the arithmetic of clock_set_wall: about the year 2500. */
	if (nsecs >= NSEC_PER_SEC || secs > 1ul << 34 || system_time > INT64_MAX)
		return -XEN_EINVAL;
	clock_set_wall(secs, nsecs, (nsec_t)system_time);
	vtime_wallclock_changed();
	return 0;
}

static int settime32(struct xen_platform_op *op)
{
	const struct xenpf_settime32 *t = &op->u.settime32;

	return set_wall(t->secs, t->nsecs, t->system_time);
}

static int settime64(struct xen_platform_op *op)
{
	const struct xenpf_settime64 *t = &op->u.settime64;

	return t->mbz ? -XEN_EINVAL : set_wall(t->secs, t->nsecs, t->system_time);
}

/* At most *bufsz bytes of the firmware's name, whole characters and an end among them. */
static int efi_vendor(union xenpf_efi_info *i)
{
	u16 name[EFI_VENDOR_LEN] = {0};
	u32 n = min(i->vendor.bufsz / 2, (u32)EFI_VENDOR_LEN), len = 0;

	while (len + 1 < n && efi_info.vendor[len]) {
		name[len] = efi_info.vendor[len];
		len++;
	}
	i->vendor.revision = efi_info.vendor_revision;
	if (n && copy_to_guest(i->vendor.name.p, name, (len + 1) * sizeof(name[0])))
		return -XEN_EFAULT;
	return 0;
}

/* RAM is none of the firmware's; the answer ends where the caller's range does. */
static int efi_memory(union xenpf_efi_info *i)
{
	const struct efi_region *r = efi_region_at(i->mem.addr);
	u64 end;

	if (!r)
		return -XEN_ESRCH;
	end = i->mem.addr + i->mem.size;
	if (end < i->mem.addr || end > r->end)
		i->mem.size = r->end - i->mem.addr;
	i->mem.type = r->type;
	i->mem.attr = r->attr;
	return 0;
}

static int efi_firmware_info(u32 index, union xenpf_efi_info *i)
{
	if (!efi_info.found)
		return -XEN_ENOSYS;
	switch (index) {
	case XEN_FW_EFI_VERSION:
		i->version = efi_info.version;
		return 0;
	case XEN_FW_EFI_RT_VERSION:
		if (!efi_info.runtime_version)
			return -XEN_EOPNOTSUPP;
		i->version = efi_info.runtime_version;
		return 0;
	case XEN_FW_EFI_CONFIG_TABLE:
		i->cfg.addr = efi_info.config;
		i->cfg.nent = efi_info.nr_config;
		return 0;
	case XEN_FW_EFI_VENDOR:
		return efi_vendor(i);
	case XEN_FW_EFI_MEM_INFO:
		return efi_memory(i);
	case XEN_FW_EFI_PCI_ROM:
	case XEN_FW_EFI_APPLE_PROPERTIES:
		return -XEN_ENOENT;
	default:
		return -XEN_EINVAL;
	}
}

/* We ask no BIOS: no disks and no monitors. */
static int firmware_info(struct xen_platform_op *op)
{
	switch (op->u.firmware_info.type) {
	case XEN_FW_DISK_INFO:
	case XEN_FW_DISK_MBR_SIGNATURE:
	case XEN_FW_VBEDDC_INFO:
		return -XEN_ESRCH;
	case XEN_FW_EFI_INFO:
		return efi_firmware_info(op->u.firmware_info.index,
					 &op->u.firmware_info.u.efi_info);
	case XEN_FW_KBD_SHIFT_FLAGS:
		if (op->u.firmware_info.index)
			return -XEN_ESRCH;
		op->u.firmware_info.u.kbd_shift_flags = 0;
		return 0;
	default:
		return -XEN_EINVAL;
	}
}

static int enter_acpi_sleep(struct xen_platform_op *op)
{
	const struct xenpf_enter_acpi_sleep *s = &op->u.enter_acpi_sleep;

	if (s->flags & ~(u32)XENPF_ACPI_SLEEP_EXTENDED)
		return -XEN_EINVAL;
	if (s->sleep_state != 5 || (s->flags & XENPF_ACPI_SLEEP_EXTENDED))
		return -XEN_EOPNOTSUPP;
	return machine_enter_sleep(s->val_a, s->val_b);
}

static int get_cpuinfo(struct xen_platform_op *op)
{
	struct xenpf_pcpuinfo *i = &op->u.pcpu_info;
	u32 cpu = i->xen_cpuid;

	*i = (struct xenpf_pcpuinfo){.xen_cpuid = cpu, .max_present = nr_cpus - 1};
	if (cpu >= nr_cpus || cpu >= CONFIG_NR_CPUS) {
		i->flags = XEN_PCPU_FLAGS_INVALID;
		return 0;
	}
	i->apic_id = cpu_apic_id[cpu];
	i->acpi_id = cpu_acpi_id[cpu];
	i->flags = test_bit(cpu, cpu_online_map) ? XEN_PCPU_FLAGS_ONLINE : 0;
	return 0;
}

/* All processors of a box are taken to be alike. */
static int get_cpu_version(struct xen_platform_op *op)
{
	struct xenpf_pcpu_version *ver = &op->u.pcpu_version;
	u32 cpu = ver->xen_cpuid, r[4];

	*ver = (struct xenpf_pcpu_version){.xen_cpuid = cpu, .max_present = nr_cpus - 1};
	if (cpu >= nr_cpus || cpu >= CONFIG_NR_CPUS || !test_bit(cpu, cpu_online_map))
		return 0;
	cpuid(0, 0, r);
	memcpy(ver->vendor_id, &r[1], 4);
	memcpy(ver->vendor_id + 4, &r[3], 4);
	memcpy(ver->vendor_id + 8, &r[2], 4);
	cpuid(1, 0, r);
	ver->family = r[0] >> 8 & 0xf;
	ver->model = r[0] >> 4 & 0xf;
	ver->stepping = r[0] & 0xf;
	if (ver->family == 6 || ver->family == 0xf)
		ver->model |= r[0] >> 12 & 0xf0;
	if (ver->family == 0xf)
		ver->family += r[0] >> 20 & 0xff;
	return 0;
}

/* Processors stay as they are found at boot. */
static int cpu_onoff(struct xen_platform_op *op)
{
	u32 cpu = op->u.cpu_ol.cpuid;

	if (cpu >= nr_cpus || cpu >= CONFIG_NR_CPUS)
		return -XEN_EINVAL;
	if (op->cmd == XENPF_cpu_online && test_bit(cpu, cpu_online_map))
		return 0;
	return -XEN_EOPNOTSUPP;
}

static int core_parking(struct xen_platform_op *op)
{
	struct xenpf_core_parking *c = &op->u.core_parking;

	switch (c->type) {
	case XEN_CORE_PARKING_GET:
		c->idle_nums = 0;
		return 0;
	case XEN_CORE_PARKING_SET:
		return c->idle_nums ? -XEN_EOPNOTSUPP : 0;
	default:
		return -XEN_EINVAL;
	}
}

/* One symbol a call; symnum stays the same at the end. */
static int get_symbol(struct xen_platform_op *op)
{
	struct xenpf_symdata *s = &op->u.symdata;
	unsigned long addr;
	const char *name = symbol_by_number(s->symnum, &addr);
	u32 room = s->namelen;
	size_t len;

	s->namelen = 0;
	s->address = 0;
	s->type = 0;
	if (!name)
		return 0;
	len = strlen(name);
	if (copy_to_guest(s->name.p, name, min((size_t)room, len + 1)))
		return -XEN_EFAULT;
	s->namelen = (u32)len;
	s->address = addr;
	s->type = 't';
	s->symnum++;
	return 0;
}

enum {
	IN_ONLY,
	OUT
};

static const struct platform_cmd {
	u8 cmd;
	u8 flags;
	int (*fn)(struct xen_platform_op *op);
} cmds[] = {
	{XENPF_settime32, IN_ONLY, settime32},
	{XENPF_settime64, IN_ONLY, settime64},
	{XENPF_firmware_info, OUT, firmware_info},
	{XENPF_enter_acpi_sleep, IN_ONLY, enter_acpi_sleep},
	{XENPF_get_cpuinfo, OUT, get_cpuinfo},
	{XENPF_get_cpu_version, OUT, get_cpu_version},
	{XENPF_cpu_online, IN_ONLY, cpu_onoff},
	{XENPF_cpu_offline, IN_ONLY, cpu_onoff},
	{XENPF_core_parking, OUT, core_parking},
	{XENPF_get_symbol, OUT, get_symbol},
};

/*
 * Left out, -XEN_ENOSYS: memory types (MTRRs are the firmware's), microcode, platform quirks, EFI
 * runtime, frequency change, idle times, processor power data, hot-add, resource access.
 */
long do_platform_op(unsigned long arg, unsigned long a2, unsigned long a3, unsigned long a4,
		    unsigned long a5)
{
	struct xen_platform_op op;
	int rc;

	if (!current->d->privileged)
		return -XEN_EPERM;
	memset(&op, 0, sizeof(op));
	if (copy_from_guest(&op, (const void *)arg, sizeof(op)))
		return -XEN_EFAULT;
	if (op.interface_version != XENPF_INTERFACE_VERSION)
		return -XEN_EACCES;
	for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
		if (cmds[i].cmd != op.cmd)
			continue;
		rc = cmds[i].fn(&op);
		if (!rc && cmds[i].flags == OUT && copy_to_guest((void *)arg, &op, sizeof(op)))
			rc = -XEN_EFAULT;
		return rc;
	}
	return -XEN_ENOSYS;
}
