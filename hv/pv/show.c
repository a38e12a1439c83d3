/* SPDX-License-Identifier: MIT */
#include "pv/pv.h"
#include "cpu/percpu.h"
#include "cpu/trace.h"
#include "lib/log.h"

/* Looks at what is there and follows as little as it can: something is broken. No lock. */
void pv_show_running(unsigned int cpu, const struct cpu_user_regs *r, bool detailed)
{
	const struct cpu_info *ci = cpu_infos[cpu];
	const struct vcpu *v = ci ? ci->curr : NULL;

	if (!v || !v->d) {
		pr_err("  no guest yet\n");
		return;
	}
	if (is_idle_vcpu(v)) {
		pr_err("  no guest: idle\n");
		return;
	}
	if (!r || !(r->cs & 3))
		r = &ci->guest_regs; /* as it came in */
	pr_err("  guest d%uv%u, %s mode, RIP: %04x:%016lx, RSP: %016lx\n", v->d->id, v->id,
	       v->pv.kernel_mode ? "kernel" : "user", r->cs, r->rip, r->rsp);
	if (!detailed)
		return;
	pr_err("The guest's registers:\n");
	show_general_regs(r);
}
