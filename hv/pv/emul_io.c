/* SPDX-License-Identifier: MIT */
#include "pv/emul.h"
#include "pv/ioport.h"
#include "mm/guest_copy.h"
#include "pv/pv.h"

static unsigned int io_size(const struct insn *i)
{
	return !(i->opcode & 1) ? 1 : i->opsize16 ? 2 : 4;
}

bool pv_emul_io(struct vcpu *v, struct cpu_user_regs *regs, struct insn *i)
{
	unsigned int size = io_size(i);
	u16 port = (u16)regs->rdx;
	long imm;
	u32 val;

	if (!(i->opcode & 8)) {
		if (!insn_imm(i, 1, &imm))
			return false;
		port = (u8)imm;
	}
	if (i->opcode & 2)
		return pv_io_out(v, port, size, (u32)insn_read_reg(regs, i, 0, size));
	if (!pv_io_in(v, port, size, &val))
		return false;
	insn_write_reg(regs, i, 0, size, val);
	return true;
}

static bool string_in(struct vcpu *v, struct cpu_user_regs *regs, unsigned int size)
{
	u32 val;

	/* The guest address is tried first: a port must not be read in vain. */
	if (clear_guest((void *)regs->rdi, size)) {
		pv_inject_pf(v, regs, regs->rdi, 2);
		return false;
	}
	if (!pv_io_in(v, (u16)regs->rdx, size, &val)) {
		pv_inject_trap(v, regs, TRAP_GP, 0);
		return false;
	}
	return !copy_to_guest((void *)regs->rdi, &val, size);
}

static bool string_out(struct vcpu *v, struct cpu_user_regs *regs, unsigned int size)
{
	u32 val = 0;

	if (copy_from_guest(&val, (void *)regs->rsi, size)) {
		pv_inject_pf(v, regs, regs->rsi, 0);
		return false;
	}
	if (pv_io_out(v, (u16)regs->rdx, size, val))
		return true;
	pv_inject_trap(v, regs, TRAP_GP, 0);
	return false;
}

bool pv_emul_string_io(struct vcpu *v, struct cpu_user_regs *regs, struct insn *i)
{
	unsigned int size = io_size(i);
	long dir = regs->rflags & RFLAGS_DF ? -(long)size : (long)size;
	bool out = i->opcode & 2;

	if (i->addr32)
		return false;
	if (i->rep && !regs->rcx)
		return true;
	if (!(out ? string_out(v, regs, size) : string_in(v, regs, size))) {
		i->pos = 0; /* a fault was delivered; rip is already the handler's */
		return true;
	}
	if (out)
		regs->rsi += (unsigned long)dir;
	else
		regs->rdi += (unsigned long)dir;
	if (i->rep && --regs->rcx)
		i->pos = 0;
	return true;
}
