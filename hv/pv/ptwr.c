/* SPDX-License-Identifier: MIT */
/*
 * Stores of a guest kernel to its own L1 tables, which it has mapped read-only: the most frequent trap
 * of all. The instruction is carried out on the entry as an atomic read-modify-write.
 */
#include "pv/pv.h"
#include "pv/mm_walk.h"
#include "pv/decode.h"

#define ZF  (1UL << 6)
#define CF  1UL
#define SF  (1UL << 7)
#define OF  (1UL << 11)
#define PF_ (1UL << 2)

enum ptwr_op {
	PTWR_NONE,
	PTWR_MOV,
	PTWR_XCHG,
	PTWR_CMPXCHG,
	PTWR_AND,
	PTWR_OR,
	PTWR_XOR,
	PTWR_BTR,
	PTWR_BTS
};

struct ptwr {
	enum ptwr_op op;
	unsigned int size; /* of the operand: 1, 2, 4, 8 */
	u64 src;	   /* value, or bit number */
	int reg;	   /* XCHG: register to receive the old value */
};

static unsigned int operand_size(const struct insn *i)
{
	return i->rex & 8 ? 8 : i->opsize16 ? 2 : 4;
}

static bool decode_imm(struct insn *i, struct ptwr *p, unsigned int imm_size)
{
	long v;

	if (!insn_imm(i, imm_size, &v))
		return false;
	p->src = (u64)v;
	return true;
}

/* Groups 80/81/83: or, and, xor of an immediate. */
static bool decode_group1(struct insn *i, struct ptwr *p)
{
	unsigned int imm = i->opcode == 0x81 ? min(p->size, 4u) : 1;

	switch (i->reg & 7) {
	case 1:
		p->op = PTWR_OR;
		break;
	case 4:
		p->op = PTWR_AND;
		break;
	case 6:
		p->op = PTWR_XOR;
		break;
	default:
		return false;
	}
	return decode_imm(i, p, imm);
}

static bool decode_bit(struct insn *i, struct cpu_user_regs *regs, struct ptwr *p)
{
	if (i->opcode == 0x0fba) {
		p->op = (i->reg & 7) == 6 ? PTWR_BTR : (i->reg & 7) == 5 ? PTWR_BTS : PTWR_NONE;
		if (p->op == PTWR_NONE || !decode_imm(i, p, 1))
			return false;
	} else {
		p->op = i->opcode == 0x0fb3 ? PTWR_BTR : PTWR_BTS;
		p->src = insn_read_reg(regs, i, i->reg, p->size);
	}
	p->src &= p->size * 8 - 1;
	return true;
}

static bool decode(struct insn *i, struct cpu_user_regs *regs, struct ptwr *p)
{
	bool byte_op = !(i->opcode & 1);

	if (!insn_modrm(i) || i->mod == 3)
		return false;
	p->size = operand_size(i);
	p->reg = i->reg;
	switch (i->opcode) {
	case 0x0fba:
	case 0x0fb3:
	case 0x0fab:
		return decode_bit(i, regs, p);
	case 0x83:
		return decode_group1(i, p);
	default:
		break;
	}
	if (byte_op)
		p->size = 1;
	switch (i->opcode & ~1) {
	case 0x80:
		return decode_group1(i, p);
	case 0x88:
		p->op = PTWR_MOV;
		break;
	case 0x86:
		p->op = PTWR_XCHG;
		break;
	case 0x0fb0:
		p->op = PTWR_CMPXCHG;
		break;
	case 0x20:
		p->op = PTWR_AND;
		break;
	case 0x08:
		p->op = PTWR_OR;
		break;
	case 0x30:
		p->op = PTWR_XOR;
		break;
	case 0xc6:
		p->op = PTWR_MOV;
		return !(i->reg & 7) && decode_imm(i, p, min(p->size, 4u));
	default:
		return false;
	}
	p->src = insn_read_reg(regs, i, i->reg, p->size);
	return true;
}

static u64 compute(const struct ptwr *p, u64 old)
{
	switch (p->op) {
	case PTWR_AND:
		return old & p->src;
	case PTWR_OR:
		return old | p->src;
	case PTWR_XOR:
		return old ^ p->src;
	case PTWR_BTR:
		return old & ~(1ULL << p->src);
	case PTWR_BTS:
		return old | 1ULL << p->src;
	default:
		return p->src;
	}
}

