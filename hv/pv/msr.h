/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers as PV kernels see them. Few are a guest's own (segment bases, TSC_AUX, SPEC_CTRL);
 * most are constants that satisfy what a kernel looks up at start; dom0 may read a few of the real
 * ones. None lets a guest change the machine.
 */
#ifndef PV_MSR_H
#define PV_MSR_H

#include "lib/types.h"

struct vcpu;

/* v is current, in kernel mode. False: no such register for it, the caller raises #GP. */
bool pv_rdmsr(struct vcpu *v, u32 msr, u64 *val);
bool pv_wrmsr(struct vcpu *v, u32 msr, u64 val);
/* At a context switch: the registers above that are a vcpu's own and not loaded by others. */
void pv_load_msrs(const struct vcpu *v);

#endif
