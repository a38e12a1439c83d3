/* SPDX-License-Identifier: MIT */
#include "pv/decode.h"
#include "mm/guest_copy.h"

static bool next_byte(struct insn *i, u8 *b)
{
	if (i->pos >= i->len)
		return false;
	*b = i->byte[i->pos++];
	return true;
}

/* The instruction may end just before an unmapped page. */
static void fetch_bytes(struct insn *i, unsigned long rip)
{
	size_t to_page_end = PAGE_SIZE - (rip & ~PAGE_MASK);

	i->len = INSN_MAX;
	if (!copy_from_guest(i->byte, (void *)rip, INSN_MAX))
		return;
	i->len = 0;
	if (to_page_end < INSN_MAX && !copy_from_guest(i->byte, (void *)rip, to_page_end))
		i->len = (u8)to_page_end;
}

bool insn_fetch(struct insn *i, unsigned long rip)
{
	u8 b;

	memset(i, 0, sizeof(*i));
	fetch_bytes(i, rip);
	for (;;) {
		if (!next_byte(i, &b))
			return false;
		if (b == 0x66)
			i->opsize16 = true;
		else if (b == 0x67)
			i->addr32 = true;
		else if (b == 0xf2 || b == 0xf3)
			i->rep = true;
		else if (b == 0xf0)
			i->lock = true;
		else if (b != 0x2e && b != 0x36 && b != 0x3e && b != 0x26 && b != 0x64 && b != 0x65)
			break;
	}
	if ((b & 0xf0) == 0x40) {
		i->rex = b;
		if (!next_byte(i, &b))
			return false;
	}
	i->opcode = b;
	if (b == 0x0f) {
		if (!next_byte(i, &b))
			return false;
		i->opcode = (u16)(0x0f00 | b);
	}
	return true;
}

bool insn_modrm(struct insn *i)
{
	unsigned int disp = 0;
	u8 sib = 0;

	if (!next_byte(i, &i->modrm))
		return false;
	i->mod = i->modrm >> 6;
	i->reg = (u8)((i->modrm >> 3 & 7) | (i->rex & 4) << 1);
	i->rm = (u8)((i->modrm & 7) | (i->rex & 1) << 3);
	if (i->mod == 3)
		return true;
	if ((i->modrm & 7) == 4 && !next_byte(i, &sib))
		return false;
	if (i->mod == 1)
		disp = 1;
	else if (i->mod == 2 || (i->modrm & 7) == 5 || ((i->modrm & 7) == 4 && (sib & 7) == 5))
		disp = 4;
	if (i->pos + disp > i->len)
		return false;
	i->pos = (u8)(i->pos + disp);
	return true;
}

bool insn_imm(struct insn *i, unsigned int n, long *val)
{
	s32 v = 0;

	if (i->pos + n > i->len)
		return false;
	memcpy(&v, i->byte + i->pos, n);
	i->pos = (u8)(i->pos + n);
	*val = n == 1 ? (s8)v : n == 2 ? (s16)v : v;
	return true;
}

u64 *insn_reg(struct cpu_user_regs *regs, unsigned int nr)
{
	u64 *const r[16] = {
		&regs->rax, &regs->rcx, &regs->rdx, &regs->rbx, &regs->rsp, &regs->rbp,
		&regs->rsi, &regs->rdi, &regs->r8,  &regs->r9,	&regs->r10, &regs->r11,
		&regs->r12, &regs->r13, &regs->r14, &regs->r15,
	};

	return r[nr & 15];
}

static bool high_byte(const struct insn *i, unsigned int nr, unsigned int size)
{
	return size == 1 && !i->rex && nr >= 4 && nr < 8;
}

u64 insn_read_reg(struct cpu_user_regs *regs, const struct insn *i, unsigned int nr,
		  unsigned int size)
{
	if (high_byte(i, nr, size))
		return *insn_reg(regs, nr - 4) >> 8 & 0xff;
	if (size == 8)
		return *insn_reg(regs, nr);
	return *insn_reg(regs, nr) & ((1ULL << size * 8) - 1);
}

void insn_write_reg(struct cpu_user_regs *regs, const struct insn *i, unsigned int nr,
		    unsigned int size, u64 val)
{
	u64 *r = insn_reg(regs, high_byte(i, nr, size) ? nr - 4 : nr);

	if (high_byte(i, nr, size))
		*r = (*r & ~0xff00ULL) | (val & 0xff) << 8;
	else if (size == 1)
		*r = (*r & ~0xffULL) | (val & 0xff);
	else if (size == 2)
		*r = (*r & ~0xffffULL) | (val & 0xffff);
	else if (size == 4)
		*r = (u32)val; /* 32-bit results clear the upper half */
	else
		*r = val;
}
