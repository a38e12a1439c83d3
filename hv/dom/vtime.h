/* SPDX-License-Identifier: MIT */
/*
 * A guest's time: the parameters in vcpu_info (pvclock), the wall clock in shared_info, the runstate
 * and time areas in guest memory, and the per-vcpu timers that raise VIRQ_TIMER. The timers live on
 * the CPU where the vcpu runs and are moved after it.
 */
#ifndef DOM_VTIME_H
#define DOM_VTIME_H

#include "dom/domain.h"

void vtime_init_vcpu(struct vcpu *v);
void vtime_stop_vcpu(struct vcpu *v); /* all its timers, for good */

/* From the scheduler, v = current with its address space loaded: it comes, goes on, goes. */
void vtime_enter(struct vcpu *v);
void vtime_refresh(struct vcpu *v, nsec_t now); /* publishes the time when that was a while ago */
void vtime_leave(struct vcpu *v);
/* Publishes the time now (VHAZ_TIME); v is current. */
void vtime_update(struct vcpu *v);
/* After vcpu_info moved, of any vcpu that does not run or is current: publishes into the new place. */
void vtime_info_moved(struct vcpu *v);

void vtime_update_wallclock(struct domain *d);
void vtime_wallclock_changed(void); /* in all domains */

/* Guest kernel addresses; NULL ends it. */
void vtime_register_runstate(struct vcpu *v, struct vcpu_runstate_info *va);
void vtime_register_time(struct vcpu *v, struct vcpu_time_info *va);

/* Absolute system time in ns; in the past: raises the VIRQ at once. */
void vtime_set_singleshot(struct vcpu *v, u64 when);
void vtime_stop_singleshot(struct vcpu *v);
/* 0, or -XEN_EINVAL when the period is under a millisecond or absurdly long. */
int vtime_set_periodic(struct vcpu *v, u64 period);
void vtime_stop_periodic(struct vcpu *v);

#endif