static u64 logic_flags(u64 val, unsigned int size)
{
	u64 f = 0;

	f |= val == 0 ? ZF : 0;
	f |= val >> (size * 8 - 1) & 1 ? SF : 0;
	f |= __builtin_parity((u32)val & 0xff) ? 0 : PF_;
	return f;
}

/* Registers and flags as the instruction leaves them; old is the operand's value before. */
static void set_results(const struct ptwr *p, const struct insn *i, struct cpu_user_regs *regs,
			u64 old, u64 new)
{
	u64 acc;

	switch (p->op) {
	case PTWR_XCHG:
		insn_write_reg(regs, i, (unsigned int)p->reg, p->size, old);
		break;
	case PTWR_CMPXCHG:
		acc = insn_read_reg(regs, i, 0, p->size);
		regs->rflags &= ~ZF;
		if (acc == old)
			regs->rflags |= ZF;
		else
			insn_write_reg(regs, i, 0, p->size, old);
		break;
	case PTWR_AND:
	case PTWR_OR:
	case PTWR_XOR:
		regs->rflags &= ~(ZF | CF | SF | OF | PF_);
		regs->rflags |= logic_flags(new, p->size);
		break;
	case PTWR_BTR:
	case PTWR_BTS:
		regs->rflags &= ~CF;
		regs->rflags |= old >> p->src & 1 ? CF : 0;
		break;
	default:
		break;
	}
}

static int store(struct vcpu *v, const struct ptwr *p, u64 *pl1e, u64 whole, u64 val)
{
	if (p->op == PTWR_MOV || !(whole & PTE_P))
		return pv_l1e_set(v->d, v->d->id, pl1e, val, false);
	return pv_l1e_cmpxchg(v->d, pl1e, whole, val);
}

/*
 * mm_lock held, so only the processor changes the entry meanwhile: accessed and dirty bits. All but a
 * plain mov must not lose these, hence the compare-and-swap and another round when it fails.
 */
static int execute(struct vcpu *v, const struct ptwr *p, const struct insn *i,
		   struct cpu_user_regs *regs, u64 *pl1e, unsigned int shift)
{
	u64 mask = p->size == 8 ? ~0ULL : (1ULL << p->size * 8) - 1, whole, old, new;
	int rc;

	do {
		whole = READ_ONCE(*pl1e);
		old = whole >> shift & mask;
		if (p->op == PTWR_CMPXCHG && insn_read_reg(regs, i, 0, p->size) != old) {
			set_results(p, i, regs, old, old);
			return 0;
		}
		new = compute(p, old) & mask;
		rc = store(v, p, pl1e, whole, (whole & ~(mask << shift)) | new << shift);
	} while (rc == -XEN_EAGAIN);
	if (!rc)
		set_results(p, i, regs, old, new);
	return rc;
}

/* The table entry behind addr when that is a read-only mapping of an L1 table of the domain's own. */
static u64 *find_entry(struct vcpu *v, unsigned long addr)
{
	u64 *map = walk_l1e(v, addr);
	struct frame *f;

	if (!map || (*map & (PTE_P | PTE_RW)) != PTE_P || pv_mfn_is_io(pte_mfn(*map)))
		return NULL;
	f = mfn_to_frame(pte_mfn(*map));
	if (!pv_is_table(v->d, f, 1))
		return NULL;
	return (u64 *)frame_to_virt(f) + ((addr & ~PAGE_MASK) >> 3);
}

bool pv_ptwr(struct vcpu *v, struct cpu_user_regs *regs, unsigned long addr)
{
	struct ptwr p = {0};
	int rc = -XEN_EINVAL, budget = PV_BUDGET;
	struct insn i;
	u64 *pl1e;

	spin_lock(&v->d->mm_lock);
	pl1e = find_entry(v, addr);
	if (!pl1e) {
		spin_unlock(&v->d->mm_lock);
		return false;
	}
	if (pv_drain(v->d, &budget)) {
		spin_unlock(&v->d->mm_lock);
		return true; /* the guest faults again */
	}
	if (insn_fetch(&i, regs->rip) && decode(&i, regs, &p) && (addr & 7) + p.size <= 8)
		rc = execute(v, &p, &i, regs, pl1e, (unsigned int)(addr & 7) * 8);
	spin_unlock(&v->d->mm_lock);
	if (rc)
		return false;
	regs->rip += i.pos;
	regs->rflags &= ~RFLAGS_RF;
	return true;
}
