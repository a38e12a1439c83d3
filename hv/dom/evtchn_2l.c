/* SPDX-License-Identifier: MIT */
#include "dom/evtchn_priv.h"

/* Raising is in evtchn.c, for its length. */
void evtchn_2l_unmask(struct domain *d, struct evtchn *chn, u32 port)
{
	struct shared_info *s = d->shared;
	struct vcpu *v = d->vcpu[chn->vcpu];

	if (!test_and_clear_bit_atomic(port, (unsigned long *)s->evtchn_mask))
		return;
	if (!v || !test_bit(port, (unsigned long *)s->evtchn_pending))
		return;
	if (!test_and_set_bit_atomic(port / BITS_PER_LONG, &v->info->evtchn_pending_sel))
		vcpu_mark_events_pending(v);
}
