/* SPDX-License-Identifier: MIT */
/* A CPU changes from one vcpu to another (sched/sched.h: struct sched_switch_ops). */
#include "pv/pv.h"
#include "pv/mm.h"
#include "pv/msr.h"
#include "pv/xpti.h"
#include "cpu/cpu.h"
#include "cpu/percpu.h"
#include "cpu/spec.h"
#include "cpu/desc.h"
#include "cpu/features.h"
#include "lib/string.h"
#include "mm/tlb.h"

static DEFINE_PER_CPU(struct domain *, loaded_domain);
static DEFINE_PER_CPU(u64, predicting_for); /* serial of the domain that ran here last */

static void set_xcr0(u64 val)
{
	__asm__ __volatile__("xsetbv" ::"c"(0), "a"((u32)val), "d"((u32)(val >> 32)));
}

void pv_set_ts(struct vcpu *v, bool ts)
{
	if (ts == v->pv.ts)
		return;
	v->pv.ts = ts;
	if (ts)
		write_cr0(read_cr0() | 8);
	else
		__asm__ __volatile__("clts");
}

/* Always whole, always at the switch: nothing of another vcpu is ever left in the registers. */
void pv_save_fpu(struct vcpu *v)
{
	const struct cpu_features *f = &cpu_features;

	if (v->pv.ts)
		__asm__ __volatile__("clts");
	if (!f->xsave) {
		__asm__ __volatile__("fxsave64 (%0)" ::"r"(v->pv.xsave) : "memory");
		return;
	}
	if (v->pv.xcr0 != f->xcr0)
		set_xcr0(f->xcr0);
	if (f->xsaveopt)
		__asm__ __volatile__("xsaveopt64 (%0)" ::"r"(v->pv.xsave), "a"(~0u), "d"(~0u)
				     : "memory");
	else
		__asm__ __volatile__("xsave64 (%0)" ::"r"(v->pv.xsave), "a"(~0u), "d"(~0u)
				     : "memory");
}

#define FX_MXCSR      24
#define FX_MXCSR_MASK 28
#define XSAVE_HEADER  512

void pv_set_fpu_image(struct vcpu *v, const void *image)
{
	static u8 own[512] __aligned(16);
	u8 *x = v->pv.xsave;
	u32 mask;

	/* What this processor has in its own image: bits of MXCSR outside of it raise #GP (SDM 11.6.6). */
	__asm__ __volatile__("fxsave64 (%0)" ::"r"(own) : "memory");
	memcpy(&mask, own + FX_MXCSR_MASK, sizeof(mask));
	memcpy(x, image, XSAVE_HEADER);
	*(u32 *)(x + FX_MXCSR) &= mask ? mask : 0xffbf;
	if (cpu_features.xsave)
		*(u64 *)(x + XSAVE_HEADER) |= 3;
}

/* TS is clear and XCR0 complete, as pv_save_fpu() or the start of the CPU left them. */
void pv_load_fpu(struct vcpu *v)
{
	const struct cpu_features *f = &cpu_features;

	if (!f->xsave) {
		__asm__ __volatile__("fxrstor64 (%0)" ::"r"(v->pv.xsave));
	} else {
		__asm__ __volatile__("xrstor64 (%0)" ::"r"(v->pv.xsave), "a"(~0u), "d"(~0u));
		if (v->pv.xcr0 != f->xcr0)
			set_xcr0(v->pv.xcr0);
	}
	if (v->pv.ts)
		write_cr0(read_cr0() | 8);
}

static void forget_domain(struct domain *d)
{
	unsigned int cpu = smp_cpu_id();

	if (d)
		atomic_and(&d->pv.dirty_cpus[BIT_WORD(cpu)], ~BIT_MASK(cpu));
}

static void pv_save(struct vcpu *prev)
{
	if (is_idle_vcpu(prev))
		return;
	prev->regs = *guest_regs();
	pv_save_segments(prev);
	pv_save_fpu(prev);
	pv_save_debugregs(prev);
}

static void pv_load(struct vcpu *next)
{
	struct domain *d = next->d, *old = this_cpu(loaded_domain);
	unsigned int cpu = smp_cpu_id();
	mfn_t root = next->pv.kernel_mode ? next->pv.cr3_mfn : next->pv.user_cr3_mfn;

	if (is_idle_vcpu(next))
		return;
	if (d != old)
		atomic_or(&d->pv.dirty_cpus[BIT_WORD(cpu)], BIT_MASK(cpu));
	if (this_cpu(predicting_for) != d->pv.serial) {
		this_cpu(predicting_for) = d->pv.serial;
		spec_change_domain();
		if (spec_site_on(SPEC_SITE_XPTI))
			xpti_scrub();
	}
	/* Never a GDT without our own code segment: an NMI may come at any instruction. */
	desc_load_gdt(desc_hv_gdt_base());
	if (spec_site_on(SPEC_SITE_XPTI))
		xpti_leave();
	pv_load_root(next, root);
	if (d != old) {
		forget_domain(old);
		this_cpu(loaded_domain) = d;
	}
	desc_load_gdt(PV_GDT_VA(next));
	pv_load_ldt(next);
	*guest_regs() = next->regs;
	pv_load_fpu(next);
	pv_load_segments(next);
	pv_load_debugregs(next);
	pv_load_msrs(next);
}

/* Nothing of a guest's is needed any more on this CPU: its tables may go away. */
static void pv_unload(void)
{
	u32 null = 0;

	__asm__ __volatile__(
		"lldt %w0; mov %w0, %%ds; mov %w0, %%es; mov %w0, %%fs; mov %w0, %%gs" ::"r"(null));
	desc_load_gdt(desc_hv_gdt_base());
	if (spec_site_on(SPEC_SITE_XPTI))
		xpti_leave();
	tlb_load_cr3(hv_virt_to_phys(idle_l4));
	forget_domain(this_cpu(loaded_domain));
	this_cpu(loaded_domain) = NULL;
}

static const struct sched_switch_ops ops = {
	.save = pv_save,
	.load = pv_load,
	.unload = pv_unload,
};

void pv_switch_init(void)
{
	guest_switch_ops = &ops;
}
