/* SPDX-License-Identifier: MIT */
/* A decoder for the few instructions that the hypervisor carries out for a guest; 64-bit code only. */
#ifndef PV_DECODE_H
#define PV_DECODE_H

#include "lib/types.h"
#include <xen/xen.h>

#define INSN_MAX 15

struct insn {
	u8 byte[INSN_MAX];
	u8 len; /* bytes that could be fetched */
	u8 pos; /* decoded so far: the length of the instruction in the end */
	u8 rex; /* 0 when there is none */
	bool opsize16, addr32, rep, lock;
	u16 opcode;		/* 0x0fXX for two-byte opcodes */
	u8 modrm, mod, reg, rm; /* reg and rm with REX bits; filled by insn_modrm */
};

/* Fetches at rip, parses prefixes and the opcode. False when not readable or too long. */
bool insn_fetch(struct insn *i, unsigned long rip);
/* ModRM, SIB and displacement are stepped over (the operand's address is known otherwise). */
bool insn_modrm(struct insn *i);
/* n bytes little-endian, sign-extended; n = 1, 2 or 4. */
bool insn_imm(struct insn *i, unsigned int n, long *val);
/* Register nr (0..15) of the frame. */
u64 *insn_reg(struct cpu_user_regs *regs, unsigned int nr);
/* The bytes of operand `reg` of an instruction of operand size `size` (AH..BH without REX included). */
u64 insn_read_reg(struct cpu_user_regs *regs, const struct insn *i, unsigned int nr,
		  unsigned int size);
void insn_write_reg(struct cpu_user_regs *regs, const struct insn *i, unsigned int nr,
		    unsigned int size, u64 val);

#endif
