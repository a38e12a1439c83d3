/* SPDX-License-Identifier: MIT */
#include "cpu/extable.h"
#include "cpu/cpu.h"
#include "lib/errno.h"

struct ex_entry {
	unsigned long from, to;
};

extern const struct ex_entry _ex_table_start[], _ex_table_end[];

unsigned long extable_find(unsigned long ip)
{
	for (const struct ex_entry *e = _ex_table_start; e < _ex_table_end; e++)
		if (e->from == ip)
			return e->to;
	return 0;
}

int rdmsr_safe(u32 msr, u64 *v)
{
	u32 lo, hi;
	int err = 0;

	__asm__ __volatile__("1: rdmsr\n2:\n\t"
			     ".pushsection .text.fixup, \"ax\"\n"
			     "3: xorl %%eax, %%eax; xorl %%edx, %%edx; movl %4, %2; jmp 2b\n\t"
			     ".popsection\n\t" EX_TABLE("1b", "3b")
			     : "=a"(lo), "=d"(hi), "+r"(err)
			     : "c"(msr), "i"(-XEN_EFAULT));
	*v = (u64)hi << 32 | lo;
	return err;
}

int wrmsr_safe(u32 msr, u64 v)
{
	int err = 0;

	__asm__ __volatile__("1: wrmsr\n2:\n\t"
			     ".pushsection .text.fixup, \"ax\"\n"
			     "3: movl %4, %0; jmp 2b\n\t"
			     ".popsection\n\t" EX_TABLE("1b", "3b")
			     : "+r"(err)
			     : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)), "i"(-XEN_EFAULT)
			     : "memory");
	return err;
}
