/* SPDX-License-Identifier: MIT */
/* Debug registers of PV vcpus: checked, and in the processor only while something is enabled. */
#include "pv/pv.h"
#include "dom/handlers.h"
#include "dom/hypercall.h"
#include "cpu/cpu.h"
#include "lib/nospec.h"

#define DR7_ENABLES 0xffUL
#define DR7_FIXED   0x400UL
#define DR7_VALID   0xffff03ffUL /* no general detect (GD), which would trap our own accesses */

static void write_dr(unsigned int reg, unsigned long val)
{
	switch (reg) {
	case 0:
		__asm__ __volatile__("mov %0, %%dr0" ::"r"(val));
		break;
	case 1:
		__asm__ __volatile__("mov %0, %%dr1" ::"r"(val));
		break;
	case 2:
		__asm__ __volatile__("mov %0, %%dr2" ::"r"(val));
		break;
	case 3:
		__asm__ __volatile__("mov %0, %%dr3" ::"r"(val));
		break;
	case 6:
		__asm__ __volatile__("mov %0, %%dr6" ::"r"(val));
		break;
	default:
		__asm__ __volatile__("mov %0, %%dr7" ::"r"(val));
		break;
	}
}

static bool active(const struct vcpu *v)
{
	return v->pv.dr[7] & DR7_ENABLES;
}

void pv_load_debugregs(struct vcpu *v)
{
	if (!active(v))
		return;
	for (unsigned int i = 0; i < 4; i++)
		write_dr(i, v->pv.dr[i]);
	write_dr(6, 0xffff0ff0UL);
	write_dr(7, v->pv.dr[7]);
}

void pv_save_debugregs(struct vcpu *v)
{
	if (active(v))
		write_dr(7, DR7_FIXED);
}

/* A breakpoint type of I/O (10b) or with an undefined length is not for guests. */
static bool dr7_ok(unsigned long val)
{
	for (unsigned int i = 0; i < 4; i++)
		if ((val >> (i * 2) & 3) && (val >> (16 + i * 4) & 3) == 2)
			return false;
	return true;
}

int pv_set_debugreg(struct vcpu *v, unsigned int reg, unsigned long val)
{
	if (reg < 4) {
		if (!is_canonical(val) || (val >= HV_VA_START && val < HV_VA_END))
			return -XEN_EPERM;
	} else if (reg > 7 || reg == 4 || reg == 5) {
		return -XEN_ENODEV;
	} else if (val >> 32) {
		return -XEN_EPERM;
	} else if (reg == 6) {
		val = (val & 0xe00f) | 0xffff0ff0UL;
	} else {
		val = (val & DR7_VALID) | DR7_FIXED;
		if (!dr7_ok(val))
			return -XEN_EPERM;
	}
	if (reg == 7) {
		bool was = active(v);

		v->pv.dr[7] = val;
		if (active(v))
			pv_load_debugregs(v);
		else if (was)
			write_dr(7, DR7_FIXED);
		return 0;
	}
	v->pv.dr[reg] = val;
	if (reg < 4 && active(v))
		write_dr(reg, val);
	return 0;
}

long do_set_debugreg(unsigned long reg, unsigned long val, unsigned long a3, unsigned long a4,
		     unsigned long a5)
{
	if (reg > 7)
		return -XEN_ENODEV;
	return pv_set_debugreg(current, (unsigned int)nospec_index(reg, 8), val);
}

long do_get_debugreg(unsigned long reg, unsigned long a2, unsigned long a3, unsigned long a4,
		     unsigned long a5)
{
	if (reg > 7 || reg == 4 || reg == 5)
		return -XEN_ENODEV;
	return (long)current->pv.dr[nospec_index(reg, 8)];
}
