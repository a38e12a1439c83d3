/* SPDX-License-Identifier: MIT */
#include "dom/handlers.h"
#include "dom/hypercall.h"
#include "dom/vtime.h"

/* Absolute system time in ns; 0 stops the timer. It is the vcpu's single-shot timer by another name. */
long do_set_timer_op(unsigned long timeout, unsigned long a2, unsigned long a3, unsigned long a4,
		     unsigned long a5)
{
	if (timeout)
		vtime_set_singleshot(current, timeout);
	else
		vtime_stop_singleshot(current);
	return 0;
}
