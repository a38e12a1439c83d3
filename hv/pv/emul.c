/* SPDX-License-Identifier: MIT */
/* Privileged instructions of PV kernels, carried out after #GP, and the forced-emulation prefix. */
#include "pv/pv.h"
#include "pv/cpuid.h"
#include "pv/decode.h"
#include "pv/emul.h"
#include "pv/mm.h"
#include "pv/msr.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "mm/guest_words.h"

static bool emul_cpuid(struct vcpu *v, struct cpu_user_regs *regs)
{
	u32 r[4];

	pv_cpuid(v, (u32)regs->rax, (u32)regs->rcx, r);
	regs->rax = r[0];
	regs->rbx = r[1];
	regs->rcx = r[2];
	regs->rdx = r[3];
	return true;
}

static bool emul_rdmsr(struct vcpu *v, struct cpu_user_regs *regs)
{
	u64 val = 0, real;

	if (!pv_rdmsr(v, (u32)regs->rcx, &val)) {
		/* Before the guest can take a #GP, an MSR that exists reads as zero (abi.md 1.3). */
		if (pv_has_trap_handler(v, TRAP_GP) || rdmsr_safe((u32)regs->rcx, &real))
			return false;
		val = 0;
	}
	regs->rax = (u32)val;
	regs->rdx = val >> 32;
	return true;
}

static bool emul_wrmsr(struct vcpu *v, struct cpu_user_regs *regs)
{
	return pv_wrmsr(v, (u32)regs->rcx, (u32)regs->rax | regs->rdx << 32);
}

static bool emul_read_cr(struct vcpu *v, struct cpu_user_regs *regs, struct insn *i)
{
	u64 *dst;

	if (!insn_modrm(i))
		return false;
	dst = insn_reg(regs, i->rm);
	switch (i->reg) {
	case 0:
		*dst = (v->pv.cr0 & ~8UL) | (v->pv.ts ? 8 : 0);
		return true;
	case 2:
		*dst = v->info->arch.cr2;
		return true;
	case 3:
		*dst = (u64)v->pv.cr3_mfn << PAGE_SHIFT;
		return true;
	case 4:
		*dst = v->pv.cr4;
		return true;
	default:
		return false;
	}
}

/* The guest may own these CR4 bits; it sees the others as we have set them. */
#define CR4_GUEST (CR4_FSGSBASE | CR4_OSXSAVE | CR4_TSD | CR4_DE)

static bool guest_write_cr4(struct vcpu *v, u64 val)
{
	v->pv.cr4 = (v->pv.cr4 & ~CR4_GUEST) | (val & CR4_GUEST & (hv_cr4 | CR4_TSD));
	return true;
}

/* MMUEXT_NEW_BASEPTR by another name. The instruction is repeated when the budget was used up. */
static bool guest_write_cr3(struct vcpu *v, u64 val, struct insn *i)
{
	int budget = PV_BUDGET, rc;

	spin_lock(&v->d->mm_lock);
	rc = pv_drain(v->d, &budget);
	if (!rc)
		rc = pv_new_kernel_root(v, PFN_DOWN(val), &budget);
	spin_unlock(&v->d->mm_lock);
	if (rc == PV_AGAIN)
		i->pos = 0;
	return !rc || rc == PV_AGAIN;
}

static bool emul_write_cr(struct vcpu *v, struct cpu_user_regs *regs, struct insn *i)
{
	u64 val;

	if (!insn_modrm(i))
		return false;
	val = *insn_reg(regs, i->rm);
	switch (i->reg) {
	case 0:
		/* Only TS is the guest's to change; Linux writes the rest as it is. */
		pv_set_ts(v, val & 8);
		return !((val ^ v->pv.cr0) & ~8ULL);
	case 2:
		v->info->arch.cr2 = val;
		return true;
	case 3:
		return guest_write_cr3(v, val, i);
	case 4:
		return guest_write_cr4(v, val);
	default:
		return false;
	}
}

