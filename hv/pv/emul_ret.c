/* SPDX-License-Identifier: MIT */
/*
 * Far returns in ring 3 with SMAP on. A processor reads their operands as the user that executes them;
 * QEMU's TCG (seen in 7.2) reads them as the supervisor and so raises a page fault that no processor
 * would. The return, which stays in ring 3, is then carried out here.
 */
#include "pv/pv.h"
#include "pv/decode.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "mm/guest_copy.h"

#define FLAGS_RING3 \
	0x250dd5UL /* what IRET changes at CPL 3 with IOPL 0: all but IF, IOPL, VIF, VIP, VM */

struct far_frame {
	u64 rip, cs, rflags, rsp, ss;
};

/* Reads n slots of `size` bytes from the guest's stack. */
static bool read_frame(struct cpu_user_regs *regs, unsigned int size, unsigned int n, u64 *out)
{
	for (unsigned int i = 0; i < n; i++)
		if (copy_from_guest(&out[i], (void *)(regs->rsp + i * size), size))
			return false;
	return true;
}

static bool far_return(struct cpu_user_regs *regs, struct insn *i, unsigned int size)
{
	u64 f[2] = {0};
	long extra = 0;

	if (i->opcode == 0xca && !insn_imm(i, 2, &extra))
		return false;
	if (!read_frame(regs, size, 2, f) || (f[1] & 3) != 3)
		return false;
	regs->rip = f[0];
	regs->cs = (u16)f[1];
	regs->rsp += 2 * size + (u16)extra;
	return true;
}

static bool interrupt_return(struct cpu_user_regs *regs, unsigned int size)
{
	u64 f[5] = {0};

	if (!read_frame(regs, size, 5, f) || (f[1] & 3) != 3 || (f[4] & 3) != 3)
		return false;
	regs->rip = f[0];
	regs->cs = (u16)f[1];
	regs->rflags = (regs->rflags & ~FLAGS_RING3) | (f[2] & FLAGS_RING3) | 2;
	regs->rsp = f[3];
	regs->ss = (u16)f[4];
	return true;
}

bool pv_emulate_far_return(struct cpu_user_regs *regs)
{
	unsigned int size;
	struct insn i;
	bool ok;

	if (!(hv_cr4 & CR4_SMAP) || !insn_fetch(&i, regs->rip))
		return false;
	size = i.rex & 8 ? 8 : i.opsize16 ? 2 : 4;
	if (i.opcode == 0xcb || i.opcode == 0xca)
		ok = far_return(regs, &i, size);
	else
		ok = i.opcode == 0xcf && interrupt_return(regs, size);
	if (ok)
		regs->entry_vector = 0;
	return ok;
}
