/* SPDX-License-Identifier: MIT */
#include "cpu/percpu.h"

struct cpu_info test_cpu_info;
