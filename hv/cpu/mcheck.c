/* SPDX-License-Identifier: MIT */
#include "cpu/mcheck.h"
#include "cpu/cpu.h"
#include "lib/printf.h"

/* SDM 3B, 16.3. */
#define MSR_MCG_CAP    0x179
#define MSR_MCG_STATUS 0x17a
#define MSR_MC0_STATUS 0x401
#define MC_STRIDE      4
#define MC_VALID       (1ULL << 63)

const char *mcheck_reason(void)
{
	static char text[96]; /* two CPUs at once: both have the same trouble */
	u64 cap, v = 0;

	if (rdmsr_safe(MSR_MCG_CAP, &cap) || rdmsr_safe(MSR_MCG_STATUS, &v))
		return "machine check";
	for (u32 bank = 0; bank < (cap & 0xff); bank++) {
		u64 s;

		if (rdmsr_safe(MSR_MC0_STATUS + bank * MC_STRIDE, &s) || !(s & MC_VALID))
			continue;
		hv_snprintf(text, sizeof(text), "machine check, status %lx, bank %u: %016lx",
			    (unsigned long)v, bank, (unsigned long)s);
		return text;
	}
	hv_snprintf(text, sizeof(text), "machine check, status %lx, no bank has a reason",
		    (unsigned long)v);
	return text;
}
