/* SPDX-License-Identifier: MIT */
/* Included before every source of the simulator: comparisons of the run queues' keys are counted. */
#ifndef SIM_COUNT_H
#define SIM_COUNT_H

extern unsigned long sim_compared;
#define HEAP_COUNT() ((void)sim_compared++)

#endif