static bool emul_xsetbv(struct vcpu *v, struct cpu_user_regs *regs)
{
	u64 val = (u32)regs->rax | regs->rdx << 32;

	if ((u32)regs->rcx != 0 || !cpu_features.xsave || !(val & 1) || (val & ~cpu_features.xcr0))
		return false;
	if ((val & 4) && !(val & 2))
		return false;
	if ((val & 0xe0) && (val & 0xe6) != 0xe6)
		return false;
	v->pv.xcr0 = val;
	__asm__ __volatile__("xsetbv" ::"c"(0), "a"((u32)val), "d"((u32)(val >> 32)));
	return true;
}

static bool emul_dr(struct vcpu *v, struct cpu_user_regs *regs, struct insn *i, bool write)
{
	if (!insn_modrm(i) || i->reg > 7)
		return false;
	if (write)
		return !pv_set_debugreg(v, i->reg, *insn_reg(regs, i->rm));
	*insn_reg(regs, i->rm) = v->pv.dr[i->reg];
	return true;
}

static bool emul_0f01(struct vcpu *v, struct cpu_user_regs *regs, struct insn *i)
{
	if (!insn_modrm(i) || i->modrm != 0xd1)
		return false;
	return emul_xsetbv(v, regs);
}

static bool emul_0f(struct vcpu *v, struct cpu_user_regs *regs, struct insn *i)
{
	switch (i->opcode & 0xff) {
	case 0x01:
		return emul_0f01(v, regs, i);
	case 0x06:
		pv_set_ts(v, false);
		return true;
	case 0x09:
		if (v->d->privileged)
			__asm__ __volatile__("wbinvd" ::: "memory");
		return true;
	case 0x20:
		return emul_read_cr(v, regs, i);
	case 0x21:
		return emul_dr(v, regs, i, false);
	case 0x22:
		return emul_write_cr(v, regs, i);
	case 0x23:
		return emul_dr(v, regs, i, true);
	case 0x30:
		return emul_wrmsr(v, regs);
	case 0x32:
		return emul_rdmsr(v, regs);
	case 0xa2:
		return emul_cpuid(v, regs);
	default:
		return false;
	}
}

static bool emulate(struct vcpu *v, struct cpu_user_regs *regs, struct insn *i)
{
	if (i->opcode >= 0x6c && i->opcode <= 0x6f)
		return pv_emul_string_io(v, regs, i);
	if (i->opcode < 0x100 && (i->opcode & 0xf4) == 0xe4)
		return pv_emul_io(v, regs, i);
	if (!v->pv.kernel_mode)
		return false;
	if (i->opcode >> 8 == 0x0f)
		return emul_0f(v, regs, i);
	/* cli and sti do nothing: events are masked in vcpu_info only. */
	return (i->opcode == 0xfa || i->opcode == 0xfb) && v->pv.iopl;
}

static void step(struct vcpu *v, struct cpu_user_regs *regs, const struct insn *i)
{
	regs->rip += i->pos;
	regs->rflags &= ~RFLAGS_RF;
	if (regs->rflags & RFLAGS_TF)
		pv_inject_trap(v, regs, TRAP_DB, 0);
}

bool pv_emulate_privileged(struct vcpu *v, struct cpu_user_regs *regs)
{
	struct insn i;

	if (!insn_fetch(&i, regs->rip) || !emulate(v, regs, &i))
		return false;
	step(v, regs, &i);
	return true;
}

/* The seven bytes at rip in the low part, whatever above; 0 when they are not readable. */
static u64 read_seven(const void *rip)
{
	u64 code = 0;

	if (guest_words_begin(rip, 1)) {
		guest_read(code, rip, fault);
		guest_words_end();
		return code;
	}
	return 0;
fault:
	/* Behind them there may be no page any more. */
	guest_words_end();
	code = 0;
	return copy_from_guest(&code, rip, 7) ? 0 : code;
}

/* The bytes 0f 0b, "xen", 0f a2: ud2 and a word as prefix (XEN_EMULATE_PREFIX), then CPUID. */
#define FORCED_CPUID 0xa20f6e65780b0fUL

bool pv_emulate_forced(struct vcpu *v, struct cpu_user_regs *regs)
{
	if (read_seven((const void *)regs->rip) << 8 != FORCED_CPUID << 8)
		return false;
	emul_cpuid(v, regs);
	regs->rip += 7;
	regs->rflags &= ~RFLAGS_RF;
	return true;
}
